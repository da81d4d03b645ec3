"""`monitor token …`: API tokens and alert sources, for whoever may read the data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.offline import DataOption, opened_store, operator

if TYPE_CHECKING:
    from monitor.storage.store import Store

token_app = typer.Typer(help="API tokens and alert sources.", no_args_is_help=True)


@token_app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the token is for")],
    user: Annotated[str, typer.Option(help="The account it acts for")] = "",
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may be used for; may be given again")
    ] = None,
    source: Annotated[
        str, typer.Option(help="The alert source it is of, instead of an account")
    ] = "",
    days: Annotated[
        int | None, typer.Option(help="How long it lives; an account's 90 days by default")
    ] = None,
    data: DataOption = None,
) -> None:
    """Make a token and print it, this once."""
    from monitor.accounts.tokens import add_alert_source, add_token
    from monitor.clock import SystemClock

    if bool(user) == bool(source):
        raise typer.BadParameter("give either --user or --source")
    if source and scope:
        raise typer.BadParameter("a source's token has one scope, alerts:send; give no --scope")
    now, by = SystemClock().now(), operator()
    with opened_store(data) as (store, _):
        if source:
            made = add_alert_source(store, source=source, name=name, days=days, by=by, now=now)
        else:
            made = add_token(
                store,
                user_id=_account(store, user),
                owner=user,
                name=name,
                scopes=scope or [],
                days=90 if days is None else days,
                by=by,
                now=now,
            )
    typer.echo(f"Token {made.id}, shown this once:\n{made.secret}")


@token_app.command(name="list")
def list_(data: DataOption = None) -> None:
    """List all tokens with what they may, until when, and when they were last used."""
    from monitor.clock import SystemClock
    from monitor.storage.tokens import list_tokens

    now = SystemClock().now()
    with opened_store(data) as (store, _), store.read() as connection:
        for token in list_tokens(connection):
            whose = f"source {token.source}" if token.source else f"user {token.owner}"
            ends = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never"
            used = f"{token.last_used_at:%Y-%m-%d %H:%MZ}" if token.last_used_at else "never"
            typer.echo(
                f"{token.id:5} {token.state(now):8} {whose:30} {token.name:24} {token.hint}…  "
                f"ends {ends}  used {used}  {' '.join(token.scopes)}"
            )


@token_app.command()
def revoke(
    token_id: Annotated[int, typer.Argument(help="Number of the token, as `list` shows it")],
    data: DataOption = None,
) -> None:
    """End a token at once."""
    from monitor.accounts.tokens import end_token
    from monitor.clock import SystemClock

    with opened_store(data) as (store, _):
        token = end_token(store, token_id, by=operator(), now=SystemClock().now())
    typer.echo(f"Token {token_id} ({token.name}) is revoked.")


def _account(store: Store, name: str) -> int:
    from incidents.errors import UnknownObjectError
    from monitor.storage.users import user_by_name

    with store.read() as connection:
        found = user_by_name(connection, name)
    if found is None:
        raise UnknownObjectError(f"account {name!r}")
    return found.id
