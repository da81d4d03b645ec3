"""API tokens as rows: a hash, what it is for, until when, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from monitor.storage.schema import api_tokens, users
from monitor.storage.store import Transaction

_c = api_tokens.c


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret; it belongs to an account or is that of an alert source."""

    id: int
    name: str
    user_id: int | None
    source: str  # empty for an account's
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    owner: str | None  # the account, its role, and what may be wrong with it
    owner_role: str | None
    owner_disabled_at: datetime | None
    owner_one_time: bool | None

    def state(self, now: datetime) -> str:
        """Return `live`, or why it is none: `revoked`, `expired` or `shut`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and now >= self.expires_at:
            return "expired"
        return "shut" if self.owner_disabled_at is not None else "live"


def insert_token(tx: Transaction, **values: Any) -> int:
    """Store a new token and return its row id.

    Raises:
        sqlalchemy.exc.IntegrityError: the owner has another live token of that name.
    """
    statement = insert(api_tokens).values(**values).returning(_c.id)
    return int(tx.connection.execute(statement).scalar_one())


def token_by_hash(connection: Connection, secret_hash: str) -> TokenRow | None:
    """Return the token with that hash, live or not."""
    return _one(connection, _tokens().where(_c.secret_hash == secret_hash))


def token_by_id(connection: Connection, token_id: int) -> TokenRow | None:
    """Return the token of that id, live or not."""
    return _one(connection, _tokens().where(_c.id == token_id))


def list_tokens(connection: Connection, user_id: int | None = None) -> Sequence[TokenRow]:
    """Return all tokens, or those of one account, newest first."""
    statement = _tokens().order_by(_c.id.desc())
    if user_id is not None:
        statement = statement.where(_c.user_id == user_id)
    return [_row(row) for row in connection.execute(statement)]


def touch_token(tx: Transaction, token_id: int, now: datetime) -> None:
    """Note that a token was used."""
    tx.connection.execute(update(api_tokens).where(_c.id == token_id).values(last_used_at=now))


def revoke_token(tx: Transaction, token_id: int, now: datetime) -> bool:
    """End a token; False where it was ended before."""
    change = update(api_tokens).where(_c.id == token_id, _c.revoked_at.is_(None))
    done = tx.connection.execute(change.values(revoked_at=now, live_marker=None))
    return done.rowcount == 1


def _tokens() -> Select[Any]:
    own = [_c[name] for name in TokenRow.__dataclass_fields__ if not name.startswith("owner")]
    return select(
        *own,
        users.c.name.label("owner"),
        users.c.role.label("owner_role"),
        users.c.disabled_at.label("owner_disabled_at"),
        users.c.one_time.label("owner_one_time"),
    ).join_from(api_tokens, users, isouter=True)


def _one(connection: Connection, statement: Select[Any]) -> TokenRow | None:
    row = connection.execute(statement).one_or_none()
    return _row(row) if row else None


def _row(row: Row[Any]) -> TokenRow:
    return TokenRow(**{**row._mapping, "scopes": tuple(row.scopes)})
