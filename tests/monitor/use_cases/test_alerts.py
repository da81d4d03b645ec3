"""What alerts do to incidents, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from incidents.alerts.model import Alert
from incidents.lifecycle import Impact, Severity, Status
from monitor.config.model import Channel
from monitor.storage.schema import outbox
from monitor.use_cases.policy import AlertPolicy
from tests.monitor.use_cases.desk import START, Desk, configuration

WINDOW = timedelta(minutes=15)


def test_a_critical_alert_opens_an_incident_and_tells_both_channels(desk: Desk) -> None:
    """Ticket, public note and notifications are one commit."""
    counted = desk.fire(step="pay", annotations={"summary": "Paying fails", "reason": "status"})
    incident = desk.incident()
    assert (counted.opened, incident.title, incident.step) == ([1], "Paying fails", "pay")
    assert (incident.severity, incident.impact) == (Severity.CRITICAL, Impact.MAJOR)
    assert (incident.reason, incident.components) == ("status", {"checkout": "major_outage"})
    assert desk.notified() == [("incident_opened", "terminal"), ("incident_opened", "pager")]
    assert desk.timeline()[:3] == ["opened", "published", "update_published"]


def test_the_same_alert_again_changes_nothing_but_its_end(desk: Desk) -> None:
    """Resends are not news: no line, no notification, no second incident."""
    desk.fire(since=START)
    before = (desk.timeline(), desk.notified())
    desk.later(minutes=1).fire(since=START)
    assert (desk.timeline(), desk.notified()) == before
    assert [row["ends_at"] for row in desk.alerts()] == [desk.now + timedelta(minutes=4)]


def test_the_earliest_start_is_kept_when_the_evaluator_restarts(desk: Desk) -> None:
    """A restarted Prometheus tells a later start for the same outage."""
    desk.fire(since=START)
    desk.later(minutes=1).fire(since=desk.now)
    assert [row["starts_at"] for row in desk.alerts()] == [START]


def test_its_resolution_resolves_the_incident_and_tells_whoever_was_told(desk: Desk) -> None:
    """The closing goes to both, and the page says so."""
    desk.fire()
    desk.notified()
    counted = desk.later(minutes=2).resolve()
    assert (counted.resolved, desk.incident().status) == ([1], Status.RESOLVED)
    assert desk.notified()[2:] == [
        ("incident_resolved", "terminal"),
        ("incident_resolved", "pager"),
    ]
    assert desk.updates() == [
        ("investigating", "checkout fails."),
        ("resolved", "This is resolved. Checkout works again."),
    ]


def test_a_resolution_told_again_changes_nothing(desk: Desk) -> None:
    """Prometheus repeats a resolution for a quarter of an hour."""
    desk.fire()
    ended = desk.later(minutes=2).now
    desk.resolve(at=ended)
    before = (desk.timeline(), desk.notified(), desk.incident().resolved_at)
    counted = desk.later(minutes=1).resolve(at=ended)
    assert counted.ignored == 1
    assert (desk.timeline(), desk.notified(), desk.incident().resolved_at) == before


def test_a_firing_delivery_that_comes_after_its_resolution_is_late(desk: Desk) -> None:
    """Overtaken deliveries do not reopen what is over."""
    late = desk.firing(since=START)
    desk.fire(since=START)
    desk.later(minutes=1).resolve()
    counted = desk.later(seconds=5).deliver(late)
    assert (counted.ignored, desk.incident().status) == (1, Status.RESOLVED)


def test_a_resolution_of_an_earlier_episode_does_not_end_this_one(desk: Desk) -> None:
    """It ended before the alert we hold began for the last time."""
    desk.fire(since=START)
    desk.later(minutes=8).fire(since=desk.now)
    counted = desk.later(seconds=1).resolve(at=START + timedelta(minutes=5))
    assert (counted.ignored, desk.incident().status) == (1, Status.INVESTIGATING)


@pytest.mark.parametrize(
    ("after", "numbers"),
    [(WINDOW - timedelta(seconds=1), [1]), (WINDOW, [1]), (WINDOW + timedelta(seconds=1), [1, 2])],
)
def test_what_comes_back_within_the_window_reopens_the_same_incident(
    sqlite_desk: Desk, after: timedelta, numbers: list[int]
) -> None:
    """The window's last instant is included; later there is a new number."""
    desk = sqlite_desk
    desk.fire()
    desk.later(minutes=1).resolve()
    desk.later(seconds=after.total_seconds()).fire()
    assert [incident.number for incident in desk.incidents()] == numbers
    assert desk.incident().reopened_count == (1 if numbers == [1] else 0)


