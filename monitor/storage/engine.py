"""Opens the database and brings it to the present schema.

On SQLite a transaction of `Store.begin` takes the write lock at its start (`BEGIN IMMEDIATE`), so
that what it reads cannot change before it writes; a reading one sees one snapshot (WAL). On
PostgreSQL transactions are READ COMMITTED and rows are locked by the statements that need it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text

from monitor.storage.types import compact_json

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_SECONDS = 10.0  # how long a writer waits for another process's transaction on SQLite
MIGRATION_LOCK = 0x5A9_0001  # any fixed number: two replicas never migrate at once on PostgreSQL
MIGRATIONS = Path(__file__).with_name("migrations")
WRITES = "monitor_writes"  # execution option of a connection whose transaction will write

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # a commit is on disk before it returns
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(url: str, *, pool_size: int = 10) -> Engine:
    """Return an engine for `sqlite:///path` or `postgresql://…` (psycopg 3), nothing read yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {
        "hide_parameters": True,  # errors are logged; what users wrote is not for the log
        "json_serializer": compact_json,
        "json_deserializer": _read_json,
        "pool_size": pool_size,
        "max_overflow": 2 * pool_size,
    }
    if parsed.get_backend_name() == "sqlite":
        options["connect_args"] = {"check_same_thread": False, "timeout": BUSY_SECONDS}
        engine = create_engine(parsed, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(parsed, pool_pre_ping=True, **options)


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; doing it again changes nothing.

    Alembic is loaded only where there is something to do: it takes 11 MB and a good part of the
    start (measured 2026-11).
    """
    with engine.connect() as connection:
        if database_revision(connection) == newest_revision():
            return
    from alembic import command

    configuration = alembic_configuration()
    with schema_may_change(engine) as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


@contextmanager
def schema_may_change(engine: Engine) -> Iterator[Connection]:
    """Give a transaction in which no other process migrates, and a table may be made anew.

    SQLite changes some columns only by a new table in place of the old one. With foreign keys
    watched, dropping the old one would take along every row that refers to it: they are not, and
    checked at the end instead (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        if connection.dialect.name == "postgresql":
            with connection.begin():
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                yield connection
            return
        sqlite: Any = connection.connection.driver_connection  # does not begin a transaction
        sqlite.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                    raise RuntimeError(f"{len(broken)} rows would refer to nothing; left as it was")
        finally:
            sqlite.execute("PRAGMA foreign_keys=ON")


def newest_revision() -> str:
    """Return the last of the migrations shipped: their files are `<revision>_<title>.py`."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def database_revision(connection: Connection) -> str | None:
    """Return the migration the database has come to, None where there was none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def alembic_configuration() -> Config:
    """Return Alembic's configuration for the migrations shipped with the program."""
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    configuration.set_main_option("path_separator", "os")
    configuration.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return configuration


def _read_json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # NaN, which JSON does not know and older rows may hold
        return json.loads(text)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
