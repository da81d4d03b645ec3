"""A receiver that is away while many wait for it is asked by one; all are told afterwards."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from monitor.clock import FakeClock, SystemClock
from monitor.notify.delivery_rules import GroupingSettings
from monitor.notify.stats import Outcome
from monitor.notify.worker import OutboxWorker
from monitor.storage import deliveries
from monitor.storage.store import Store
from monitor.storage.told import told_of
from tests.notices import (
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
from tests.sinks import Answer, HttpSink, Post

AWAY = [Answer(503)] * 10_000
MINUTE = 60


def make_worker(store: Store, hook: HttpSink, clock: FakeClock, **settings: Any) -> OutboxWorker:
    grouping = settings.pop("grouping", None)
    settings = {"url": hook.url, "timeout": "2s", **settings}
    channel = GivenChannel("oncall", "webhook", settings, None, grouping)
    return OutboxWorker(store, lambda: [channel], make_context(clock=clock), chance=lambda: 0.5)


class Hour:
    """Time that goes by while one or two workers deliver to a receiver that may be away."""

    def __init__(self, store: Store, hook: HttpSink, workers: int = 1, **settings: Any) -> None:
        self.store, self.clock, self.seconds = store, FakeClock(), 0
        self.workers = [make_worker(store, hook, self.clock, **settings) for _ in range(workers)]

    def until(self, second: int, step_seconds: int = 1) -> None:
        """Let time go by until that second, delivering whatever is due."""
        while self.seconds < second:
            self._deliver()
            self.seconds += step_seconds
            self.clock.advance(step_seconds)
        self._deliver()

    def _deliver(self) -> None:
        for worker in self.workers:
            worker.deliver_due(self.clock.now())

    def pages(self, count: int, **given: Any) -> list[str]:
        """Let so many incidents open now, and return the keys of their pages."""
        at = self.clock.now()
        usual = {"created_at": at, "due_at": at, "payload": {"event": "incident_opened"}}
        return [
            put_row(self.store, put_incident(self.store), **usual, **given) for _ in range(count)
        ]


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_storm_against_a_dead_receiver_is_a_few_tries_and_all_are_told_after(
    store: Store, hook: HttpSink, replicas: int
) -> None:
    """Two hundred pages, twenty minutes: some forty posts, however many replicas ask.

    Sixteen of them were claimed together when it began.
    """
    hook.answers = list(AWAY)
    hour = Hour(store, hook, replicas, deadline="2h")
    keys = hour.pages(150)
    hour.until(10 * MINUTE, 5)
    keys += hour.pages(50)
    hour.until(20 * MINUTE, 5)
    assert 30 <= len(hook.posts) <= 16 + 6 + 20
    hook.answers, before = [], len(hook.posts)
    hour.until(20 * MINUTE + 75, 5)  # the longest wait, spread by a quarter
    assert Counter(hook.ids()[before:]) == Counter(keys)
    assert set(states(store).values()) == {"sent"}


def test_what_waits_says_for_whom_and_since_when(store: Store, hook: HttpSink) -> None:
    """On the timeline of its incident once, and in the table of who was told."""
    hook.answers = list(AWAY)
    hour = Hour(store, hook)
    key = hour.pages(30)[-1]
    incident = row_of(store, key).incident_id
    hour.until(3)
    words = "oncall has not answered since 2026-11-22 09:00:00 UTC"
    (line,) = lines(store, incident)
    assert line == (
        "notification_delayed",
        f"Not yet told oncall: {key}; {words}. It goes out once that does.",
    )
    with store.read() as connection:
        (told,) = told_of(connection, incident)
    assert (told.standing.value, told.why, told.until) == ("waiting", words, later(6))


def test_for_people_what_waited_is_one_message(store: Store, hook: HttpSink) -> None:
    """The first goes by itself, the rest together, what was never tried included."""
    hook.answers = list(AWAY)
    hour = Hour(store, hook, grouping=GroupingSettings(more_than=3))
    hour.pages(30)
    hour.until(5 * MINUTE)
    late = hour.pages(1)
    hook.answers, before = [], len(hook.posts)
    hour.until(7 * MINUTE)
    subjects = [json.loads(post.body)["subject"] for post in hook.posts[before:]]
    assert subjects[0] == late[0]
    assert [one.split(":")[0] for one in subjects[1:]] == [
        "30 incidents while nothing could be delivered here"
    ]
    assert set(states(store).values()) <= {"sent", "folded", "dropped"}


def test_a_first_page_asks_before_all_that_waits(store: Store, hook: HttpSink) -> None:
    """It is the next probe, though it came last."""
    hook.answers = list(AWAY)
    hour = Hour(store, hook)
    hour.pages(20, event="incident_update", priority=20)
    hour.until(20)
    (page,) = hour.pages(1)
    hook.answers, before = [], len(hook.posts)
    hour.until(60)
    assert hook.ids()[before] == page


def test_one_message_that_always_fails_holds_up_no_other(
    store: Store, hook: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four that the receiver cannot digest, old enough to be tried first: the rest goes out."""
    hour = Hour(store, hook)
    bad = set(hour.pages(4))
    receive = hook.receive

    def judge(post: Post) -> Answer:
        answer = receive(post)
        return Answer(500) if post.headers["X-Notification-Id"] in bad else answer

    monkeypatch.setattr(hook, "receive", judge)
    hour.until(30)
    good = hour.pages(20)
    hour.until(30 + MINUTE)
    assert {states(store)[key] for key in good} == {"sent"}