def test_a_reopened_incident_is_told_and_closed_like_a_new_one(desk: Desk) -> None:
    """Opening and closing each happen twice, under one number, with ids of their own."""
    for _ in range(2):
        desk.later(minutes=1).fire()
        desk.later(minutes=1).resolve()
    events = [event for event, channel in desk.notified() if channel == "pager"]
    assert events == [
        "incident_opened",
        "incident_resolved",
        "incident_reopened",
        "incident_resolved",
    ]


def test_a_new_incident_of_the_same_kind_knows_the_one_before(desk: Desk) -> None:
    """Beyond the window the incident is a new one, linked to the last."""
    desk.fire()
    desk.later(minutes=1).resolve()
    desk.later(hours=1).fire()
    assert desk.incident(2).previous_id == desk.incident(1).id


def test_alerts_of_one_component_join_one_incident_and_the_timeline_says_why(desk: Desk) -> None:
    """Nobody is told a second time, and the line carries the reason."""
    desk.fire(location="eu")
    told = len(desk.notified())
    desk.fire(location="za")
    desk.fire(journey="checkout-guest")
    joined = [line for line in desk.lines() if line["kind"] == "alert_joined"]
    assert len(desk.incidents()) == 1
    assert len(desk.notified()) == told
    assert [line["data"]["reason"] for line in joined] == ["deduplicated", "deduplicated"]
    assert "same component (checkout)" in joined[1]["text"]


def test_an_alert_joins_what_its_component_depends_on(desk: Desk) -> None:
    """Checkout needs the sign-in: its failure is a part of that incident, and its impact."""
    desk.fire("login")
    desk.fire("checkout")
    incident = desk.incident()
    assert len(desk.incidents()) == 1
    assert set(incident.components) == {"login", "checkout"}
    assert incident.impact is Impact.CRITICAL
    assert "depends on login" in desk.lines()[-1]["text"]


def test_unrelated_components_have_incidents_of_their_own(desk: Desk) -> None:
    """Search does not need the sign-in."""
    desk.deliver(desk.firing("login"), desk.firing("search"))
    assert [incident.component for incident in desk.incidents()] == ["login", "search"]


def test_an_incident_ends_only_with_the_last_of_its_alerts(desk: Desk) -> None:
    """One location still fails: it stays open, and the page eases."""
    desk.deliver(desk.firing(), desk.firing(alertname="JourneyDegraded", severity="warning"))
    desk.later(minutes=1).resolve()
    incident = desk.incident()
    assert (incident.status, incident.components) == (
        Status.INVESTIGATING,
        {"checkout": "degraded_performance"},
    )
    desk.later(minutes=1).resolve(alertname="JourneyDegraded", severity="warning")
    assert desk.incident().status is Status.RESOLVED


def test_one_alert_ending_while_another_begins_in_one_batch_is_no_end(desk: Desk) -> None:
    """The incident goes on without a false resolution."""
    desk.fire(location="eu")
    desk.later(minutes=1)
    over = replace(desk.firing(location="eu", since=START), ends_at=desk.now)
    counted = desk.deliver(over, desk.firing(location="za"))
    assert (counted.resolved, desk.incident().status) == ([], Status.INVESTIGATING)


