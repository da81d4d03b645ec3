"""A person splits, merges, moves and links; automation keeps to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.errors import InvalidInputError
from incidents.lifecycle import AlreadyResolved, Severity, Status
from incidents.reports.intake import NewReport
from monitor.storage.audit import AuditFilter, search_audit
from monitor.storage.idempotency import AlreadyDone, Once
from monitor.storage.regrouping import links_of
from monitor.storage.reports import reports_of_incident
from monitor.storage.status import public_incident
from monitor.use_cases.regrouping import RegroupingDesk
from monitor.use_cases.reports import submit_report
from tests.monitor.use_cases.desk import Desk
from tests.monitor.use_cases.test_any_sequence import fresh_desk


@pytest.fixture
def people(desk: Desk) -> RegroupingDesk:
    return regrouping(desk)


def regrouping(desk: Desk) -> RegroupingDesk:
    return RegroupingDesk(desk.store, desk.configuration, desk.policy)


def two_in_one(desk: Desk) -> list[int]:
    """One incident with a critical alert and a warning; returns the alerts' row ids."""
    desk.fire()
    desk.fire(alertname="Slow", severity="warning", cause="slow")
    return [row["id"] for row in desk.alerts()]


def report(desk: Desk, component: str = "checkout") -> int:
    said = NewReport(description="I cannot pay, it fails", component=component)
    return submit_report(desk.store, desk.configuration, said, public_url="", now=desk.now).number


def linked(desk: Desk, number: int) -> list[int]:
    with desk.store.read() as connection:
        found = reports_of_incident(connection, desk.incident(number).id)
    return [one.number for one in found]


def split(desk: Desk, alert: int, **more: object) -> None:
    regrouping(desk).split(1, alerts=[alert], why="another thing", by="ann", now=desk.now, **more)  # type: ignore[arg-type]


def test_what_is_split_out_is_an_incident_of_its_own(desk: Desk, people: RegroupingDesk) -> None:
    """Both timelines say who and why, and each severity follows its own alerts."""
    alerts = two_in_one(desk)
    new = people.split(1, alerts=[alerts[0]], why="another thing", by="ann", now=desk.now)
    assert (new.number, new.severity, new.published_at) == (2, Severity.CRITICAL, None)
    assert desk.incident(1).severity is Severity.WARNING
    assert desk.incident(1).components == {"checkout": "degraded_performance"}
    texts = [line["text"] for line in desk.lines(1)]
    assert "JourneyDown (checkout) split out to INC-2: another thing." in texts
    assert desk.lines(2)[0]["text"] == "Split out of INC-1 by ann: another thing."
    assert desk.alerts()[0]["placed_by"] == "ann"


def test_a_report_can_be_split_out_with_its_alert(desk: Desk, people: RegroupingDesk) -> None:
    """The one that speaks of something else."""
    alerts = two_in_one(desk)
    number = report(desk)
    people.split(1, alerts=alerts[:1], reports=[number], why="other", by="ann", now=desk.now)
    assert (linked(desk, 1), linked(desk, 2)) == ([], [number])


def test_what_was_split_out_does_not_rejoin_by_itself(desk: Desk) -> None:
    """It ends, fires again, and goes where the person put it."""
    alerts = two_in_one(desk)
    split(desk, alerts[1])
    desk.later(minutes=1).resolve(alertname="Slow", severity="warning", cause="slow")
    assert desk.incident(2).status is Status.RESOLVED
    desk.later(minutes=1).fire(alertname="Slow", severity="warning", cause="slow")
    assert desk.incident(2).is_open
    assert desk.alerts()[-1]["joined_because"] == "ann put it there: another thing"


def test_nor_long_after_its_own_incident_is_over(desk: Desk) -> None:
    """Then it opens another, for the old one is not its own."""
    alerts = two_in_one(desk)
    split(desk, alerts[0])
    desk.later(minutes=1).resolve()
    desk.later(minutes=30).fire()
    assert [i.is_open for i in desk.incidents()] == [True, False, True]
    assert desk.incident(1).is_open


def test_nothing_chosen_is_no_split(desk: Desk, people: RegroupingDesk) -> None:
    """And what belongs elsewhere is refused with what would do."""
    two_in_one(desk)
    with pytest.raises(InvalidInputError, match="nothing is chosen"):
        people.split(1, why="x", by="ann", now=desk.now)
    with pytest.raises(
        InvalidInputError, match=r"alert 99 does not belong to INC-1 \(its alerts: 1, 2\)"
    ):
        people.split(1, alerts=[99], why="x", by="ann", now=desk.now)
    with pytest.raises(InvalidInputError, match=r"RPT-9 is not linked .*none"):
        people.split(1, reports=[9], why="x", by="ann", now=desk.now)


