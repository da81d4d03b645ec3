"""An older database with everything in it is brought up: nothing is lost, and all of it is read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from monitor.storage.engine import (
    alembic_configuration,
    migrate,
    open_engine,
    schema_may_change,
)
from monitor.storage.schema import metadata
from monitor.storage.store import Store
from monitor.web.permissions import Role
from tests.conftest import BOTH_DATABASES
from tests.monitor.web.builders import API_TOKEN, Web, services
from tests.servers import Postgres

ROWS = Path(__file__).parents[2] / "data" / "migrations"  # what came with each revision
REVISIONS = ("0001", "0005", "0008")
_numbers = itertools.count(1)
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=BOTH_DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"old_{next(_numbers)}"
    postgres.run(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


def populate(engine: Engine, revision: str) -> Tables:
    """Make a database of that revision, filled as its time would have; returns every row."""
    configuration = alembic_configuration()
    with schema_may_change(engine) as connection:
        configuration.attributes["connection"] = connection
        for step in (one for one in REVISIONS if one <= revision):
            command.upgrade(configuration, step)
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
            script = (ROWS / f"{step}.sql").read_text("utf-8")
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
        if connection.dialect.name == "postgresql":
            _count_on(connection)
        return contents(connection)


def _count_on(connection: Connection) -> None:
    """Have ids begin after those that the rows name, as if they had been counted."""
    for table in inspect(connection).get_table_names():
        columns = {column["name"] for column in inspect(connection).get_columns(table)}
        if "id" in columns:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1000)"
            )


def contents(connection: Connection) -> Tables:
    """Return every row of every table, in a fixed order."""
    found: Tables = {}
    for table in sorted(set(inspect(connection).get_table_names()) - {"alembic_version"}):
        rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings()
        found[table] = sorted((dict(row) for row in rows), key=repr)
    return found


@pytest.fixture(params=REVISIONS)
def upgraded(request: pytest.FixtureRequest, empty_url: str) -> Iterator[tuple[Tables, Store]]:
    """What an older database held, and the store it has become."""
    engine = open_engine(empty_url)
    before = populate(engine, request.param)
    migrate(engine)
    with closing(Store(engine)) as store:
        yield before, store


def test_nothing_is_lost_and_the_schema_is_ours(upgraded: tuple[Tables, Store]) -> None:
    """Every row of every table is there with each of its values; new columns are beside them."""
    before, store = upgraded
    with store.read() as connection:
        after = contents(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert before["incidents"]
    for table, rows in before.items():
        names = rows[0].keys() if rows else ()
        left = [{name: row[name] for name in names} for row in after[table]]
        assert left == rows, table


def test_foreign_keys_are_watched_again_afterwards(sqlite_url: str) -> None:
    """Only the change of the schema itself must not drag rows along."""
    engine = open_engine(sqlite_url)
    with schema_may_change(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 0
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_rows_that_would_refer_to_nothing_leave_the_database_as_it_was(sqlite_url: str) -> None:
    """An upgrade says so instead of keeping them."""
    engine = open_engine(sqlite_url)
    orphan = "INSERT INTO incident_components VALUES (7, 'search', 'operational')"
    with pytest.raises(RuntimeError, match="1 rows"), schema_may_change(engine) as connection:
        connection.exec_driver_sql(orphan)
    with engine.connect() as connection:
        assert contents(connection)["incident_components"] == []
    engine.dispose()


def test_the_service_reads_and_goes_on(upgraded: tuple[Tables, Store]) -> None:
    """Incident page, status page, lists; and the outage that spans the upgrade ends by itself."""
    _, store = upgraded
    web = Web(services(store))
    machine = web.client()
    machine.headers["authorization"] = f"Bearer {API_TOKEN}"
    (alert,) = machine.get("/api/v2/alerts").json()
    assert alert["startsAt"] == "2026-11-22T08:30:00.123Z"
    assert alert["receivers"] == [{"name": "pager"}]
    incident = machine.get("/api/v1/incidents/2").json()
    assert (incident["title"], incident["status"]) == ("Checkout fails: “pay” é", "identified")
    page = web.as_role(Role.RESPONDER)[0].get("/console/incidents/2").text
    assert "The provider says it is them." in page
    assert "RPT-1" in page
    public = web.client().get("/").text
    assert "The payment provider refuses us." in public
    over = {"labels": alert["labels"], "endsAt": web.now().isoformat()}
    assert machine.post("/api/v2/alerts", json=[over]).status_code == 200
    assert machine.get("/api/v2/alerts").json() == []
    assert machine.get("/api/v1/incidents/2").json()["status"] == "resolved"
