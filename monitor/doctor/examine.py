"""The whole examination, in the order in which one thing depends on another, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Console

from monitor.doctor.database import examine_database
from monitor.doctor.files import (
    examine_configuration_files,
    examine_data,
    examine_secret_files,
    read_configuration,
)
from monitor.doctor.finding import Finding, Level
from monitor.doctor.network import (
    examine_channel_mail,
    examine_hosts,
    examine_mail,
    examine_public_url,
)
from monitor.doctor.origins import mail_servers_of, origins_of
from monitor.settings import Settings
from probes.secrets import EnvironmentSecrets

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def examine(
    settings: Settings,
    environ: Mapping[str, str],
    now: Callable[[], datetime],
    *,
    offline: bool = False,
) -> Iterator[Finding]:
    """Give every finding as it is made; `offline` leaves out what needs the network."""
    yield from read_configuration(settings.config, environ)
    yield from examine_configuration_files(settings.config)
    yield from examine_secret_files(environ)
    yield from examine_data(settings.data)
    yield from examine_database(settings, now())
    if not offline:
        yield from examine_mail(settings.smtp_url)
        servers = mail_servers_of(settings.config)
        yield from examine_channel_mail(servers, EnvironmentSecrets(environ))
        yield from examine_hosts(origins_of(settings.config, environ), now)
        yield from examine_public_url(settings.public_url, now)


def tell(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print the findings; return 1 where one of them is a failure, else 0."""
    failed = any(finding.level is Level.FAIL for finding in findings)
    console = Console(highlight=False, soft_wrap=True)
    if as_json:
        document = {"well": not failed, "findings": [f.as_json() for f in findings]}
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return int(failed)
    for finding in findings:
        console.print(f"{finding.level:4}", style=STYLES[finding.level], end="  ")
        console.print(f"{finding.area}: {finding.text}", markup=False)
        if finding.advice:
            console.print(f"      {finding.advice}", markup=False)
    counts = {level: sum(f.level is level for f in findings) for level in Level}
    said = ", ".join(f"{count} {level}" for level, count in counts.items())
    console.print(f"\n{said}.")
    return int(failed)
