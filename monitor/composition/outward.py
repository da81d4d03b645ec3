"""What goes out by itself, and those who watch that it does: outbox, watchman."""

from __future__ import annotations

from datetime import datetime

from monitor.composition.ground import Ground
from monitor.notify.worker import OutboxWorker
from monitor.scheduler import Scheduler
from monitor.selfwatch.vitals import Part, Sign, duty_signs
from monitor.selfwatch.watchman import Watchman, orders_of
from monitor.storage.watchdog import WatchdogLookup
from monitor.use_cases.acknowledge_links import Linker
from monitor.use_cases.muting import mute_delivery
from monitor.use_cases.quiet_people import QuietPeople

OUTBOX_LIMIT_SECONDS = 60.0  # its dispatcher looks every second


def build_outbox_worker(ground: Ground) -> OutboxWorker:
    """Return what delivers the outbox, not started yet."""
    return OutboxWorker(
        ground.store,
        lambda: ground.current().channels,
        ground.sender(),
        mute=mute_delivery,
        link=Linker(ground.settings.public_url),
        quiet=QuietPeople(ground.current),
    )


def build_watchman(ground: Ground, scheduler: Scheduler, worker: OutboxWorker) -> Watchman:
    """Return who looks after duties and outbox, and tells the world outside; not started yet."""
    lookup = WatchdogLookup()

    def signs_of_life() -> list[Sign]:
        return [
            Sign(Part.OUTBOX, worker.last_round, OUTBOX_LIMIT_SECONDS),
            *duty_signs(dict(scheduler.duty_done), dict(scheduler.duty_seconds)),
        ]

    def watchdog_seen() -> datetime | None:
        with ground.store.read() as connection:
            return lookup.seen_at(connection)

    return Watchman(
        clock=ground.clock,
        context=ground.sender,
        orders=lambda: orders_of(ground.current()),
        signs=signs_of_life,
        watchdog_seen=watchdog_seen,
        own_rules=ground.settings.rules == "embedded",
    )
