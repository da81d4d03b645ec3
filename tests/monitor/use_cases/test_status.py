"""How components stand, and the record of how they stood."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from incidents.notices.published import PublicPage
from monitor.config.model import Component
from monitor.storage.schema import runs
from monitor.storage.status import component_intervals
from monitor.use_cases.status import GAP, public_page, record_component_states
from tests.builders import journey
from tests.monitor.use_cases.desk import START, Desk
from tests.monitor.use_cases.verdicts import seen

NAMES = ("login", "search", "checkout")


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk of three components, each with a journey that runs every ten seconds."""
    components = tuple(Component(id=name, name=name.capitalize()) for name in NAMES)
    journeys = tuple(journey(name) for name in NAMES)
    desk.configuration = replace(desk.configuration, components=components, journeys=journeys)
    return desk


def see(desk: Desk, at: datetime, **by_name: str) -> None:
    """The journeys ran at `at`: up, unless said otherwise."""
    with desk.store.begin() as tx:
        for name in NAMES:
            seen(tx, name, by_name.get(name, "up"), at)


def shown(desk: Desk, at: datetime) -> PublicPage:
    """Return the public page at `at`."""
    with desk.store.read() as connection:
        return public_page(connection, desk.configuration, "https://status.test/", at)


def record(desk: Desk, at: datetime) -> list[tuple[str, str | None, str]]:
    """Record what changed at `at` and return it."""
    found = record_component_states(desk.store, desk.configuration, at)
    return [(change.component, change.old, change.new) for change in found]


def held(desk: Desk, component: str) -> list[tuple[str, float, float | None]]:
    """Return (status, seconds after START from, to) of a component's record."""
    with desk.store.read() as connection:
        found = component_intervals(connection, START - timedelta(days=1))[component]
    return [
        (
            piece.status.value,
            (piece.since - START).total_seconds(),
            (piece.until - START).total_seconds() if piece.until else None,
        )
        for piece in found
    ]


def test_before_any_run_nothing_is_known(desk: Desk) -> None:
    """A fresh start is never green."""
    page = shown(desk, START)
    assert {c.status for c in page.components} == {"unknown"}
    assert page.rollup.headline.startswith("We do not know")


def test_fresh_good_runs_make_the_page_well_and_old_ones_make_it_unknown(desk: Desk) -> None:
    """Three intervals of ten seconds, and then a second more."""
    see(desk, START)
    assert shown(desk, START + timedelta(seconds=30)).rollup.headline == "All systems operational"
    assert shown(desk, START + timedelta(seconds=31)).rollup.headline.startswith("We do not know")


def test_three_slow_runs_in_a_row_make_a_component_slow(desk: Desk) -> None:
    """Two do not."""
    see(desk, START)
    for number, status in enumerate(["operational", "operational", "degraded_performance"]):
        row = {
            "run_id": f"r{number}", "journey": "search", "location": "local", "attempt": 1,
            "started_at": START + timedelta(seconds=number), "duration_seconds": 9.0,
            "outcome": "pass", "degraded": True, "body": {},
        }  # fmt: skip
        with desk.store.begin() as tx:
            tx.connection.execute(insert(runs), row)
        assert {c.id: c.status for c in shown(desk, START).components}["search"] == status


def test_a_published_incident_stands_on_the_page_and_a_draft_does_not(desk: Desk) -> None:
    """A draft is for the house alone; its component still tells what probes see."""
    hidden = Component(id="search", name="Search", publish="draft")
    components = tuple(hidden if c.id == "search" else c for c in desk.configuration.components)
    desk.configuration = replace(desk.configuration, components=components)
    see(desk, START)
    desk.fire("checkout")
    desk.fire("search")
    page = shown(desk, START)
    assert [incident.title for incident in page.open_incidents] == ["Checkout does not work"]
    assert {c.id: c.status.value for c in page.components}["search"] == "operational"


def test_changes_are_recorded_once_each_and_end_what_was_before(desk: Desk) -> None:
    """One row for every change."""
    see(desk, START)
    assert {change[0] for change in record(desk, START)} == set(NAMES)
    later = START + timedelta(seconds=10)
    see(desk, later, checkout="down")
    assert record(desk, later) == [("checkout", "operational", "major_outage")]
    assert record(desk, later) == []
    assert held(desk, "checkout") == [("operational", 0, 10), ("major_outage", 10, None)]


def test_time_in_which_nobody_looked_is_recorded_as_unknown(desk: Desk) -> None:
    """The service was down from a minute after nine until an hour later."""
    for seconds in (0, 60):
        see(desk, START + timedelta(seconds=seconds))
        record(desk, START + timedelta(seconds=seconds))
    back = START + timedelta(hours=1)
    see(desk, back)
    record(desk, back)
    assert held(desk, "login") == [
        ("operational", 0, 60),
        ("unknown", 60, 3600),
        ("operational", 3600, None),
    ]


def test_a_pause_no_longer_than_the_gap_is_vouched_for(desk: Desk) -> None:
    """A restart is no hole in the record."""
    see(desk, START)
    record(desk, START)
    see(desk, START + GAP)
    record(desk, START + GAP)
    assert held(desk, "login") == [("operational", 0, None)]


def test_the_record_of_a_component_that_is_gone_ends(desk: Desk) -> None:
    """It is shown no longer, and claims nothing any more."""
    see(desk, START)
    record(desk, START)
    kept = tuple(c for c in desk.configuration.components if c.id != "search")
    desk.configuration = replace(desk.configuration, components=kept)
    record(desk, START + timedelta(seconds=90))
    assert held(desk, "search") == [("operational", 0, 90)]
