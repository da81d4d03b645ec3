"""One sentence for the whole page."""

from __future__ import annotations

import itertools

import pytest

from incidents.notices.rollup import public_status, roll_up
from incidents.notices.status import ComponentStatus as Status

M, P, D, U, O, X = (  # noqa: E741 - one letter a status keeps the table readable
    Status.MAJOR_OUTAGE,
    Status.PARTIAL_OUTAGE,
    Status.DEGRADED_PERFORMANCE,
    Status.UNDER_MAINTENANCE,
    Status.OPERATIONAL,
    Status.UNKNOWN,
)


@pytest.mark.parametrize(
    ("leaves", "description", "indicator"),
    [
        ([O, O], "All Systems Operational", "none"),
        ([M, M], "Major System Outage", "critical"),
        ([M], "Major System Outage", "critical"),
        ([M, O], "Partial System Outage", "major"),
        ([M, P], "Partial System Outage", "major"),
        ([M, U], "Partial System Outage", "major"),
        ([P, P], "Partial System Outage", "major"),
        ([P, O], "Minor Service Outage", "minor"),
        ([P, U], "Minor Service Outage", "minor"),
        ([D, D], "Degraded System Service", "minor"),
        ([D, O], "Partially Degraded Service", "minor"),
        ([D, U], "Partially Degraded Service", "minor"),
        ([U, O], "Service Under Maintenance", "none"),
        ([U, U], "Service Under Maintenance", "none"),
        ([X, X], "Degraded System Service", "minor"),
        ([X, O], "Partially Degraded Service", "minor"),
        ([], "Degraded System Service", "minor"),
    ],
)
def test_the_worst_leaf_and_whether_all_share_it_give_the_sentence(
    leaves: list[Status], description: str, indicator: str
) -> None:
    """The documented table, and unknown published as degraded."""
    rolled = roll_up(leaves)
    assert (rolled.description, rolled.indicator) == (description, indicator)


@pytest.mark.parametrize("leaves", [[O, O], [U, O]])
def test_an_open_incident_keeps_the_page_from_saying_that_all_is_well(leaves: list[Status]) -> None:
    """Green probes do not overrule what was published."""
    rolled = roll_up(leaves, has_open_incident=True)
    assert (rolled.description, rolled.indicator) == ("Partially Degraded Service", "minor")


def test_only_leaves_that_are_all_operational_are_called_all_operational() -> None:
    """Over every page of up to three components."""
    for size in (1, 2, 3):
        for leaves in itertools.product(Status, repeat=size):
            is_well = all(leaf is O for leaf in leaves)
            assert (roll_up(leaves).description == "All Systems Operational") == is_well


def test_a_page_in_doubt_says_so_in_its_headline() -> None:
    """The sentence for people has the word that the format lacks."""
    assert roll_up([X, O]).headline == "We do not know: fresh checks are missing"


def test_every_sentence_has_a_headline() -> None:
    """No combination leaves a person without words."""
    assert all(roll_up(pair).headline for pair in itertools.product(Status, repeat=2))


def test_unknown_is_never_written_where_strict_clients_read() -> None:
    """Every published word is one of the five of the format."""
    assert {public_status(status) for status in Status} == set(Status) - {X}
