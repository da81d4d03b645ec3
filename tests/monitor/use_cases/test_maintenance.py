"""Planned work: announced, muted, verified."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incidents.alerts.model import Alert
from incidents.errors import InvalidInputError, UnknownObjectError
from incidents.notices.maintenance import GRACE, Effect, Maintenance, Scope
from monitor.storage.deliveries import claim
from monitor.storage.maintenance import load_window
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from monitor.use_cases.maintenance import (
    Plan,
    WindowIsOver,
    active_effects,
    advance_maintenance,
    cancel_maintenance,
    muting,
    plan_maintenance,
)
from monitor.use_cases.muting import mute_delivery
from tests.builders import journey
from tests.monitor.use_cases.desk import START, Desk, labels
from tests.monitor.use_cases.verdicts import seen as record_seen

HOUR = timedelta(hours=1)
SEARCH_DOWN = (Scope("search", Effect.EXPECTED_DOWN),)


def a_plan(**changes: Any) -> Plan:
    """Search will be down from 10:00 to 11:00 UTC."""
    facts: dict[str, Any] = {
        "title": "Search index upgrade",
        "starts_at": START + HOUR,
        "ends_at": START + 2 * HOUR,
        "scope": SEARCH_DOWN,
    }
    return Plan(**{**facts, **changes})


def plan(desk: Desk, **changes: Any) -> Maintenance:
    """Plan it now, by Ann."""
    return plan_maintenance(
        desk.store, desk.configuration, a_plan(**changes), by="ann", now=desk.now
    )


def seen(desk: Desk, verdict: str, at: datetime) -> None:
    """The search journey ran at `at` with this verdict."""
    desk.configuration = replace(desk.configuration, journeys=(journey("search"),))
    with desk.store.begin() as tx:
        record_seen(tx, "search", verdict, at)


def events(desk: Desk) -> list[tuple[str, str]]:
    """Return (event, channel) of the notices about windows."""
    with desk.store.read() as connection:
        statement = select(outbox.c.event, outbox.c.channel).where(
            outbox.c.maintenance_id.is_not(None)
        )
        return [(e, c) for e, c in connection.execute(statement.order_by(outbox.c.id))]


def test_a_planned_window_is_announced_to_every_channel(desk: Desk) -> None:
    """And is there as it was planned."""
    window = plan(desk)
    with desk.store.read() as connection:
        assert load_window(connection, 1) == window
    assert events(desk) == [
        ("maintenance_announced", "terminal"),
        ("maintenance_announced", "pager"),
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"description": "x" * 4001}, "description"),
        ({"scope": ()}, "at least one component"),
        ({"scope": SEARCH_DOWN * 2}, "only once"),
        ({"scope": (Scope("nowhere", Effect.EXPECTED_DOWN),)}, "no component nowhere"),
        ({"ends_at": START + HOUR}, "later than the start"),
        ({"starts_at": START - 2 * HOUR, "ends_at": START}, "already over"),
    ],
)
def test_a_window_that_cannot_be_is_refused_and_announced_to_nobody(
    sqlite_desk: Desk, changes: dict[str, Any], fault: str
) -> None:
    """The refusal says what would be allowed."""
    with pytest.raises(InvalidInputError, match=fault):
        plan(sqlite_desk, **changes)
    assert events(sqlite_desk) == []


def test_a_cancelled_window_is_told_to_whoever_heard_of_it(desk: Desk) -> None:
    """Also when a channel was added since; and only once."""
    plan(desk)
    desk.configuration = replace(desk.configuration, channels=())
    for _ in range(2):
        cancel_maintenance(desk.store, desk.configuration, 1, by="ann", now=desk.now)
    assert [event for event, _ in events(desk)].count("maintenance_cancelled") == 2
    with desk.store.read() as connection:
        assert (load_window(connection, 1).sequence, desk.now) == (1, START)


def test_a_window_that_has_ended_cannot_be_cancelled(desk: Desk) -> None:
    """It verifies until probes have seen the shop work."""
    plan(desk)
    with pytest.raises(WindowIsOver, match="MNT-1 is verifying"):
        cancel_maintenance(desk.store, desk.configuration, 1, by="ann", now=START + 2 * HOUR)


def test_an_unknown_window_cannot_be_cancelled(sqlite_desk: Desk) -> None:
    """The refusal names it."""
    with pytest.raises(UnknownObjectError, match="MNT-9"):
        cancel_maintenance(sqlite_desk.store, sqlite_desk.configuration, 9, by="ann", now=START)


@pytest.mark.parametrize(
    ("verdict", "run_after", "state"),
    [
        ("up", timedelta(seconds=5), "completed"),
        ("up", timedelta(minutes=-5), "completed"),
        ("down", timedelta(seconds=5), "verifying"),
    ],
)
def test_a_window_closes_only_when_a_probe_has_seen_search_work(
    desk: Desk, verdict: str, run_after: timedelta, state: str
) -> None:
    """A good last run since the start will do; a bad one keeps it open."""
    plan(desk)
    end = START + 2 * HOUR
    seen(desk, verdict, end + run_after)
    now = end + timedelta(seconds=10)
    advance_maintenance(desk.store, desk.configuration, now)
    with desk.store.read() as connection:
        assert load_window(connection, 1).state(now) == state


def test_a_running_window_is_not_closed_by_a_good_run(desk: Desk) -> None:
    """The announced time is the announced time."""
    plan(desk)
    seen(desk, "up", START + HOUR)
    assert (
        advance_maintenance(desk.store, desk.configuration, START + 2 * HOUR - timedelta(1)) == ()
    )


def test_completion_is_told_with_what_was_announced_and_what_it_took(desk: Desk) -> None:
    """Announced an hour, took six minutes more."""
    plan(desk)
    now = START + 2 * HOUR + timedelta(minutes=6)
    seen(desk, "up", now)
    advance_maintenance(desk.store, desk.configuration, now)
    with desk.store.read() as connection:
        body = (
            connection.execute(
                select(outbox.c.body).where(outbox.c.event == "maintenance_completed")
            )
            .scalars()
            .first()
        )
    assert "announced 1 h, took 1 h 6 min" in (body or "")


def test_an_overrun_is_told_once_after_the_grace_period(desk: Desk) -> None:
    """And completion follows when it comes."""
    plan(desk)
    end = START + 2 * HOUR
    for late in (GRACE - timedelta(seconds=1), GRACE, GRACE + timedelta(seconds=1)):
        seen(desk, "down", end + late)
        advance_maintenance(desk.store, desk.configuration, end + late)
    assert [event for event, _ in events(desk)].count("maintenance_overrun") == 2  # two channels
    seen(desk, "up", end + HOUR)
    advance_maintenance(desk.store, desk.configuration, end + HOUR)
    assert [event for event, _ in events(desk)].count("maintenance_completed") == 2


def test_an_announced_failure_opens_nothing_and_an_unannounced_one_does(desk: Desk) -> None:
    """Search is announced, checkout is not."""
    desk.policy = replace(desk.policy, muting=muting)
    plan(desk)
    desk.now = START + HOUR
    desk.fire("search")
    desk.fire("checkout")
    assert [incident.component for incident in desk.incidents()] == ["checkout"]


def test_what_is_announced_now_is_given_for_metrics(desk: Desk) -> None:
    """From the start until the window is verified."""
    plan(desk)
    with desk.store.read() as connection:
        assert active_effects(connection, START) == frozenset()
        assert active_effects(connection, START + HOUR) == {("search", "expected_down")}


def test_what_a_window_announces_after_the_incident_opened_is_not_sent_any_more(
    store: Store,
) -> None:
    """Asked again before each send: inside the window it is muted, before and after it is not."""
    desk = Desk(store)
    desk.deliver(Alert(labels("search"), starts_at=desk.now))
    with store.begin() as tx:
        first = claim(tx, channel="pager", limit=1, worker="w", now=desk.now, lease_seconds=9)[0]
    window = plan(desk, starts_at=desk.now + HOUR)
    for hours, muted_by in ((0, ""), (1, window.name), (9, "")):
        with store.read() as connection:
            assert mute_delivery(connection, first, START + hours * HOUR) == muted_by
