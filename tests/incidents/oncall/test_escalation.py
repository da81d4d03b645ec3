"""What an escalation does next, by tables and as laws over any course of events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.oncall import escalation as asked
from incidents.oncall.escalation import SKEW, Call, Escalation, Facts, Move, State, Why, decide
from incidents.oncall.policy import Policy, as_json, from_json, policy_for
from tests.incidents.oncall.builders import person, policy

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Night:
    """An escalation on a clock that a test moves."""

    policy: Policy
    now: datetime = NOW
    calls: list[tuple[datetime, Call]] = field(default_factory=list)
    escalation: Escalation = field(init=False)

    def __post_init__(self) -> None:
        self.follow(asked.begin(self.policy, Why.OPENED, self.now))

    def follow(self, move: Move) -> None:
        """Make a move."""
        self.escalation = move.after
        if move.call is not None:
            self.calls.append((self.now, move.call))

    def look(self, facts: Facts = Facts()) -> Move | None:
        """Let the duty look once."""
        move = decide(self.escalation, facts, self.now)
        if move is not None:
            self.follow(move)
        return move

    def sleep(self, minutes: float, facts: Facts = Facts()) -> Night:
        """Let time pass, with a look every half minute."""
        for _ in range(round(minutes * 2)):
            self.now += MINUTE / 2
            while self.look(facts):
                pass
        return self

    def told(self) -> list[tuple[float, str]]:
        """Return (minutes since the start, first target) of every step."""
        return [((at - NOW) / MINUTE, call.targets[0].name) for at, call in self.calls]


def test_steps_are_taken_in_order_each_after_its_wait_and_the_last_resort_ends_it() -> None:
    """Five minutes after the first, ten after the second; then nothing more."""
    night = Night(policy(5, 10)).sleep(60)
    assert night.told() == [(0, "p0"), (5, "p1"), (15, "everybody")]
    assert night.escalation.state is State.EXHAUSTED


def test_a_policy_is_gone_through_as_often_as_it_says() -> None:
    """The last wait of a round comes before the next round too."""
    night = Night(policy(5, 10, rounds=2)).sleep(60)
    assert night.told() == [(0, "p0"), (5, "p1"), (15, "p0"), (20, "p1"), (30, "everybody")]


def test_after_a_long_absence_one_step_is_taken_and_the_next_waits_in_full() -> None:
    """Whoever is told late still gets the time they were promised."""
    night = Night(policy(5, 10, 5))
    night.now += 180 * MINUTE
    night.sleep(11)
    assert night.told() == [(0, "p0"), (180.5, "p1"), (190.5, "p2")]


def test_a_clock_set_back_delays_by_one_wait_at_most() -> None:
    """An hour back does not make an hour of silence."""
    night = Night(policy(5, 10))
    night.now -= 60 * MINUTE
    night.sleep(6)
    assert night.told()[1:] == [(-54.5, "p1")]


def test_a_little_skew_between_two_clocks_starts_no_wait_anew() -> None:
    """Replicas whose clocks differ by a few seconds do not push each other's steps away."""
    night = Night(policy(5))
    assert decide(night.escalation, Facts(), NOW - SKEW) is None


def test_acknowledging_stops_it_and_its_time_out_tells_that_level_again_and_its_owner() -> None:
    """The one who fell asleep is told too."""
    night = Night(policy(5, 10)).sleep(6)
    night.escalation = asked.acknowledge(night.escalation, night.now)
    night.sleep(29.5, Facts(acknowledged_by="ann"))
    assert len(night.calls) == 2
    night.sleep(1, Facts(acknowledged_by="ann"))
    _, call = night.calls[-1]
    assert (call.why, call.position) == (Why.TIMED_OUT, 1)
    assert call.targets == (person("p1"), person("ann"))
    night.sleep(11)
    assert night.told()[-1] == (46, "everybody")


def test_work_on_the_incident_renews_the_acknowledgement() -> None:
    """A note of the owner is a sign of life, and the time-out runs from it."""
    night = Night(policy(5))
    night.escalation = asked.acknowledge(night.escalation, night.now)
    noted = NOW + 20 * MINUTE
    night.sleep(49.5, Facts(acknowledged_by="ann", worked_at=noted))
    assert len(night.calls) == 1
    night.sleep(1, Facts(acknowledged_by="ann", worked_at=noted))
    assert night.calls[-1][1].why is Why.TIMED_OUT


def test_an_acknowledgement_without_a_time_out_holds() -> None:
    """Where the policy says so, nobody is told again."""
    night = Night(policy(5, timeout_minutes=None))
    night.escalation = asked.acknowledge(night.escalation, night.now)
    assert night.escalation.due_at is None
    assert len(night.sleep(600).calls) == 1


def test_after_the_last_resort_a_time_out_begins_with_the_first_step() -> None:
    """Who is on call may have changed since."""
    night = Night(policy(5)).sleep(6)
    night.escalation = asked.acknowledge(night.escalation, night.now)
    night.sleep(31)
    assert night.told()[-1][1] == "p0"


def test_a_mute_holds_the_next_step_and_its_end_releases_it() -> None:
    """Said once each way; the step itself is neither lost nor doubled."""
    night = Night(policy(5, 10)).sleep(4.5)
    muted = Facts(muted_by="MNT-1")
    night.now += MINUTE
    assert night.look(muted) == Move(night.escalation, held_by="MNT-1")
    night.sleep(30, muted)
    assert len(night.calls) == 1
    move = night.look()
    assert move is not None
    assert (move.released, move.call and move.call.why) == (True, Why.WAITED)


