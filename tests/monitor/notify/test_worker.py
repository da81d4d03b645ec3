"""Delivery of the outbox: in simulated time, and by threads against bad receivers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from incidents.oncall.contacts import PERSON_MAIL
from monitor.clock import FakeClock, SystemClock
from monitor.notify.kinds import ACCOUNT, ACCOUNT_NOTICE, REPORTER
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
from tests.sinks import Answer, HttpSink, MailSink


def webhook(hook: HttpSink, name: str = "oncall", **settings: Any) -> GivenChannel:
    return GivenChannel(name, "webhook", {"url": hook.url, "timeout": "2s", **settings})


def make_worker(store: Store, *channels: GivenChannel, **given: Any) -> OutboxWorker:
    context = given.pop("context", make_context(clock=given.pop("clock", FakeClock())))
    return OutboxWorker(store, lambda: channels, context, chance=lambda: 0.5, **given)


def test_a_queued_notification_is_sent_once_and_its_receipt_is_on_the_timeline(
    store: Store, hook: HttpSink
) -> None:
    """The row ends as sent; a second look finds nothing to do."""
    incident = put_incident(store)
    key = put_row(store, incident)
    worker = make_worker(store, webhook(hook))
    assert (worker.deliver_due(NOW), worker.deliver_due(later(999))) == (1, 0)
    assert (hook.ids(), states(store)) == ([key], {key: "sent"})
    assert lines(store, incident) == [
        ("notification_sent", f"Told oncall: {key} (127.0.0.1 answered 204).")
    ]


def test_attempts_are_counted_and_start_at_zero(sqlite_store: Store, hook: HttpSink) -> None:
    """Every channel has every outcome from the start, so that a first failure is an increase."""
    put_row(sqlite_store)
    worker = make_worker(sqlite_store, webhook(hook))
    before = worker.stats.totals()
    worker.deliver_due(NOW)
    assert set(before) == {
        (c, o) for c in (ACCOUNT, ACCOUNT_NOTICE, PERSON_MAIL, REPORTER, "oncall") for o in Outcome
    }
    assert set(before.values()) == {0}
    assert worker.stats.totals() == {**before, ("oncall", Outcome.SENT): 1}


def test_a_temporary_failure_is_tried_again_with_the_same_id(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """503, then 429 with a wish, then accepted: three posts, one id, two lines on the timeline."""
    incident = put_incident(sqlite_store)
    key = put_row(sqlite_store, incident)
    hook.answers = [Answer(503), Answer(429, {"Retry-After": "40"})]
    worker = make_worker(sqlite_store, webhook(hook))
    tried = [worker.deliver_due(later(seconds)) for seconds in (0, 1.9, 2, 41.9, 42)]
    assert (tried, hook.ids()) == ([1, 0, 1, 0, 1], [key] * 3)
    assert [kind for kind, _ in lines(sqlite_store, incident)] == [
        "notification_delayed",
        "notification_sent",
    ]


def test_a_final_refusal_is_not_repeated_and_says_why(sqlite_store: Store, hook: HttpSink) -> None:
    """A 404 ends the matter, on the timeline too."""
    incident = put_incident(sqlite_store)
    key = put_row(sqlite_store, incident)
    hook.answers = [Answer(404)]
    worker = make_worker(sqlite_store, webhook(hook))
    worker.deliver_due(NOW)
    assert worker.deliver_due(later(9999)) == 0
    row = row_of(sqlite_store, key)
    assert (row.state, row.reason, row.last_error) == (
        "failed",
        "rejected",
        "127.0.0.1 answered 404",
    )
    assert lines(sqlite_store, incident) == [
        (
            "notification_failed",
            f"Could not tell oncall: {key} (127.0.0.1 answered 404; 1 attempt).",
        )
    ]


def test_at_the_deadline_a_channel_is_given_up(sqlite_store: Store, hook: HttpSink) -> None:
    """Tried at 0, 2, 6, 14 and 30 seconds; then the row fails with that reason."""
    key = put_row(sqlite_store, put_incident(sqlite_store))
    hook.answers = [Answer(503)] * 99
    worker = make_worker(sqlite_store, webhook(hook, deadline="30s"))
    for second in range(60):
        worker.deliver_due(later(second))
    assert (row_of(sqlite_store, key).reason, len(hook.posts)) == ("deadline", 5)


def test_killed_between_send_and_mark_it_is_sent_again_under_the_same_id(
    store: Store, hook: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the send loses nothing: once the lease is over another worker sends it."""
    key = put_row(store, put_incident(store))
    dying, heir = make_worker(store, webhook(hook)), make_worker(store, webhook(hook))
    with monkeypatch.context() as patch:
        patch.setattr("monitor.storage.deliveries.finish", die)
        with pytest.raises(KeyboardInterrupt):
            dying.deliver_due(NOW)
    assert heir.deliver_due(later(179)) == 0
    assert heir.deliver_due(later(180)) == 1
    assert (hook.ids(), states(store)) == ([key, key], {key: "sent"})


