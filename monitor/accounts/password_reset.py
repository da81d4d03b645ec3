"""A forgotten password: a link by mail that sets a new one, once and soon.

The link's secret is nowhere stored: the outbox holds a random name, from which it is derived with
the installation's key when the mail leaves; `proofs` holds its hash. So neither a copy of the
database nor the page of notifications gives anybody a link.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from monitor.accounts.notices import with_page
from monitor.accounts.passwords import hash_password
from monitor.accounts.records import record_of
from monitor.accounts.seal import Seal
from monitor.notify.kinds import ACCOUNT
from monitor.notify.recheck import ACCOUNT_CHANGED
from monitor.storage.outbox import enqueue
from monitor.storage.proofs import keep_proof, proof_of, take_proof
from monitor.storage.schema import outbox
from monitor.storage.store import Store, Transaction
from monitor.storage.users import (
    User,
    end_sessions_of,
    set_password,
    user_by_email,
    user_by_id,
    user_by_name,
)

EVENT = "password_reset"
PURPOSE = "password_reset"
LASTS = timedelta(minutes=30)
MAILS_AN_HOUR = 3  # to one account, whoever asks
PLACE = "{link}"  # where the link goes in the mail's text
PATH = "/console/sign-in/reset"
PRIORITY = 5
BODY = f"""Somebody, probably you, asked for a new password for the account {{name}} of the monitor of {{site}}.

Choose one here within {int(LASTS.total_seconds() // 60)} minutes; the link works once:
{PLACE}

If it was not you, do nothing: your password stays as it is. Nobody but the reader of this mail has the link.
"""  # noqa: E501 - lines of a mail


def ask_for_reset(store: Store, seal: Seal, who: str, site: str, now: datetime) -> bool:
    """Queue a mail with a link for the account of this name or address; False if none is sent.

    None is sent to whom there is not, who is shut, whose address is not known, who signs in
    through a provider alone, and who was sent enough within the hour.
    """
    typed = who.strip().lower()
    name = secrets.token_urlsafe(16)
    with store.begin() as tx:
        found = user_by_name(tx.connection, typed) or user_by_email(tx.connection, typed)
        user = found if found and _may_reset(found) else None
        if user is None or _is_flooded(tx, user, now):
            return False
        secret = seal.derive(PURPOSE, name)
        keep_proof(tx, secret, PURPOSE, now=now, expires_at=now + LASTS, user_id=user.id)
        enqueue(tx, [_mail(user, name, site, now)])
        record_of(tx, user.name, "password_reset_asked", "somebody", now)
    return True


def account_of_link(store: Store, token: str, now: datetime) -> User | None:
    """Return whose password a link may set; None if it is unknown, used or too old."""
    with store.read() as connection:
        proof = proof_of(connection, token, PURPOSE, now)
        user = user_by_id(connection, proof.user_id or 0) if proof else None
    return user if user and _may_reset(user) else None


def reset_by_link(store: Store, token: str, password: str, now: datetime) -> User | None:
    """Set the password, use up every link and end every session; None if the link is no good."""
    hashed = hash_password(password)
    with store.begin() as tx:
        proof = take_proof(tx, token, PURPOSE, now)
        user = user_by_id(tx.connection, proof.user_id or 0) if proof else None
        if user is None or not _may_reset(user):
            return None
        set_password(tx, user.id, hashed, now, one_time=False)
        end_sessions_of(tx, user.id)
        record_of(tx, user.name, "password_reset_by_mail", user.name, now)
    return user


def fill_in_links(seal: Seal, public_url: str) -> Callable[[str, str, Mapping[str, Any]], str]:
    """Return what completes a mail's text when it leaves: (event, body, payload) → body."""

    def complete(event: str, body: str, payload: Mapping[str, Any]) -> str:
        if event == ACCOUNT_CHANGED:
            return with_page(body, public_url)
        if event != EVENT:
            return body
        return body.replace(PLACE, f"{public_url}{PATH}/{seal.derive(PURPOSE, payload['name'])}")

    return complete


def _may_reset(user: User) -> bool:
    return bool(user.email and user.password_hash) and user.disabled_at is None


def _is_flooded(tx: Transaction, user: User, now: datetime) -> bool:
    c = outbox.c
    query = select(func.count()).where(
        c.channel == ACCOUNT,
        c.recipient == user.email,
        c.event == EVENT,
        c.created_at > now - timedelta(hours=1),
    )
    return tx.connection.execute(query).scalar_one() >= MAILS_AN_HOUR


def _mail(user: User, name: str, site: str, now: datetime) -> dict[str, object]:
    key = f"{EVENT}:{name}"
    return {
        "key": key,
        "event": EVENT,
        "channel": ACCOUNT,
        "recipient": user.email,
        "severity": "info",
        "subject": f"A new password for {user.name}",
        "body": BODY.replace("{name}", user.name).replace("{site}", site),
        "priority": PRIORITY,
        "payload": {"key": key, "event": EVENT, "name": name},
        "created_at": now,
    }
