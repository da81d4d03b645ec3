"""Tests of the way from runs to a verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.result import Hop, Outcome, Phases, ProbeRun, StepResult
from probes.verdict import (
    Verdict,
    VerdictState,
    after_run,
    as_of,
    may_repeat,
    verdict_from_json,
    verdict_to_json,
    wants_confirmation,
    was_flaky,
)
from tests.probes.journeys import journey_of

START = datetime(2026, 1, 1, tzinfo=UTC)
GET = {"get": "https://shop.example/", "expect": {"status": 200}}
JOURNEY = journey_of(GET, interval="60s")
OUTCOMES = {"P": Outcome.PASSED, "F": Outcome.FAILED, "E": Outcome.ERRORED}


def run_at(outcome: Outcome, at: datetime, *, attempt: int = 1, method: str = "GET") -> ProbeRun:
    """Return a run of one step that ended so."""
    hop = Hop(method, "https://shop.example/", 200, "", Phases(), 0.1)
    steps = (StepResult("step 1", outcome, hops=(hop,)),)
    return ProbeRun("id", "shop", "local", attempt, at, 0.1, outcome, steps=steps)


def after(letters: str, state: VerdictState = VerdictState()) -> VerdictState:
    """Return the state after scheduled runs of these outcomes, one a minute."""
    for number, letter in enumerate(letters):
        at = START + timedelta(minutes=number)
        state = after_run(state, run_at(OUTCOMES[letter], at), JOURNEY, at)
    return state


@pytest.mark.parametrize(
    ("letters", "verdict"),
    [
        ("", Verdict.UNKNOWN),
        ("P", Verdict.UP),
        ("F", Verdict.UNKNOWN),
        ("FF", Verdict.DOWN),
        ("PF", Verdict.UP),
        ("PFP", Verdict.UP),
        ("PFPF", Verdict.UP),
        ("PFF", Verdict.DOWN),
        ("PFEF", Verdict.DOWN),
        ("PFFP", Verdict.DOWN),
        ("PFFPP", Verdict.UP),
        ("PFFPFP", Verdict.DOWN),
        ("PFFPEP", Verdict.UP),
        ("PE", Verdict.UP),
        ("PEE", Verdict.UP),
        ("PEEE", Verdict.UP),
        ("PEEEE", Verdict.UNKNOWN),
        ("EEEE", Verdict.UNKNOWN),
        ("FFEEEE", Verdict.UNKNOWN),
        ("FFEEEEP", Verdict.UNKNOWN),
        ("FFEEEEPP", Verdict.UP),
    ],
)
def test_runs_turn_the_verdict_as_the_policy_says(letters: str, verdict: Verdict) -> None:
    """Two bad in a row are down, two good in a row recover, errors say nothing of the shop."""
    assert after(letters).verdict is verdict


@given(st.text(alphabet="PFE", max_size=40))
def test_errors_in_between_never_change_what_is_counted(letters: str) -> None:
    """Without silence, errored runs could as well not have happened."""
    state, plain = VerdictState(), VerdictState()
    for letter in letters:  # all at one moment, so that nothing falls silent
        state = after_run(state, run_at(OUTCOMES[letter], START), JOURNEY, START)
        if letter != "E":
            plain = after_run(plain, run_at(OUTCOMES[letter], START), JOURNEY, START)
    assert state.verdict is plain.verdict
    assert (state.bad_runs, state.good_runs) == (plain.bad_runs, plain.good_runs)


@given(st.text(alphabet="PFE", max_size=40))
def test_down_needs_two_bad_runs_and_up_a_good_one(letters: str) -> None:
    """The verdict follows from the latest runs that said anything."""
    said = letters.replace("E", "")
    state = after(said)
    if state.verdict is Verdict.DOWN:
        assert "FF" in said
        assert not said.endswith("PP")
    if said.endswith("FF"):
        assert state.verdict is Verdict.DOWN
    if said.endswith("PP"):
        assert state.verdict is Verdict.UP


@given(st.text(alphabet="PFE", max_size=30))
def test_a_stored_verdict_comes_back_as_it_was(letters: str) -> None:
    """A restart in the middle changes nothing."""
    state = after(letters)
    assert verdict_from_json(verdict_to_json(state)) == state


@pytest.mark.parametrize(("seconds", "verdict"), [(180, Verdict.UP), (181, Verdict.UNKNOWN)])
def test_a_verdict_is_unknown_after_three_silent_intervals(seconds: int, verdict: Verdict) -> None:
    """No data is never green: exactly three intervals are still believed."""
    assert as_of(after("P"), JOURNEY, START + timedelta(seconds=seconds)).verdict is verdict


def test_since_is_when_the_verdict_turned() -> None:
    """Later runs of the same kind leave it alone."""
    assert after("PFFFF").since == START + timedelta(minutes=2)


def test_a_journey_without_confirmation_is_down_at_once() -> None:
    """`confirm: false` makes one failure a verdict."""
    journey = journey_of(GET, confirm=False)
    state = after_run(VerdictState(), run_at(Outcome.FAILED, START), journey, START)
    assert state.verdict is Verdict.DOWN
    assert not wants_confirmation(VerdictState(), run_at(Outcome.FAILED, START), journey)


@pytest.mark.parametrize(
    ("letters", "outcome", "attempt", "wanted"),
    [
        ("P", Outcome.FAILED, 1, True),
        ("", Outcome.FAILED, 1, True),
        ("PFP", Outcome.FAILED, 1, True),
        ("PF", Outcome.FAILED, 1, False),
        ("PFF", Outcome.FAILED, 1, False),
        ("P", Outcome.FAILED, 2, False),
        ("P", Outcome.PASSED, 1, False),
        ("P", Outcome.ERRORED, 1, False),
    ],
)
def test_only_the_first_failure_on_the_way_from_good_is_confirmed(
    letters: str, outcome: Outcome, attempt: int, wanted: bool
) -> None:
    """One extra run per outage, none while it lasts."""
    run = run_at(outcome, START + timedelta(minutes=len(letters)), attempt=attempt)
    assert wants_confirmation(after(letters), run, JOURNEY) is wanted


def test_a_confirmation_that_passes_is_a_blip() -> None:
    """The journey stays up, and the blip is counted as flaky."""
    pending = after("PF")
    confirmation = run_at(Outcome.PASSED, START + timedelta(minutes=1), attempt=2)
    state = after_run(pending, confirmation, JOURNEY, confirmation.started_at)
    assert was_flaky(pending, confirmation)
    assert (state.verdict, state.flaky_runs, state.bad_runs) == (Verdict.UP, 1, 0)


@pytest.mark.parametrize(
    ("method", "step", "repeatable"),
    [
        ("GET", {}, True),
        ("PUT", {}, True),
        ("POST", {}, False),
        ("POST", {"idempotent": True}, True),
        ("GET", {"idempotent": False}, False),
        ("POST", {"headers": {"idempotency-key": "${run.id}"}}, True),
    ],
)
def test_a_run_is_repeated_only_where_all_it_sent_may_be(
    method: str, step: dict[str, object], repeatable: bool
) -> None:
    """An order is never placed twice just to make sure."""
    journey = journey_of({**GET, **step})
    assert may_repeat(run_at(Outcome.FAILED, START, method=method), journey) is repeatable


def test_a_step_that_was_never_sent_does_no_harm() -> None:
    """A checkout that failed before its order may be run again."""
    journey = journey_of({**GET, "idempotent": False})
    steps = (StepResult("step 1", Outcome.FAILED),)
    run = ProbeRun("id", "shop", "local", 1, START, 0.1, Outcome.FAILED, steps=steps)
    assert may_repeat(run, journey)
