"""Rows inserted the quick way are those the ordinary way would have written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import RowMapping, select
from sqlalchemy.exc import IntegrityError

from monitor.storage.bulk import insert_rows
from monitor.storage.schema import alerts, incidents, timeline
from monitor.storage.store import Store
from tests.monitor.use_cases.desk import START, Desk

ODD = {"quote": 'a "b" \\ c', "line": "one\ntwo", "word": "Zürich — 東京 🛒", "colon": ":rows %s ?"}


def row(print_: str, **more: Any) -> dict[str, Any]:
    """An open alert with every kind of column."""
    return {
        "fingerprint": print_,
        "open_marker": 1,
        "labels": ODD,
        "annotations": {},
        "starts_at": START.astimezone(timezone(timedelta(hours=5, minutes=45))),
        "latest_starts_at": START + timedelta(microseconds=1),
        "ends_at": None,
        "state": "firing",
        "received_at": START,
        "updated_at": START,
        **more,
    }


def stored(store: Store) -> list[RowMapping]:
    with store.read() as connection:
        return list(connection.execute(select(alerts).order_by(alerts.c.id)).mappings())


def facts(found: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in ("id", "fingerprint")}


def test_it_writes_what_the_ordinary_insert_writes(store: Store) -> None:
    """Instants of any zone, documents, NULL and the defaults of columns nobody gave."""
    with store.begin() as tx:
        tx.connection.execute(alerts.insert(), [row("a")])
        insert_rows(tx.connection, alerts, [row("b"), row("c")])
    ordinary, *quick = stored(store)
    assert ordinary["labels"] == ODD
    assert [facts(one) for one in quick] == [facts(ordinary)] * 2


def test_no_rows_are_no_statement(store: Store) -> None:
    """Nothing to say."""
    with store.begin() as tx:
        insert_rows(tx.connection, alerts, [])
    assert stored(store) == []


def test_a_document_that_is_absent_is_null(store: Store) -> None:
    """Not the JSON word for it."""
    Desk(store).fire()
    with store.begin() as tx:
        incident_id = tx.connection.execute(select(incidents.c.id)).scalar_one()
        line = {"incident_id": incident_id, "at": START, "kind": "note", "actor": "ann"}
        insert_rows(tx.connection, timeline, [{**line, "text": "x", "data": None}])
        absent = select(timeline.c.text).where(timeline.c.data.is_(None))
        assert "x" in tx.connection.execute(absent).scalars().all()


def test_a_taken_slot_is_refused_as_ever(store: Store) -> None:
    """And nothing of the transaction stays."""
    with store.begin() as tx:
        insert_rows(tx.connection, alerts, [row("a")])
    with pytest.raises(IntegrityError), store.begin() as tx:
        insert_rows(tx.connection, alerts, [row("b"), row("a")])
    assert [one["fingerprint"] for one in stored(store)] == ["a"]


def test_an_instant_without_a_zone_is_refused_on_sqlite(sqlite_store: Store) -> None:
    """Nobody can say which instant it is."""
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(Exception, match="has no time zone"), sqlite_store.begin() as tx:
        insert_rows(tx.connection, alerts, [row("a", ends_at=naive)])
