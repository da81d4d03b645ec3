"""What people do with incidents, on both databases."""

from __future__ import annotations

import pytest

from incidents.errors import InvalidInputError
from incidents.lifecycle import (
    AlreadyResolved,
    IllegalTransition,
    Severity,
    SlotTaken,
    Status,
    StillFiring,
    UnknownIncident,
)
from monitor.storage.idempotency import AlreadyDone, KeyReused, Once
from monitor.use_cases.incidents import IncidentDesk
from tests.monitor.use_cases.desk import Desk


@pytest.fixture
def people(desk: Desk) -> IncidentDesk:
    return IncidentDesk(desk.store, desk.configuration, desk.policy)


def test_acknowledging_is_a_time_and_a_person_and_not_a_status(
    desk: Desk, people: IncidentDesk
) -> None:
    """The status stays, the line names who."""
    desk.fire()
    incident = people.acknowledge(1, by="Thandi", now=desk.later(minutes=1).now)
    assert desk.incident() == incident
    assert (incident.acknowledged_by, incident.acknowledged_at) == ("Thandi", desk.now)
    assert (incident.status, desk.lines()[-1]["actor"]) == (Status.INVESTIGATING, "Thandi")


def test_acknowledging_twice_is_once(desk: Desk, people: IncidentDesk) -> None:
    """A double click leaves one line and the first time."""
    desk.fire()
    people.acknowledge(1, by="Thandi", now=desk.now)
    people.acknowledge(1, by="Thandi", now=desk.later(minutes=1).now)
    assert desk.timeline().count("acknowledged") == 1


def test_automation_does_not_close_what_a_person_took_over(
    desk: Desk, people: IncidentDesk
) -> None:
    """The timeline says whom the incident waits for."""
    desk.fire()
    people.take_over(1, by="Thandi", now=desk.now)
    desk.later(minutes=1).resolve()
    assert desk.incident().status is Status.INVESTIGATING
    assert "waits for Thandi" in desk.lines()[-1]["text"]


def test_what_is_handed_back_with_nothing_firing_ends(desk: Desk, people: IncidentDesk) -> None:
    """Automation takes up where it was kept from."""
    desk.fire()
    people.take_over(1, by="Thandi", now=desk.now)
    desk.later(minutes=1).resolve()
    assert people.hand_back(1, by="Thandi", now=desk.now).status is Status.RESOLVED


def test_what_is_handed_back_while_firing_waits_for_its_alerts(
    desk: Desk, people: IncidentDesk
) -> None:
    """It then ends by itself, as ever."""
    desk.fire()
    people.take_over(1, by="Thandi", now=desk.now)
    people.hand_back(1, by="Thandi", now=desk.now)
    assert desk.later(minutes=1).resolve().resolved == [1]


