"""Which incident an alert belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incidents.causes import Signs, needed_by
from incidents.correlation import (
    NO_WISHES,
    Belongs,
    Candidate,
    Register,
    Subject,
    Wishes,
    cause_of,
    follows_from,
    reopen_window,
)
from incidents.lifecycle import Severity

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHECKOUT = Subject("checkout", "checkout", "")


def candidate(
    number: int,
    subject: Subject = CHECKOUT,
    *,
    severity: Severity = Severity.CRITICAL,
    ended: timedelta | None = None,
    merged_into: int | None = None,
    began: timedelta = timedelta(0),
) -> Candidate:
    return Candidate(
        number,
        subject.key,
        frozenset({subject.component} - {""}),
        severity,
        open=ended is None,
        resolved_at=None if ended is None else NOW - ended,
        merged_into=merged_into,
        signs=Signs(subject.component, NOW - began, subject.journey, subject.cause),
    )


def find(
    register: Register, subject: Subject = CHECKOUT, *needs: str, wishes: Wishes = NO_WISHES
) -> Belongs | None:
    return register.find(
        subject.key,
        Signs(subject.component, NOW, subject.journey, subject.cause),
        needs=needed_by(subject.component, {subject.component: needs}),
        now=NOW,
        window=15 * MINUTE,
        wishes=wishes,
    )


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ({"component": "checkout", "journey": "pay", "alertname": "A"}, "checkout/pay/"),
        ({"component": "a/b", "cause": "slow"}, "a%2Fb//slow"),
        ({"alertname": "OutboxStuck"}, "//OutboxStuck"),
        ({}, "//"),
    ],
)
def test_the_key_comes_from_labels(labels: dict[str, str], key: str) -> None:
    """An alert about nothing in particular stands for itself."""
    assert Subject.of(labels).key == key


@given(*[st.text()] * 6)
def test_different_subjects_have_different_keys(
    a: str, b: str, c: str, d: str, e: str, f: str
) -> None:
    """Whatever characters labels hold."""
    one, other = Subject(a, b, c), Subject(d, e, f)
    assert (one.key == other.key) is (one == other)


def test_the_same_key_comes_before_the_same_component() -> None:
    """The most exact match wins, whatever its age."""
    register = Register([candidate(1, Subject("checkout", "other", "")), candidate(2)])
    found = find(register)
    assert found == Belongs(2, "same component, journey and cause")


def test_among_incidents_of_a_component_the_oldest_is_joined() -> None:
    """So that alerts gather in one place."""
    others = [candidate(n, Subject("checkout", f"j{n}", "")) for n in (3, 2)]
    assert find(Register(others)) == Belongs(
        2, "same component (checkout), begun within 10 min of it"
    )


@pytest.mark.parametrize(
    ("severity", "joins"), [(Severity.CRITICAL, True), (Severity.WARNING, False)]
)
def test_only_an_outage_explains_what_depends_on_it(severity: Severity, joins: bool) -> None:
    """A slow sign-in does not explain a broken checkout."""
    register = Register([candidate(1, Subject("login", "login", ""), severity=severity)])
    expected = Belongs(1, "checkout depends on login") if joins else None
    assert find(register, CHECKOUT, "login") == expected


@pytest.mark.parametrize(("minutes", "reopens"), [(14.9, True), (15, True), (15.1, False)])
def test_a_resolved_incident_is_reopened_within_its_window(minutes: float, reopens: bool) -> None:
    """The last instant is included."""
    found = find(Register([candidate(1, ended=minutes * MINUTE)]))
    assert (found is not None and found.reopens) is reopens


def test_of_several_resolved_the_last_one_reopens() -> None:
    """Not the one with the lowest number."""
    register = Register([candidate(1, ended=9 * MINUTE), candidate(2, ended=3 * MINUTE)])
    found = find(register)
    assert found is not None
    assert found.number == 2


def test_an_incident_is_found_as_it_was_put_last() -> None:
    """Resolved ones are no longer joined, reopened ones are."""
    register = Register([candidate(1)])
    register.put(candidate(1, ended=MINUTE))
    ended = find(register)
    register.put(candidate(1))
    again = find(register)
    assert ended is not None
    assert again is not None
    assert (ended.reopens, again.reopens) == (True, False)


def test_an_alert_without_a_component_joins_nothing_by_accident() -> None:
    """Two rules about nothing in particular are two incidents."""
    register = Register([candidate(1, Subject("", "", "OutboxStuck"))])
    assert find(register, Subject("", "", "ProbeStale")) is None


@pytest.mark.parametrize(
    ("hold_for", "interval", "minutes"), [(0, 1, 15), (5, 1, 15), (15, 1, 21), (60, 5, 74)]
)
def test_the_window_outlasts_a_restart_of_the_evaluator(
    hold_for: int, interval: int, minutes: int
) -> None:
    """`for`, four resends and two evaluations; never under a quarter of an hour."""
    assert reopen_window(hold_for * MINUTE, interval * MINUTE) == minutes * MINUTE


def test_what_belongs_to_a_merged_incident_goes_to_the_survivor() -> None:
    """A person said that both are one: the identity does not open its own again."""
    other = Subject("search", "search", "")
    register = Register([candidate(1, other), candidate(2, ended=400 * MINUTE, merged_into=1)])
    found = find(register)
    assert found == Belongs(1, "INC-2, which it belongs to, is part of this")


@pytest.mark.parametrize(("minutes", "number"), [(15, 1), (16, None)])
def test_a_survivor_that_ended_is_reopened_within_its_window(
    minutes: int, number: int | None
) -> None:
    """The merged one itself never is."""
    survivor = candidate(1, Subject("search", "search", ""), ended=minutes * MINUTE)
    register = Register([survivor, candidate(2, ended=MINUTE, merged_into=1)])
    found = find(register)
    assert (found.number if found else None) == number


def test_what_a_person_put_somewhere_goes_there() -> None:
    """Whatever its labels say."""
    register = Register([candidate(1), candidate(2, Subject("search", "search", ""))])
    wishes = Wishes(together=2, because="ann put it there: one switch")
    assert find(register, wishes=wishes) == Belongs(2, "ann put it there: one switch")


def test_a_wish_for_an_incident_long_over_is_forgotten() -> None:
    """The alert is placed as if nobody had said anything."""
    over = candidate(2, Subject("search", "search", ""), ended=16 * MINUTE)
    found = find(Register([candidate(1), over]), wishes=Wishes(together=2))
    assert found is not None
    assert found.number == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["login", "search", "checkout"]),
            st.sampled_from([None, 1, 20]),
            st.sampled_from([None, 1, 2, 3]),
        ),
        max_size=4,
    ),
    st.frozensets(st.integers(1, 4)),
)
@example([("search", None, None), ("checkout", 1, 3), ("checkout", 1, 2)], frozenset({3}))
def test_what_a_person_took_out_never_goes_back_by_itself(
    given_: list[tuple[str, int | None, int | None]], apart: frozenset[int]
) -> None:
    """Neither to that incident nor to what it was merged into."""
    register = Register(
        candidate(
            number,
            Subject(component, component, ""),
            ended=None if ended is None else ended * MINUTE,
            merged_into=into if ended is not None and into != number else None,
        )
        for number, (component, ended, into) in enumerate(given_, 1)
    )
    found = find(register, CHECKOUT, "login", wishes=Wishes(apart=apart))
    assert found is None or found.number not in apart


NEEDS = {"checkout": ("login",), "basket": ("checkout",)}


@given(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), unique=True))
def test_two_things_that_do_not_need_each_other_stay_two(one: str, others: list[str]) -> None:
    """However close in time: a moment is no cause."""
    open_ones = [c for c in others if c != one]
    register = Register(
        candidate(number, Subject(component, component, ""))
        for number, component in enumerate(open_ones, 1)
    )
    assert find(register, Subject(one, one, "")) is None


@pytest.mark.parametrize(
    ("other", "began", "follows"),
    [
        ("checkout", 0, "checkout depends on login"),
        ("basket", 10, "basket depends on checkout, which depends on login"),
        ("basket", 11, ""),
        ("search", 0, ""),
    ],
)
def test_what_needs_an_outage_and_began_with_it_follows_from_it(
    other: str, began: int, follows: str
) -> None:
    """Directly or not, no more than 10 minutes apart."""
    needs = {c: needed_by(c, NEEDS) for c in (*NEEDS, "search")}
    upstream = candidate(1, Subject("login", "login", ""))
    downstream = candidate(2, Subject(other, other, ""), began=began * MINUTE)
    assert follows_from(upstream, downstream, needs) == follows


def test_a_warning_explains_nothing() -> None:
    """Nor does an incident about no component."""
    needs = {c: needed_by(c, NEEDS) for c in NEEDS}
    mild = candidate(1, Subject("login", "login", ""), severity=Severity.WARNING)
    vague = candidate(1, Subject("", "", "X"))
    assert [follows_from(one, candidate(2), needs) for one in (mild, vague)] == ["", ""]


@pytest.mark.parametrize(
    ("key", "cause"),
    [("checkout/pay/slow", "slow"), ("a//a%2Fb/0f", "a/b"), ("person/x", ""), ("//Rule", "Rule")],
)
def test_the_cause_can_be_read_from_the_key(key: str, cause: str) -> None:
    """People's own incidents name none."""
    assert cause_of(key) == cause