def test_when_every_message_of_a_step_failed_the_next_is_not_waited_for() -> None:
    """Waiting for a person who heard nothing helps nobody."""
    night = Night(policy(30, 10))
    night.now += MINUTE
    night.look(Facts(unreachable=True))
    assert night.told()[-1] == (1, "p1")
    assert night.calls[-1][1].why is Why.UNREACHABLE


def test_escalating_by_hand_takes_the_next_step_even_of_an_acknowledged_incident() -> None:
    """And after the last resort, the first."""
    night = Night(policy(5))
    night.escalation = asked.acknowledge(night.escalation, night.now)
    for _ in range(2):
        night.follow(asked.escalate_now(night.escalation, "ann", night.now))
    assert [call.targets[0].name for _, call in night.calls] == ["p0", "everybody", "p0"]
    assert night.escalation.state is State.RUNNING


def test_reassigning_tells_one_person_and_then_goes_on_where_it_stood() -> None:
    """The level's own wait is granted to the person."""
    night = Night(policy(5, 10)).sleep(1)
    night.follow(asked.reassign(night.escalation, "cleo", "ann", night.now))
    night.sleep(5)
    assert night.told() == [(0, "p0"), (1, "cleo"), (6, "p1")]


def test_reassigning_after_everything_was_in_vain_ends_in_the_last_resort_again() -> None:
    """An open incident always has a next step, or has told its last resort."""
    night = Night(policy(5)).sleep(10)
    night.follow(asked.reassign(night.escalation, "cleo", "ann", night.now))
    night.sleep(6)
    assert [name for _, name in night.told()] == ["p0", "everybody", "cleo", "everybody"]


def test_what_has_ended_stays_ended() -> None:
    """Neither time nor a late acknowledgement wakes it."""
    night = Night(policy(5))
    night.escalation = replace(night.escalation, state=State.ENDED)
    assert asked.acknowledge(night.escalation, NOW).state is State.ENDED
    assert len(night.sleep(60).calls) == 1


policies = st.builds(
    lambda waits, rounds, timeout: policy(*waits, rounds=rounds, timeout_minutes=timeout),
    st.lists(st.sampled_from([1.0, 2.0, 5.0]), min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from([None, 3.0, 10.0]),
)
jumps = st.floats(-90, 90).map(lambda minutes: round(minutes * 60) * timedelta(seconds=1))


@given(policies, st.lists(jumps, max_size=60))
@settings(max_examples=150)
def test_whatever_the_clock_does_no_step_is_doubled_skipped_or_out_of_order(
    plan: Policy, steps: list[timedelta]
) -> None:
    """Positions and sequences go up one by one, also over restarts, which keep only the state."""
    night = Night(plan)
    for jump in steps:
        night.now += jump
        night.look()
    taken = [call.position for _, call in night.calls]
    assert taken == list(range(len(taken)))
    assert [call.sequence for _, call in night.calls] == [n + 1 for n in range(len(taken))]
    assert len(taken) <= plan.length + 1


@given(policies, st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_on_a_clock_that_goes_forward_every_wait_is_kept_in_full(
    plan: Policy, gaps: list[int]
) -> None:
    """From the moment the step before was really taken, however late that was."""
    night = Night(plan)
    for seconds in gaps:
        night.now += timedelta(seconds=seconds)
        night.look()
    for (before, one), (after, _) in zip(night.calls, night.calls[1:], strict=False):
        assert one.position is not None
        assert after - before >= plan.wait_after(one.position)


@given(policies, st.lists(st.sampled_from(["look", "ack", "now", "reassign"]), max_size=40))
def test_people_never_make_a_sequence_go_back_or_an_open_escalation_lose_its_next_step(
    plan: Policy, acts: list[str]
) -> None:
    """Running always has something due; only the last resort leaves nothing to come."""
    night = Night(plan)
    for act in acts:
        night.now += MINUTE
        if act == "look":
            night.look()
        elif act == "ack":
            night.escalation = asked.acknowledge(night.escalation, night.now)
        elif act == "now":
            night.follow(asked.escalate_now(night.escalation, "ann", night.now))
        else:
            night.follow(asked.reassign(night.escalation, "cleo", "ann", night.now))
        state, due = night.escalation.state, night.escalation.due_at
        assert (due is not None) == (
            state is State.RUNNING
            or (state is State.ACKNOWLEDGED and plan.acknowledge_timeout is not None)
        )
    sequences = [call.sequence for _, call in night.calls]
    assert sequences == list(range(1, len(sequences) + 1))


@given(policies)
def test_a_policy_kept_with_an_incident_is_the_policy(plan: Policy) -> None:
    """What is written down is read back the same."""
    assert from_json(as_json(plan)) == plan


@pytest.mark.parametrize(
    ("components", "severity", "name"),
    [
        ({"checkout"}, "critical", "pay"),
        ({"search", "checkout"}, "critical", "pay"),
        ({"search"}, "critical", "rest"),
        ((), "critical", "rest"),
        ({"checkout"}, "warning", "rest"),
        ({"checkout"}, "info", None),
    ],
)
def test_the_first_policy_that_covers_an_incident_applies(
    components: set[str], severity: str, name: str | None
) -> None:
    """In the order of the file; one without components covers every incident."""
    base = as_json(policy())
    pay = from_json({**base, "name": "pay", "components": ["checkout"], "severities": ["critical"]})
    rest = from_json({**base, "name": "rest"})
    found = policy_for([pay, rest], components, severity)
    assert (found.name if found else None) == name


def test_positions_have_words() -> None:
    """As the timeline says them."""
    plan = policy(5, 10, rounds=2)
    assert [plan.words_of(position) for position in (0, 3, 4)] == [
        "step 1 of 2, round 1 of 2",
        "step 2 of 2, round 2 of 2",
        "the last resort",
    ]
