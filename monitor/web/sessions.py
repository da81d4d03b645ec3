"""Sessions: a random cookie, kept only as a hash, that can be ended from our side at any time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from fastapi.responses import Response

from monitor.config.sign_in import SignIn
from monitor.storage.store import Store
from monitor.storage.users import (
    Session,
    User,
    end_session,
    insert_session,
    session_by_hash,
    touch_session,
)
from monitor.web.cookies import drop_cookie, full_name, put_cookie
from monitor.web.permissions import Actor, Role

COOKIE = "monitor_session"
LONGEST = timedelta(days=7)
LONGEST_IDLE = timedelta(hours=12)
TOUCHED_EVERY = timedelta(minutes=1)
NOTHING_ASKED = SignIn()


@dataclass(frozen=True)
class NewSession:
    """A session just begun; `secret` is for the cookie and kept nowhere else."""

    secret: str
    csrf: str


def begin_session(
    store: Store,
    user: User,
    now: datetime,
    *,
    instead_of: str = "",
    method: str = "password",
    client: str = "",
    address: str = "",
) -> NewSession:
    """Store a new session and end the one it replaces, so that no old cookie gains rights.

    `client` and `address` are told to the account's owner, and to nobody else.
    """
    begun = NewSession(secrets.token_urlsafe(32), secrets.token_urlsafe(24))
    session = Session(
        id_hash=hash_of(begun.secret),
        csrf=begun.csrf,
        created_at=now,
        expires_at=now + LONGEST,
        last_seen_at=now,
        method=method,
        client=client,
        address=address,
    )
    with store.begin() as tx:
        if instead_of:
            end_session(tx, hash_of(instead_of))
        insert_session(tx, session, user.id)
    return begun


def actor_of_session(
    store: Store,
    secret: str,
    now: datetime,
    *,
    by_hand: bool = True,
    sign_in: SignIn = NOTHING_ASKED,
) -> Actor | None:
    """Return who holds this cookie; None if it is unknown, over, idle too long or shut.

    A request that a page makes by itself (`by_hand` is false) does not prolong the session.
    `sign_in` says who needs a second factor.
    """
    with store.read() as connection:
        found = session_by_hash(connection, hash_of(secret))
    if found is None:
        return None
    session, user = found.session, found.user
    if now >= session.expires_at or now - session.last_seen_at >= LONGEST_IDLE:
        return None
    if user.disabled_at is not None:
        return None
    if by_hand and now - session.last_seen_at >= TOUCHED_EVERY:
        with store.begin() as tx:
            touch_session(tx, session.id_hash, now)
    asked = sign_in.asks_second_factor(user.role, session.method)
    return Actor(
        name=user.name,
        role=Role(user.role),
        csrf=session.csrf,
        user_id=user.id,
        session=session.id_hash,
        must_change_password=user.one_time and session.method == "password",
        must_enrol=asked and not found.has_second_factor,
        signed_in_at=session.created_at,
        method=session.method,
        time_zone=user.time_zone,
    )


def hash_of(secret: str) -> str:
    """Return what a session's secret is stored as."""
    return sha256(secret.encode()).hexdigest()


def cookie_name(public_url: str) -> str:
    """Return the cookie's name; the stricter one wherever we are reached over HTTPS."""
    return full_name(COOKIE, public_url)


def give_cookie(response: Response, secret: str, public_url: str) -> None:
    """Put the session into the browser: out of reach of scripts and of other sites' posts."""
    put_cookie(response, COOKIE, secret, public_url, LONGEST)


def take_cookie(response: Response, public_url: str) -> None:
    """Remove the session from the browser."""
    drop_cookie(response, COOKIE, public_url)
