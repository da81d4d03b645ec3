"""Requests that carry a key of their own are done once, however often they are sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from incidents.errors import IncidentError, InvalidInputError
from monitor.storage.schema import idempotency
from monitor.storage.store import Transaction

KEPT = timedelta(days=1)  # a key may be used anew after this


class AlreadyDone(IncidentError):  # noqa: N818 - not a fault: the work was done before
    """This very request was carried out before, on the thing of that number."""

    def __init__(self, number: int, what: str = "incident") -> None:
        super().__init__(f"this was done before, on {what} {number}")
        self.number = number


class KeyReused(InvalidInputError):  # noqa: N818 - a refusal, named for what was refused
    """The key came with another request before."""

    def __init__(self) -> None:
        super().__init__("this idempotency key came with another request; choose a new one")


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to be carried out once: its key, and what it asks."""

    key: str
    request: str

    @classmethod
    def of(cls, key: str | None, *asked: str) -> Once | None:
        """Return the request, or None where it carries no key and may be done again."""
        if not key:
            return None
        digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()
        return cls(hashlib.sha256(key.encode()).hexdigest(), digest)


def refuse_repetition(tx: Transaction, once: Once | None, what: str = "incident") -> None:
    """Do nothing for a request that is new.

    Raises:
        AlreadyDone: it was carried out before.
        KeyReused: another request carried its key.
    """
    if once is None:
        return
    c = idempotency.c
    found = tx.connection.execute(
        select(c.request, c.answer).where(c.key == f"{what}:{once.key}")
    ).first()
    if found is None:
        return
    if found.request != once.request:
        raise KeyReused
    raise AlreadyDone(found.answer["number"], what)


def remember(
    tx: Transaction, once: Once | None, number: int, now: datetime, what: str = "incident"
) -> None:
    """Record, with the work itself, that the request was carried out on this incident.

    `what` is another kind of thing with numbers of its own, such as `override`.
    """
    if once is not None:
        row = {"key": f"{what}:{once.key}", "request": once.request, "status": 200, "at": now}
        tx.connection.execute(idempotency.insert().values(**row, answer={"number": number}))
