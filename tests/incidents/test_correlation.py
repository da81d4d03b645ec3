"""Which incident an alert belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.correlation import Belongs, Candidate, Register, Subject, reopen_window
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
) -> Candidate:
    return Candidate(
        number,
        subject.key,
        frozenset({subject.component} - {""}),
        severity,
        open=ended is None,
        resolved_at=None if ended is None else NOW - ended,
    )


def find(register: Register, subject: Subject = CHECKOUT, *needs: str) -> Belongs | None:
    return register.find(subject, depends_on=needs, now=NOW, window=15 * MINUTE)


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
    assert find(Register(others)) == Belongs(2, "same component (checkout)")


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
