"""Whether two disturbances of one component have one cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.causes import NEAR, Signs, is_near, needed_by, one_cause

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=6)
OLD = Signs("checkout", NOW, "buy", "", "pay", "timeout")

signs = st.builds(
    Signs,
    component=st.just("checkout"),
    began_at=st.sampled_from([NOW, NOW + NEAR, LATER]),
    journey=st.sampled_from(["", "buy", "express"]),
    cause=st.sampled_from(["", "slow", "location", "certificate", "cleanup", "disk", "network"]),
    step=st.sampled_from(["", "pay", "login"]),
    reason=st.sampled_from(["", "timeout", "status", "tls"]),
)


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (Signs("checkout", LATER, "buy"), "and journey (buy)"),
        (
            Signs("checkout", LATER, "buy", "", "login", "status"),
            "journey (buy); failing step login, before: pay; reason status, before: timeout",
        ),
        (
            Signs("checkout", LATER, "express", "", "pay", "timeout"),
            "step (pay) and reason (timeout)",
        ),
        (Signs("checkout", LATER, "express", "", "", "timeout"), "reason (timeout)"),
        (Signs("checkout", LATER, "express", "slow", "pay"), "failing step (pay)"),
        (Signs("checkout", NOW + NEAR, "express", "", "x", "status"), "begun within 10 min of it"),
        (Signs("checkout", LATER, "express"), "and nothing tells them apart"),
    ],
)
def test_one_cause_is_said_with_what_shows_it(new: Signs, why: str) -> None:
    """The words go on the timeline."""
    assert one_cause(new, OLD).startswith("same component (checkout)")
    assert one_cause(new, OLD).endswith(why)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (Signs("checkout", LATER, "express", "", "login", "status"), OLD),
        (Signs("checkout", LATER, "express", "", "pay", "status"), OLD),
        (Signs("checkout", LATER, "express", "disk"), OLD),
        (Signs("checkout", NOW, "buy", "disk"), replace(OLD, cause="network")),
        (Signs("checkout", NOW, "buy", "", "pay", "status"), replace(OLD, cause="certificate")),
        (Signs("checkout", NOW, "buy", "cleanup"), OLD),
    ],
)
def test_what_contradicts_is_two(new: Signs, old: Signs) -> None:
    """Another step or reason long after, or causes that rules tell apart."""
    assert one_cause(new, old) == ""


def test_a_bad_certificate_explains_a_failure_of_tls() -> None:
    """The condition stands for itself, but for the one thing it shows as."""
    warned = Signs("checkout", NOW, "", "certificate")
    assert one_cause(Signs("checkout", NOW, "buy", "", "open", "tls"), warned)


def test_another_cause_at_the_same_time_is_the_cause_of_the_symptom() -> None:
    """A full disk and a failing checkout, minutes apart on one component, are one."""
    assert one_cause(Signs("checkout", NOW, "", "disk"), OLD)


@given(signs, signs)
def test_one_cause_holds_both_ways(one: Signs, other: Signs) -> None:
    """It does not matter which was first."""
    assert bool(one_cause(one, other)) is bool(one_cause(other, one))


@given(signs)
def test_everything_has_one_cause_with_itself(one: Signs) -> None:
    """Told twice it is still one."""
    assert one_cause(one, one)


@pytest.mark.parametrize(("seconds", "near"), [(599, True), (600, True), (601, False)])
def test_near_is_ten_minutes_either_way(seconds: int, near: bool) -> None:
    """The last instant is included."""
    later = NOW + timedelta(seconds=seconds)
    assert is_near(NOW, later) is is_near(later, NOW) is near


graphs = st.dictionaries(st.sampled_from("abcde"), st.lists(st.sampled_from("abcde")))


@given(graphs, st.sampled_from("abcde"))
def test_needed_is_whatever_can_be_reached(needs: dict[str, list[str]], start: str) -> None:
    """Circles end, and nothing needs itself."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for needed in needs.get(waiting.pop(), ()):
            if needed not in reached:
                reached.add(needed)
                waiting.append(needed)
    assert set(needed_by(start, needs)) == reached - {start}
    assert all(words.endswith(f"depends on {c}") for c, words in needed_by(start, needs).items())
