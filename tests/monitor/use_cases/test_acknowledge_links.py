"""Signed links that acknowledge: what they can do, for whom and until when."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from incidents.alerts.model import Alert
from monitor.config.model import Channel
from monitor.config.oncall import OnCallSettings, PersonSettings
from monitor.notify.sms_text import render_sms
from monitor.storage import deliveries
from monitor.storage.incidents import load_incidents
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from monitor.use_cases.acknowledge_links import (
    LIVES,
    Linker,
    LinkState,
    ensure_key,
    look_at,
    revoke_links,
    take,
)
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.policy import AlertPolicy
from tests.monitor.use_cases.desk import Desk, configuration, labels
from tests.notices import NOW, lines, put_incident, put_row, set_status

CONFIGURATION = configuration()
LINKER = Linker("https://monitor.shop.example")


def link(store: Store, incident: int, now: datetime = NOW, **row: object) -> str:
    """Queue a page about the incident and return the token of the link in it."""
    ensure_key(store, now)
    put_row(store, incident, **{"recipient": "anna@shop.example", **row})
    with store.begin() as tx:
        claimed = deliveries.claim(
            tx, channel="oncall", limit=99, worker="w", now=now, lease_seconds=1
        )
    with store.read() as connection:
        return LINKER(connection, claimed[-1], now).rpartition("/")[2]


def state(store: Store, token: str, now: datetime = NOW) -> LinkState:
    with store.read() as connection:
        return look_at(connection, token, CONFIGURATION, now).state


def press(store: Store, token: str, now: datetime = NOW) -> LinkState:
    return take(
        store, IncidentDesk(store, CONFIGURATION, AlertPolicy()), token, CONFIGURATION, now
    ).state


def taken_by(store: Store, incident: int) -> str | None:
    with store.read() as connection:
        return load_incidents(connection, [incident])[incident].acknowledged_by


def test_the_button_takes_the_incident_in_the_readers_name(store: Store) -> None:
    """Looking first changes nothing; the timeline says who and how."""
    incident = put_incident(store)
    token = link(store, incident)
    assert (state(store, token), taken_by(store, incident)) == (LinkState.FREE, None)
    assert press(store, token) is LinkState.FREE
    assert taken_by(store, incident) == "anna@shop.example (by link)"
    assert lines(store, incident)[-1] == (
        "acknowledged",
        "anna@shop.example (by link) has taken it.",
    )


def test_a_used_link_takes_nothing_twice(sqlite_store: Store) -> None:
    """Pressing again, or being second, changes neither the person nor the time."""
    incident = put_incident(sqlite_store)
    token = link(sqlite_store, incident)
    other = link(sqlite_store, incident, NOW + timedelta(seconds=2), recipient="bo@shop.example")
    press(sqlite_store, token)
    assert press(sqlite_store, other, NOW + timedelta(minutes=1)) is LinkState.TAKEN
    assert press(sqlite_store, token, NOW + timedelta(minutes=1)) is LinkState.TAKEN
    assert taken_by(sqlite_store, incident) == "anna@shop.example (by link)"


@pytest.mark.parametrize(
    ("after", "expected"),
    [(LIVES, LinkState.FREE), (LIVES + timedelta(seconds=1), LinkState.EXPIRED)],
)
def test_a_link_lives_for_a_day(sqlite_store: Store, after: timedelta, expected: LinkState) -> None:
    """Its last second included."""
    token = link(sqlite_store, put_incident(sqlite_store))
    assert state(sqlite_store, token, NOW + after) is expected


def test_an_expired_link_takes_nothing(sqlite_store: Store) -> None:
    """The button of a page that stood open for a day is refused too."""
    incident = put_incident(sqlite_store)
    token = link(sqlite_store, incident)
    late = NOW + LIVES + timedelta(seconds=1)
    assert (press(sqlite_store, token, late), taken_by(sqlite_store, incident)) == (
        LinkState.EXPIRED,
        None,
    )


def test_of_an_incident_that_is_over_there_is_nothing_to_take(sqlite_store: Store) -> None:
    """It says so, rather than being wrong about the link."""
    incident = put_incident(sqlite_store)
    token = link(sqlite_store, incident)
    set_status(sqlite_store, incident, "resolved")
    assert press(sqlite_store, token) is LinkState.OVER


def test_a_link_counts_for_the_round_it_was_made_in(sqlite_store: Store) -> None:
    """What came back later is another page, with a link of its own."""
    incident = put_incident(sqlite_store)
    token = link(sqlite_store, incident, payload={"incident": {"reopened_count": 0}})
    set_status(sqlite_store, incident, "investigating", reopened_count=1)
    assert press(sqlite_store, token) is LinkState.EARLIER


@pytest.mark.parametrize("at", [0, 5, 8, 9, 15, 23])
def test_whatever_is_changed_in_a_token_makes_it_worthless(sqlite_store: Store, at: int) -> None:
    """Row, time or signature: a bit is enough."""
    token = link(sqlite_store, put_incident(sqlite_store))
    raw = bytearray(base64.urlsafe_b64decode(token))
    raw[at] ^= 1
    assert state(sqlite_store, base64.urlsafe_b64encode(raw).decode()) is LinkState.UNKNOWN


@pytest.mark.parametrize("token", ["", "x", "ä" * 32, "A" * 31, "A" * 32, "A" * 4000, "../../a"])
def test_what_is_no_token_is_unknown(sqlite_store: Store, token: str) -> None:
    """Nothing that a stranger types breaks anything."""
    ensure_key(sqlite_store, NOW)
    assert state(sqlite_store, token) is LinkState.UNKNOWN


def test_a_new_key_makes_every_link_worthless(sqlite_store: Store) -> None:
    """`monitor revoke-links`, for when a mailbox was lost; making a key twice keeps the first."""
    token = link(sqlite_store, put_incident(sqlite_store))
    ensure_key(sqlite_store, NOW)
    assert state(sqlite_store, token) is LinkState.FREE
    revoke_links(sqlite_store, NOW, "ann")
    assert state(sqlite_store, token) is LinkState.UNKNOWN


@pytest.mark.parametrize("event", ["incident_update", "incident_resolved", "report_resolved"])
def test_only_pages_carry_a_link(sqlite_store: Store, event: str) -> None:
    """There is nothing to take in an end or an update."""
    assert link(sqlite_store, put_incident(sqlite_store), event=event) == ""


def test_without_a_public_address_there_is_no_link(sqlite_store: Store) -> None:
    """A link to this machine's own name helps nobody on a phone."""
    ensure_key(sqlite_store, NOW)
    put_row(sqlite_store, put_incident(sqlite_store))
    with sqlite_store.begin() as tx:
        (claimed,) = deliveries.claim(
            tx, channel="oncall", limit=1, worker="w", now=NOW, lease_seconds=1
        )
    with sqlite_store.read() as connection:
        assert Linker("")(connection, claimed, NOW) == ""


