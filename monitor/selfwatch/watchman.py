"""The watchman: a thread that tells the world outside how we are, by ways that are its own.

While every part lives it sends the heartbeat. When one stands still it sends none, and tells the
last resort directly: not through the outbox, the scheduler or the database, which may be what
stands still. What only the database knows is looked up by a second thread, so that a database that
hangs holds up nothing but its own sign.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.config.watching import HeartbeatSettings
from monitor.log import logger
from monitor.notify.http import call
from monitor.notify.message import Context, Message, NotifyError
from monitor.notify.routes import Route, make_route
from monitor.selfwatch.vitals import Part, Sign, Stall, stalls

STEP_SECONDS = 1.0
LOOK_SECONDS = 5.0
DATABASE_LIMIT_SECONDS = 60.0
AGAIN_SECONDS = 3600.0  # a stall that lasts is told anew
RETRY_SECONDS = 30.0  # where the last resort did not take it

log = logger("selfwatch")


class Beat(StrEnum):
    """What became of a heartbeat; the label `outcome` of `monitor_heartbeats_total`."""

    SENT = "sent"
    FAILED = "failed"
    WITHHELD = "withheld"


WATCHDOG_LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What the configuration in force wants of the watchman."""

    heartbeat: HeartbeatSettings | None = None
    last_resort: Route | None = None
    watchdog_limit_seconds: float = WATCHDOG_LIMIT_SECONDS


def orders_of(configuration: Configuration) -> Orders:
    """Return what a configuration wants; without a last resort, the first that takes critical."""
    wanted = configuration.last_resort
    channel = next(
        (
            channel
            for channel in configuration.channels
            if (channel.name == wanted if wanted else "critical" in channel.severities)
        ),
        None,
    )
    heartbeat = configuration.heartbeat
    limit = heartbeat.watchdog_within if heartbeat else WATCHDOG_LIMIT_SECONDS
    return Orders(heartbeat, make_route(channel) if channel else None, limit)


@dataclass
class _Alarm:
    """A stall that people are told of, until all is well again."""

    since: datetime
    told: bool = False
    over: bool = False  # its end is being told
    next_at: float = 0.0


