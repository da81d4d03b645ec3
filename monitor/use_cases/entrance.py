"""The one entrance for alerts: deliveries queue here, and those that wait are committed together.

One thread takes what waits, reads it, and commits it in one transaction; nobody is answered before
that. With nothing to do it waits for nothing: a lone delivery is committed at once, and the busier
it gets, the more deliveries share one commit. The queue is bounded in bytes and alerts; what does
not fit is refused while its sender can still keep it. Deliveries are applied in the order of their
arrival. If a transaction fails for another reason than a database that is away, each delivery of
it is tried apart, so that one that cannot be stored takes no other down.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from incidents.alerts.model import Alert
from incidents.alerts.wire import Parsed
from incidents.errors import IncidentError
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.distribution import Distribution
from monitor.storage.store import DATABASE_AWAY, Store
from monitor.use_cases.alerts import STANDARD, Batch, receive_batches
from monitor.use_cases.policy import AlertPolicy

MOST_BYTES = 64 * 1024 * 1024  # bodies that wait or are being read in
MOST_ALERTS = 20_000  # that wait; more would take longer than the 10 s a Prometheus waits for us
MOST_AT_ONCE = 1_000  # alerts of one transaction: other writers wait for as long as it takes
GATHER_SECONDS = 0.002  # after a group of several, while its senders come again
GATHER_LOOKS = 3  # in which nobody came: the answers must leave first
LONGEST_GATHER_SECONDS = 0.02
STOP_SECONDS = 20.0  # for what was let in already

COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ALERT_BUCKETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0)
OUTCOMES = ("committed", "failed")
REFUSALS = ("bytes", "alerts", "stopping", "database")

log = structlog.get_logger(__name__)

Read = Callable[[datetime], Parsed]
Manner = Callable[[], tuple[Configuration, AlertPolicy]]
"""Returns by which configuration and policy canaries are stored."""


class Overloaded(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """A delivery was not let in, or could not be stored now; its sender must keep it."""

    http_status = 503

    def __init__(self, why: str) -> None:
        super().__init__(f"nothing was stored: {why}")


@dataclass(eq=False, slots=True)
class Delivery:
    """What one sender delivers at once: stored whole, and answered once.

    `read` gives the alerts as of a moment; `alerts` is about how many they are and `bytes` what
    was reserved for them. `answered` is called, in the entrance's thread, once `parsed` or `error`
    is set. `not_before` is the earliest moment at which the delivery makes sense, `at` the moment
    as of which it was read.
    """

    source: str
    read: Read
    answered: Callable[[], None]
    alerts: int = 1
    bytes: int = 0
    canary: bool = False
    not_before: datetime | None = None
    at: datetime | None = None
    parsed: Parsed | None = None
    error: Exception | None = None

    def result(self) -> Parsed:
        """Return what was read and stored.

        Raises:
            Overloaded: the database could not take it now.
            Exception: whatever else kept it from being stored.
        """
        if self.error is not None:
            raise self.error
        assert self.parsed is not None
        return self.parsed


def _each(buckets: tuple[float, ...]) -> dict[str, Distribution]:
    return {outcome: Distribution(buckets) for outcome in OUTCOMES}


@dataclass(slots=True)
class EntranceStats:
    """What the entrance has done since the start."""

    commit_seconds: dict[str, Distribution] = field(default_factory=lambda: _each(COMMIT_BUCKETS))
    commit_alerts: dict[str, Distribution] = field(default_factory=lambda: _each(ALERT_BUCKETS))
    alerts: dict[str, int] = field(default_factory=dict)  # stored, by source
    refused: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))


class Entrance:
    """Takes deliveries from any thread and commits them in groups, in a thread of its own.

    The thread starts with the first delivery, and again should a fault of ours have ended it.
    """

    def __init__(
        self,
        store: Store,
        configuration: Callable[[], Configuration],
        clock: Clock,
        policy: AlertPolicy = STANDARD,
        *,
        canaries: Manner | None = None,
        most_bytes: int = MOST_BYTES,
        most_alerts: int = MOST_ALERTS,
    ) -> None:
        self.stats = EntranceStats()
        self._store = store
        self._configuration = configuration
        self._clock = clock
        self._policy = policy
        self._canaries = canaries
        self.canary_key = secrets.token_urlsafe(32)
        """What a request to our own doors shows to be let in as a canary; in no other's hands."""
        self.most_bytes, self.most_alerts = most_bytes, most_alerts
        self._queue: deque[Delivery] = deque()
        self._news = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._last_group = 0
        self.bytes_held = 0
        self.alerts_waiting = 0

    # For those who deliver --------------------------------------------------------------------

    def reserve(self, count: int) -> None:
        """Hold `count` bytes for a delivery that is being read in.

        Raises:
            Overloaded: there is no room; nothing is held.
        """
        with self._news:
            if self._stopping:
                raise self._refusal("stopping", "the service is stopping")
            if self.bytes_held + count > self.most_bytes:
                raise self._refusal("bytes", f"{self.bytes_held} bytes are waiting already")
            self.bytes_held += count

    def release(self, count: int) -> None:
        """Give back what was reserved for a delivery that does not come."""
        with self._news:
            self.bytes_held -= count

    def offer(self, delivery: Delivery) -> None:
        """Queue a delivery, whose bytes are reserved; it is answered later.

        A single one is always let in when nothing waits, however many alerts it holds.

        Raises:
            Overloaded: too many alerts wait; the reservation is still the caller's.
        """
        with self._news:
            if self._stopping:
                raise self._refusal("stopping", "the service is stopping")
            waiting = self.alerts_waiting
            if waiting and waiting + delivery.alerts > self.most_alerts:
                raise self._refusal("alerts", f"{waiting} alerts are waiting already")
            self._queue.append(delivery)
            self.alerts_waiting += delivery.alerts
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def receive(
        self,
        alerts: Sequence[Alert],
        *,
        source: str,
        not_before: datetime | None = None,
        canary: bool = False,
        patience_seconds: float | None = None,
    ) -> None:
        """Deliver alerts and wait until they are committed, for ever where no patience is given.

        Raises:
            Overloaded: they were not let in, the database could not take them, or nothing was heard
                of them in time.
            Exception: whatever else kept them from being stored.
        """
        done, parsed = threading.Event(), Parsed(tuple(alerts))
        delivery = Delivery(
            source, lambda _: parsed, done.set, len(alerts), not_before=not_before, canary=canary
        )
        self.offer(delivery)
        if not done.wait(patience_seconds):
            raise Overloaded(f"no answer in {patience_seconds:g} s")
        delivery.result()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Let nothing more in, and finish what was let in already."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    # In the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while group := self._next():
            readable = [delivery for delivery in self._dated(group) if self._read(delivery)]
            self._store_all([delivery for delivery in readable if not delivery.canary])
            self._store_all([delivery for delivery in readable if delivery.canary])
            with self._news:
                self.bytes_held -= sum(delivery.bytes for delivery in group)
                self.alerts_waiting -= sum(delivery.alerts for delivery in group)
            for delivery in group:
                delivery.answered()

    def _next(self) -> list[Delivery]:
        """Return what is to be committed next, at least one delivery; none when we stop."""
        if self._last_group > 1:
            self._gather()
        with self._news:
            self._news.wait_for(lambda: self._queue or self._stopping)
            group: list[Delivery] = []
            alerts = 0
            while self._queue and (not group or alerts + self._queue[0].alerts <= MOST_AT_ONCE):
                group.append(self._queue.popleft())
                alerts += group[-1].alerts
            self._last_group = len(group)
            return group

    def _gather(self) -> None:
        """Wait until those just answered have come again, unless they stay away, but not for long.

        What deliveries have in common is paid once for all of them: it is most of what one costs.
        """
        waiting, looks = len(self._queue), 0
        expected, until = waiting + self._last_group, time.monotonic() + LONGEST_GATHER_SECONDS
        while waiting < expected and looks < GATHER_LOOKS and time.monotonic() < until:
            time.sleep(GATHER_SECONDS)
            looks = 0 if len(self._queue) > waiting else looks + 1
            waiting = len(self._queue)

    def _dated(self, group: Sequence[Delivery]) -> Sequence[Delivery]:
        now = self._clock.now()
        for delivery in group:
            delivery.at = max(now, delivery.not_before or now)
        return group

    @staticmethod
    def _read(delivery: Delivery) -> bool:
        """Read a delivery; return whether there is something to store."""
        assert delivery.at is not None
        try:
            delivery.parsed = delivery.read(delivery.at)
        except Exception as error:  # noqa: BLE001 - raised again where the answer is waited for
            delivery.error = error
            return False
        return bool(delivery.parsed.alerts)

    def _store_all(self, group: Sequence[Delivery]) -> None:
        if not group or self._commit(group):
            return
        if len(group) == 1 or isinstance(group[0].error, Overloaded):
            return
        for delivery in group:  # one of them is to blame: each for itself
            delivery.error = None
            self._commit([delivery])

    def _commit(self, group: Sequence[Delivery]) -> bool:
        """Store deliveries in one transaction; return False, and say why in each, if it failed."""
        began = time.perf_counter()
        batches = _batches(group)
        error = self._error_of(batches, canary=group[0].canary)
        self._count(batches, "failed" if error else "committed", time.perf_counter() - began)
        for delivery in group:
            delivery.error = error
        return error is None

    def _error_of(self, batches: Sequence[Batch], *, canary: bool) -> Exception | None:
        """Store batches; return why they could not be stored, or None."""
        try:
            configuration, policy = self._manner(canary=canary)
            receive_batches(self._store, batches, configuration, policy)
        except DATABASE_AWAY as error:
            count = sum(len(batch.alerts) for batch in batches)
            log.warning("alerts_not_stored", count=count, error=type(error).__name__)
            return self._refusal("database", "the database cannot take them now")
        except Exception as error:  # noqa: BLE001 - raised again where the answer is waited for
            return error
        return None

    def _manner(self, *, canary: bool) -> tuple[Configuration, AlertPolicy]:
        if not canary:
            return self._configuration(), self._policy
        if self._canaries is None:
            raise LookupError("nobody sends canaries here")
        return self._canaries()

    def _count(self, batches: Sequence[Batch], outcome: str, seconds: float) -> None:
        self.stats.commit_seconds[outcome].observe(seconds)
        self.stats.commit_alerts[outcome].observe(sum(len(batch.alerts) for batch in batches))
        if outcome == "committed":
            stored = self.stats.alerts
            for batch in batches:
                stored[batch.source] = stored.get(batch.source, 0) + len(batch.alerts)

    def _refusal(self, why: str, words: str) -> Overloaded:
        self.stats.refused[why] += 1
        return Overloaded(words)


def _batches(group: Sequence[Delivery]) -> list[Batch]:
    """Return what is to be stored, in order: neighbours of one source and moment together."""
    found: list[Batch] = []
    for delivery in group:
        assert delivery.at is not None
        alerts = delivery.result().alerts
        if found and (found[-1].source, found[-1].now) == (delivery.source, delivery.at):
            found[-1].alerts.extend(alerts)
        else:
            found.append(Batch(delivery.source, delivery.at, list(alerts)))
    return found
