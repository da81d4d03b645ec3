"""A timeline only ever grows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

import monitor
from monitor.storage.schema import incidents, timeline
from monitor.storage.store import Store
from tests.monitor.use_cases.desk import Desk

CODE = sorted(Path(str(monitor.__file__)).parent.rglob("*.py"))


@pytest.mark.parametrize("change", [update(timeline).values(text="x"), delete(timeline)])
def test_the_database_refuses_to_rewrite_what_happened(store: Store, change: object) -> None:
    """Whoever has the password of the database's user included."""
    desk = Desk(store)
    desk.fire()
    before = desk.lines()
    with pytest.raises(DBAPIError, match="a timeline only grows"), store.begin() as tx:
        tx.connection.execute(change)  # type: ignore[call-overload] # either statement
    assert desk.lines() == before


def test_lines_go_only_with_their_incident(store: Store) -> None:
    """When it is older than incidents are kept."""
    desk = Desk(store)
    desk.fire()
    with store.begin() as tx:
        tx.connection.execute(delete(incidents))
    with store.read() as connection:
        assert connection.execute(timeline.select()).all() == []


def test_no_statement_of_ours_changes_or_deletes_a_line() -> None:
    """`update(timeline)`, `timeline.delete()` and the like stand nowhere in the code."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _rewrites(node)
    ]
    assert found == []


def _rewrites(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name) and function.id in ("update", "delete"):
        return any(_is_timeline(argument) for argument in call.args)
    return (
        isinstance(function, ast.Attribute)
        and function.attr in ("update", "delete")
        and _is_timeline(function.value)
    )


def _is_timeline(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return name == "timeline"
