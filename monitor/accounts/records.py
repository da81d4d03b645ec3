"""Lines of the audit log about accounts: what was done to whom, and never how they are reached."""

from __future__ import annotations

from datetime import datetime

from monitor.accounts.notices import tell_owner
from monitor.storage.audit import record
from monitor.storage.store import Store, Transaction


def record_of(
    tx: Transaction, name: str, verb: str, by: str, now: datetime, **detail: object
) -> None:
    """Record that `by` did something to the account of that name; `verb` is in the past.

    Its owner is told by mail where the way into it has changed.
    """
    tell_owner(tx, name, verb, by, now)
    target = f"user:{name}"
    record(tx, actor=by, action=f"user.{verb}", target=target, at=now, detail=detail)


def record_entry(store: Store, name: str, verb: str, now: datetime, **detail: object) -> None:
    """Record something about signing in, which nobody but its owner does to an account."""
    with store.begin() as tx:
        record_of(tx, name, verb, name, now, **detail)
