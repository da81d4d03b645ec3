"""States, moves and how bad it is."""

from __future__ import annotations

import pytest

from incidents.lifecycle import (
    ALLOWED,
    IllegalTransition,
    Impact,
    Severity,
    Status,
    check_transition,
    component_status,
    impact_of,
    worse_status,
    worst,
)

MOVES = {
    Status.INVESTIGATING: {Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED},
    Status.IDENTIFIED: {Status.INVESTIGATING, Status.MONITORING, Status.RESOLVED},
    Status.MONITORING: {Status.INVESTIGATING, Status.IDENTIFIED, Status.RESOLVED},
    Status.RESOLVED: {Status.INVESTIGATING, Status.POSTMORTEM},
    Status.POSTMORTEM: {Status.INVESTIGATING, Status.RESOLVED},
}


@pytest.mark.parametrize("old", Status)
@pytest.mark.parametrize("new", Status)
def test_a_move_is_allowed_or_refused_with_what_would_be(old: Status, new: Status) -> None:
    """Every pair; staying is no move."""
    if new in MOVES[old]:
        check_transition(7, old, new)
        return
    with pytest.raises(IllegalTransition) as caught:
        check_transition(7, old, new)
    assert set(caught.value.allowed) == ALLOWED[old]
    assert f"INC-7 is {old}; it cannot become {new}" in str(caught.value)


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", Severity.CRITICAL),
        ("Critical", Severity.CRITICAL),
        ("page", Severity.CRITICAL),
        ("warning", Severity.WARNING),
        ("info", Severity.INFO),
        ("none", Severity.NONE),
        ("whatever", Severity.WARNING),
        ("", Severity.WARNING),
    ],
)
def test_rules_from_elsewhere_are_understood(word: str, severity: Severity) -> None:
    """A word nobody knows neither wakes people nor is dropped."""
    assert Severity.of({"severity": word}) is severity


def test_the_worst_of_nothing_is_nothing() -> None:
    """And of several the most urgent."""
    assert worst([]) is Severity.NONE
    assert worst([Severity.INFO, Severity.CRITICAL, Severity.WARNING]) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ({"severity": "critical"}, "major_outage"),
        ({"severity": "critical", "location": "eu"}, "partial_outage"),
        ({"severity": "warning"}, "degraded_performance"),
        ({"severity": "info"}, "operational"),
    ],
)
def test_an_alert_says_how_its_component_stands(labels: dict[str, str], status: str) -> None:
    """One location's failure leaves the others standing."""
    assert component_status(labels) == status


@pytest.mark.parametrize(
    ("severity", "statuses", "impact"),
    [
        (Severity.CRITICAL, ["major_outage", "partial_outage"], Impact.CRITICAL),
        (Severity.CRITICAL, ["major_outage", "degraded_performance"], Impact.MAJOR),
        (Severity.CRITICAL, [], Impact.MAJOR),
        (Severity.WARNING, ["degraded_performance"] * 2, Impact.MINOR),
        (Severity.INFO, ["major_outage"], Impact.NONE),
    ],
)
def test_impact_follows_severity_and_reach(
    severity: Severity, statuses: list[str], impact: Impact
) -> None:
    """Two components out is as bad as it gets."""
    assert impact_of(severity, statuses) is impact


@pytest.mark.parametrize(
    ("one", "other", "worse"),
    [
        ("operational", "degraded_performance", "degraded_performance"),
        ("major_outage", "under_maintenance", "major_outage"),
        ("partial_outage", "nonsense", "partial_outage"),
    ],
)
def test_the_worse_of_two_states(one: str, other: str, worse: str) -> None:
    """An outage outranks maintenance."""
    assert worse_status(one, other) == worse_status(other, one) == worse
