"""The `monitor` command: each subcommand in few lines, its work done by a module of its own.

Modules are imported when a command needs them, so that `monitor check` does not wait for a web
server. Exit codes: 0 done or passed, 1 a finding (a fault, a failed journey), 2 wrong usage,
3 the prober could not tell.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.audit_cli import audit_app
from monitor.privacy_cli import privacy_app
from monitor.startup import begin
from monitor.token_cli import token_app
from monitor.user_cli import user_app
from probes.faults import Fault, FaultyInput

app = typer.Typer(
    name="monitor",
    help="Watch a marketplace as its customers use it, and tell everyone who must know.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration folder [MONITOR_CONFIG, ./config]")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data folder [MONITOR_DATA, ./data]")
]
HostOption = Annotated[
    str | None, typer.Option("--host", help="Address to listen on [MONITOR_HOST, 127.0.0.1]")
]
PortOption = Annotated[
    int | None, typer.Option("--port", help="Port, 0 for a free one [MONITOR_PORT, 8080]")
]


@app.command()
def run(
    host: HostOption = None,
    port: PortOption = None,
    data: DataOption = None,
    shop_port: Annotated[int, typer.Option(help="Port of the demo shop")] = 8800,
) -> None:
    """Start the monitor against the bundled demo marketplace."""
    begin()
    from monitor.demo_run import serve_with_demo

    serve_with_demo(host=host, port=port, data=data, shop_port=shop_port)


@app.command()
def serve(
    config: ConfigOption = None,
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
) -> None:
    """Run the service on a configuration folder."""
    begin()
    from monitor.serve import serve as serve_folder
    from monitor.settings import load_settings

    settings = load_settings(os.environ, config=config, data=data, host=host, port=port)
    serve_folder(settings, os.environ)


@app.command()
def init(
    shop: Annotated[str, typer.Argument(help="Address of your shop, https://my-shop.example")],
    config: Annotated[Path, typer.Option(help="Folder to write")] = Path("config"),
) -> None:
    """Write a commented configuration folder to start from; existing files are kept."""
    from monitor.config.init import write_starter

    for path, written in write_starter(shop, config):
        typer.echo(f"{'wrote' if written else 'kept '}  {path}")
    typer.echo(f"\nNext: edit {config}/monitor.yml, then run  monitor check --config {config}")


@app.command()
def check(config: ConfigOption = None) -> None:
    """Report every fault of a configuration folder at once, with file and line."""
    from monitor.config.check import check_folder
    from monitor.settings import Settings, load_settings
    from probes.secrets import EnvironmentSecrets

    faults: list[Fault] = []
    try:
        settings = load_settings(os.environ, config=config)
    except FaultyInput as error:  # told beside the folder's own faults, not instead of them
        faults += error.faults
        folder = config or Path(os.environ.get("MONITOR_CONFIG") or Settings().config)
    else:
        folder = settings.config
    raise typer.Exit(check_folder(folder, EnvironmentSecrets(os.environ), faults))


@app.command()
def probe(
    journey: Annotated[str, typer.Argument(help="Name of the journey")],
    config: ConfigOption = None,
    location: Annotated[str | None, typer.Option(help="Location to run as")] = None,
) -> None:
    """Run a journey once and show its steps, phases and verdict."""
    from monitor.probe_once import probe_once
    from monitor.settings import load_settings

    settings = load_settings(os.environ, config=config)
    raise typer.Exit(probe_once(settings, os.environ, journey, location))


@app.command(name="test-rules")
def test_rules(
    files: Annotated[list[Path], typer.Argument(help="Rule test files, promtool's format")],
) -> None:
    """Run unit tests of alert rules."""
    from monitor.rules.unit_tests import check_rule_tests

    raise typer.Exit(check_rule_tests(files))


@app.command(name="notify-test")
def notify_test(
    channel: Annotated[str, typer.Argument(help="Name of a channel, or `reporter`")],
    config: ConfigOption = None,
    to: Annotated[str, typer.Option(help="Address instead of the channel's own")] = "",
) -> None:
    """Send a test message over a channel and show what the receiver answered."""
    from monitor.notify_once import notify_once
    from monitor.settings import load_settings

    settings = load_settings(os.environ, config=config)
    raise typer.Exit(notify_once(settings, os.environ, channel, to))


@app.command(name="revoke-links")
def revoke_links(data: DataOption = None) -> None:
    """Make every acknowledge link that was sent so far worthless; new pages carry new ones."""
    from monitor.clock import SystemClock
    from monitor.offline import opened_store, operator
    from monitor.use_cases import acknowledge_links

    with opened_store(data) as (store, _):
        acknowledge_links.revoke_links(store, SystemClock().now(), operator())
    typer.echo("No link that was sent so far acknowledges anything any more.")


@app.command()
def doctor(
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Reach nothing outside")] = False,
) -> None:
    """Examine this installation, and say of everything that is not well what to do."""
    from monitor.clock import SystemClock
    from monitor.doctor.examine import examine, tell
    from monitor.settings import load_settings

    settings = load_settings(os.environ, config=config, data=data)
    findings = list(examine(settings, os.environ, SystemClock().now, offline=offline))
    raise typer.Exit(tell(findings, as_json=as_json))


grafana_app = typer.Typer(help="Grafana: dashboards and annotations.", no_args_is_help=True)
app.add_typer(grafana_app, name="grafana")


@grafana_app.command(name="push")
def grafana_push(
    url: Annotated[str, typer.Option(help="Address of Grafana")] = "http://localhost:3000",
    days: Annotated[float, typer.Option(help="How far back incidents are marked")] = 30,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Put dashboards, incidents and maintenance into Grafana; token: MONITOR_SECRET_GRAFANA."""
    from monitor.grafana_push import push_to_grafana
    from monitor.settings import load_settings

    settings = load_settings(os.environ, config=config, data=data)
    raise typer.Exit(push_to_grafana(settings, os.environ, url, days=days))


app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(privacy_app, name="privacy")
app.add_typer(audit_app, name="audit")


def main() -> None:
    """Run the command line; a faulty input is told in full, without a traceback."""
    try:
        app()
    except FaultyInput as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        count = len(error.faults)
        print(f"\n{count} fault{'s' if count != 1 else ''} found.", file=sys.stderr)
        sys.exit(1)