def test_a_split_with_a_key_is_made_once(desk: Desk, people: RegroupingDesk) -> None:
    """The repetition is told the new incident."""
    alerts = two_in_one(desk)
    once = Once.of("k", "split")
    people.split(1, alerts=alerts[:1], why="x", by="ann", now=desk.now, once=once)
    with pytest.raises(AlreadyDone) as done:
        people.split(1, alerts=alerts[:1], why="x", by="ann", now=desk.now, once=once)
    assert done.value.number == 2
    assert len(desk.incidents()) == 2


def test_a_moved_alert_is_told_on_both_sides_and_can_be_moved_back(
    desk: Desk, people: RegroupingDesk
) -> None:
    """The last word counts."""
    alerts = two_in_one(desk)
    desk.fire("search")
    people.move(1, to=2, alerts=[alerts[1]], why="index", by="ann", now=desk.now)
    assert desk.timeline(1)[-1] == desk.timeline(2)[-1] == "alert_moved"
    assert set(desk.incident(2).components) == {"search", "checkout"}
    people.move(2, to=1, alerts=[alerts[1]], why="no", by="ben", now=desk.now)
    assert set(desk.incident(2).components) == {"search"}
    desk.later(minutes=1).resolve(alertname="Slow", severity="warning", cause="slow")
    desk.later(minutes=1).fire(alertname="Slow", severity="warning", cause="slow")
    assert desk.alerts()[-1]["incident_id"] == desk.incident(1).id


def test_an_alert_that_goes_on_cannot_go_to_what_is_over(
    desk: Desk, people: RegroupingDesk
) -> None:
    """The refusal says what to do first."""
    desk.fire("search")
    desk.later(minutes=1).resolve("search")
    desk.fire()
    ids = [row["id"] for row in desk.alerts()]
    with pytest.raises(AlreadyResolved, match="reopen it first"):
        people.move(2, to=1, alerts=[ids[1]], why="x", by="ann", now=desk.now)


def test_what_lost_its_last_alert_waits_for_a_person(desk: Desk, people: RegroupingDesk) -> None:
    """It is not called over, for nobody said that it is."""
    desk.fire()
    desk.fire("search")
    people.move(1, to=2, alerts=[1], why="index", by="ann", now=desk.now)
    assert desk.incident(1).is_open
    assert "resolve it, or merge it" in desk.lines(1)[-1]["text"]


def test_what_is_merged_follows_the_survivor(desk: Desk, people: RegroupingDesk) -> None:
    """Alerts, reports, the public page, and the one closing that everybody hears."""
    desk.fire()
    desk.fire("search")
    number = report(desk, "search")
    gone = desk.incident(2).public_id
    people.merge(2, into=1, why="one database", by="ann", now=desk.now)
    assert desk.incident(2).status is Status.RESOLVED
    assert linked(desk, 1) == [number]
    with desk.store.read() as connection:
        shown = public_incident(connection, gone)
    assert shown is not None
    assert shown.public_id == desk.incident(1).public_id
    assert {note.body for note in shown.updates} == {"checkout fails.", "search fails."}
    desk.later(minutes=1).resolve("search")
    assert desk.incident(1).is_open
    desk.resolve()
    closings = [c for event, c in desk.notified() if event == "incident_resolved"]
    assert closings == ["terminal", "pager"]


def test_who_knew_only_of_the_merged_one_is_told_where_it_goes_on(
    desk: Desk, people: RegroupingDesk
) -> None:
    """And hears of the survivor's end."""
    desk.fire(severity="warning")
    desk.fire("search")
    people.merge(2, into=1, why="one database", by="ann", now=desk.now)
    assert desk.incident(1).severity is Severity.CRITICAL
    desk.later(minutes=1).resolve("search")
    desk.resolve(severity="warning")
    closings = [c for event, c in desk.notified() if event == "incident_resolved"]
    assert sorted(closings) == ["pager", "terminal"]


def test_later_alerts_of_a_merged_key_go_to_the_survivor(
    desk: Desk, people: RegroupingDesk
) -> None:
    """Also when what it was merged into was merged again."""
    desk.fire()
    desk.fire("search")
    desk.fire("back-office")
    people.merge(2, into=1, why="one database", by="ann", now=desk.now)
    people.merge(1, into=3, why="one power supply", by="ann", now=desk.now)
    desk.later(minutes=1).resolve("search")
    desk.later(minutes=1).fire("search")
    assert len(desk.incidents()) == 3
    assert {row["incident_id"] for row in desk.alerts()} == {desk.incident(3).id}


