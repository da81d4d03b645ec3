"""One transaction at a time, told to those who wait for news once it is committed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.storage.engine import WRITES

# The database cannot be used now: gone, locked, or its disk full. Nothing was stored.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
Subscriber = Callable[[frozenset[str]], None]
TOPICS = frozenset(
    {"alerts", "audit", "incidents", "maintenance", "outbox", "reports", "runs", "status"}
)


@dataclass(slots=True)
class Transaction:
    """A connection whose work is committed together, and the topics that work touched."""

    connection: Connection
    topics: set[str] = field(default_factory=set)

    def touch(self, topic: str) -> None:
        """Have the subscribers told of `topic` (one of `TOPICS`) after the commit."""
        if topic not in TOPICS:
            raise ValueError(f"unknown topic {topic!r}: expected one of {sorted(TOPICS)}")
        self.topics.add(topic)


class Store:
    """The database as the service uses it: short transactions, and news after each commit."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._subscribers: list[Subscriber] = []
        # Threads queue for SQLite's one writer here, in order, rather than by polling its file.
        sqlite = engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[object] = threading.Lock() if sqlite else nullcontext()
        self._writing = threading.local()

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Give a transaction that may write; committed at the end, rolled back by an exception.

        Subscribers are called after the commit, in this thread and outside the transaction.

        Raises:
            RuntimeError: this thread is already in such a transaction.
        """
        if getattr(self._writing, "active", False):
            raise RuntimeError("a transaction is already open in this thread; pass it on instead")
        self._writing.active = True
        try:
            with self._turn, self._writer.begin() as connection:
                transaction = Transaction(connection)
                yield transaction
        finally:
            self._writing.active = False
        self._tell(frozenset(transaction.topics))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees the committed state and is not meant to write."""
        with self.engine.begin() as connection:
            yield connection

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Have `callback` called with the topics of every later commit; returns how to stop it.

        The callback runs in the committing thread: it must be quick and must not raise.
        """
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def _tell(self, topics: frozenset[str]) -> None:
        if topics:
            for callback in tuple(self._subscribers):
                callback(topics)