@dataclass
class Watchman:
    """Looks at the signs of life every second.

    `signs` are those of this process; `watchdog_seen` asks the database when the Watchdog alert
    last arrived; `orders` are read at every step, so that a new configuration counts at once. Where
    rules are evaluated elsewhere, a missing Watchdog is told only with a heartbeat configured.
    """

    clock: Clock
    context: Callable[[], Context]
    orders: Callable[[], Orders]
    signs: Callable[[], Iterable[Sign]]
    watchdog_seen: Callable[[], datetime | None]
    own_rules: bool = True
    beats: Counter[Beat] = field(default_factory=Counter)
    found: tuple[Stall, ...] = ()
    _looked: float = 0.0
    _watchdog: float = 0.0
    _next_beat: float = 0.0
    _alarm: _Alarm | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._looked = self._watchdog = self.clock.monotonic()
        self._known = self._arrived = False

    def start(self) -> None:
        """Begin to watch."""
        for name, work, seconds in (
            ("watchman", self.step, STEP_SECONDS),
            ("watchman-looker", self.look, LOOK_SECONDS),
        ):
            threading.Thread(
                target=self._again, args=(work, seconds), name=name, daemon=True
            ).start()

    def stop(self) -> None:
        """Watch no more: what ends on purpose is no stall."""
        self._stopping.set()

    def look(self) -> None:
        """Ask the database when the Watchdog alert last arrived."""
        seen = self.watchdog_seen()
        now = self.clock.monotonic()
        self._looked = now
        if seen is not None:
            age = max(0.0, (self.clock.now() - seen).total_seconds())
            self._known = True
            self._arrived = self._arrived or age <= self.orders().watchdog_limit_seconds
            self._watchdog = max(self._watchdog, now - age)

    def step(self) -> None:
        """Look at every sign, and do what follows: a heartbeat, or the last resort."""
        now, orders = self.clock.monotonic(), self.orders()
        self.found = stalls(self._all_signs(orders), now)
        if orders.heartbeat is not None and now >= self._next_beat:
            self._next_beat = now + orders.heartbeat.every
            self._beat(orders.heartbeat)
        if self.found:
            self._raise(orders.last_resort, now)
        elif self._alarm is not None:
            self._clear(orders.last_resort, now)

    def _all_signs(self, orders: Orders) -> list[Sign]:
        watchdog = Sign(Part.RULES, self._watchdog, orders.watchdog_limit_seconds)
        return [
            *self.signs(),
            Sign(Part.DATABASE, self._looked, DATABASE_LIMIT_SECONDS),
            *([watchdog] if self._known and self._knows_rhythm(orders) else []),
        ]

    def _knows_rhythm(self, orders: Orders) -> bool:
        """Return whether we know how often it comes: an Alertmanager may repeat it rarely."""
        return self.own_rules or orders.heartbeat is not None

    def _beat(self, settings: HeartbeatSettings) -> None:
        """Send the heartbeat, unless something stands still or no Watchdog has arrived yet."""
        if self.found or not self._arrived:
            self.beats[Beat.WITHHELD] += 1
            return
        try:
            call(
                settings.url,
                self.context(),
                timeout_seconds=settings.timeout,
                method=settings.method,
                keep_answer=False,
            )
        except NotifyError as error:
            self.beats[Beat.FAILED] += 1
            log.warning("heartbeat not taken", error=str(error))
        else:
            self.beats[Beat.SENT] += 1

    def _raise(self, route: Route | None, now: float) -> None:
        if self._alarm is None or self._alarm.over:
            self._alarm = _Alarm(self.clock.now())
            log.error("the monitor stands still", parts=[stall.words for stall in self.found])
        if now < self._alarm.next_at:
            return
        words = "; ".join(stall.words for stall in self.found)
        told = self._tell(route, "monitor_stalled", "The monitor itself stands still", words)
        self._alarm.told = self._alarm.told or told
        self._alarm.next_at = now + (AGAIN_SECONDS if told else RETRY_SECONDS)

    def _clear(self, route: Route | None, now: float) -> None:
        alarm = self._alarm
        if alarm is None or not alarm.told:  # who has not heard of it is spared its end
            self._alarm = None
            return
        if now < alarm.next_at and alarm.over:
            return
        alarm.over = True
        lasted = (self.clock.now() - alarm.since).total_seconds()
        words = f"every part does its work again, after {lasted:.0f} s"
        if self._tell(route, "monitor_resolved", "The monitor works again", words):
            self._alarm = None
        else:
            alarm.next_at = now + RETRY_SECONDS

    def _tell(self, route: Route | None, event: str, title: str, words: str) -> bool:
        """Send one message directly; return whether it was taken."""
        if route is None or self._alarm is None:
            return False
        since, host = self._alarm.since, socket.gethostname()
        heartbeat = "No heartbeat is sent meanwhile. " if event == "monitor_stalled" else ""
        message = Message(
            key=f"selfwatch-{host}-{since:%Y%m%dT%H%M%S}-{event}",
            event=event,
            subject=f"{title} ({host})",
            body=(
                f"{words[:1].upper()}{words[1:]}.\n\n{heartbeat}"
                "This message was sent directly, past the outbox: it is on no timeline.\n"
                "Runbook: /runbooks/MonitorStalled"
            ),
            created_at=since,
            severity="critical",
            thread=f"selfwatch-{since:%Y%m%dT%H%M%S}",
            channel=route.channel,
        )
        try:
            receipt = route.send(message, self.context())
        except NotifyError as error:
            log.warning("the last resort did not take it", channel=route.channel, error=str(error))
            return False
        log.warning("told the last resort", channel=route.channel, receipt=str(receipt))
        return True

    def _again(self, work: Callable[[], None], seconds: float) -> None:
        """Do it again and again; a bug of ours ends the thread, and with it the heartbeat."""
        while not self._stopping.wait(seconds):
            try:
                work()
            except SQLAlchemyError as error:  # the sign of the database says the rest
                log.warning("the database does not answer", error=type(error).__name__)
