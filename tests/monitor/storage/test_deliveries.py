"""Claiming rows of the outbox, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from monitor.storage import deliveries
from monitor.storage.deliveries import Delivery
from monitor.storage.store import Store
from tests.notices import NOW, later, lines, put_incident, put_row, row_of, states


def claim(store: Store, now: datetime = NOW, **given: Any) -> list[Delivery]:
    usual = {"channel": "oncall", "limit": 10, "worker": "w", "lease_seconds": 60.0}
    with store.begin() as tx:
        return deliveries.claim(tx, now=now, **{**usual, **given})


def keys(rows: list[Delivery]) -> list[str]:
    return [row.key for row in rows]


def finish(store: Store, row: Delivery, state: str = "sent") -> bool:
    with store.begin() as tx:
        return deliveries.finish(tx, row, state=state, now=NOW)


def test_a_claimed_row_is_nobody_elses_until_its_lease_ends(store: Store) -> None:
    """At the end of the lease, included, it is due again under the same key."""
    key = put_row(store)
    first = claim(store)
    assert keys(first) == [key]
    assert claim(store, later(59)) == []
    again = claim(store, later(60))
    assert (keys(again), again[0].attempts) == ([key], 2)


def test_a_row_is_not_claimed_before_it_is_due(store: Store) -> None:
    """A retry waits for its time."""
    put_row(store, due_at=later(5))
    assert claim(store, later(4.9)) == []
    assert len(claim(store, later(5))) == 1


def test_the_first_page_of_an_incident_jumps_the_queue(store: Store) -> None:
    """Lower priority numbers go first, then older rows."""
    queued = [put_row(store, put_incident(store), priority=p) for p in (10, 10, 0)]
    assert keys(claim(store)) == [queued[2], queued[0], queued[1]]
    assert claim(store) == []


def test_only_as_many_rows_are_claimed_as_asked_for(store: Store) -> None:
    """A small pool takes small bites."""
    queued = [put_row(store) for _ in range(3)]
    assert keys(claim(store, limit=2)) == queued[:2]


def test_rows_of_other_channels_are_left_alone(store: Store) -> None:
    """Each channel is claimed by itself."""
    put_row(store, channel="other")
    assert claim(store) == []
    with store.read() as connection:
        assert deliveries.due_channels(connection, NOW) == ["other"]


@pytest.mark.parametrize("second", ["incident_update", "incident_resolved"])
def test_what_follows_an_opening_waits_until_it_is_finished(store: Store, second: str) -> None:
    """Queued, under way or waiting for a retry: the opening stays in front."""
    incident = put_incident(store)
    opening, following = put_row(store, incident), put_row(store, incident, event=second)
    rows = claim(store)
    assert keys(rows) == [opening]
    assert claim(store) == []
    with store.begin() as tx:
        deliveries.put_back(tx, rows[0], due_at=later(30))
    assert claim(store, later(29)) == []
    assert finish(store, claim(store, later(30))[0])
    assert keys(claim(store, later(30))) == [following]


def test_other_recipients_and_incidents_do_not_wait(store: Store) -> None:
    """A line is one incident, one channel, one recipient."""
    incident = put_incident(store)
    put_row(store, incident, due_at=later(99))
    other = put_row(store, incident, recipient="bo@shop.example")
    elsewhere = put_row(store, put_incident(store))
    assert keys(claim(store)) == [other, elsewhere]


def test_a_closing_drops_the_updates_queued_before_it_and_says_so(store: Store) -> None:
    """Nobody reads how a repair went after reading that it is done."""
    incident = put_incident(store)
    update = put_row(store, incident, event="incident_update")
    closing = put_row(store, incident, event="incident_resolved")
    assert keys(claim(store)) == [closing]
    assert row_of(store, update).state == "dropped"
    assert row_of(store, update).reason == "superseded"
    assert lines(store, incident)[0][0] == "notification_dropped"


def test_an_update_under_way_is_not_overtaken(store: Store) -> None:
    """A closing waits for what is being sent."""
    incident = put_incident(store)
    update = put_row(store, incident, event="incident_update")
    assert keys(claim(store)) == [update]
    put_row(store, incident, event="incident_resolved")
    assert claim(store) == []


def test_whoever_lost_the_lease_cannot_mark_the_row(store: Store) -> None:
    """Only the present holder of a claim finishes a row, and only once."""
    put_row(store)
    old = claim(store)[0]
    new = claim(store, later(60))[0]
    assert not finish(store, old)
    assert finish(store, new)
    assert not finish(store, new)


def test_the_backlog_counts_what_is_not_finished(store: Store) -> None:
    """Sent, failed and dropped rows wait for nothing."""
    for number, state in enumerate(["sent", "failed", "dropped", "queued", "sending"]):
        put_row(store, state=state, created_at=later(number))
    with store.read() as connection:
        assert deliveries.backlog(connection, later(9)) == (2, later(3))


def test_what_is_held_on_purpose_is_no_backlog_until_it_is_due(store: Store) -> None:
    """Quiet hours do not look like a stuck outbox."""
    put_row(store, held="quiet_hours", due_at=later(3600))
    with store.read() as connection:
        assert deliveries.backlog(connection, later(3599)) == (1, None)
        assert deliveries.backlog(connection, later(3700)) == (1, later(3600))


def test_two_workers_never_claim_the_same_row(store: Store) -> None:
    """Eight threads race for 200 rows; every row is claimed exactly once."""
    put = [put_row(store) for _ in range(200)]
    claimed: list[str] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        while rows := claim(store, limit=3):
            claimed.extend(keys(rows))

    run_together([work] * 8)
    # PostgreSQL skips what another worker has locked: one may stop early, none claims doubly.
    claimed.extend(keys(claim(store, limit=200)))
    assert sorted(claimed) == sorted(put)
    assert set(states(store).values()) == {"sending"}


def run_together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_claiming_stays_cheap_in_a_storm(sqlite_store: Store) -> None:
    """Four times as many rows that wait cost about four times as much, not sixteen times."""
    costs = []
    for more in (50, 150):
        for _ in range(more):
            put_row(sqlite_store, put_incident(sqlite_store))
        steps: list[None] = []
        with sqlite_store.begin() as tx:
            raw: Any = tx.connection.connection.driver_connection
            raw.set_progress_handler(lambda: steps.append(None), 100)  # noqa: B023 - called here
            deliveries.claim(tx, channel="oncall", limit=1, worker="w", now=NOW, lease_seconds=1)
            raw.set_progress_handler(None, 0)
        costs.append(len(steps))
    assert costs[1] < 8 * costs[0]
