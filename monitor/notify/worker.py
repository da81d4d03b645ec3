"""The outbox's delivery: threads that claim due rows and have them sent.

A row is marked only after its send, so that a crash between the two sends it again under the same
id: at least once, never lost. Each channel has its own few threads, so a slow one delays no other.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic

import structlog

from incidents.oncall.contacts import PERSON_MAIL
from monitor.notify.courier import Courier, Link, Mute, mute_nothing, no_link
from monitor.notify.kinds import ACCOUNT, ACCOUNT_NOTICE, REPORTER
from monitor.notify.message import Context
from monitor.notify.pacer import Quiet, nobody_is_quiet
from monitor.notify.routes import ChannelLike, Route, make_routes
from monitor.notify.stats import DeliveryStats
from monitor.storage import deliveries, outages
from monitor.storage.deliveries import Delivery
from monitor.storage.store import DATABASE_AWAY, Store

POLL_SECONDS = 1.0  # rows of other processes, and retries that fall due, are found this soon
LEASE_SECONDS = 180.0  # longer than a healthy send; after it another worker takes the row over
BATCH = 16  # rows claimed at once when delivering in the calling thread

log = structlog.get_logger(__name__)


class OutboxWorker:
    """Delivers what is due; any number of workers may share one database."""

    def __init__(
        self,
        store: Store,
        channels: Callable[[], Sequence[ChannelLike]],
        context: Context,
        *,
        mute: Mute = mute_nothing,
        link: Link = no_link,
        quiet: Quiet = nobody_is_quiet,
        chance: Callable[[], float] = random.random,
        poll_seconds: float = POLL_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        own = (REPORTER, PERSON_MAIL, ACCOUNT, ACCOUNT_NOTICE)
        self.stats = DeliveryStats(lambda: [*own, *(channel.name for channel in channels())])
        self._store = store
        self._channels = channels
        self._context = context
        self._courier = Courier(store, context, self.stats, chance, mute, link, quiet)
        self._poll_seconds = poll_seconds
        self._lease_seconds = lease_seconds
        self._name = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._condition = threading.Condition()
        self._signalled = False
        self._started = False
        self._stopping = False
        self._dispatcher: threading.Thread | None = None
        self._busy: Counter[str] = Counter()
        self._in_flight: dict[int, Delivery] = {}
        self.last_round = context.clock.monotonic()
        """When the outbox was last looked at with success, in seconds of the monotonic clock."""

    def use(self, context: Context) -> None:
        """Deliver with `context` from the next notification on."""
        self._context = context
        self._courier = replace(self._courier, context=context)

    def start(self) -> None:
        """Begin to deliver in the background; what was left unsent before is sent first."""
        self._started = True
        self.wake()

    def wake(self) -> None:
        """Have the outbox looked at now; returns at once.

        A dispatcher that a fault of ours ended is started again, so that calling this now and then
        is all it takes to keep delivery alive. Before `start` and after `stop` nothing happens.
        """
        with self._condition:
            self._signalled = True
            self._condition.notify_all()
            alive = self._dispatcher is not None and self._dispatcher.is_alive()
            if self._started and not self._stopping and not alive:
                self._dispatcher = threading.Thread(
                    target=self._run, name="outbox-dispatcher", daemon=True
                )
                self._dispatcher.start()

    def stop(self, grace_seconds: float = 10.0) -> None:
        """End delivery: sends under way may finish within the grace, others are handed back.

        A row handed back is due at once for whoever comes next, under the same id.
        """
        deadline = monotonic() + grace_seconds
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: not self._busy.total(), grace_seconds)
            left = list(self._in_flight.values())
        if self._dispatcher is not None:
            self._dispatcher.join(max(0.1, deadline - monotonic()))
        for delivery in left:
            now = self._context.clock.now()
            with self._store.begin() as tx:
                if deliveries.put_back(tx, delivery, due_at=now) and delivery.is_probe:
                    outages.give_probe_back(tx, delivery.channel, now)

    def deliver_due(self, now: datetime) -> int:
        """Deliver in this thread everything due at `now`; returns how many rows were tried."""
        count = 0
        while claimed := self._claim_everywhere(now):
            routes = make_routes(self._channels())
            for delivery in claimed:
                self._courier.deliver(delivery, routes.get(delivery.channel), now)
            count += len(claimed)
        self.last_round = self._context.clock.monotonic()
        return count

    def _claim_everywhere(self, now: datetime) -> list[Delivery]:
        with self._store.read() as connection:
            due = deliveries.due_channels(connection, now)
        return [row for channel in due for row in self._claim(channel, BATCH, now)]

    def _claim(self, channel: str, limit: int, now: datetime) -> list[Delivery]:
        with self._store.begin() as tx:
            return deliveries.claim(
                tx,
                channel=channel,
                limit=limit,
                worker=self._name,
                now=now,
                lease_seconds=self._lease_seconds,
            )

    def _run(self) -> None:
        while not self._stopping:
            with self._condition:
                self._signalled = False
            try:
                self._dispatch()
                self.last_round = self._context.clock.monotonic()
            except DATABASE_AWAY as error:  # rows wait until it is back
                log.warning("outbox cannot be read", error=type(error).__name__)
            with self._condition:
                ready = lambda: self._signalled or self._stopping  # noqa: E731 - read once, here
                self._condition.wait_for(ready, self._poll_seconds)

    def _dispatch(self) -> None:
        """Give every channel with due rows and a free place a thread."""
        now = self._context.clock.now()
        with self._store.read() as connection:
            due = deliveries.due_channels(connection, now)
        routes = make_routes(self._channels()) if due else {}
        for channel in due:
            route = routes.get(channel)
            places = route.settings.parallel if route else 1
            with self._condition:
                free = 0 if self._stopping else places - self._busy[channel]
            for delivery in self._claim(channel, free, now) if free > 0 else ():
                self._begin(delivery)
                threading.Thread(
                    target=self._serve,
                    args=(delivery, route),
                    name=f"outbox-{channel}",
                    daemon=True,
                ).start()

    def _serve(self, delivery: Delivery, route: Route | None) -> None:
        """Deliver a row, then further rows of the same channel until none is due."""
        following: Delivery | None = delivery
        while following is not None:
            current, following = following, None
            try:
                self._courier.deliver(current, route, self._context.clock.now())
                if not self._stopping:
                    claimed = self._claim(current.channel, 1, self._context.clock.now())
                    following = claimed[0] if claimed else None
            except DATABASE_AWAY as error:  # its lease will run out, and it is sent again
                log.warning("delivery not recorded", key=current.key, error=type(error).__name__)
            finally:
                self._end(current, following)

    def _begin(self, delivery: Delivery) -> None:
        with self._condition:
            self._busy[delivery.channel] += 1
            self._in_flight[delivery.id] = delivery

    def _end(self, delivery: Delivery, following: Delivery | None) -> None:
        with self._condition:
            self._in_flight.pop(delivery.id, None)
            if following is not None:
                self._in_flight[following.id] = following
                return
            self._busy[delivery.channel] -= 1
            self._condition.notify_all()
