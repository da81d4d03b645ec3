"""Quiet hours of people over every way that leads to them, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from monitor.config.model import Channel
from monitor.config.oncall import OnCallSettings, PersonSettings
from monitor.notify.worker import OutboxWorker
from monitor.storage.schema import users
from monitor.storage.store import Store
from monitor.use_cases.quiet_people import QuietPeople
from tests.monitor.use_cases.desk import configuration
from tests.notices import NOW, later, lines, make_context, put_incident, put_row, row_of
from tests.sinks import MailSink, mail_sink

MORNING = {"from": "08:00", "until": "10:00"}  # it is nine
CHANNELS = (
    Channel(name="ann-phone", kind="console", audience="person"),
    Channel(name="both", kind="console", audience="person"),
    Channel(name="chat", kind="console"),
)


@pytest.fixture
def mailbox() -> Iterator[MailSink]:
    """A mail server that keeps what it accepts."""
    with mail_sink() as sink:
        yield sink


def make_worker(store: Store, mailbox: MailSink | None = None) -> OutboxWorker:
    """Return a worker that knows Ann, who is quiet till ten, and Ben, who is not."""
    hers = {"quiet_hours": MORNING, "channels": ["ann-phone", "both", "chat"]}
    people = [
        {"name": "ann", **hers},
        {"name": "ben", "channels": ["both"], "email": "b@shop.test"},
    ]
    made = tuple(PersonSettings.model_validate(person) for person in people)
    known = replace(configuration(channels=CHANNELS), oncall=OnCallSettings(people=made))
    context = make_context(mailbox.port if mailbox else 0)
    return OutboxWorker(store, lambda: CHANNELS, context, quiet=QuietPeople(lambda: known))


def put_account(store: Store, zone: str = "") -> None:
    """Give Ann an account with an address."""
    row = {"name": "ann", "role": "engineer", "password_hash": "", "created_at": NOW}
    with store.begin() as tx:
        row |= {"email": "ann@shop.test", "time_zone": zone}
        tx.connection.execute(users.insert().values(**row))


@pytest.mark.parametrize(
    ("channel", "recipient", "severity", "state"),
    [
        ("person", "ann@shop.test", "warning", "queued"),
        ("person", "ann@shop.test", "critical", "sent"),
        ("person", "b@shop.test", "warning", "sent"),
        ("ann-phone", "", "warning", "queued"),
        ("both", "", "warning", "sent"),  # Ben is awake
        ("chat", "", "warning", "sent"),  # it is not hers alone
    ],
)
def test_a_person_is_left_in_peace_over_every_way_of_their_own(
    sqlite_store: Store, mailbox: MailSink, channel: str, recipient: str, severity: str, state: str
) -> None:
    """Mail to the address of an account too; what must wake them gets through."""
    put_account(sqlite_store)
    row = {"channel": channel, "recipient": recipient, "severity": severity}
    key = put_row(sqlite_store, put_incident(sqlite_store), event="incident_paged", **row)
    make_worker(sqlite_store, mailbox).deliver_due(NOW)
    assert row_of(sqlite_store, key).state == state


def test_what_waited_for_a_person_is_mailed_when_the_hours_are_over(
    store: Store, mailbox: MailSink
) -> None:
    """Once, and its line has said so meanwhile."""
    put_account(store)
    incident = put_incident(store)
    row = {"channel": "person", "recipient": "ann@shop.test", "severity": "warning"}
    put_row(store, incident, event="incident_paged", **row)
    worker = make_worker(store, mailbox)
    worker.deliver_due(NOW)
    assert lines(store, incident)[0][1].startswith("Not yet told ann@shop.test by person: quiet")
    worker.deliver_due(later(3600))
    assert [mail["To"] for mail in mailbox.mails] == ["ann@shop.test"]


def test_hours_without_a_zone_hang_on_the_wall_of_the_account(sqlite_store: Store) -> None:
    """Nine in UTC is eleven in Johannesburg, where the morning is over."""
    put_account(sqlite_store, "Africa/Johannesburg")
    row = {"channel": "ann-phone", "severity": "warning"}
    key = put_row(sqlite_store, put_incident(sqlite_store), event="incident_paged", **row)
    make_worker(sqlite_store).deliver_due(NOW)
    assert row_of(sqlite_store, key).state == "sent"
