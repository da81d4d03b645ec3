"""The database: does it answer, is its schema ours, is it locked, and what waits in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from monitor.doctor.clock import clock_finding
from monitor.doctor.finding import Finding, fail, ok, warn
from monitor.settings import Settings
from monitor.storage.audit_chain import check_chain
from monitor.storage.deliveries import backlog
from monitor.storage.engine import database_revision, newest_revision, open_engine
from monitor.use_cases.audit import noted_head

LOCKED_SECONDS = 2.0  # a transaction of ours takes milliseconds
LATE = timedelta(minutes=15)
FREE_PAGES_RATIO = 0.5


def examine_database(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at the database without changing anything in it, not even its schema."""
    url = make_url(settings.database)
    is_file = url.get_backend_name() == "sqlite"
    if is_file and not Path(url.database or "").is_file():
        text_ = f"there is no database at {url.database} yet"
        yield warn("database", text_, "it is made at the first start; or set MONITOR_DATA")
        return
    try:
        engine = open_engine(settings.database)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        yield fail("database", f"cannot be opened: {error}", "correct MONITOR_DATABASE_URL")
        return
    try:
        yield from _examine(engine, settings, now, is_file=is_file)
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        advice = "see that the server runs and MONITOR_DATABASE_URL is right"
        if is_file:
            advice = "restore it from a backup, or see who holds the file"
        yield fail("database", f"does not answer: {said}", advice)
    finally:
        engine.dispose()


def _examine(
    engine: Engine, settings: Settings, now: datetime, *, is_file: bool
) -> Iterator[Finding]:
    with engine.connect() as connection:
        yield _schema(connection)
        current = database_revision(connection) == newest_revision()
        if is_file:
            yield from _sqlite(connection)
        else:
            theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            yield clock_finding("the database server", theirs, now)
    if is_file:
        yield _lock(Path(make_url(settings.database).database or ""))
    if current:
        with engine.connect() as connection:
            yield from _chain(connection, settings.data)
        with engine.connect() as connection:
            yield _outbox(connection, now)


def _schema(connection: Connection) -> Finding:
    found, newest = database_revision(connection), newest_revision()
    if found == newest:
        return ok("database", f"answers; its schema is {newest}, the newest")
    if found is None or found < newest:
        advice = "start the service once: it brings the schema up to date"
        return warn("database", f"its schema is {found or 'empty'}, ours is {newest}", advice)
    advice = "run the newer program again, or restore the backup from before the upgrade"
    return fail("database", f"its schema is {found}, newer than ours, {newest}", advice)


def _sqlite(connection: Connection) -> Iterator[Finding]:
    pragma = connection.exec_driver_sql
    if (mode := pragma("PRAGMA journal_mode").scalar()) != "wal":
        advice = "keep the data folder on a local disk: network file systems lack what WAL needs"
        yield fail("database", f"its journal mode is {mode}, not WAL", advice)
    if (said := pragma("PRAGMA quick_check(1)").scalar()) != "ok":
        yield fail("database", f"it is damaged: {said}", "restore it from a backup")
    pages = int(pragma("PRAGMA page_count").scalar() or 0)
    free = int(pragma("PRAGMA freelist_count").scalar() or 0)
    if pages > 10_000 and free / pages > FREE_PAGES_RATIO:
        advice = "stop the service and run `sqlite3 monitor.db VACUUM` where the disk is short"
        yield warn("database", f"{free} of its {pages} pages are unused", advice)


def _lock(path: Path) -> Finding:
    connection = sqlite3.connect(path, timeout=LOCKED_SECONDS, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        advice = f"find who holds it (`fuser {path}`) and let it end; nothing can be written now"
        return fail("database", f"it could not be locked for {LOCKED_SECONDS:g} s: {error}", advice)
    finally:
        connection.close()
    return ok("database", "can be written")


def _chain(connection: Connection, data: Path) -> Iterator[Finding]:
    try:
        noted = noted_head(data)
    except ValueError as error:
        yield fail("audit", str(error), "compare with a head noted elsewhere; see docs/audit.md")
        return
    report = check_chain(connection, *([noted] if noted else []))
    for fault in report.faults[:5]:
        advice = "somebody changed the audit log: keep a copy, and see docs/audit.md"
        yield fail("audit", str(fault), advice)
    if not report.faults:
        yield ok("audit", f"{report.sealed} sealed rows, none changed")


def _outbox(connection: Connection, now: datetime) -> Finding:
    waiting = backlog(connection, now)
    oldest = waiting.oldest_at
    if oldest is not None and now - oldest > LATE:
        text_ = f"{waiting.pending} notifications wait, the oldest since {oldest:%Y-%m-%d %H:%MZ}"
        return warn("outbox", text_, "see /console/notifications for what each channel answers")
    return ok("outbox", f"{waiting.pending} notifications wait")
