"""`monitor user …`: accounts of the console, for whoever may read the data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.offline import opened_store, operator

if TYPE_CHECKING:
    from monitor.storage.store import Store

user_app = typer.Typer(help="Accounts of the console.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of the account, lower case")]
Role = Annotated[str, typer.Option(help="viewer, agent, responder or administrator")]
Data = Annotated[Path | None, typer.Option("--data", help="Data folder [MONITOR_DATA, ./data]")]


@user_app.command()
def add(name: Name, role: Role = "viewer", data: Data = None) -> None:
    """Make an account and print its one-time password."""
    from monitor.accounts.people import add_user
    from monitor.clock import SystemClock

    with _store(data) as store:
        _show(name, add_user(store, name, role, SystemClock().now(), by=operator()))


@user_app.command()
def reset(name: Name, data: Data = None) -> None:
    """Give an account a new one-time password; its sessions end."""
    from monitor.accounts.people import reset_password
    from monitor.clock import SystemClock

    with _store(data) as store:
        _show(name, reset_password(store, name, SystemClock().now(), by=operator()))


@user_app.command()
def role(name: Name, to: Role, data: Data = None) -> None:
    """Give an account another role; its sessions end."""
    from monitor.accounts.people import change_role
    from monitor.clock import SystemClock

    with _store(data) as store:
        change_role(store, name, to, SystemClock().now(), by=operator())
    typer.echo(f"{name} is {to} now.")


@user_app.command()
def contact(
    name: Name,
    data: Data = None,
    email: Annotated[str | None, typer.Option(help="E-mail address, '' for none")] = None,
    display_name: Annotated[str | None, typer.Option(help="What people call them")] = None,
    phone: Annotated[str | None, typer.Option(help="Such as +27821234567, '' for none")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Africa/Nairobi")] = None,
) -> None:
    """Show how a person is reached, or change what is given."""
    from monitor.accounts.contact import Contact, save_contact
    from monitor.accounts.people import known_user
    from monitor.clock import SystemClock

    given = {
        "email": email,
        "display_name": display_name,
        "phone": phone,
        "time_zone": time_zone,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    with _store(data) as store:
        user = known_user(store, name)
        known = Contact.of(user)
        if changes:
            known = Contact.entered(asdict(known) | changes)
            save_contact(store, user, known, SystemClock().now(), by=operator())
    for key, value in asdict(known).items():
        typer.echo(f"{key.replace('_', ' '):14}{value or '–'}")


@user_app.command()
def shut(
    name: Name,
    data: Data = None,
    again: Annotated[bool, typer.Option("--open", help="Open it again instead")] = False,
) -> None:
    """Shut an account and end its sessions."""
    from monitor.accounts.people import open_account, shut_account
    from monitor.clock import SystemClock

    with _store(data) as store:
        (open_account if again else shut_account)(store, name, SystemClock().now(), by=operator())
    typer.echo(f"{name} is {'open again' if again else 'shut'}.")


@user_app.command(name="reset-2fa")
def reset_2fa(name: Name, data: Data = None) -> None:
    """Take an account's second factor away; its sessions end."""
    from monitor.accounts.people import reset_second_factor
    from monitor.clock import SystemClock

    with _store(data) as store:
        had = reset_second_factor(store, name, SystemClock().now(), by=operator())
    typer.echo(f"{name} {'has no second factor now' if had else 'had no second factor'}.")


@user_app.command(name="list")
def list_(data: Data = None) -> None:
    """List the accounts with their roles."""
    from monitor.storage.users import all_users

    with _store(data) as store, store.read() as connection:
        for user in all_users(connection):
            typer.echo(
                f"{user.name:30} {user.role:14} {'shut' if user.disabled_at else ''}".rstrip()
            )


@contextmanager
def _store(data: Path | None) -> Iterator[Store]:
    """Give the store of the settings; a refusal is told in words and ends with 1."""
    with opened_store(data) as (store, _):
        yield store


def _show(name: str, password: str) -> None:
    typer.echo(f"{name} signs in once with  {password}  and then chooses a password.")
