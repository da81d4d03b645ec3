#!/usr/bin/env bash
# Prepares a fresh Debian or Ubuntu machine.
#   bootstrap.sh venv PYTHON DIR   makes a virtual environment, installing python3-venv where it is missing
#   bootstrap.sh servers           installs the real programs the tests meet; says so and goes on where it may not
set -euo pipefail

SERVERS=(prometheus prometheus-alertmanager prometheus-blackbox-exporter postgresql chromium nginx-light fonts-dejavu-core)

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

install_packages() {
  # No service may start by itself: tests start their own servers on free ports.
  local policy=/usr/sbin/policy-rc.d made=""
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes; fi
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  if [ -n "$made" ]; then rm -f "$policy"; fi
}

venv() {
  local python=$1 dir=$2
  if [ -z "$python" ]; then
    echo "No Python 3.11 or newer was found. Install one (apt-get install python3) and run this again." >&2
    exit 1
  fi
  if [ -x "$dir/bin/pip" ]; then return; fi
  rm -rf "$dir"
  if ! "$python" -m venv "$dir" 2>/dev/null; then
    rm -rf "$dir"
    if may_install; then install_packages python3-venv; else
      echo "Python's venv module is missing. Run: sudo apt-get install python3-venv" >&2
      exit 1
    fi
    "$python" -m venv "$dir"
  fi
}

servers() {
  local missing=()
  for package in "${SERVERS[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if ! may_install; then
    echo "Not installed here, their tests are skipped by name: ${missing[*]}" >&2
    echo "To run them too: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    return
  fi
  echo "Installing for the tests: ${missing[*]}"
  install_packages "${missing[@]}" || echo "Some packages could not be installed; their tests are skipped by name." >&2
}

case "${1:-}" in
  venv) venv "${2:-}" "${3:-.venv}" ;;
  servers) servers ;;
  *) echo "usage: bootstrap.sh venv PYTHON DIR | servers" >&2; exit 2 ;;
esac
