"""From targets to recipients."""

from __future__ import annotations

from incidents.oncall.contacts import PERSON_MAIL, Directory, Missed, reach
from incidents.oncall.policy import Target, TargetKind
from incidents.outbox import Recipient
from tests.incidents.oncall.builders import HOUR, at, layer, override, person, schedule

NOON = at("2026-03-04 12:00")
ANN = Recipient(PERSON_MAIL, "ann@shop.test")
BEN = Recipient("ben-phone")
DIRECTORY = Directory(
    schedules={"shop": schedule(), "later": schedule(layer("ben", until=NOON))},
    teams={"engineers": ("ann", "ben")},
    people={"ann": (ANN,), "ben": (BEN, Recipient(PERSON_MAIL, "ben@shop.test")), "cleo": ()},
    channels=frozenset({"everybody"}),
    overrides=(override("ben", NOON, NOON + HOUR),),
)


def to(kind: TargetKind, name: str) -> Target:
    """A target."""
    return Target(kind, name)


def test_a_schedule_means_whoever_is_on_call_at_that_moment() -> None:
    """Overrides included."""
    target = [to(TargetKind.SCHEDULE, "shop")]
    assert reach(target, DIRECTORY, NOON - HOUR).recipients == (ANN,)
    assert reach(target, DIRECTORY, NOON).names == ("ben",)


def test_a_team_means_all_of_it_and_nobody_is_told_twice() -> None:
    """However often a person is named in one step."""
    found = reach([to(TargetKind.TEAM, "engineers"), person("ben")], DIRECTORY, NOON)
    assert found.names == ("ann", "ben")
    assert found.recipients == (ANN, BEN, Recipient(PERSON_MAIL, "ben@shop.test"))


def test_a_gap_and_a_name_that_is_gone_are_nobody_on_call() -> None:
    """Each with its reason."""
    targets = [to(TargetKind.SCHEDULE, "later"), to(TargetKind.CHANNEL, "removed")]
    found = reach([*targets, to(TargetKind.CHANNEL, "everybody")], DIRECTORY, NOON + HOUR)
    assert found.missed == (
        Missed("schedule later", "nobody is on call there now", nobody_on_call=True),
        Missed("channel removed", "it is no longer configured", nobody_on_call=True),
    )
    assert found.recipients == (Recipient("everybody"),)


def test_a_person_without_a_way_to_reach_them_is_said_by_name() -> None:
    """So that somebody adds one."""
    (missed,) = reach([person("cleo")], DIRECTORY, NOON).missed
    assert missed.why == "cleo has no channel and no e-mail address that works here"