def test_a_merge_is_undone_by_reopening_and_moving(desk: Desk, people: RegroupingDesk) -> None:
    """The reopened one stands for itself again."""
    desk.fire()
    desk.fire("search")
    people.merge(2, into=1, why="one database", by="ann", now=desk.now)
    people.change_status(2, Status.INVESTIGATING, why="two after all", by="ben", now=desk.now)
    people.move(1, to=2, alerts=[2], why="back", by="ben", now=desk.now)
    assert desk.incident(2).merged_into_id is None
    assert set(desk.incident(1).components) == {"checkout"}
    desk.later(minutes=1).resolve("search")
    assert not desk.incident(2).is_open


@pytest.mark.parametrize(("source", "into"), [(1, 2), (2, 1)])
def test_what_is_over_is_not_merged(sqlite_desk: Desk, source: int, into: int) -> None:
    """Neither way."""
    sqlite_desk.fire("search")
    sqlite_desk.later(minutes=1).resolve("search")
    sqlite_desk.fire()
    with pytest.raises(AlreadyResolved, match="INC-1 is resolved and cannot be merged"):
        regrouping(sqlite_desk).merge(source, into=into, why="x", by="ann", now=sqlite_desk.now)


def test_an_incident_is_not_merged_into_itself(sqlite_desk: Desk) -> None:
    """Nor linked to itself."""
    sqlite_desk.fire()
    people = regrouping(sqlite_desk)
    with pytest.raises(InvalidInputError, match="name another one"):
        people.merge(1, into=1, why="x", by="ann", now=sqlite_desk.now)
    with pytest.raises(InvalidInputError, match="name another one"):
        people.link(1, other=1, why="x", by="ann", now=sqlite_desk.now)


def test_links_go_both_ways_and_away_again(desk: Desk, people: RegroupingDesk) -> None:
    """Twice is once, and both timelines tell of the beginning and the end."""
    desk.fire()
    desk.fire("search")
    for one, other in ((1, 2), (2, 1)):
        people.link(one, other=other, why="same deploy", by="ann", now=desk.now)
    with desk.store.read() as connection:
        assert [(row.number, row.why) for row in links_of(connection, 2)] == [(1, "same deploy")]
    people.unlink(2, other=1, why="no", by="ben", now=desk.now)
    people.unlink(2, other=1, why="no", by="ben", now=desk.now)
    assert desk.timeline(1)[-2:] == desk.timeline(2)[-2:] == ["linked", "unlinked"]


def test_every_change_is_in_the_audit_log(desk: Desk, people: RegroupingDesk) -> None:
    """With who did it and to what."""
    alerts = two_in_one(desk)
    people.split(1, alerts=alerts[:1], why="x", by="ann", now=desk.now)
    with desk.store.read() as connection:
        found = search_audit(connection, AuditFilter(actor="ann"))
    assert ("incident.split", "INC-1") in [(row.action, row.target) for row in found]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["fire", "resolve", "split", "move", "merge", "sweep"]),
        st.sampled_from(["login", "search", "checkout"]),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS)
@pytest.mark.slow
def test_whatever_people_regroup_every_open_alert_is_held_by_an_open_incident(
    sqlite_template: Path, acts: list[tuple[str, str, int, int]]
) -> None:
    """Nothing that fires is left with an incident that is over, and one slot has one holder."""
    with fresh_desk(sqlite_template) as desk:
        for act, component, one, other in acts:
            desk.later(minutes=1)
            _do(desk, act, component, one, other)
            held = {i.id: i for i in desk.incidents()}
            firing = [row for row in desk.alerts() if row["open_marker"]]
            assert all(held[row["incident_id"]].is_open for row in firing)
            keys = [i.key for i in held.values() if i.is_open]
            assert len(keys) == len(set(keys))


def _do(desk: Desk, act: str, component: str, one: int, other: int) -> None:
    people, open_now = regrouping(desk), [i.number for i in desk.incidents() if i.is_open]
    if act in ("fire", "resolve"):
        getattr(desk, act)(component)
    elif act == "sweep":
        desk.sweep()
    elif open_now:
        source, target = open_now[one % len(open_now)], open_now[other % len(open_now)]
        mine = [a["id"] for a in desk.alerts() if a["incident_id"] == desk.incident(source).id]
        if act == "split" and mine:
            chosen = [mine[other % len(mine)]]
            people.split(source, alerts=chosen, why="x", by="ann", now=desk.now)
        elif act == "move" and mine and source != target:
            chosen = [mine[other % len(mine)]]
            people.move(source, to=target, alerts=chosen, why="x", by="ann", now=desk.now)
        elif act == "merge" and source != target:
            people.merge(source, into=target, why="x", by="ann", now=desk.now)