def test_a_link_fits_into_a_text_message_with_its_subject() -> None:
    """32 characters of token leave room for a hundred others."""
    url = f"https://monitor.shop.example/a/{'x' * 32}"
    text = render_sms("INC-1234 opened [critical]: Checkout fails at pay", url)
    assert text == f"INC-1234 opened [critical]: Checkout fails at pay {url}"


def test_a_person_takes_it_under_their_own_name(sqlite_store: Store) -> None:
    """Escalation then knows who has it; the timeline says that it was by link."""
    people = OnCallSettings(people=(PersonSettings(name="anna", channels=("oncall",)),))
    known = replace(CONFIGURATION, oncall=people)
    incident = put_incident(sqlite_store)
    token = link(sqlite_store, incident, recipient="")
    take(sqlite_store, IncidentDesk(sqlite_store, known, AlertPolicy()), token, known, NOW)
    assert taken_by(sqlite_store, incident) == "anna"
    assert lines(sqlite_store, incident)[-1] == ("acknowledged", "anna has taken it, by link.")


def test_programs_that_keep_the_incident_hear_who_has_taken_it(sqlite_store: Store) -> None:
    """PagerDuty acknowledges too; channels that people read are not told of it."""
    programs = tuple(
        Channel(name=name, kind=kind) for name, kind in (("pd", "pagerduty"), ("chat", "slack"))
    )
    desk = Desk(sqlite_store, replace(CONFIGURATION, channels=programs))
    desk.deliver(Alert(labels(), starts_at=desk.now))
    worker = IncidentDesk(sqlite_store, desk.configuration, desk.policy)
    worker.acknowledge(1, by="anna", now=desk.now)
    with sqlite_store.read() as connection:
        told = select(outbox.c.channel, outbox.c.event).order_by(outbox.c.id)
        assert connection.execute(told).all()[2:] == [("pd", "incident_acknowledged")]
