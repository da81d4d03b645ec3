"""`monitor audit …`: the audit log, checked and taken out by whoever may read the data folder."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.offline import DataOption, opened_store

if TYPE_CHECKING:
    from monitor.storage.audit_chain import Anchor

audit_app = typer.Typer(help="The log of every change.", no_args_is_help=True)


@audit_app.command()
def verify(
    data: DataOption = None,
    head: Annotated[
        list[str] | None,
        typer.Option(help="A head noted earlier, POSITION:HASH; may be given again"),
    ] = None,
) -> None:
    """Find every row that was edited, removed, moved or cut off since it was sealed."""
    from monitor.use_cases.audit import noted_head, verify_audit

    with opened_store(data) as (store, settings):
        noted = [_anchor(text) for text in head or []]
        try:
            beside = noted_head(settings.data)
        except ValueError as error:
            print(f"Fault: {error}.", file=sys.stderr)
            raise typer.Exit(1) from error
        report = verify_audit(store, *noted, *([beside] if beside else []))
    for fault in report.faults:
        print(f"Fault: {fault}.")
    kept = f"{report.sealed} rows sealed, {report.unsealed} waiting for their seal"
    if report.start.position:
        kept += f"; those up to position {report.start.position} were removed by retention"
    typer.echo(f"{kept}.\nHead {report.head.position}:{report.head.hash}")
    if beside is None:
        typer.echo("No noted head was found in the data folder to compare with.")
    if report.faults:
        raise typer.Exit(1)


@audit_app.command(name="head")
def head_(data: DataOption = None) -> None:
    """Print the head of the chain, to be noted where this machine's users cannot write."""
    from monitor.storage.audit_chain import read_anchor

    with opened_store(data) as (store, _), store.read() as connection:
        anchor = read_anchor(connection, "head")
    typer.echo(f"{anchor.position}:{anchor.hash}")


@audit_app.command()
def export(data: DataOption = None) -> None:
    """Print the whole log as JSON lines, oldest first, with what its hashes are made of."""
    from monitor.storage.audit_chain import all_rows

    with opened_store(data) as (store, _), store.read() as connection:
        for row in all_rows(connection):
            typer.echo(json.dumps(row, ensure_ascii=False))


def _anchor(text: str) -> Anchor:
    from monitor.storage.audit_chain import Anchor

    position, _, hash_ = text.partition(":")
    short = position.isascii() and position.isdigit() and len(position) < 19
    if not short or len(hash_) != 64:
        raise typer.BadParameter(f"{text!r}: expected POSITION:HASH as `monitor audit head` prints")
    return Anchor(int(position), hash_)
