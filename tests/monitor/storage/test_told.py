"""The table of who was told, from what the database has."""

from __future__ import annotations

from incidents.told import Standing
from monitor.storage.schema import outbox, timeline
from monitor.storage.store import Store
from monitor.storage.told import told_of
from tests.notices import NOW, later, put_incident, put_row, row_of


def test_the_table_names_told_held_failed_and_never(store: Store) -> None:
    """One incident, four channels, four fates."""
    incident = put_incident(store)
    put_row(store, incident, channel="pager", state="sent", finished_at=later(3))
    put_row(store, incident, channel="phone", held="quiet_hours", due_at=later(60))
    put_row(store, incident, channel="chat", state="failed", reason="rejected", last_error="404")
    with store.begin() as tx:
        line = {"incident_id": incident, "at": NOW, "kind": "notification_not_sent"}
        data = {"channel": "mail", "reason": "recipient_opted_out"}
        tx.connection.execute(timeline.insert().values(**line, actor="monitor", data=data))
    with store.read() as connection:
        told = told_of(connection, incident)
    assert [(line.channel, line.standing) for line in told] == [
        ("pager", Standing.TOLD),
        ("phone", Standing.HELD),
        ("chat", Standing.FAILED),
        ("mail", Standing.NOT_TOLD),
    ]
    assert (told[0].at, told[1].until) == (later(3), later(60))


def test_what_was_folded_fares_as_the_message_about_it(store: Store) -> None:
    """While that one is tried again, this one waits."""
    incident = put_incident(store)
    digest = put_row(store, event="incident_digest", attempts=1, last_error="503", due_at=later(9))
    row = put_row(
        store, incident, state="folded", finished_at=NOW, folded_into=row_of(store, digest).id
    )
    with store.read() as connection:
        (line,) = told_of(connection, incident)
    assert (line.standing, line.until) == (Standing.WAITING, later(9))
    with store.begin() as tx:
        done = {"state": "sent", "finished_at": later(9)}
        tx.connection.execute(outbox.update().where(outbox.c.key == digest).values(**done))
    with store.read() as connection:
        (line,) = told_of(connection, incident)
    assert (line.standing, line.at) == (Standing.TOLD, later(9))
    assert row_of(store, row).state == "folded"
