"""Accounts: the first administrator, further people, who they are and what they may become.

There is always an open account of an administrator: the last one can be neither shut nor given
another role.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from incidents.errors import InvalidInputError, UnknownObjectError
from incidents.timeline import AUTOMATION
from monitor.accounts.contact import NOWHERE, Contact
from monitor.accounts.passwords import hash_password, one_time_password, password_matches
from monitor.accounts.records import record_of
from monitor.accounts.roles import ACCOUNT_ROLES, Role
from monitor.storage.second_factors import drop_factor, factor_of
from monitor.storage.store import Store, Transaction
from monitor.storage.users import (
    User,
    count_open,
    count_users,
    end_sessions_of,
    insert_user,
    lock_users,
    set_disabled,
    set_password,
    set_role,
    user_by_id,
    user_by_name,
)

FIRST_NAME = "admin"
ONE_TIME_LASTS = timedelta(days=7)
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,59}")
NOT_PEOPLE = frozenset({AUTOMATION, "reporter", "somebody"})  # names of the audit log's own


def ensure_first_administrator(store: Store, now: datetime) -> str | None:
    """Make the account `admin` where there is no account yet; return its one-time password.

    None means that there are accounts already. The password is shown once and has to be changed
    at the first sign-in.
    """
    with store.read() as connection:
        if count_users(connection):
            return None
    try:
        return add_user(store, FIRST_NAME, Role.ADMINISTRATOR, now)
    except InvalidInputError:  # another process was faster
        return None


def add_user(
    store: Store,
    name: str,
    role: str,
    now: datetime,
    *,
    contact: Contact = NOWHERE,
    by: str = AUTOMATION,
) -> str:
    """Make an account and return its one-time password.

    Raises:
        InvalidInputError: the name, role or an address cannot be used, or one is taken.
    """
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"the name {name!r} cannot be used: expected lower-case letters, digits and . _ @ -, "
            "at most 60 of them"
        )
    if name in NOT_PEOPLE:
        raise InvalidInputError(
            f"the name {name!r} cannot be used: the record would not tell it from the service's own"
        )
    password = one_time_password()
    hashed = hash_password(password)
    columns = contact.columns()
    try:
        with store.begin() as tx:
            insert_user(tx, name, _account_role(role), hashed, now, contact=columns)
            record_of(tx, name, "added", by, now, role=role)
    except IntegrityError as error:
        taken = f"an account named {name}, or another with the address {contact.email}"
        raise InvalidInputError(
            f"there is already {taken if contact.email else f'an account named {name}'}"
        ) from error
    return password


def reset_password(store: Store, name: str, now: datetime, *, by: str = AUTOMATION) -> str:
    """Give an account a new one-time password, end its sessions and return the password.

    Raises:
        UnknownObjectError: there is no such account.
    """
    user = known_user(store, name)
    password = one_time_password()
    hashed = hash_password(password)
    with store.begin() as tx:
        set_password(tx, user.id, hashed, now, one_time=True)
        end_sessions_of(tx, user.id)
        record_of(tx, name, "password_reset", by, now)
    return password


def reset_second_factor(store: Store, name: str, now: datetime, *, by: str = AUTOMATION) -> bool:
    """Take an account's second factor away and end its sessions; False if it had none.

    Raises:
        UnknownObjectError: there is no such account.
    """
    user = known_user(store, name)
    with store.begin() as tx:
        had = factor_of(tx.connection, user.id) is not None
        drop_factor(tx, user.id)
        end_sessions_of(tx, user.id)
        if had:
            record_of(tx, name, "second_factor_reset", by, now)
    return had


def change_role(store: Store, name: str, role: str, now: datetime, *, by: str = AUTOMATION) -> None:
    """Give an account another role and end its sessions, so that no old one has other rights.

    Raises:
        UnknownObjectError: there is no such account.
        InvalidInputError: there is no such role, or it is the last administrator.
    """
    wanted = _account_role(role)
    user = known_user(store, name)
    if user.role == wanted:
        return
    with store.begin() as tx:
        if wanted != Role.ADMINISTRATOR:
            keep_an_administrator(tx, user.id, "given another role")
        set_role(tx, user.id, wanted)
        end_sessions_of(tx, user.id)
        record_of(tx, name, "role_changed", by, now, before=user.role, after=wanted)


def shut_account(store: Store, name: str, now: datetime, *, by: str = AUTOMATION) -> None:
    """Shut an account and end its sessions.

    Raises:
        UnknownObjectError: there is no such account.
        InvalidInputError: it is the last administrator.
    """
    user = known_user(store, name)
    with store.begin() as tx:
        keep_an_administrator(tx, user.id, "shut")
        set_disabled(tx, user.id, now)
        record_of(tx, name, "shut", by, now)


def open_account(store: Store, name: str, now: datetime, *, by: str = AUTOMATION) -> None:
    """Open an account again that was shut.

    Raises:
        UnknownObjectError: there is no such account.
    """
    user = known_user(store, name)
    with store.begin() as tx:
        set_disabled(tx, user.id, None)
        record_of(tx, name, "opened", by, now)


def end_sessions(store: Store, name: str, now: datetime, *, by: str = AUTOMATION) -> None:
    """End every session of an account.

    Raises:
        UnknownObjectError: there is no such account.
    """
    user = known_user(store, name)
    with store.begin() as tx:
        end_sessions_of(tx, user.id)
        record_of(tx, name, "signed_out_everywhere", by, now)


def keep_an_administrator(tx: Transaction, user_id: int, done: str) -> None:
    """Make sure that an open administrator's account is left when this one is `done`.

    Raises:
        InvalidInputError: it is the last one.
    """
    lock_users(tx)
    user = user_by_id(tx.connection, user_id)
    if user is None or user.role != Role.ADMINISTRATOR or user.disabled_at is not None:
        return
    if count_open(tx.connection, Role.ADMINISTRATOR) <= 1:
        raise InvalidInputError(
            f"{user.name} is the last administrator and cannot be {done}; "
            "make somebody else administrator first"
        )


def authenticate(store: Store, name: str, password: str, now: datetime) -> User | None:
    """Return the account if name and password belong together and it is open.

    Takes as long, and says as much, when there is no such account. A one-time password that was
    not used in time is as good as none.
    """
    with store.read() as connection:
        user = user_by_name(connection, name.strip().lower())
    matches = password_matches(user.password_hash if user else None, password)
    good = user is not None and matches and user.disabled_at is None
    return user if good and user is not None and not is_outdated(user, now) else None


def is_outdated(user: User, now: datetime) -> bool:
    """Return whether an account waits for a one-time password that has become too old."""
    given = user.password_set_at
    return user.one_time and given is not None and now - given > ONE_TIME_LASTS


def change_password(store: Store, user: User, password: str, now: datetime) -> None:
    """Store a chosen password and end every session of the account, this one included."""
    hashed = hash_password(password)
    with store.begin() as tx:
        set_password(tx, user.id, hashed, now, one_time=False)
        end_sessions_of(tx, user.id)
        record_of(tx, user.name, "password_changed", user.name, now)


def known_user(store: Store, name: str) -> User:
    """Return the account of that name.

    Raises:
        UnknownObjectError: there is none.
    """
    with store.read() as connection:
        user = user_by_name(connection, name)
    if user is None:
        raise UnknownObjectError(f"account {name!r}")
    return user


def _account_role(role: str) -> str:
    if role not in ACCOUNT_ROLES:
        raise InvalidInputError(f"no role {role!r}: expected one of {', '.join(ACCOUNT_ROLES)}")
    return str(role)
