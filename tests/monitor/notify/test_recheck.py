"""Whether a notification is still worth sending."""

from __future__ import annotations

import pytest

from monitor.notify.recheck import Facts, recheck

SENT, REFUSED, LATE = ("sent", ""), ("failed", "rejected"), ("failed", "deadline")
DROPPED = ("dropped", "muted_by_window")


@pytest.mark.parametrize(
    ("event", "status", "drop"),
    [
        ("incident_opened", "investigating", ""),
        ("incident_opened", "resolved", ""),
        ("incident_reopened", "resolved", ""),
        ("incident_update", "identified", ""),
        ("incident_update", "resolved", "superseded"),
        ("incident_escalated", "resolved", ""),
        ("incident_paged", "identified", ""),
        ("incident_paged", "resolved", "over_meanwhile"),
        ("incident_resolved", "resolved", ""),
        ("report_resolved", "resolved", ""),
        ("maintenance_announced", None, ""),
    ],
)
def test_news_of_a_resolved_incident_is_dropped_but_for_its_opening_and_closing(
    event: str, status: str | None, drop: str
) -> None:
    """Whoever was to know hears of it once, and that it is over; nothing in between."""
    assert recheck(Facts(event, status)).drop == drop


def test_a_late_opening_says_that_it_is_over() -> None:
    """Nobody gets out of bed for what is over already."""
    assert "already over" in recheck(Facts("incident_opened", "resolved")).remark
    assert recheck(Facts("incident_opened", "investigating")).remark == ""


@pytest.mark.parametrize(
    ("event", "drop", "remark"),
    [
        ("incident_paged", "acknowledged", ""),
        ("incident_opened", "", "ben has taken it already."),
        ("incident_escalated", "", "ben has taken it already."),
        ("incident_update", "", ""),
        ("maintenance_announced", "", ""),
    ],
)
def test_nobody_is_called_to_what_somebody_has_taken(event: str, drop: str, remark: str) -> None:
    """A page is not sent; what tells of the incident says who has it."""
    verdict = recheck(Facts(event, "investigating", taken_by="ben"))
    assert (verdict.drop, verdict.remark) == (drop, remark)


@pytest.mark.parametrize(
    ("opening", "drop"),
    [
        (None, ""),
        (SENT, ""),
        (LATE, ""),
        (REFUSED, "opening_not_sent"),
        (DROPPED, "opening_not_sent"),
    ],
)
def test_a_closing_goes_to_whoever_may_have_the_opening(
    opening: tuple[str, str] | None, drop: str
) -> None:
    """A timed-out opening may have arrived; a refused or muted one did not."""
    tried = opening != DROPPED
    for event, status in (("resolved", "resolved"), ("acknowledged", "investigating")):
        facts = Facts(f"incident_{event}", status, opening, opening_tried=tried)
        assert recheck(facts).drop == drop


@pytest.mark.parametrize("opening", [DROPPED, LATE], ids=["dropped", "late"])
def test_a_closing_is_for_nobody_whose_opening_was_never_tried(opening: tuple[str, str]) -> None:
    """It waited for a channel that did not answer until its deadline, say."""
    assert recheck(Facts("incident_resolved", "resolved", opening)).drop == "opening_not_sent"


def test_a_closing_follows_an_opening_that_was_recalled_between_two_tries() -> None:
    """The first of them may have arrived though no answer came."""
    facts = Facts("incident_resolved", "resolved", ("dropped", "acknowledged"), opening_tried=True)
    assert recheck(facts).drop == ""


@pytest.mark.parametrize(
    ("event", "drop"),
    [
        ("incident_opened", "muted_by_window"),
        ("incident_escalated", "muted_by_window"),
        ("incident_resolved", ""),
        ("report_resolved", ""),
    ],
)
def test_a_mute_covers_every_step_but_the_closing(event: str, drop: str) -> None:
    """Resolutions and answers to users are never muted."""
    assert recheck(Facts(event, "investigating", muted_by="MNT-1")).drop == drop