def test_what_waits_beyond_its_deadline_is_given_up_untried_and_its_end_not_sent(
    store: Store, hook: HttpSink
) -> None:
    """The timeline says so; who never heard of it need not hear that it is over."""
    hook.answers = list(AWAY)
    hour = Hour(store, hook, deadline="10s")
    key = hour.pages(20)[-1]
    incident = row_of(store, key).incident_id
    hour.until(MINUTE)
    assert set(states(store).values()) == {"failed"}
    assert (row_of(store, key).reason, row_of(store, key).attempts) == ("deadline", 0)
    assert lines(store, incident)[-1] == (
        "notification_failed",
        f"Could not tell oncall: {key} (oncall has not answered since "
        "2026-11-22 09:00:00 UTC; 0 attempts).",
    )
    set_status(store, incident, "resolved")
    hook.answers = []
    at = {"created_at": hour.clock.now(), "due_at": hour.clock.now()}
    closing = put_row(store, incident, event="incident_resolved", **at)
    hour.until(3 * MINUTE)
    assert row_of(store, closing).reason == "opening_not_sent"
    stats = hour.workers[0].stats.totals()
    assert stats["oncall", Outcome.FAILED] == 20


def test_a_probe_that_is_not_worth_sending_lets_another_ask_at_once(
    store: Store, hook: HttpSink
) -> None:
    """A page that somebody has taken meanwhile costs nobody a minute."""
    hook.answers = list(AWAY)
    hour = Hour(store, hook)
    hour.pages(3)
    hour.until(0)
    pages = [put_row(store, put_incident(store), event="incident_paged") for _ in range(2)]
    set_status(store, row_of(store, pages[0]).incident_id, "resolved")
    hook.answers, before = [], len(hook.posts)
    hour.until(2)
    assert (states(store)[pages[0]], hook.ids()[before]) == ("dropped", pages[1])


def test_what_was_put_off_for_long_goes_out_with_the_first_answer(
    store: Store, hook: HttpSink
) -> None:
    """A receiver that asked for ten minutes with one message takes another after two seconds."""
    hook.answers = [Answer(503, {"Retry-After": "600"}), *AWAY[:2]]
    hour = Hour(store, hook)
    key = hour.pages(3)[0]
    hour.until(1)
    assert row_of(store, key).due_at == later(600)
    hour.until(3)
    assert set(states(store).values()) == {"sent"}


def test_a_channel_that_refuses_for_good_has_answered(store: Store, hook: HttpSink) -> None:
    """A 404 ends the rest: it is a matter of the message."""
    hook.answers = [*AWAY[:3], Answer(404)]
    hour = Hour(store, hook)
    hour.pages(8)
    hour.until(2)
    assert Counter(states(store).values()) == {"sent": 7, "failed": 1}


def test_a_worker_that_dies_with_the_probe_is_followed_by_another(
    store: Store, hook: HttpSink
) -> None:
    """A minute later, though the row itself is leased for longer."""
    hook.answers = list(AWAY)
    hour = Hour(store, hook)
    hour.pages(5)
    hour.until(0)
    with store.begin() as tx:
        probes = [claim(tx, 2) for _ in range(2)]
    assert [len(found) for found in probes] == [1, 0]
    with store.begin() as tx:
        assert claim(tx, 61) == []
    with store.begin() as tx:
        assert [one.is_probe for one in claim(tx, 62)] == [True]


def claim(tx: Any, seconds: float) -> list[deliveries.Delivery]:
    given = {"channel": "oncall", "limit": 5, "worker": "w", "lease_seconds": 180}
    return deliveries.claim(tx, now=later(seconds), **given)  # type: ignore[arg-type] # a table


@contextmanager
def running(store: Store, hook: HttpSink) -> Iterator[OutboxWorker]:
    """A worker with threads, as in the service."""
    settings = {"url": hook.url, "timeout": "400ms", "parallel": 4}
    channel = GivenChannel("oncall", "webhook", settings)
    context = make_context(clock=SystemClock())
    worker = OutboxWorker(store, lambda: [channel], context, poll_seconds=0.1)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def test_a_receiver_that_hangs_is_asked_by_two_replicas_as_by_one(
    store: Store, hook: HttpSink
) -> None:
    """Beside what was under way when it began to hang, there is a probe now and then."""
    release = threading.Event()
    hook.answers = [Answer(wait=release)] * 1000
    queued = {"created_at": SystemClock().now()}
    keys = {put_row(store, put_incident(store), **queued) for _ in range(60)}
    with running(store, hook), running(store, hook):
        hook.wait_for(8)
        threading.Event().wait(4)
        assert len(hook.posts) <= 2 * 4 + 3
        hook.answers = []
        release.set()
        before = len(hook.posts)
        hook.wait_for(before + 60, timeout_seconds=30)
    assert keys <= set(hook.ids()[before:])
