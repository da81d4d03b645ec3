"""Limits, storms and quiet hours against a sink, with time given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incidents.outbox import Event
from monitor.clock import FakeClock
from monitor.notify.delivery_rules import GroupingSettings, LimitSettings, QuietHoursSettings
from monitor.notify.stats import Outcome
from monitor.notify.worker import OutboxWorker
from monitor.storage.store import Store
from tests.notices import (
    NOW,
    GivenChannel,
    later,
    lines,
    make_context,
    put_incident,
    put_row,
    row_of,
    set_status,
    states,
)
from tests.sinks import Answer, HttpSink

GROUPED = {"grouping": GroupingSettings(more_than=3)}
NIGHT = {"quiet_hours": QuietHoursSettings.model_validate({"from": "08:00", "until": "10:00"})}


def make_worker(store: Store, hook: HttpSink, **rules: Any) -> OutboxWorker:
    channel = GivenChannel("oncall", "webhook", {"url": hook.url, "timeout": "2s"}, **rules)
    return OutboxWorker(store, lambda: [channel], make_context(), chance=lambda: 0.5)


def subjects(hook: HttpSink) -> list[str]:
    return [json.loads(post.body)["subject"] for post in hook.posts]


def reasons(store: Store, incident: int) -> list[str]:
    return [kind for kind, _ in lines(store, incident)]


# Limits -------------------------------------------------------------------------------------------


def test_updates_wait_for_their_turn_and_say_so(store: Store, hook: HttpSink) -> None:
    """Six a minute, one at once: the second goes ten seconds later, once, with its line."""
    worker = make_worker(store, hook, limit=LimitSettings(per_minute=6, burst=1))
    first, second = put_incident(store), put_incident(store)
    for incident in (first, second):
        put_row(store, incident, event="incident_update")
    tried = [worker.deliver_due(later(s)) for s in (0, 9.9, 10)]
    assert (tried, len(hook.posts)) == ([2, 0, 1], 2)
    assert reasons(store, first) == ["notification_sent"]
    assert lines(store, second)[0] == (
        "notification_delayed",
        "Not yet told oncall: the channel's limit is reached. "
        "It is due at 2026-11-22 09:00:10 UTC.",
    )


def test_a_first_page_is_never_throttled_behind_updates(store: Store, hook: HttpSink) -> None:
    """With the limit used up for minutes, an opening goes at once."""
    worker = make_worker(store, hook, limit=LimitSettings(per_minute=1, burst=1))
    for _ in range(5):
        put_row(store, put_incident(store), event="incident_update")
    worker.deliver_due(NOW)
    opening = put_row(store, put_incident(store))
    worker.deliver_due(NOW)
    assert (len(hook.posts), row_of(store, opening).state) == (2, "sent")


def test_a_turn_after_the_deadline_is_no_turn(sqlite_store: Store, hook: HttpSink) -> None:
    """It is dropped now, with its reason, rather than given up silently later."""
    worker = make_worker(sqlite_store, hook, limit=LimitSettings(per_minute=0.01, burst=1))
    incidents = [put_incident(sqlite_store) for _ in range(2)]
    for incident in incidents:
        put_row(sqlite_store, incident, event="incident_update")
    worker.deliver_due(NOW)
    assert list(states(sqlite_store).values()) == ["sent", "dropped"]
    assert "takes no more until after its deadline" in lines(sqlite_store, incidents[1])[0][1]


def test_waiting_is_no_attempt(sqlite_store: Store, hook: HttpSink) -> None:
    """The tries that are left count from the first real one."""
    worker = make_worker(sqlite_store, hook, limit=LimitSettings(per_minute=6, burst=1))
    keys = [
        put_row(sqlite_store, put_incident(sqlite_store), event="incident_update") for _ in "ab"
    ]
    worker.deliver_due(NOW)
    assert (row_of(sqlite_store, keys[1]).attempts, row_of(sqlite_store, keys[1]).held) == (
        0,
        "throttled",
    )


# Storms -------------------------------------------------------------------------------------------


def storm(store: Store, count: int, event: str = "incident_opened") -> list[int]:
    incidents = [put_incident(store) for _ in range(count)]
    for incident in incidents:
        put_row(store, incident, event=event)
    return incidents


def test_a_storm_is_one_page_at_once_and_one_message_about_the_rest(
    store: Store, hook: HttpSink
) -> None:
    """Twenty openings: the first goes, nineteen are told 15 s later in one message."""
    worker = make_worker(store, hook, **GROUPED)
    incidents = storm(store, 20)
    worker.deliver_due(NOW)
    assert len(hook.posts) == 1
    worker.deliver_due(later(14.9))
    assert len(hook.posts) == 1
    worker.deliver_due(later(15))
    assert len(hook.posts) == 2
    assert subjects(hook)[1].startswith("19 incidents opened at once: INC-")
    assert sorted(set(states(store).values())) == ["folded", "sent"]
    assert reasons(store, incidents[-1]) == [
        "notification_delayed",
        "notification_folded",
        "notification_sent",
    ]
    assert worker.stats.totals()["oncall", Outcome.FOLDED] == 19


def test_few_openings_go_one_by_one(sqlite_store: Store, hook: HttpSink) -> None:
    """Three of three are no storm."""
    storm(sqlite_store, 3)
    make_worker(sqlite_store, hook, **GROUPED).deliver_due(NOW)
    assert len(hook.posts) == 3


def test_what_comes_during_a_storm_joins_it(sqlite_store: Store, hook: HttpSink) -> None:
    """Openings one after the other, each committed alone, do not slip through one by one."""
    worker = make_worker(sqlite_store, hook, **GROUPED)
    for seconds in range(10):
        storm(sqlite_store, 1)
        worker.deliver_due(later(seconds))
    worker.deliver_due(later(30))
    assert len(hook.posts) == 3 + 1
    assert subjects(hook)[-1].startswith("7 incidents opened at once")


def test_ends_of_a_storm_are_told_together_after_its_openings(store: Store, hook: HttpSink) -> None:
    """No end passes the message that told of its beginning, not even when that one fails."""
    worker = make_worker(store, hook, **GROUPED)
    incidents = storm(store, 8)
    worker.deliver_due(NOW)
    hook.answers = [Answer(503)]
    worker.deliver_due(later(15))  # the digest fails and is tried again in 2 s
    for incident in incidents:
        set_status(store, incident, "resolved")
        put_row(store, incident, event=Event.RESOLVED)
    worker.deliver_due(later(16))
    worker.deliver_due(later(17))
    for seconds in (32, 60, 120):
        worker.deliver_due(later(seconds))
    told = subjects(hook)
    assert [text.split(":")[0] for text in (told[1], *told[3:])] == [
        "7 incidents opened at once",
        "7 incidents opened at once",
        "7 incidents are over",
    ]
    assert told[2].endswith("incident_resolved")  # of the one that was told by itself


def test_a_digest_that_is_refused_is_told_on_every_timeline(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """And the ends of what it told of are not sent either."""
    worker = make_worker(sqlite_store, hook, **GROUPED)
    incidents = storm(sqlite_store, 6)
    worker.deliver_due(NOW)
    hook.answers = [Answer(404)]
    worker.deliver_due(later(15))
    assert reasons(sqlite_store, incidents[-1])[-1] == "notification_failed"
    set_status(sqlite_store, incidents[-1], "resolved")
    closing = put_row(sqlite_store, incidents[-1], event=Event.RESOLVED)
    worker.deliver_due(later(999))
    assert row_of(sqlite_store, closing).reason == "opening_not_sent"


def test_programs_are_told_one_by_one_unless_they_ask_otherwise(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """A webhook's receiver can cope; a person's phone cannot."""
    storm(sqlite_store, 20)
    make_worker(sqlite_store, hook).deliver_due(NOW)
    assert len(hook.posts) == 20


def test_two_workers_fold_a_storm_once(store: Store, hook: HttpSink) -> None:
    """Whoever is first decides; every incident is told of exactly once."""
    workers = [make_worker(store, hook, **GROUPED) for _ in range(2)]
    storm(store, 30)
    for seconds in (0, 15, 16):
        for worker in workers:
            worker.deliver_due(later(seconds))
    assert [text.split(" ")[0] for text in subjects(hook)[1:]] == ["29"]


# Quiet hours --------------------------------------------------------------------------------------


def test_what_waited_is_told_once_after_and_what_is_over_is_not(
    store: Store, hook: HttpSink
) -> None:
    """Three warnings at nine, one over by ten: one message about two."""
    worker = make_worker(store, hook, **NIGHT)
    incidents = [put_incident(store) for _ in range(3)]
    for incident in incidents:
        put_row(store, incident, severity="warning")
    worker.deliver_due(NOW)
    set_status(store, incidents[0], "resolved")
    put_row(store, incidents[0], event=Event.RESOLVED, severity="warning")
    worker.deliver_due(later(1800))
    assert hook.posts == []
    worker.deliver_due(later(3600))
    assert subjects(hook)[0].startswith("2 incidents during quiet hours: INC-")
    assert len(hook.posts) == 1
    assert lines(store, incidents[0])[-1][1] == (
        "Not sent to oncall: it was over before the quiet hours were."
    )
    assert lines(store, incidents[1])[0][1] == (
        "Not yet told oncall: quiet hours. It is due at 2026-11-22 10:00:00 UTC."
    )


def test_a_page_held_for_the_night_is_not_sent_once_somebody_has_it(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """Nor is the word that they have it: the sleeper knows of nothing."""
    worker = make_worker(sqlite_store, hook, **NIGHT)
    incident = put_incident(sqlite_store)
    page = put_row(sqlite_store, incident, event=Event.PAGED, severity="warning")
    worker.deliver_due(NOW)
    set_status(sqlite_store, incident, "investigating", acknowledged_by="ben", acknowledged_at=NOW)
    put_row(sqlite_store, incident, event=Event.ACKNOWLEDGED, severity="warning")
    worker.deliver_due(later(3600))
    assert hook.posts == []
    assert row_of(sqlite_store, page).reason == "acknowledged"
    assert [text.split("; ")[1] for _, text in lines(sqlite_store, incident)[1:]] == [
        "ben had taken the incident before it could go out.",
        "the opening was not sent either.",
    ]


def test_who_got_the_first_page_hears_the_end_though_the_second_was_recalled(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """Of several pages the one that arrived counts."""
    worker = make_worker(sqlite_store, hook)
    incident = put_incident(sqlite_store)
    put_row(sqlite_store, incident, event=Event.PAGED)
    worker.deliver_due(NOW)
    put_row(sqlite_store, incident, event=Event.PAGED)
    set_status(sqlite_store, incident, "resolved")
    put_row(sqlite_store, incident, event=Event.RESOLVED)
    worker.deliver_due(later(1))
    assert list(states(sqlite_store).values()) == ["sent", "dropped", "sent"]


def test_critical_wakes_in_quiet_hours(sqlite_store: Store, hook: HttpSink) -> None:
    """Whatever was configured."""
    put_row(sqlite_store, put_incident(sqlite_store))
    make_worker(sqlite_store, hook, **NIGHT).deliver_due(NOW)
    assert len(hook.posts) == 1


def test_a_notice_of_maintenance_waits_too_and_is_told_as_it_is(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """It is about no incident, so it needs no digest."""
    put_row(sqlite_store, event="maintenance_announced", severity="info")
    worker = make_worker(sqlite_store, hook, **NIGHT)
    assert (worker.deliver_due(NOW), len(hook.posts)) == (1, 0)
    worker.deliver_due(later(3600))
    assert len(hook.posts) == 1


# Configuration ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"from": "22", "until": "07:00"}, "a time of day such as 22:00"),
        ({"from": "22:00", "until": "22:00"}, "two different times"),
        ({"from": "22:00", "until": "07:00", "time_zone": "Mars/Olympus"}, "IANA time zone"),
        ({"from": "22:00", "until": "07:00", "wakes": ["warning"]}, "critical among them"),
        ({"from": "22:00", "until": "07:00", "days": []}, "at least 1 item"),
    ],
)
def test_quiet_hours_that_cannot_be_meant_are_refused(given: dict[str, Any], expected: str) -> None:
    """With what would be right."""
    with pytest.raises(ValueError, match=expected):
        QuietHoursSettings.model_validate(given)


def test_hours_without_a_zone_are_the_sites() -> None:
    """`site.time_zone` counts where the channel names none."""
    hours = NIGHT["quiet_hours"].made("Africa/Johannesburg")
    assert (hours.zone, hours.until(FakeClock().now(), "warning")) == ("Africa/Johannesburg", None)
