"""One-click acknowledgement: a signed link in a page takes the incident without signing in.

A link belongs to one notification, so to one recipient, one incident and one round of it. It can do
nothing but acknowledge, for a day; a new key makes every link sent so far worthless. The token is
32 characters, because it has to fit into a text message: nine bytes that say which notification
until when, and 120 bits of an HMAC-SHA256.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, select

from incidents.outbox import OPENINGS, Recipient
from monitor.config.model import Configuration
from monitor.storage.audit import record
from monitor.storage.deliveries import Delivery
from monitor.storage.facts import read_fact, write_fact
from monitor.storage.incidents import Incident, load_incidents
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from monitor.use_cases.escalation import directory
from monitor.use_cases.incidents import IncidentDesk

LIVES = timedelta(hours=24)
KEY_NAME = "acknowledge_links_key"
PURPOSE = b"acknowledge\0"
TOKEN_BYTES, SAID_BYTES = 24, 9
_SAID = struct.Struct(">BII")  # the high byte and the rest of the row's id, then Unix seconds


class LinkState(StrEnum):
    """What a link can still do."""

    FREE = "free"
    TAKEN = "taken"
    OVER = "over"
    EARLIER = "earlier"  # it is about a time before the incident was reopened
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # forged, cut short, or revoked


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody holds in hand."""

    state: LinkState
    incident: Incident | None = None
    who: str = ""
    until: datetime | None = None
    is_person: bool = False  # `who` has an account or a name in `people:`


def ensure_key(store: Store, now: datetime) -> None:
    """Have a key to sign with, made on first use."""
    with store.begin() as tx:
        if read_fact(tx.connection, KEY_NAME) is None:
            write_fact(tx, KEY_NAME, secrets.token_hex(32), now)


def revoke_links(store: Store, now: datetime, by: str) -> None:
    """Sign with a new key from now on: whatever link is out there does nothing any more."""
    with store.begin() as tx:
        write_fact(tx, KEY_NAME, secrets.token_hex(32), now)
        record(tx, actor=by, action="links.revoked", at=now)


@dataclass(frozen=True, slots=True)
class Linker:
    """Makes the links for pages that go out; without a public address there are none."""

    public_url: str

    def __call__(self, connection: Connection, delivery: Delivery, now: datetime) -> str:
        """Return where the reader of this notification takes its incident, or nothing."""
        if not self.public_url or delivery.incident_id is None or delivery.event not in OPENINGS:
            return ""
        key = _key(connection)
        if key is None:
            return ""
        return f"{self.public_url}/a/{make_token(key, delivery.id, delivery.key, now + LIVES)}"


def make_token(key: bytes, row_id: int, stable_id: str, until: datetime) -> str:
    """Return the token of a notification, valid up to and including the second `until`."""
    said = _SAID.pack(row_id >> 32, row_id & 0xFFFF_FFFF, int(until.timestamp()))
    return base64.urlsafe_b64encode(said + _sign(key, said, stable_id)).decode()


def look_at(
    connection: Connection, token: str, configuration: Configuration, now: datetime
) -> Asked:
    """Return what a link can do now; looking changes nothing."""
    row, until = _genuine(connection, token)
    if row is None or until is None:
        return Asked(LinkState.UNKNOWN)
    incident = load_incidents(connection, [row.incident_id]).get(row.incident_id)
    if incident is None:
        return Asked(LinkState.UNKNOWN)
    person = _person(connection, row, configuration, now)
    who = person or str(row.recipient or row.channel)
    return Asked(_state(row, incident, until, now), incident, who, until, is_person=bool(person))


def take(
    store: Store, desk: IncidentDesk, token: str, configuration: Configuration, now: datetime
) -> Asked:
    """Acknowledge what the link is about, in its recipient's name, if it can; return how it stands.

    Whoever comes second is told who was first, and takes nothing away.
    """
    with store.read() as connection:
        asked = look_at(connection, token, configuration, now)
    if asked.state is not LinkState.FREE or asked.incident is None:
        return asked
    by = asked.who if asked.is_person else f"{asked.who} (by link)"
    how = "by link" if asked.is_person else ""
    incident = desk.acknowledge(asked.incident.number, by=by, how=how, now=now, unless_taken=True)
    mine = incident.acknowledged_at == now
    return Asked(LinkState.FREE if mine else LinkState.TAKEN, incident, asked.who, asked.until)


def _state(row: Row[Any], incident: Incident, until: datetime, now: datetime) -> LinkState:
    said = row.payload.get("incident", {}).get("reopened_count", incident.reopened_count)
    if not incident.is_open:
        return LinkState.OVER
    if said != incident.reopened_count:
        return LinkState.EARLIER
    if incident.acknowledged_at is not None:
        return LinkState.TAKEN
    return LinkState.EXPIRED if now > until else LinkState.FREE


def _genuine(connection: Connection, token: str) -> tuple[Row[Any] | None, datetime | None]:
    """Return the notification a token was made for and its end; None where it was not."""
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None, None
    key = _key(connection)
    if len(raw) != TOKEN_BYTES or key is None:
        return None, None
    said, shown = raw[:SAID_BYTES], raw[SAID_BYTES:]
    high, low, until = _SAID.unpack(said)
    statement = select(outbox).where(outbox.c.id == (high << 32 | low))
    row = connection.execute(statement).one_or_none()
    expected = _sign(key, said, row.key if row else "")
    if not hmac.compare_digest(expected, shown) or row is None or row.incident_id is None:
        return None, None
    return row, datetime.fromtimestamp(until, UTC)


def _sign(key: bytes, said: bytes, stable_id: str) -> bytes:
    signed = PURPOSE + said + stable_id.encode()
    return hmac.new(key, signed, sha256).digest()[: TOKEN_BYTES - SAID_BYTES]


def _key(connection: Connection) -> bytes | None:
    stored = read_fact(connection, KEY_NAME)
    return bytes.fromhex(stored) if isinstance(stored, str) else None


def _person(
    connection: Connection, row: Row[Any], configuration: Configuration, now: datetime
) -> str:
    """Return the one person who is reached there, or nothing: escalation knows people by name."""
    people = directory(connection, configuration, now, mails=True).people
    reached = Recipient(row.channel, row.recipient)
    found = [name for name, recipients in people.items() if reached in recipients]
    return found[0] if len(found) == 1 else ""
