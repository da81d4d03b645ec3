"""Every use case that changes something is in the audit log, whoever calls it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from incidents.notices.maintenance import Effect, Scope
from monitor import use_cases
from monitor.config.holder import Reload
from monitor.storage.audit import AuditFilter, AuditRow, search_audit
from monitor.use_cases.maintenance import Plan, advance_maintenance, plan_maintenance
from monitor.use_cases.reloading import SIGNAL, record_reload
from probes.faults import Fault
from tests.monitor.use_cases.desk import Desk

# Whatever writes through one of these has its row written with it.
RECORDERS = {"record", "record_all", "Ledger", "Intake", "add_entries", "note_on_incident"}
NO_CHANGES = {
    "audit",  # the log's own upkeep
    "status",  # follows from measurements, and has a table of its own
}


def an_alert_opens_its_incident(desk: Desk) -> None:
    desk.fire()


def silence_ends_an_incident(desk: Desk) -> None:
    desk.fire()
    desk.later(minutes=5).sweep()
    desk.later(days=1).sweep()


def a_window_ends(desk: Desk) -> None:
    start, end = desk.now + timedelta(hours=1), desk.now + timedelta(hours=2)
    plan = Plan("A new disk", start, end, (Scope("login", Effect.EXPECTED_DOWN),))
    plan_maintenance(desk.store, desk.configuration, plan, by="ann", now=desk.now)
    desk.later(hours=12)
    advance_maintenance(desk.store, desk.configuration, desk.now)


def the_folder_is_read_at_a_signal(desk: Desk) -> None:
    fault = Fault("monitor.yml", 1, "site", "", "a name")
    record_reload(desk.store, Reload(desk.now, (fault,)), SIGNAL)


BY_ITSELF: dict[str, tuple[Callable[[Desk], None], str, str]] = {
    "alerts.receive_batches": (an_alert_opens_its_incident, "incident.opened", "monitor"),
    "alerts.sweep": (silence_ends_an_incident, "incident.resolved", "monitor"),
    "maintenance.advance_maintenance": (a_window_ends, "maintenance.verified", "monitor"),
    "reloading.record_reload": (
        the_folder_is_read_at_a_signal,
        "configuration.refused",
        "signal (SIGHUP)",
    ),
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Give every module of the use cases that begins a transaction."""
    for path in Path(use_cases.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        if begins_transaction(tree):
            yield path.stem, tree


def imported(tree: ast.Module) -> set[str]:
    """Return the names that a module takes from others."""
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in froms for alias in node.names}


def begins_transaction(tree: ast.Module) -> bool:
    """Return whether `….begin()` is called inside."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr == "begin" for call in calls)


def log(desk: Desk) -> list[AuditRow]:
    with desk.store.read() as connection:
        return search_audit(connection, AuditFilter())


def test_every_use_case_that_writes_has_something_to_record_it_with() -> None:
    """A new module cannot change anything and leave the log out of it."""
    silent = {name for name, tree in modules() if not imported(tree) & RECORDERS}
    assert silent == NO_CHANGES


@pytest.mark.parametrize("name", BY_ITSELF)
def test_what_happens_by_itself_is_recorded_too(desk: Desk, name: str) -> None:
    """With the service as the actor, or the signal."""
    story, action, actor = BY_ITSELF[name]
    story(desk)
    assert (action, actor) in {(row.action, row.actor) for row in log(desk)}


def test_what_only_repeats_leaves_no_row(sqlite_desk: Desk) -> None:
    """An alert told again changes nothing, and a storm of them does not fill the log."""
    sqlite_desk.fire()
    before = log(sqlite_desk)
    for _ in range(3):
        sqlite_desk.later(seconds=10).fire()
    assert log(sqlite_desk) == before