def test_a_warning_opens_a_minor_incident_that_wakes_nobody(desk: Desk) -> None:
    """The pager takes critical ones only, and the timeline says that it was left out."""
    desk.fire(severity="warning", annotations={"summary": "Slow"})
    incident = desk.incident()
    assert (incident.impact, incident.published_at) == (Impact.MINOR, None)
    assert desk.notified() == [("incident_opened", "terminal")]
    line = desk.lines()[-1]
    assert (line["kind"], line["data"]["channel"]) == ("notification_not_sent", "pager")


def test_a_critical_alert_raises_the_warning_it_joins_and_wakes_people(desk: Desk) -> None:
    """Severity rises, everybody who takes critical is told, and the page shows it."""
    desk.fire(severity="warning", annotations={})
    desk.fire(alertname="CheckoutDown")
    incident = desk.incident()
    assert (incident.severity, incident.impact) == (Severity.CRITICAL, Impact.MAJOR)
    assert incident.published_at is not None
    escalated = [channel for event, channel in desk.notified() if event == "incident_escalated"]
    assert escalated == ["terminal", "pager"]


@pytest.mark.parametrize("severity", ["info", "none"])
def test_information_and_the_watchdog_open_nothing(sqlite_desk: Desk, severity: str) -> None:
    """They are kept as alerts, and that is all."""
    sqlite_desk.fire(severity=severity)
    assert (sqlite_desk.incidents(), len(sqlite_desk.alerts())) == ([], 1)


def test_a_draft_component_is_not_published_by_itself(sqlite_desk: Desk) -> None:
    """People are paged; the page waits for a person, to the end."""
    sqlite_desk.fire("back-office")
    sqlite_desk.later(minutes=1).resolve("back-office")
    assert (sqlite_desk.incident().published_at, sqlite_desk.updates()) == (None, [])


def test_with_nobody_to_tell_the_timeline_says_so(sqlite_desk: Desk) -> None:
    """An incident that reaches nobody shouts it."""
    sqlite_desk.configuration = configuration(channels=())
    sqlite_desk.fire()
    assert sqlite_desk.lines()[-1]["data"]["reason"] == "nobody_on_call"


def test_a_channel_that_was_added_later_hears_no_closing(sqlite_desk: Desk) -> None:
    """A closing goes to those who got the opening, and only to them."""
    sqlite_desk.fire()
    added = Channel(name="chat", kind="webhook")
    channels = (*sqlite_desk.configuration.channels, added)
    sqlite_desk.configuration = configuration(channels=channels)
    sqlite_desk.later(minutes=1).resolve()
    assert "chat" not in {channel for _, channel in sqlite_desk.notified()}


def test_silence_is_no_resolution(desk: Desk) -> None:
    """An alert whose end passes has lapsed; its incident stays open and says so."""
    desk.fire()
    assert desk.later(minutes=4).sweep().lapsed == 1
    assert [row["state"] for row in desk.alerts()] == ["lapsed"]
    assert (desk.incident().status, desk.timeline()[-1]) == (Status.INVESTIGATING, "alert_lapsed")


def test_a_lapsed_alert_told_again_goes_on_as_before(desk: Desk) -> None:
    """Its source was away; the outage is one."""
    desk.fire()
    desk.later(minutes=5).sweep()
    desk.later(minutes=1).fire(since=desk.now)
    assert [(row["state"], row["starts_at"]) for row in desk.alerts()] == [("firing", START)]
    assert (len(desk.incidents()), desk.timeline()[-1]) == (1, "alert_returned")


def test_long_silence_closes_what_nobody_tells_of_any_more(desk: Desk) -> None:
    """After the hold the lapsed alert gives its slot back, and the incident ends."""
    desk.fire()
    desk.later(minutes=4).sweep()
    assert desk.later(minutes=14, seconds=59).sweep().resolved == []
    assert desk.later(seconds=1).sweep().resolved == [1]
    assert "alert_closed" in desk.timeline()


def test_a_sweep_with_nothing_to_do_writes_nothing(sqlite_desk: Desk) -> None:
    """It looks before it takes the write lock."""
    heard: list[frozenset[str]] = []
    sqlite_desk.fire()
    sqlite_desk.store.subscribe(heard.append)
    sqlite_desk.later(minutes=1).sweep()
    assert heard == []


