"""Accounts and their sessions as rows, and the key this installation signs with."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from monitor.storage.proofs import drop_proofs_of
from monitor.storage.schema import facts, second_factors, sessions, users
from monitor.storage.store import Store, Transaction

KEY_BYTES = 32
KEY_NAME = "signing_key"


@dataclass(frozen=True)
class User:
    """An account."""

    id: int
    name: str
    role: str
    password_hash: str
    one_time: bool
    created_at: datetime
    disabled_at: datetime | None
    password_set_at: datetime | None = None
    email: str | None = None  # lower case
    display_name: str = ""
    time_zone: str = ""  # empty: the site's
    phone: str = ""  # E.164, such as +27821234567

    @property
    def called(self) -> str:
        """Return how people call its owner: the display name, or the account's name."""
        return self.display_name or self.name


@dataclass(frozen=True)
class Session:
    """Where and since when somebody is signed in."""

    id_hash: str
    csrf: str
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime
    method: str  # password or openid
    client: str
    address: str


@dataclass(frozen=True)
class SessionRow:
    """A session that was found, with its account."""

    session: Session
    user: User
    has_second_factor: bool


def _user(row: Row[Any]) -> User:
    return User(**{name: getattr(row, name) for name in User.__dataclass_fields__})


def user_by_id(connection: Connection, user_id: int) -> User | None:
    """Return the account of that number, disabled or not."""
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    return _user(row) if row else None


def user_by_name(connection: Connection, name: str) -> User | None:
    """Return the account of that name, disabled or not."""
    row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
    return _user(row) if row else None


def user_by_email(connection: Connection, email: str) -> User | None:
    """Return the account with this e-mail address (lower case), disabled or not."""
    row = connection.execute(select(users).where(users.c.email == email)).one_or_none()
    return _user(row) if row else None


def all_users(connection: Connection) -> list[User]:
    """Return every account by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def count_open(connection: Connection, role: str) -> int:
    """Return how many accounts of a role are not shut."""
    query = select(func.count()).where(users.c.role == role, users.c.disabled_at.is_(None))
    return connection.execute(query).scalar_one()


def lock_users(tx: Transaction) -> None:
    """Have whoever else counts administrators wait until this transaction ends."""
    tx.connection.execute(select(users.c.id).order_by(users.c.id).with_for_update()).all()


def count_users(connection: Connection) -> int:
    """Return how many accounts there are, disabled ones included."""
    return connection.execute(select(func.count()).select_from(users)).scalar_one()


def insert_user(
    tx: Transaction,
    name: str,
    role: str,
    password_hash: str,
    now: datetime,
    *,
    one_time: bool = True,
    contact: Mapping[str, str | None] | None = None,
) -> None:
    """Store a new account; a `one_time` password has to be changed.

    Raises:
        sqlalchemy.exc.IntegrityError: the name is taken.
    """
    row: dict[str, object] = {"name": name, "role": role, "one_time": one_time}
    row |= {"password_hash": password_hash, **(contact or {})}
    tx.connection.execute(insert(users).values(**row, created_at=now, password_set_at=now))


def set_password(
    tx: Transaction, user_id: int, password_hash: str, now: datetime, *, one_time: bool
) -> None:
    """Replace an account's password."""
    change = update(users).where(users.c.id == user_id)
    values = {"password_hash": password_hash, "one_time": one_time, "password_set_at": now}
    tx.connection.execute(change.values(**values))


def set_role(tx: Transaction, user_id: int, role: str) -> None:
    """Replace an account's role."""
    tx.connection.execute(update(users).where(users.c.id == user_id).values(role=role))


def set_contact(tx: Transaction, user_id: int, **columns: str | None) -> None:
    """Replace some of an account's `email`, `display_name`, `time_zone` and `phone`.

    Raises:
        sqlalchemy.exc.IntegrityError: another account has the e-mail address.
    """
    tx.connection.execute(update(users).where(users.c.id == user_id).values(**columns))


def set_disabled(tx: Transaction, user_id: int, at: datetime | None) -> None:
    """Shut an account from `at`, or open it again with None; its sessions end either way."""
    tx.connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=at))
    end_sessions_of(tx, user_id)


def insert_session(tx: Transaction, session: Session, user_id: int) -> None:
    """Store a session that has just begun, and forget those that have expired."""
    tx.connection.execute(delete(sessions).where(sessions.c.expires_at <= session.created_at))
    tx.connection.execute(insert(sessions).values(**asdict(session), user_id=user_id))


def session_by_hash(connection: Connection, id_hash: str) -> SessionRow | None:
    """Return the session with its account, expired or not."""
    found = connection.execute(
        select(sessions, second_factors.c.since)
        .outerjoin(second_factors, second_factors.c.user_id == sessions.c.user_id)
        .where(sessions.c.id_hash == id_hash)
    ).one_or_none()
    user = user_by_id(connection, found.user_id) if found else None
    if found is None or user is None:
        return None
    return SessionRow(_session(found), user, found.since is not None)


def sessions_of(connection: Connection, user_id: int, seen_after: datetime) -> list[Session]:
    """Return an account's sessions that were used after a moment, latest seen first."""
    c = sessions.c
    query = select(sessions).where(c.user_id == user_id, c.last_seen_at > seen_after)
    return [_session(row) for row in connection.execute(query.order_by(c.last_seen_at.desc()))]


def _session(row: Row[Any]) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.__dataclass_fields__})


def last_seen(connection: Connection) -> dict[int, datetime]:
    """Return when each account that is signed in was last seen."""
    c = sessions.c
    rows = connection.execute(select(c.user_id, func.max(c.last_seen_at)).group_by(c.user_id))
    return {row[0]: row[1] for row in rows}


def touch_session(tx: Transaction, id_hash: str, now: datetime) -> None:
    """Note that a session was used."""
    change = update(sessions).where(sessions.c.id_hash == id_hash)
    tx.connection.execute(change.values(last_seen_at=now))


def end_session(tx: Transaction, id_hash: str) -> None:
    """Forget a session."""
    tx.connection.execute(delete(sessions).where(sessions.c.id_hash == id_hash))


def end_session_of(tx: Transaction, user_id: int, id_hash: str) -> bool:
    """Forget one session of an account; False where it has none such."""
    c = sessions.c
    ended = delete(sessions).where(c.user_id == user_id, c.id_hash == id_hash)
    return tx.connection.execute(ended).rowcount == 1


def end_sessions_of(tx: Transaction, user_id: int) -> None:
    """Forget every session of an account, and whatever its owner is in the middle of."""
    tx.connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    drop_proofs_of(tx, user_id)


def signing_key(store: Store, now: datetime) -> bytes:
    """Return the key this installation signs forms and links with, made on first use."""
    with store.begin() as tx:
        query = select(facts.c.value).where(facts.c.name == KEY_NAME)
        stored = tx.connection.execute(query).scalar_one_or_none()
        if stored is None:
            stored = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
            tx.connection.execute(insert(facts).values(name=KEY_NAME, value=stored, updated_at=now))
    return base64.b64decode(stored)
