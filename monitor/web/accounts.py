"""Accounts: the first administrator, further people, signing in and changing one's password."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from incidents.errors import InvalidInputError, UnknownObjectError
from monitor.storage.store import Store
from monitor.storage.users import (
    User,
    count_users,
    end_sessions_of,
    insert_user,
    set_disabled,
    set_password,
    set_role,
    user_by_name,
)
from monitor.web.passwords import hash_password, one_time_password, password_matches
from monitor.web.permissions import ACCOUNT_ROLES, Role

FIRST_NAME = "admin"
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,59}")


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


def add_user(store: Store, name: str, role: str, now: datetime) -> str:
    """Make an account and return its one-time password.

    Raises:
        InvalidInputError: the name or role cannot be used, or the name is taken.
    """
    if not NAME.fullmatch(name):
        raise InvalidInputError(
            f"the name {name!r} cannot be used: expected lower-case letters, digits and . _ @ -, "
            "at most 60 of them"
        )
    password = one_time_password()
    hashed = hash_password(password)
    try:
        with store.begin() as tx:
            insert_user(tx, name, _account_role(role), hashed, now)
    except IntegrityError as error:
        raise InvalidInputError(f"there is already an account named {name}") from error
    return password


def reset_password(store: Store, name: str) -> str:
    """Give an account a new one-time password, end its sessions and return the password.

    Raises:
        UnknownObjectError: there is no such account.
    """
    user = known_user(store, name)
    password = one_time_password()
    hashed = hash_password(password)
    with store.begin() as tx:
        set_password(tx, user.id, hashed, one_time=True)
        end_sessions_of(tx, user.id)
    return password


def change_role(store: Store, name: str, role: str) -> None:
    """Give an account another role, from its next request on.

    Raises:
        UnknownObjectError: there is no such account.
        InvalidInputError: there is no such role.
    """
    user = known_user(store, name)
    with store.begin() as tx:
        set_role(tx, user.id, _account_role(role))


def shut_account(store: Store, name: str, at: datetime | None) -> None:
    """Shut an account and end its sessions, or open it again where `at` is None.

    Raises:
        UnknownObjectError: there is no such account.
    """
    user = known_user(store, name)
    with store.begin() as tx:
        set_disabled(tx, user.id, at)


def authenticate(store: Store, name: str, password: str) -> User | None:
    """Return the account if name and password belong together and it is open.

    Takes as long, and says as much, when there is no such account.
    """
    with store.read() as connection:
        user = user_by_name(connection, name.strip().lower())
    matches = password_matches(user.password_hash if user else None, password)
    return user if user and matches and user.disabled_at is None else None


def change_password(store: Store, user_id: int, password: str) -> None:
    """Store a chosen password and end every session of the account, this one included."""
    hashed = hash_password(password)
    with store.begin() as tx:
        set_password(tx, user_id, hashed, one_time=False)
        end_sessions_of(tx, user_id)


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
