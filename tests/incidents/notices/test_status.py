"""The status of one component from probes, incidents and windows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.notices.maintenance import Effect, Scope
from incidents.notices.status import (
    ComponentStatus,
    JourneySignal,
    OpenIncident,
    component_standing,
    probed_status,
)
from tests.incidents.notices.builders import NOW, a_signal, a_window

DOWN = a_signal("down")
UP = a_signal("up")
SLOW = a_signal("up", degraded=True)
UNKNOWN = a_signal("unknown")


def other(signal: JourneySignal, **changes: str) -> JourneySignal:
    """The same signal from another location or journey."""
    facts = {**signal.__dict__, **changes}
    return JourneySignal(**facts)


@pytest.mark.parametrize(
    ("signals", "quorum", "status"),
    [
        ([], 1, "unknown"),
        ([UP], 1, "operational"),
        ([DOWN], 1, "major_outage"),
        ([SLOW], 1, "degraded_performance"),
        ([UNKNOWN], 1, "unknown"),
        ([DOWN, other(UP, journey="cart")], 1, "partial_outage"),
        ([DOWN, other(DOWN, journey="cart")], 1, "major_outage"),
        ([UP, other(UNKNOWN, journey="cart")], 1, "unknown"),
        ([DOWN, other(UNKNOWN, journey="cart")], 1, "partial_outage"),
        ([SLOW, other(UNKNOWN, journey="cart")], 1, "degraded_performance"),
        ([DOWN, other(UP, location="two")], 1, "partial_outage"),
        ([DOWN, other(UP, location="two")], 2, "operational"),
        ([DOWN, other(SLOW, location="two")], 2, "degraded_performance"),
        ([DOWN, other(DOWN, location="two")], 2, "major_outage"),
        ([DOWN, other(DOWN, location="two"), other(UP, location="three")], 2, "partial_outage"),
        ([UP, other(UNKNOWN, location="two")], 2, "unknown"),
        ([UP], 2, "operational"),  # a quorum beyond the locations there are asks for all of them
    ],
)
def test_probes_tell_trouble_before_doubt_and_doubt_before_good_news(
    signals: list[JourneySignal], quorum: int, status: str
) -> None:
    """No combination without fresh data is green."""
    assert probed_status(signals, quorum=quorum, now=NOW) == status


@pytest.mark.parametrize(
    ("age", "status"), [(179, "operational"), (180, "operational"), (181, "unknown")]
)
def test_a_run_older_than_three_intervals_says_nothing(age: int, status: str) -> None:
    """Up to three intervals, that moment included, the last verdict stands."""
    assert probed_status([a_signal("up", age_seconds=age)], quorum=1, now=NOW) == status


@pytest.mark.parametrize(
    ("signal", "effect", "incident", "status", "cause"),
    [
        (UP, None, None, "operational", "probes"),
        (UP, "expected_down", None, "under_maintenance", "maintenance"),
        (DOWN, "expected_down", None, "under_maintenance", "maintenance"),
        (DOWN, "expected_degraded", None, "major_outage", "probes"),
        (SLOW, "expected_degraded", None, "under_maintenance", "maintenance"),
        (UNKNOWN, "expected_degraded", None, "under_maintenance", "maintenance"),
        (UP, None, "partial_outage", "partial_outage", "incident"),
        (UP, "expected_down", "partial_outage", "partial_outage", "incident"),
        (DOWN, None, "degraded_performance", "major_outage", "probes"),
        (UNKNOWN, None, "major_outage", "major_outage", "incident"),
    ],
)
def test_an_outage_outranks_maintenance_and_a_window_hides_only_what_it_announced(
    signal: JourneySignal, effect: str | None, incident: str | None, status: str, cause: str
) -> None:
    """Probes, a window over the component and a published incident, in every telling pairing."""
    windows = [a_window(scope=(Scope("checkout", Effect(effect)),))] if effect else []
    told = ComponentStatus(incident) if incident else None
    incidents = [OpenIncident("inc", "checkout", told)] if told else []
    found = component_standing("checkout", [signal], incidents, windows, quorum=1, now=NOW)
    assert (found.status, found.cause) == (status, cause)


def test_a_window_of_another_component_or_another_hour_changes_nothing() -> None:
    """Only a running window that names the component counts."""
    elsewhere, later = a_window(), a_window(starts_at=NOW + timedelta(seconds=1))
    found = component_standing("checkout", [UP], [], [elsewhere, later], quorum=1, now=NOW)
    assert found.status == "operational"


def test_the_standing_says_when_the_component_was_last_checked() -> None:
    """The newest run of any of its journeys counts, whatever it found."""
    old = a_signal("up", age_seconds=90)
    found = component_standing("checkout", [old, DOWN], [], [], quorum=1, now=NOW)
    assert found.last_checked_at == DOWN.last_run_at


def test_severity_puts_maintenance_below_unknown_and_both_below_every_trouble() -> None:
    """The order that all comparisons rest on."""
    ordered = sorted(ComponentStatus, key=lambda status: -status.severity)
    assert [status.value for status in ordered] == [
        "major_outage",
        "partial_outage",
        "degraded_performance",
        "unknown",
        "under_maintenance",
        "operational",
    ]
