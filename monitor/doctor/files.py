"""Folders and files: are they there, is there room, and who else on this machine can read them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.config.check import secret_faults
from monitor.config.load import load_configuration
from monitor.doctor.finding import Finding, fail, ok, warn
from probes.faults import Fault, FaultyInput
from probes.secrets import EnvironmentSecrets

FULL_AT = 0.98  # share of the disk in use
NARROW_AT = 0.90
LEAST_FREE_BYTES = 200 * 1024 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MOST_FAULTS = 20


def read_configuration(folder: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Read the configuration as the service would, with the secrets it asks for."""
    faults: list[Fault] = []
    try:
        load_configuration(folder)
    except FaultyInput as error:
        faults += error.faults
    faults += secret_faults(folder, EnvironmentSecrets(environ))
    advice = f"correct it; `monitor check --config {folder}` lists every fault"
    for fault in faults[:MOST_FAULTS]:
        yield fail("configuration", str(fault), advice)
    if not faults:
        yield ok("configuration", f"{folder} has no fault")


def examine_data(data: Path) -> Iterator[Finding]:
    """Look at the data folder: there, writable, with room, and closed to others."""
    if not data.is_dir():
        yield warn("data", f"{data} does not exist", "it is made at the first start; or set --data")
        return
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        advice = f"chown it to the service's account, or run this as that account: {data}"
        yield fail("data", f"{data} cannot be read and written by this account", advice)
        return
    yield ok("data", f"{data} can be read and written")
    yield _room(data)
    if data.stat().st_mode & OTHERS:
        text = f"others on this machine can look into {data}, where users' words are kept"
        yield fail("permissions", text, f"chmod 700 {data}")
    else:
        yield ok("permissions", f"{data} is closed to others on this machine")


def _room(data: Path) -> Finding:
    usage = shutil.disk_usage(data)
    used = 1 - usage.free / usage.total
    text = f"{usage.free / 1024**3:.1f} GiB of {usage.total / 1024**3:.1f} GiB free at {data}"
    advice = "make room, or shorten `retention:` in monitor.yml"
    if used >= FULL_AT or usage.free < LEAST_FREE_BYTES:
        return fail("disk", text, advice)
    return warn("disk", text, advice) if used >= NARROW_AT else ok("disk", text)


def examine_secret_files(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at every file that a `MONITOR_…_FILE` variable names."""
    paths = {
        name: Path(value)
        for name, value in sorted(environ.items())
        if name.startswith("MONITOR_") and name.endswith("_FILE") and value
    }
    for name, path in paths.items():
        if not os.access(path, os.R_OK):
            text = f"{name} names {path}, which cannot be read"
            yield fail("secrets", text, "correct the path, or let the service's account read it")
        elif path.stat().st_mode & stat.S_IRWXO:
            text = f"{path} ({name}) can be read by everybody on this machine"
            yield fail("secrets", text, f"chmod 600 {path}")
    if paths:
        yield ok("secrets", f"{len(paths)} secret file{'s' if len(paths) > 1 else ''} looked at")


def examine_configuration_files(folder: Path) -> Iterator[Finding]:
    """Look for files of the configuration that anybody could change."""
    for path in (folder, *sorted(folder.glob("*.y*ml")), *sorted(folder.glob("*/*.y*ml"))):
        if path.exists() and path.stat().st_mode & stat.S_IWOTH:
            text = f"{path} can be changed by everybody on this machine"
            yield fail("permissions", text, f"chmod o-w {path}")
