"""Roles, tasks and what a person overrules; automation leaves to people what is theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from incidents.errors import InvalidInputError, UnknownObjectError
from incidents.lifecycle import Impact, Severity, Status
from monitor.storage.tasks import Task, tasks_of
from monitor.use_cases.regrouping import RegroupingDesk
from monitor.use_cases.ticket_work import Responsibility, TicketDesk
from tests.monitor.use_cases.desk import Desk

LEAD, VOICE = Responsibility.LEAD, Responsibility.COMMUNICATIONS


@pytest.fixture
def people(desk: Desk) -> TicketDesk:
    desk.fire()
    return TicketDesk(desk.store, desk.configuration, desk.policy)


def tasks(desk: Desk, number: int = 1) -> list[Task]:
    with desk.store.read() as connection:
        return tasks_of(connection, desk.incident(number).id)


def last(desk: Desk) -> str:
    return str(desk.lines()[-1]["text"])


def test_a_role_is_handed_over_with_its_reason(desk: Desk, people: TicketDesk) -> None:
    """The same again is no line."""
    people.assign(1, LEAD, "ann", by="ann", now=desk.now)
    people.assign(1, LEAD, "ann", by="ann", now=desk.now)
    assert last(desk) == "ann has the lead."
    people.assign(1, LEAD, "ben", by="ann", why="end of shift", now=desk.now)
    people.assign(1, VOICE, "eve", by="ben", now=desk.now)
    assert [line["text"] for line in desk.lines()[-2:]] == [
        "ben has the lead now, after ann: end of shift.",
        "eve has communications.",
    ]
    assert (desk.incident().lead, desk.incident().communications) == ("ben", "eve")


def test_automation_does_not_close_what_somebody_leads(desk: Desk, people: TicketDesk) -> None:
    """Until the lead is given up with nothing firing."""
    people.assign(1, LEAD, "ann", by="ann", now=desk.now)
    desk.later(minutes=1).resolve()
    assert desk.incident().is_open
    assert "waits for ann, who leads it" in last(desk)
    people.assign(1, LEAD, "", by="ann", now=desk.now)
    assert desk.incident().status is Status.RESOLVED


def test_who_speaks_to_users_holds_nothing_open(desk: Desk, people: TicketDesk) -> None:
    """Communications is no claim on the work."""
    people.assign(1, VOICE, "eve", by="eve", now=desk.now)
    desk.later(minutes=1).resolve()
    assert desk.incident().status is Status.RESOLVED


def test_automation_does_not_close_over_an_open_task(desk: Desk, people: TicketDesk) -> None:
    """The last one done lets it end."""
    people.add_task(1, "roll back", owner="ben", by="ann", now=desk.now)
    people.add_task(1, "check refunds", by="ann", now=desk.now)
    desk.later(minutes=1).resolve()
    assert "waits for 2 open tasks" in last(desk)
    people.finish_task(1, 1, done=True, by="ben", now=desk.now)
    assert desk.incident().is_open
    people.finish_task(1, 2, done=True, by="ann", now=desk.now)
    assert desk.incident().status is Status.RESOLVED


def test_a_watched_recovery_does_not_end_over_an_open_task(sqlite_desk: Desk) -> None:
    """The sweeper keeps to it as well."""
    desk = sqlite_desk
    desk.policy = replace(desk.policy, recovery_hold=timedelta(minutes=5))
    desk.fire()
    people = TicketDesk(desk.store, desk.configuration, desk.policy)
    desk.later(minutes=1).resolve()
    people.add_task(1, "look at the logs", by="ann", now=desk.now)
    desk.later(minutes=6).sweep()
    assert desk.incident().status is Status.MONITORING


def test_a_task_says_what_whose_and_by_when(desk: Desk, people: TicketDesk) -> None:
    """Changed and done it keeps its number; every change is a line."""
    due = desk.now + timedelta(hours=2)
    people.add_task(1, "roll back", by="ann", now=desk.now)
    people.change_task(1, 1, text="roll back", owner="ben", due_at=due, by="ann", now=desk.now)
    people.change_task(1, 1, text="roll back", owner="ben", due_at=due, by="ann", now=desk.now)
    assert last(desk) == "Task 1 is now: roll back (for ben, due 2026-11-22 11:00 UTC)"
    people.finish_task(1, 1, done=True, by="ben", now=desk.now)
    people.finish_task(1, 1, done=False, by="ann", now=desk.now)
    assert [line["kind"] for line in desk.lines()[-3:]] == [
        "task_changed",
        "task_done",
        "task_reopened",
    ]
    (task,) = tasks(desk)
    assert (task.number, task.owner, task.due_at, task.done_at) == (1, "ben", due, None)


def test_a_task_that_is_not_there_is_said_to_be_unknown(desk: Desk, people: TicketDesk) -> None:
    """By its number."""
    with pytest.raises(UnknownObjectError, match="no task 7 on this incident"):
        people.finish_task(1, 7, done=True, by="ann", now=desk.now)


def test_open_tasks_follow_a_merge_under_new_numbers(desk: Desk, people: TicketDesk) -> None:
    """What is done stays where it was done."""
    desk.fire("search")
    people.add_task(1, "mine", by="ann", now=desk.now)
    people.add_task(2, "done", by="ann", now=desk.now)
    people.add_task(2, "theirs", by="ann", now=desk.now)
    people.finish_task(2, 1, done=True, by="ann", now=desk.now)
    regroup = RegroupingDesk(desk.store, desk.configuration, desk.policy)
    regroup.merge(2, into=1, why="one cause", by="ann", now=desk.now)
    assert [(t.number, t.text) for t in tasks(desk)] == [(1, "mine"), (2, "theirs")]
    assert [t.text for t in tasks(desk, 2)] == ["done"]


def test_an_overruled_severity_stays_until_it_is_given_back(desk: Desk, people: TicketDesk) -> None:
    """Alerts go on being counted underneath."""
    people.overrule_severity(1, Severity.WARNING, why="night shop", by="ann", now=desk.now)
    desk.fire(location="eu")
    incident = desk.incident()
    assert (incident.severity, incident.derived_severity) == (Severity.WARNING, "critical")
    assert incident.impact is Impact.MINOR
    people.overrule_severity(1, None, why="day shop", by="ann", now=desk.now)
    assert (desk.incident().severity, desk.incident().derived_severity) == (Severity.CRITICAL, "")
    assert "given back to automation" in " ".join(line["text"] for line in desk.lines())


def test_a_severity_raised_by_a_person_wakes_people(sqlite_desk: Desk) -> None:
    """Whoever takes critical is told, as if an alert had said it."""
    desk = sqlite_desk
    desk.fire(severity="warning")
    people = TicketDesk(desk.store, desk.configuration, desk.policy)
    people.overrule_severity(1, Severity.CRITICAL, why="all of them", by="ann", now=desk.now)
    assert ("incident_escalated", "pager") in desk.notified()


def test_an_overruled_impact_stays_until_it_is_given_back(desk: Desk, people: TicketDesk) -> None:
    """A second component would have made it critical, and does once it is given back."""
    people.overrule_impact(1, Impact.MINOR, why="few users", by="ann", now=desk.now)
    desk.fire("login", location="eu")
    assert (desk.incident(1).impact) is Impact.MINOR
    people.overrule_impact(1, None, why="many users", by="ann", now=desk.now)
    assert (desk.incident().impact, desk.incident().derived_impact) == (Impact.MAJOR, "")


@pytest.mark.parametrize("severity", [Severity.INFO, Severity.NONE])
def test_no_incident_has_a_severity_that_opens_none(
    desk: Desk, people: TicketDesk, severity: Severity
) -> None:
    """Critical or warning."""
    with pytest.raises(InvalidInputError, match="critical or warning"):
        people.overrule_severity(1, severity, why="x", by="ann", now=desk.now)


def test_overruling_needs_a_reason(desk: Desk, people: TicketDesk) -> None:
    """Somebody will ask."""
    with pytest.raises(InvalidInputError, match="the reason is empty"):
        people.overrule_impact(1, Impact.NONE, why=" ", by="ann", now=desk.now)