def die(*_: object, **__: object) -> bool:
    raise KeyboardInterrupt


def test_opening_update_and_closing_arrive_in_order(store: Store, hook: HttpSink) -> None:
    """Also when the opening had to be repeated while the others waited."""
    incident = put_incident(store)
    events = ["incident_opened", "incident_update"]
    queued = [put_row(store, incident, event=event) for event in events]
    hook.answers = [Answer(500)]
    worker = make_worker(store, webhook(hook))
    worker.deliver_due(NOW)
    worker.deliver_due(later(2))
    set_status(store, incident, "resolved")
    queued.append(put_row(store, incident, event="incident_resolved"))
    worker.deliver_due(later(3))
    assert hook.ids() == [queued[0], *queued]


def test_an_opening_that_comes_late_says_that_it_is_over(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """After an outage of ours everybody hears both, and nobody is frightened."""
    incident = put_incident(sqlite_store, "resolved")
    for event in ("incident_opened", "incident_update", "incident_resolved"):
        put_row(sqlite_store, incident, event=event)
    make_worker(sqlite_store, webhook(hook)).deliver_due(NOW)
    assert [b"already over" in post.body for post in hook.posts] == [True, False]
    assert list(states(sqlite_store).values()) == ["sent", "dropped", "sent"]


def test_a_closing_is_not_sent_to_who_was_refused_the_opening(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """And the timeline says so."""
    incident = put_incident(sqlite_store)
    put_row(sqlite_store, incident)
    hook.answers = [Answer(404)]
    worker = make_worker(sqlite_store, webhook(hook))
    worker.deliver_due(NOW)
    set_status(sqlite_store, incident, "resolved")
    closing = put_row(sqlite_store, incident, event="incident_resolved")
    worker.deliver_due(NOW)
    assert row_of(sqlite_store, closing).reason == "opening_not_sent"
    assert lines(sqlite_store, incident)[-1] == (
        "notification_dropped",
        f"Not sent to oncall: {closing}; the opening was refused there.",
    )


def test_what_was_muted_since_it_was_queued_is_dropped_with_its_reason(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """A maintenance window declared a second too late still spares the people on call."""
    incident = put_incident(sqlite_store)
    key = put_row(sqlite_store, incident)
    worker = make_worker(sqlite_store, webhook(hook), mute=lambda *_: "MNT-3")
    worker.deliver_due(NOW)
    assert (hook.posts, row_of(sqlite_store, key).reason) == ([], "muted_by_window")
    assert lines(sqlite_store, incident)[0][1] == f"Not sent to oncall: {key}; muted by MNT-3."


def test_a_channel_that_is_gone_fails_with_a_line(sqlite_store: Store) -> None:
    """A row of a channel that was taken out of the configuration does not wait for ever."""
    incident = put_incident(sqlite_store)
    put_row(sqlite_store, incident, channel="pager")
    make_worker(sqlite_store).deliver_due(NOW)
    assert "the channel is not configured" in lines(sqlite_store, incident)[0][1]


def test_reporters_are_told_by_mail_without_any_configured_channel(
    sqlite_store: Store, mailbox: MailSink
) -> None:
    """The channel `reporter` is always there, and writes to the address of the row alone."""
    put_row(sqlite_store, channel="reporter", recipient="u@mail.example", event="report_resolved")
    make_worker(sqlite_store, context=make_context(mailbox.port)).deliver_due(NOW)
    assert mailbox.recipients == [["u@mail.example"]]


def test_two_workers_deliver_every_row_once(store: Store, hook: HttpSink) -> None:
    """Started together on one database they share 40 rows; none is sent twice."""
    put = [put_row(store, put_incident(store)) for _ in range(40)]
    with running(store, [webhook(hook)]), running(store, [webhook(hook)]):
        hook.wait_for(40)
        wait_until(lambda: set(states(store).values()) == {"sent"})
    assert sorted(hook.ids()) == sorted(put)


def test_a_slow_channel_delays_no_other(sqlite_store: Store, hook: HttpSink) -> None:
    """While one receiver hangs on all its places, another channel's message goes out."""
    release = threading.Event()
    hook.answers = [Answer(wait=release), Answer(wait=release)]
    for _ in range(3):
        put_row(sqlite_store, channel="slow")
    with running(sqlite_store, [webhook(hook, "slow", timeout="20s"), webhook(hook)]) as worker:
        hook.wait_for(2)
        key = put_row(sqlite_store)
        worker.wake()
        hook.wait_for(3)
        assert hook.ids()[-1] == key
        release.set()


def test_a_woken_worker_does_not_wait_for_its_poll(sqlite_store: Store, hook: HttpSink) -> None:
    """With a poll of an hour a message still leaves at once."""
    with running(sqlite_store, [webhook(hook)], poll_seconds=3600) as worker:
        put_row(sqlite_store)
        worker.wake()
        hook.wait_for(1, timeout_seconds=5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dispatcher_that_died_of_a_fault_is_started_again(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """A bug costs one round, not all notifications until somebody notices."""
    broken = threading.Event()
    channels = [webhook(hook)]

    def read_channels() -> list[GivenChannel]:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("a fault of ours")
        return channels

    put_row(sqlite_store)
    context = make_context(clock=SystemClock())
    worker = OutboxWorker(sqlite_store, read_channels, context, poll_seconds=3600)
    worker.start()
    wait_until(lambda: broken.is_set() and not dispatchers())
    worker.wake()
    hook.wait_for(1)
    worker.stop()


def dispatchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "outbox-dispatcher"]


def test_on_stop_what_is_still_under_way_is_handed_back(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """A send that does not end in the grace is due again at once for whoever comes next."""
    release = threading.Event()
    hook.answers = [Answer(wait=release)]
    key = put_row(sqlite_store)
    worker = make_worker(sqlite_store, webhook(hook, timeout="20s"), clock=SystemClock())
    worker.start()
    hook.wait_for(1)
    worker.stop(grace_seconds=0.05)
    assert row_of(sqlite_store, key).state == "queued"
    release.set()


def test_on_stop_a_send_that_ends_in_the_grace_is_marked(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """A clean shutdown sends nothing twice."""
    release = threading.Event()
    hook.answers = [Answer(wait=release)]
    key = put_row(sqlite_store)
    with running(sqlite_store, [webhook(hook, timeout="20s")]):
        hook.wait_for(1)
        threading.Timer(0.1, release.set).start()
    assert row_of(sqlite_store, key).state == "sent"


class running:  # noqa: N801 - reads as a phrase: with running(…)
    """A worker in the background, stopped at the end."""

    def __init__(self, store: Store, channels: Sequence[GivenChannel], **given: Any) -> None:
        self.worker = make_worker(store, *channels, clock=SystemClock(), **given)

    def __enter__(self) -> OutboxWorker:
        self.worker.start()
        return self.worker

    def __exit__(self, *_: object) -> None:
        self.worker.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError("it did not come about in 10 s")
