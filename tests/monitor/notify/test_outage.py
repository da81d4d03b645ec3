"""Receivers that are away for an hour: a real mail server and a real sink, with time given."""

from __future__ import annotations

from collections import Counter
from typing import Any

from monitor.clock import FakeClock
from monitor.notify.worker import OutboxWorker
from monitor.storage.store import Store
from tests.notices import (
    GivenChannel,
    later,
    lines,
    make_context,
    put_incident,
    put_row,
    row_of,
    set_status,
)
from tests.sinks import Answer, HttpSink, MailSink

NOBODY = 1  # a port where nobody listens
MAIL = GivenChannel("oncall", "email", {"to": "anna@shop.example", "timeout": "2s"})


class Hour:
    """An hour in which nobody takes the mail, and what happens meanwhile."""

    def __init__(self, store: Store, *channels: GivenChannel) -> None:
        self.store, self.clock, self.seconds = store, FakeClock(), 0
        self.worker = OutboxWorker(
            store, lambda: channels, make_context(NOBODY, self.clock), chance=lambda: 0.5
        )

    def until(self, minute: int, step_seconds: int = 300) -> None:
        """Let time go by until that minute, delivering whatever is due."""
        while self.seconds < minute * 60:
            self.worker.deliver_due(self.clock.now())
            self.seconds += step_seconds
            self.clock.advance(step_seconds)
        self.worker.deliver_due(self.clock.now())

    def queue(self, incident: int, event: str, **given: Any) -> str:
        """Queue a mail now."""
        now = later(self.seconds)
        return put_row(self.store, incident, event=event, created_at=now, due_at=now, **given)

    def server_is_back(self, mailbox: MailSink) -> None:
        """Have mail go to a server that is there."""
        self.worker.use(make_context(mailbox.port, self.clock))


def test_after_an_hour_without_a_mail_server_everything_arrives_once_and_in_order(
    sqlite_store: Store, mailbox: MailSink
) -> None:
    """Openings before ends, no update of what is over; what is over says so."""
    hour = Hour(sqlite_store, MAIL)
    over, goes_on = put_incident(sqlite_store), put_incident(sqlite_store)
    keys = [hour.queue(over, "incident_opened"), hour.queue(goes_on, "incident_opened")]
    hour.until(20)
    pointless = hour.queue(over, "incident_update")
    hour.until(25)
    set_status(sqlite_store, over, "resolved")
    keys.append(hour.queue(over, "incident_resolved"))
    keys.append(hour.queue(goes_on, "incident_update"))
    hour.until(60)
    assert mailbox.mails == []
    hour.server_is_back(mailbox)
    hour.until(70)
    arrived = [str(mail["X-Notification-Id"]) for mail in mailbox.mails]
    assert Counter(arrived) == Counter(keys)
    assert arrived.index(keys[0]) < arrived.index(keys[2])
    assert arrived.index(keys[1]) < arrived.index(keys[3])
    assert row_of(sqlite_store, pointless).reason == "superseded"
    first = mailbox.mails[arrived.index(keys[0])].get_body(("plain",))
    assert first is not None
    assert "already over" in first.get_content()
    kinds = [kind for kind, _ in lines(sqlite_store, goes_on)]
    assert kinds == ["notification_delayed", "notification_sent", "notification_sent"]


def test_nobody_is_asked_more_often_than_every_few_minutes_in_a_long_outage(
    sqlite_store: Store,
) -> None:
    """An hour of refused connections is some twenty tries, not thousands."""
    hour = Hour(sqlite_store, MAIL)
    key = hour.queue(put_incident(sqlite_store), "incident_opened")
    hour.until(60)
    assert 10 <= row_of(sqlite_store, key).attempts <= 25


def test_each_answer_of_a_mail_server_is_judged_by_its_class(
    sqlite_store: Store, mailbox: MailSink
) -> None:
    """451 is tried again and arrives once; 550 is final at once."""
    hour = Hour(sqlite_store, MAIL)
    hour.server_is_back(mailbox)
    mailbox.refusals = ["451 greylisted", "550 no such user"]
    passing, final = (put_incident(sqlite_store) for _ in range(2))
    keys = [hour.queue(passing, "incident_opened"), hour.queue(final, "incident_opened")]
    hour.until(5)
    rows = [row_of(sqlite_store, key) for key in keys]
    assert [(row.state, row.attempts) for row in rows] == [("sent", 2), ("failed", 1)]
    assert len(mailbox.mails) == 1


def test_a_bad_receiver_holds_up_no_mail(
    sqlite_store: Store, hook: HttpSink, mailbox: MailSink
) -> None:
    """A webhook that fails, says 429 and fails again does not delay the mail."""
    hook.answers = [Answer(500), Answer(429, {"Retry-After": "120"}), Answer(503)]
    bad = GivenChannel("pager", "webhook", {"url": hook.url, "timeout": "1s"})
    hour = Hour(sqlite_store, bad, MAIL)
    hour.server_is_back(mailbox)
    incident = put_incident(sqlite_store)
    keys = [hour.queue(incident, "incident_opened", channel=name) for name in ("pager", "oncall")]
    hour.until(0)
    assert [row_of(sqlite_store, key).state for key in keys] == ["queued", "sent"]
    hour.until(15)
    assert hook.ids() == [keys[0]] * 4
    assert row_of(sqlite_store, keys[0]).state == "sent"
