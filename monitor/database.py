"""The database that the deployment's settings name, open and at the newest schema."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from monitor.settings import Settings
from monitor.storage.engine import migrate, open_engine
from probes.faults import Fault, FaultyInput


def open_database(settings: Settings) -> Engine:
    """Return an engine on the migrated database; the data folder is made where it is missing.

    Raises:
        FaultyInput: the folder cannot be written, or no database answers; says which variable.
    """
    try:
        # Accounts and users' words: for nobody else on this machine.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        expected = f"a folder that can be made and written ({error.strerror})"
        raise _faulty("MONITOR_DATA", str(settings.data), expected) from error
    try:
        engine = open_engine(settings.database)
        migrate(engine)
    except ArgumentError as error:
        expected = "an address such as postgresql://user:password@host/name"
        raise _faulty("MONITOR_DATABASE_URL", "(not shown)", expected) from error
    except ModuleNotFoundError as error:
        expected = (
            f"a database whose driver is installed: pip install saypro-monitor[postgres] ({error})"
        )
        raise _faulty("MONITOR_DATABASE_URL", "(not shown)", expected) from error
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        if settings.database_url is None:
            path = str(settings.data)
            raise _faulty("MONITOR_DATA", path, f"a folder that can be written: {said}") from error
        expected = f"a database that answers: {said}"
        raise _faulty("MONITOR_DATABASE_URL", "(not shown)", expected) from error
    return engine


def _faulty(variable: str, value: str, expected: str) -> FaultyInput:
    return FaultyInput([Fault("environment", None, variable, value, expected)])