def test_an_incident_opened_by_hand_collects_alerts_and_waits_for_a_person(
    desk: Desk, people: IncidentDesk
) -> None:
    """An alert of its component joins it; its end does not end it."""
    opened = people.open(
        title="Card payments fail",
        severity=Severity.CRITICAL,
        component="checkout",
        message="Some card payments fail.",
        by="Thandi",
        now=desk.now,
    )
    assert (desk.fire().joined, desk.later(minutes=1).resolve().resolved) == ([1], [])
    assert (opened.origin, desk.updates()) == (
        "person",
        [("investigating", "Some card payments fail.")],
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"title": "  "}, "the title is empty"),
        ({"title": "x" * 201}, "at most 200"),
        ({"severity": Severity.INFO}, "critical or warning"),
        ({"component": "kitchen"}, "there are: login, search"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_what_could(
    sqlite_desk: Desk, given: dict[str, object], says: str
) -> None:
    """Nothing is recorded."""
    people = IncidentDesk(sqlite_desk.store, sqlite_desk.configuration, sqlite_desk.policy)
    valid = {"title": "A", "severity": Severity.CRITICAL, "component": "checkout", "by": "T"}
    with pytest.raises(InvalidInputError, match=says):
        people.open(**{**valid, **given}, now=sqlite_desk.now)  # type: ignore[arg-type] # see above
    assert sqlite_desk.incidents() == []


def test_a_move_is_a_line_with_its_reason(desk: Desk, people: IncidentDesk) -> None:
    """Who, when, what and why."""
    desk.fire()
    people.change_status(1, Status.IDENTIFIED, by="Thandi", now=desk.now, why="the gateway")
    assert desk.lines()[-1]["text"] == "Investigating → identified: the gateway"
    assert desk.lines()[-1]["data"] == {"old": "investigating", "new": "identified"}


def test_an_illegal_move_says_what_is_allowed(desk: Desk, people: IncidentDesk) -> None:
    """A resolved incident can be investigated anew, or looked back on."""
    desk.fire()
    desk.later(minutes=1).resolve()
    with pytest.raises(IllegalTransition, match=r"allowed: investigating, postmortem") as caught:
        people.change_status(1, Status.MONITORING, by="Thandi", now=desk.now)
    allowed = (Status.INVESTIGATING, Status.POSTMORTEM)
    assert (caught.value.old, caught.value.allowed) == (Status.RESOLVED, allowed)


def test_it_cannot_be_resolved_while_an_alert_fires(desk: Desk, people: IncidentDesk) -> None:
    """The refusal names the alerts; nothing changed."""
    desk.fire()
    with pytest.raises(StillFiring, match="JourneyDown"):
        people.change_status(1, Status.RESOLVED, by="Thandi", now=desk.now)
    assert desk.incident().is_open


def test_resolved_despite_a_firing_alert_it_reopens_when_told_again(
    desk: Desk, people: IncidentDesk
) -> None:
    """A person may be wrong: the next delivery of the alert opens it again, under its number."""
    desk.fire()
    people.change_status(
        1, Status.RESOLVED, by="Thandi", now=desk.later(minutes=1).now, despite_firing=True
    )
    assert [channel for event, channel in desk.notified() if event == "incident_resolved"] == [
        "terminal",
        "pager",
    ]
    assert desk.later(minutes=1).fire().reopened == [1]


def test_a_lapsed_alert_keeps_nobody_from_resolving(desk: Desk, people: IncidentDesk) -> None:
    """A silent source does not hold the incident open against a person."""
    desk.fire()
    desk.later(minutes=4).sweep()
    people.change_status(1, Status.RESOLVED, by="Thandi", now=desk.now)
    assert [row["open_marker"] for row in desk.alerts()] == [None]


def test_a_person_reopens_under_the_same_number(desk: Desk, people: IncidentDesk) -> None:
    """However long ago it ended."""
    desk.fire()
    desk.later(minutes=1).resolve()
    incident = people.change_status(
        1, Status.INVESTIGATING, by="Thandi", now=desk.later(hours=9).now
    )
    assert (incident.number, incident.reopened_count, incident.resolved_at) == (1, 1, None)


def test_it_cannot_be_reopened_beside_another_of_its_kind(desk: Desk, people: IncidentDesk) -> None:
    """One open slot per identity: the refusal names the incident that has it."""
    desk.fire()
    desk.later(minutes=1).resolve()
    desk.later(hours=1).fire()
    with pytest.raises(SlotTaken, match="INC-2"):
        people.change_status(1, Status.INVESTIGATING, by="Thandi", now=desk.now)


def test_a_note_is_internal(desk: Desk, people: IncidentDesk) -> None:
    """It is on the timeline, and not among the public notes."""
    desk.fire()
    people.add_note(1, "  The gateway's certificate.\0 ", by="Thandi", now=desk.now)
    assert desk.lines()[-1]["text"] == "The gateway's certificate.\ufffd"
    assert desk.updates() == [("investigating", "checkout fails.")]


def test_an_update_is_public_and_goes_to_those_who_were_told(
    desk: Desk, people: IncidentDesk
) -> None:
    """And moves the incident with it."""
    desk.fire()
    people.publish_update(1, "We found it.", by="Thandi", now=desk.now, status=Status.IDENTIFIED)
    assert desk.updates()[-1] == ("identified", "We found it.")
    assert desk.notified()[2:] == [("incident_update", "terminal"), ("incident_update", "pager")]


def test_an_update_publishes_a_draft(desk: Desk, people: IncidentDesk) -> None:
    """What was kept back is shown from then on, and closed there too."""
    desk.fire("back-office")
    people.publish_update(1, "The back office is down.", by="Thandi", now=desk.now)
    desk.later(minutes=1).resolve("back-office")
    assert desk.incident().published_at is not None
    assert [status for status, _ in desk.updates()] == ["investigating", "resolved"]


def test_the_last_update_resolves_in_its_own_words(desk: Desk, people: IncidentDesk) -> None:
    """One public note, not two."""
    desk.fire()
    people.take_over(1, by="Thandi", now=desk.now)
    desk.later(minutes=1).resolve()
    people.publish_update(1, "All good.", by="Thandi", now=desk.now, status=Status.RESOLVED)
    assert desk.updates()[1:] == [("resolved", "All good.")]
    assert "incident_update" not in {event for event, _ in desk.notified()}


@pytest.mark.parametrize("verb", ["acknowledge", "take_over", "hand_back"])
def test_a_resolved_incident_is_not_worked_on(sqlite_desk: Desk, verb: str) -> None:
    """It says to reopen it first."""
    people = IncidentDesk(sqlite_desk.store, sqlite_desk.configuration, sqlite_desk.policy)
    sqlite_desk.fire()
    sqlite_desk.later(minutes=1).resolve()
    with pytest.raises(AlreadyResolved, match="reopen it first"):
        getattr(people, verb)(1, by="Thandi", now=sqlite_desk.now)


def test_an_unknown_number_is_said_to_be_unknown(desk: Desk, people: IncidentDesk) -> None:
    """With the number as people write it."""
    with pytest.raises(UnknownIncident, match="INC-7"):
        people.add_note(7, "hello", by="Thandi", now=desk.now)


def test_a_request_with_a_key_is_carried_out_once(desk: Desk, people: IncidentDesk) -> None:
    """The repetition is refused with the incident it was carried out on."""
    desk.fire()
    once = Once.of("k", "note", "hello")
    people.add_note(1, "hello", by="Thandi", now=desk.now, once=once)
    with pytest.raises(AlreadyDone) as caught:
        people.add_note(1, "hello", by="Thandi", now=desk.now, once=once)
    assert (caught.value.number, desk.timeline().count("note")) == (1, 1)


def test_a_key_is_not_for_two_requests(desk: Desk, people: IncidentDesk) -> None:
    """The sender has a bug, and hears of it."""
    desk.fire()
    people.add_note(1, "a", by="T", now=desk.now, once=Once.of("k", "a"))
    with pytest.raises(KeyReused, match="choose a new one"):
        people.add_note(1, "b", by="T", now=desk.now, once=Once.of("k", "b"))
