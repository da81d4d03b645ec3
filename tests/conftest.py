"""Fixtures that many tests share: a store on every database the service runs on."""

from __future__ import annotations

import itertools
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from monitor.storage.engine import migrate, open_engine
from monitor.storage.store import Store
from tests.servers import Postgres, postgres_program, postgres_server

_numbers = itertools.count(1)
BOTH_DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)]

# On a machine that has other work, an example takes as long as it takes.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# As a process logs for people. Unconfigured, structlog draws every local of a traceback, which
# takes a whole application twenty seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, and end with those that have the fewest.

    Workers take whole files in this order (`--dist loadfile --no-loadscope-reorder`), so that at
    the end none of them waits for a long file that another has only just begun.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -tests[item.path]))


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Take away what a test set up: its handler writes to a stream that is closed after it."""
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers[:] = [one for one in root.handlers if type(one) is not logging.StreamHandler]
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL with a migrated database called `template`."""
    programs = postgres_program()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server(programs) as server:
        server.run("CREATE DATABASE migrated")
        engine = open_engine(server.url("migrated"))
        migrate(engine)
        engine.dispose()
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "monitor.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # the last connection writes the log back into the file
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh, migrated SQLite database."""
    shutil.copy(sqlite_template, tmp_path / "monitor.db")
    return f"sqlite:///{tmp_path / 'monitor.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of a fresh, migrated PostgreSQL database."""
    name = f"test_{next(_numbers)}"
    postgres.run(f"CREATE DATABASE {name} TEMPLATE migrated")
    yield postgres.url(name)
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database: a test that asks for it runs on both kinds."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A fresh store, on SQLite and on PostgreSQL in turn."""
    store = Store(open_engine(database_url))
    yield store
    store.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """A fresh store on SQLite alone, for tests whose point is not the database."""
    store = Store(open_engine(sqlite_url))
    yield store
    store.close()
