"""Receivers that are away for an hour: a real mail server and a real sink, with time given."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from monitor.clock import FakeClock
from monitor.notify.delivery_rules import GroupingSettings
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

    def opening(self, minute: int) -> int:
        """Let an incident open at that minute, which is told at once, in vain; returns its id."""
        self.until(minute, step_seconds=60)
        incident = put_incident(self.store)
        self.queue(incident, "incident_opened")
        self.worker.deliver_due(self.clock.now())
        return incident

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


def plain(mailbox: MailSink, index: int) -> str:
    body = mailbox.mails[index].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_what_an_outage_has_pent_up_is_one_message_that_says_how_many(
    store: Store, mailbox: MailSink
) -> None:
    """Twelve openings, four of them over, one taken: the first arrives, eleven in one mail."""
    hour = Hour(store, MAIL)
    incidents = [hour.opening(minute) for minute in range(0, 24, 2)]
    for over in incidents[2:6]:
        set_status(store, over, "resolved")
        hour.queue(over, "incident_resolved")
    set_status(store, incidents[6], "investigating", acknowledged_by="ben", acknowledged_at=NOW)
    hour.server_is_back(mailbox)
    hour.until(35)
    assert len(mailbox.mails) == 2
    assert mailbox.mails[1]["Subject"].startswith(
        "11 incidents while nothing could be delivered here: INC-"
    )
    told = plain(mailbox, 1)
    assert told.count("opened and already over") == 4
    assert told.count("opened, ben has it") == 1
    assert set(states(store).values()) == {"sent", "folded"}
    assert [kind for kind, _ in lines(store, incidents[-2])] == [
        "notification_delayed",
        "notification_delayed",
        "notification_folded",
        "notification_sent",
    ]


def test_what_waits_for_its_next_try_is_told_once_one_message_has_arrived(
    sqlite_store: Store, mailbox: MailSink
) -> None:
    """Their next tries are minutes ahead; nobody waits for them."""
    hour = Hour(sqlite_store, MAIL)
    for _ in range(9):
        at = later(300)
        row = {"attempts": 4, "last_error": "no connection", "due_at": at}
        put_row(sqlite_store, put_incident(sqlite_store), **row)
    hour.server_is_back(mailbox)
    hour.opening(0)
    hour.worker.deliver_due(later(15))
    assert [mail["Subject"].split(":")[0] for mail in mailbox.mails[1:]] == [
        "9 incidents while nothing could be delivered here"
    ]


def test_what_is_all_over_after_an_outage_says_so(sqlite_store: Store, mailbox: MailSink) -> None:
    """Nobody gets out of bed for six things that have ended."""
    hour = Hour(sqlite_store, MAIL)
    for incident in [hour.opening(minute) for minute in range(7)]:
        set_status(sqlite_store, incident, "resolved")
    hour.server_is_back(mailbox)
    hour.until(20)
    assert "already over" in plain(mailbox, 0)
    assert mailbox.mails[1]["Subject"].startswith(
        "6 incidents while nothing could be delivered here, all over: "
    )


def test_few_openings_after_an_outage_arrive_one_by_one(
    sqlite_store: Store, mailbox: MailSink
) -> None:
    """Five of five are no storm."""
    hour = Hour(sqlite_store, MAIL)
    for minute in range(5):
        hour.opening(minute)
    hour.server_is_back(mailbox)
    hour.until(20)
    assert len(mailbox.mails) == 5


def test_the_message_of_a_storm_joins_what_waits_beside_it(store: Store, mailbox: MailSink) -> None:
    """The server goes away after a storm's first page: its rest and what follows are one mail."""
    hour = Hour(store, MAIL)
    hour.server_is_back(mailbox)
    for _ in range(7):
        hour.queue(put_incident(store), "incident_opened")
    hour.worker.deliver_due(NOW)
    hour.worker.use(make_context(NOBODY, hour.clock))
    for minute in (1, 2):
        hour.opening(minute)
    hour.server_is_back(mailbox)
    hour.opening(2)
    hour.until(6, step_seconds=20)
    heads = [mail["Subject"].split(":")[0] for mail in mailbox.mails]
    assert heads[2:] == ["8 incidents while nothing could be delivered here"]
    assert Counter(states(store).values()) == {"sent": 3, "folded": 8, "dropped": 1}


def test_a_message_about_several_is_told_as_they_stand_when_it_arrives(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """A storm is over before its one message is taken: it says so, under the same id."""
    hook.answers = [Answer(200), Answer(503)]
    grouped = GroupingSettings(more_than=3)
    channel = GivenChannel("oncall", "webhook", {"url": hook.url}, None, grouped)
    hour = Hour(sqlite_store, channel)
    incidents = [put_incident(sqlite_store) for _ in range(7)]
    for incident in incidents:
        hour.queue(incident, "incident_opened")
    for seconds in (0, 15):
        hour.worker.deliver_due(later(seconds))
    for incident in incidents[1:4]:
        set_status(sqlite_store, incident, "resolved")
    hour.worker.deliver_due(later(20))
    told = [json.loads(post.body)["text"].count("already over") for post in hook.posts]
    assert told == [0, 0, 3]
    assert len(set(hook.ids())) == 2


def test_a_single_message_is_tried_about_every_minute_of_a_long_outage(
    sqlite_store: Store,
) -> None:
    """An hour of refused connections is some sixty tries, not thousands."""
    hour = Hour(sqlite_store, MAIL)
    key = hour.queue(put_incident(sqlite_store), "incident_opened")
    hour.until(60, step_seconds=10)
    assert 50 <= row_of(sqlite_store, key).attempts <= 66


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
