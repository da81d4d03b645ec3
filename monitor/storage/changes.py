"""What changed through another replica: each tells the others by a row a topic, about every second.

The rows are written after the changes, in a transaction of their own and many changes at once, so
that no transaction that matters waits for another one's news. A process that is killed in between
has told nobody: pages that are open notice at their next look of their own.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, select

from monitor.clock import Clock
from monitor.storage.facts import write_fact
from monitor.storage.schema import facts
from monitor.storage.store import TOPICS, Store

PREFIX = "changed:"


class Neighbours:
    """The other replicas on this database: told what changed here, listened to for the rest."""

    def __init__(
        self, store: Store, clock: Clock, announce: Callable[[Iterable[str]], None]
    ) -> None:
        self._store, self._clock, self._announce = store, clock, announce
        self._here = secrets.token_hex(4)
        self._number = 0
        self._touched: set[str] = set()
        self._lock = threading.Lock()
        with store.read() as connection:
            self._seen = _words(connection)
        store.subscribe(self._note)

    def exchange(self) -> None:
        """Tell what changed here since the last time, and announce what changed elsewhere."""
        with self._lock:
            touched, self._touched = self._touched, set()
        if touched:
            known, foreign = self._tell(touched)
        else:
            with self._store.read() as connection:
                known = _words(connection)
            foreign = self._foreign(known)
        self._seen = known
        if foreign:
            self._announce(foreign)

    def _note(self, topics: frozenset[str]) -> None:
        with self._lock:
            self._touched |= topics

    def _tell(self, topics: Iterable[str]) -> tuple[dict[str, str], set[str]]:
        """Write our word over theirs, which is read under the same lock and so never missed."""
        self._number += 1
        mine, now = f"{self._here}.{self._number}", self._clock.now()
        with self._store.begin() as tx:
            known = _words(tx.connection, lock=True)
            for topic in sorted(topics):  # in one order: two replicas never wait for each other
                write_fact(tx, PREFIX + topic, mine, now)
        return known | dict.fromkeys(topics, mine), self._foreign(known)

    def _foreign(self, known: dict[str, str]) -> set[str]:
        return {
            topic
            for topic, word in known.items()
            if word != self._seen.get(topic) and not word.startswith(self._here)
        }


def _words(connection: Connection, *, lock: bool = False) -> dict[str, str]:
    """Return by topic the word of whoever changed it last."""
    names = [PREFIX + topic for topic in sorted(TOPICS)]
    statement = select(facts.c.name, facts.c.value).where(facts.c.name.in_(names))
    if lock:
        statement = statement.order_by(facts.c.name).with_for_update()
    rows = connection.execute(statement).all()
    return {name.removeprefix(PREFIX): str(value) for name, value in rows}