def muting(until: timedelta) -> AlertPolicy:
    return AlertPolicy(muting=lambda _, now: lambda _: "MNT-1" if now < START + until else "")


def test_a_muted_alert_opens_nothing_until_its_window_ends(desk: Desk) -> None:
    """At the window's end what still fires opens as ever, once."""
    desk.policy = muting(timedelta(minutes=3))
    assert (desk.fire().muted, desk.sweep().unmuted, desk.incidents()) == (1, 0, [])
    assert desk.later(minutes=3).sweep().unmuted == 1
    assert "muted by MNT-1 until now" in desk.lines()[0]["text"]
    assert len(desk.notified()) == 2
    assert desk.sweep().unmuted == 0


def test_a_muted_alert_that_ends_within_its_window_leaves_no_incident(desk: Desk) -> None:
    """Nothing is replayed at the window's end."""
    desk.policy = muting(timedelta(minutes=3))
    desk.fire()
    desk.later(minutes=1).resolve()
    desk.later(minutes=3).sweep()
    assert desk.incidents() == []


def test_what_was_open_before_the_window_is_resolved_within_it(desk: Desk) -> None:
    """Resolutions are never muted."""
    desk.fire()
    desk.policy = muting(timedelta(hours=1))
    desk.later(minutes=1).resolve()
    assert desk.incident().status is Status.RESOLVED


def test_a_recovery_can_be_watched_before_it_counts(desk: Desk) -> None:
    """With a hold the incident is monitored first, and ends when the hold has passed."""
    desk.policy = AlertPolicy(recovery_hold=timedelta(minutes=2))
    desk.fire()
    desk.later(minutes=1).resolve()
    assert desk.incident().status is Status.MONITORING
    assert desk.later(minutes=1, seconds=59).sweep().resolved == []
    assert desk.later(seconds=1).sweep().resolved == [1]


def test_an_alert_during_the_watch_takes_work_up_again(sqlite_desk: Desk) -> None:
    """The watched recovery did not hold."""
    desk = sqlite_desk
    desk.policy = AlertPolicy(recovery_hold=timedelta(minutes=2))
    desk.fire()
    desk.later(minutes=1).resolve()
    desk.later(minutes=1).fire()
    assert (desk.incident().status, desk.later(minutes=1).sweep().resolved) == ("investigating", [])


def test_reporters_are_told_in_the_transaction_that_resolves(sqlite_desk: Desk) -> None:
    """Whoever reported hears of the end, if and only if the end is committed."""
    told: list[str] = []

    def tell(tx: object, incident: object, *_: object) -> None:
        told.append(str(getattr(incident, "name", "")))

    sqlite_desk.policy = AlertPolicy(tell_reporters=tell)
    sqlite_desk.fire()
    sqlite_desk.later(minutes=1).resolve()
    assert told == ["INC-1"]


def test_firing_and_resolved_of_one_identity_in_one_batch_are_applied_in_order(desk: Desk) -> None:
    """The batch is a sequence, not a set."""
    first = desk.firing()
    desk.later(minutes=1)
    over = Alert(first.labels, starts_at=START, ends_at=desk.now)
    counted = desk.deliver(first, over)
    assert (counted.opened, counted.resolved) == ([1], [1])
    assert [event for event, channel in desk.notified() if channel == "pager"] == [
        "incident_opened",
        "incident_resolved",
    ]


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("/runbooks/JourneyDown", "https://status.test/runbooks/JourneyDown"),
        ("https://wiki.test/x", "https://wiki.test/x"),
    ],
)
def test_a_runbook_of_ours_can_be_opened_from_a_message(
    sqlite_desk: Desk, link: str, told: str
) -> None:
    """Rules name it by its path; whoever reads a mail needs the whole address."""
    desk = sqlite_desk
    desk.policy = AlertPolicy(public_url="https://status.test")
    desk.fire(annotations={"runbook_url": link})
    with desk.store.read() as connection:
        bodies = connection.execute(select(outbox.c.body)).scalars().all()
    assert bodies
    assert all(told in body for body in bodies)
