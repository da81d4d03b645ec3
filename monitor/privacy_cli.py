"""`monitor privacy …`: what is held about a reporter, given out or erased."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from monitor.offline import DataOption, opened_store, operator

privacy_app = typer.Typer(help="Reporters' personal data.", no_args_is_help=True)
Who = Annotated[str, typer.Argument(help="E-mail address, or a report such as RPT-12")]


@privacy_app.command()
def export(who: Who, data: DataOption = None) -> None:
    """Print everything that is held about a reporter, as JSON."""
    from monitor.clock import SystemClock
    from monitor.use_cases.privacy import export_person

    with opened_store(data) as (store, _):
        held = export_person(store, who, by=operator(), now=SystemClock().now())
    typer.echo(json.dumps(held, ensure_ascii=False, indent=2, default=str))


@privacy_app.command()
def erase(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only say what")] = False,
    data: DataOption = None,
) -> None:
    """Take a reporter out of everything that is held; without --yes nothing is changed."""
    from monitor.clock import SystemClock
    from monitor.storage.personal import gather
    from monitor.use_cases.privacy import erase_person, find_person

    with opened_store(data) as (store, _):
        if yes:
            counts = erase_person(store, who, by=operator(), now=SystemClock().now())
            told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            typer.echo(f"Erased: {told}. Copies in backups last as long as those are kept.")
            return
        with store.read() as connection:
            person = find_person(connection, who)
            held = gather(connection, person.report_ids, person.address)
    for report in held["reports"]:
        typer.echo(
            f"RPT-{report['number']:<6} {report['created_at']:%Y-%m-%d} {report['status']:16} "
            f"{len(report['messages'])} messages"
        )
    typer.echo(f"and {len(held['mails'])} mails would be erased. Nothing was: add --yes to do it.")
