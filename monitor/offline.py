"""The database for commands that work beside the service, or without it."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from incidents.errors import IncidentError

if TYPE_CHECKING:
    from monitor.settings import Settings
    from monitor.storage.store import Store

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Data folder [MONITOR_DATA, ./data]")
]


@contextmanager
def opened_store(data: Path | None) -> Iterator[tuple[Store, Settings]]:
    """Give the store of the settings; a refusal is told in words and ends the command with 1."""
    from monitor.database import open_database
    from monitor.settings import load_settings
    from monitor.storage.store import Store

    settings = load_settings(os.environ, data=data)
    store = Store(open_database(settings))
    try:
        yield store, settings
    except IncidentError as error:
        print(f"Refused: {error}.", file=sys.stderr)
        raise typer.Exit(1) from error
    finally:
        store.close()


def operator() -> str:
    """Return whoever runs this command, as the audit log names them: never an account's name."""
    try:
        return f"command ({getpass.getuser()})"
    except (KeyError, OSError):  # a container may have no name for its user
        return f"command (uid {os.getuid()})"
