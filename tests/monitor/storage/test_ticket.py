"""What is read of an incident with a long timeline, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from monitor.storage import ticket
from monitor.storage.schema import timeline
from monitor.storage.store import Store
from monitor.storage.told import told_of
from tests.notices import later, put_incident


def write(store: Store, incident: int, *lines: tuple[str, str], reason: str = "") -> None:
    """Write lines of (actor, text)."""
    with store.begin() as tx:
        row = {"incident_id": incident, "kind": "notification_not_sent"}
        data = {"channel": "chat", "reason": reason} if reason else None
        rows = [
            {**row, "at": later(n), "actor": actor, "text": words, "data": data}
            for n, (actor, words) in enumerate(lines)
        ]
        tx.connection.execute(insert(timeline), rows)


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "0"), (2, "01"), (3, "012"), (4, "0123"), (5, "01 34"), (8, "01 67")],
)
def test_a_story_is_its_beginning_and_its_end(store: Store, count: int, told: str) -> None:
    """Two of each; a short one whole, and nothing twice."""
    incident = put_incident(store)
    write(store, incident, *(("monitor", str(n)) for n in range(count)))
    with store.read() as connection:
        found = ticket.story_lines(connection, incident, ends=2, people=1)
    assert "".join(line["text"] for line in found) == told.replace(" ", "")


def test_between_its_ends_a_story_has_what_people_did(store: Store) -> None:
    """The first of it, as far as there is room."""
    incident = put_incident(store)
    actors = ["monitor", "monitor", "ann", "monitor", "ben", "monitor", "monitor"]
    write(store, incident, *((actor, str(n)) for n, actor in enumerate(actors)))
    with store.read() as connection:
        found = ticket.story_lines(connection, incident, ends=2, people=1)
    assert [line["text"] for line in found] == ["0", "1", "2", "5", "6"]


def test_reasons_are_counted_without_reading_the_lines(store: Store) -> None:
    """Lines that give none are left out; who was not told is one line, with the last time."""
    incident = put_incident(store)
    write(store, incident, ("monitor", "a"), ("monitor", "b"), reason="throttled")
    with store.read() as connection:
        told = told_of(connection, incident)
    assert [(one.channel, one.why, one.at) for one in told] == [("chat", "throttled", later(1))]
    write(store, incident, ("ann", "c"))
    with store.read() as connection:
        assert ticket.unsent_counts(connection, incident) == {"throttled": 2}
        assert ticket.count_lines(connection, incident) == 3
