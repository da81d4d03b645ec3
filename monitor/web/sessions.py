"""Sessions: a random cookie, kept only as a hash, that can be ended from our side at any time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from fastapi.responses import Response

from monitor.storage.store import Store
from monitor.storage.users import (
    User,
    end_session,
    insert_session,
    session_by_hash,
    touch_session,
)
from monitor.web.permissions import Actor, Role

COOKIE = "monitor_session"
SECURE_COOKIE = "__Host-monitor_session"  # browsers hold this prefix to: Secure, our host, path /
LONGEST = timedelta(days=7)
LONGEST_IDLE = timedelta(hours=12)
TOUCHED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class NewSession:
    """A session just begun; `secret` is for the cookie and kept nowhere else."""

    secret: str
    csrf: str


def begin_session(store: Store, user: User, now: datetime, *, instead_of: str = "") -> NewSession:
    """Store a new session and end the one it replaces, so that no old cookie gains rights."""
    session = NewSession(secrets.token_urlsafe(32), secrets.token_urlsafe(24))
    with store.begin() as tx:
        if instead_of:
            end_session(tx, hash_of(instead_of))
        insert_session(tx, hash_of(session.secret), user.id, session.csrf, now, now + LONGEST)
    return session


def actor_of_session(
    store: Store, secret: str, now: datetime, *, by_hand: bool = True
) -> Actor | None:
    """Return who holds this cookie; None if it is unknown, over, idle too long or shut.

    A request that a page makes by itself (`by_hand` is false) does not prolong the session.
    """
    with store.read() as connection:
        found = session_by_hash(connection, hash_of(secret))
    if found is None or now >= found.expires_at or now - found.last_seen_at >= LONGEST_IDLE:
        return None
    if found.user.disabled_at is not None:
        return None
    if by_hand and now - found.last_seen_at >= TOUCHED_EVERY:
        with store.begin() as tx:
            touch_session(tx, found.id_hash, now)
    return Actor(
        name=found.user.name,
        role=Role(found.user.role),
        csrf=found.csrf,
        user_id=found.user.id,
        session=found.id_hash,
        must_change_password=found.user.one_time,
    )


def hash_of(secret: str) -> str:
    """Return what a session's secret is stored as."""
    return sha256(secret.encode()).hexdigest()


def cookie_name(public_url: str) -> str:
    """Return the cookie's name; the stricter one wherever we are reached over HTTPS."""
    return SECURE_COOKIE if public_url.startswith("https:") else COOKIE


def give_cookie(response: Response, secret: str, public_url: str) -> None:
    """Put the session into the browser: out of reach of scripts and of other sites' posts."""
    response.set_cookie(
        cookie_name(public_url),
        secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def take_cookie(response: Response, public_url: str) -> None:
    """Remove the session from the browser."""
    secure = public_url.startswith("https:")
    response.delete_cookie(
        cookie_name(public_url), path="/", secure=secure, httponly=True, samesite="lax"
    )
