#!/bin/sh
# Writes the passwords and tokens of docker-compose.yml into ./secrets; those already there are kept.
# The folder is closed to others. The files in it are readable, because Compose hands each one into
# its container with the permissions it has here, and nothing in a container runs as root.
set -eu
cd "${1:-.}"
umask 077
mkdir -p secrets

make() { # make NAME VALUE
  [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
  chmod 0444 "secrets/$1"
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

make database_password "$(random)"
make database_url "postgresql+psycopg://monitor:$(cat secrets/database_password)@postgres:5432/monitor"
make alerts_token "$(random)"
make metrics_token "$(random)"
make grafana_password "$(random)"
echo "Secrets are in $(pwd)/secrets. Grafana: user admin, password in secrets/grafana_password."
