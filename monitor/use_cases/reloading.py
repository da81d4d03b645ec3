"""That the configuration was read again, and how it ended, for the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from monitor.storage.audit import record
from monitor.storage.store import Store

SIGNAL = "signal (SIGHUP)"  # who asks by a signal: the operator of the machine


class Reloaded(Protocol):
    """How reading the folder ended (`monitor.config.holder.Reload`)."""

    @property
    def at(self) -> datetime:
        """When it was read."""
        ...

    @property
    def successful(self) -> bool:
        """Whether it is now in force."""
        ...


def record_reload(store: Store, ended: Reloaded, by: str) -> None:
    """Record who had the configuration read again; a faulty one was refused."""
    action = "configuration.loaded" if ended.successful else "configuration.refused"
    with store.begin() as tx:
        record(tx, actor=by, action=action, at=ended.at)
