"""API tokens: made, shown once, used, ended.

A personal token acts for its account and never may more than that account's role at this moment;
a shut account's tokens are dead. An alert source's token belongs to the installation: it sends
alerts under the source's name and opens no other door, whoever made it and whatever became of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from incidents.errors import InvalidInputError, UnknownObjectError
from incidents.texts import checked
from monitor.accounts.scopes import PERSONAL, Scope
from monitor.accounts.token_secrets import hint_of, is_token, new_token, token_hash
from monitor.log import logger
from monitor.storage.audit import record
from monitor.storage.store import Store, Transaction
from monitor.storage.tokens import (
    TokenRow,
    insert_token,
    revoke_token,
    token_by_hash,
    token_by_id,
    touch_token,
)

LONGEST_NAME = 60  # characters
LONGEST_DAYS = 366  # a personal token ends; whoever still needs it makes a new one
TOUCHED_EVERY = timedelta(minutes=1)
SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
OUR_SOURCES = ("rules", "sweep", "alertmanager", "api", "pagerduty", "monitor")

log = logger("tokens")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is shown to whoever made it and kept nowhere."""

    id: int
    secret: str


def add_token(
    store: Store,
    *,
    user_id: int,
    owner: str,
    name: str,
    scopes: Sequence[str],
    days: int,
    by: str,
    now: datetime,
) -> NewToken:
    """Make a token that acts for an account for so many days.

    Raises:
        InvalidInputError: no name, no or an unknown scope, no sensible number of days, or the
            account has a token of that name.
    """
    name = checked(name, "the token's name", LONGEST_NAME)
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInputError(f"a token lives 1 to {LONGEST_DAYS} days, not {days}")
    detail = {"owner": owner, "scopes": _personal(scopes), "days": days}
    expires_at = now + timedelta(days=days)
    values = {"user_id": user_id, "scopes": _personal(scopes), "expires_at": expires_at}
    return _add(store, name, by, now, detail, owner_key=f"user:{user_id}", **values)


def add_alert_source(
    store: Store, *, source: str, name: str, days: int | None, by: str, now: datetime
) -> NewToken:
    """Make a token with which one named source sends alerts; without `days` it does not end.

    Raises:
        InvalidInputError: the source's or token's name cannot be used, or is in use.
    """
    if not SOURCE.fullmatch(source) or source in OUR_SOURCES:
        raise InvalidInputError(
            f"the source {source!r} cannot be used: expected lower-case letters, digits and -, "
            f"at most 60 of them, and none of {', '.join(OUR_SOURCES)}"
        )
    name = checked(name or source, "the token's name", LONGEST_NAME)
    if days is not None and days < 1:
        raise InvalidInputError(f"a token lives at least 1 day, not {days}")
    detail = {"source": source, "days": days}
    values = {
        "source": source,
        "scopes": [Scope.SEND_ALERTS.value],
        "expires_at": None if days is None else now + timedelta(days=days),
    }
    return _add(store, name, by, now, detail, owner_key=f"source:{source}", **values)


def end_token(
    store: Store, token_id: int, *, by: str, now: datetime, only_of: int | None = None
) -> TokenRow:
    """End a token at once, `only_of` that account where it is given; ending it twice is once.

    Raises:
        UnknownObjectError: there is no such token.
    """
    with store.begin() as tx:
        token = token_by_id(tx.connection, token_id)
        if token is None or (only_of is not None and token.user_id != only_of):
            raise UnknownObjectError(f"token {token_id}")
        if revoke_token(tx, token_id, now):
            _record(tx, "token.revoked", token_id, token.name, by, now, {"owner": token.owner})
    return token


def live_token(store: Store, shown: str, now: datetime) -> TokenRow | None:
    """Return the token that was shown if it is live, and note that it was used."""
    if not is_token(shown):
        return None
    with store.read() as connection:
        token = token_by_hash(connection, token_hash(shown))
    if token is None:
        return None
    state = token.state(now)
    if state != "live":
        log.warning("token refused", token=token.id, why=state)
        return None
    if token.last_used_at is None or now - token.last_used_at >= TOUCHED_EVERY:
        with store.begin() as tx:
            touch_token(tx, token.id, now)
    return token


def _add(
    store: Store,
    name: str,
    by: str,
    now: datetime,
    detail: Mapping[str, object],
    **values: object,
) -> NewToken:
    secret = new_token()
    row = {"name": name, "secret_hash": token_hash(secret), "hint": hint_of(secret), **values}
    try:
        with store.begin() as tx:
            token_id = insert_token(tx, created_at=now, created_by=by, live_marker=1, **row)
            _record(tx, "token.added", token_id, name, by, now, detail)
    except IntegrityError as error:
        raise InvalidInputError(
            f"there is already a token named {name!r}; revoke it, or choose another name"
        ) from error
    return NewToken(token_id, secret)


def _record(
    tx: Transaction,
    action: str,
    token_id: int,
    name: str,
    by: str,
    now: datetime,
    detail: Mapping[str, object],
) -> None:
    target, facts = f"token:{token_id}", {"name": name, **detail}
    record(tx, actor=by, action=action, target=target, at=now, detail=facts)


def _personal(scopes: Sequence[str]) -> list[str]:
    unknown = sorted(set(scopes) - set(PERSONAL))
    if unknown or not scopes:
        raise InvalidInputError(
            (f"no scope {', '.join(unknown)}" if unknown else "a token needs at least one scope")
            + f" (there are: {', '.join(PERSONAL)})"
        )
    return [scope.value for scope in PERSONAL if scope in scopes]
