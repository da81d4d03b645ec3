"""When things happen: journeys at their own slots, and the service's recurring duties.

APScheduler only decides the moment. A journey is handed to a `RunPool` at once, and every run
that does not happen is counted with its reason: late is never queued. Slots are
`k · interval + hash(journey, location) mod interval`, so that a restart does not bunch runs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import Lock

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from monitor.clock import Clock
from monitor.config.model import Target
from monitor.distribution import Distribution
from monitor.log import logger
from monitor.runpool import RunPool
from probes.journey import Journey

LAG_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
MISSED_REASONS = ("overrun", "overload", "paused")
DUTY_THREADS = 6
SCRAPE_PLACES = 32
ROUNDING_SECONDS = 0.001  # a slot is a microsecond figure: firing "before" it is not being late

log = logger("scheduler")


def slot_offset(name: str, location: str, interval_seconds: float) -> float:
    """Return the seconds after each multiple of the interval at which a journey is due.

    The same everywhere and after every restart; from 0 up to, not including, the interval.
    """
    digest = hashlib.sha256(f"{name}\0{location}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * interval_seconds


def next_slot(now: datetime, offset: float, interval_seconds: float) -> datetime:
    """Return the first instant at or after `now` that lies `offset` past a whole interval."""
    passed = (now.timestamp() - offset) % interval_seconds
    return now + timedelta(seconds=(interval_seconds - passed) % interval_seconds)


class Scheduler:
    """Fires journeys and duties; owns APScheduler and the pools.

    `location` is where journeys run from `schedule` on; `on_crash` hears of every run that an
    exception of ours ended.
    """

    def __init__(
        self, clock: Clock, location: str, *, http_workers: int, browser_workers: int
    ) -> None:
        self._clock = clock
        self.location = location
        self.on_crash: Callable[[Journey], None] = lambda _: None
        self.pools = {
            "http": RunPool("http", http_workers, clock),
            "browser": RunPool("browser", browser_workers, clock),
        }
        self.scraping = RunPool("scrape", SCRAPE_PLACES, clock)
        self._lock = Lock()
        self.lag = {name: Distribution(LAG_BUCKETS) for name in self.pools}
        self.missed: Counter[tuple[str, str]] = Counter()
        self.duty_runs: Counter[tuple[str, str]] = Counter()
        self.duty_seconds: dict[str, float] = {}  # between two performances
        self.duty_done: dict[str, float] = {}  # when last, on the monotonic clock
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(DUTY_THREADS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin to fire."""
        self._scheduler.start()

    def stop(self, grace_seconds: float) -> bool:
        """Fire nothing more and wait for runs in flight; return whether all of them ended."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        ends = self._clock.monotonic() + grace_seconds
        ended = [pool.drain(ends - self._clock.monotonic()) for pool in self.pools.values()]
        return all(ended)

    def every(self, seconds: float, name: str, duty: Callable[[], object]) -> None:
        """Perform `duty` every `seconds`, first at once; its failures are logged and counted."""
        self.duty_seconds[name] = seconds
        self.duty_done[name] = self._clock.monotonic()
        self._scheduler.add_job(
            self._perform,
            IntervalTrigger(seconds=seconds),
            args=(name, duty),
            id=f"duty:{name}",
            next_run_time=self._clock.now(),
            replace_existing=True,
        )

    def keep_scraping(self, targets: Iterable[Target], scrape: Callable[[str], None]) -> None:
        """Have exactly `targets` scraped, each at its own interval and in a thread of its own."""
        wanted = {f"scrape:{target.name}": target for target in targets}
        for job in self._scheduler.get_jobs():
            if job.id.startswith("scrape:") and job.id not in wanted:
                job.remove()
        for job_id, target in wanted.items():
            offset = slot_offset(target.name, self.location, target.interval)
            first = next_slot(self._clock.now(), offset, target.interval)
            self._scheduler.add_job(
                self._scrape,
                IntervalTrigger(seconds=target.interval, start_date=first),
                args=(target, scrape),
                id=job_id,
                replace_existing=True,
            )

    def _scrape(self, target: Target, scrape: Callable[[str], None]) -> None:
        def work(_lost: Callable[[], bool]) -> None:
            self._perform("scrape target", lambda: scrape(target.name))

        pool, wait = self.scraping, target.timeout
        pool.start(target.name, work, deadline_seconds=wait, on_lost=lambda: None)

    def once(self, at: datetime, name: str, duty: Callable[[], object]) -> None:
        """Perform `duty` once at `at`."""
        self._scheduler.add_job(
            self._perform, DateTrigger(at), args=(name, duty), id=f"once:{name}"
        )

    def _perform(self, name: str, duty: Callable[[], object]) -> None:
        try:
            duty()
        except Exception:  # a duty that fails once must be tried again
            log.exception("duty failed", duty=name)
            self._count_duty(name, "failed")
        else:
            self.duty_done[name] = self._clock.monotonic()
            self._count_duty(name, "done")

    def _count_duty(self, name: str, outcome: str) -> None:
        with self._lock:
            self.duty_runs[(name, outcome)] += 1

    def schedule(
        self,
        journeys: Iterable[Journey],
        run: Callable[[Journey, Callable[[], bool]], None],
        on_lost: Callable[[Journey], None],
    ) -> None:
        """Have exactly `journeys` scheduled; those that did not change keep their rhythm."""
        wanted = {f"journey:{journey.name}": journey for journey in journeys}
        for job in self._scheduler.get_jobs():
            if job.id.startswith("journey:") and job.id not in wanted:
                job.remove()
        for job_id, journey in wanted.items():
            known = self._scheduler.get_job(job_id)
            if known is not None and known.args[:2] == (journey, self.location):
                continue
            self._add(job_id, journey, run, on_lost)

    def _add(
        self,
        job_id: str,
        journey: Journey,
        run: Callable[[Journey, Callable[[], bool]], None],
        on_lost: Callable[[Journey], None],
    ) -> None:
        interval = journey.interval_seconds
        offset = slot_offset(journey.name, self.location, interval)
        first = next_slot(self._clock.now(), offset, interval)
        self._scheduler.add_job(
            self._fire,
            IntervalTrigger(seconds=interval, start_date=first),
            args=(journey, self.location, run, on_lost),
            id=job_id,
            next_run_time=first,
            replace_existing=True,
        )

    def next_run(self, journey_name: str) -> datetime | None:
        """Return when a journey is due next, or None where it is not scheduled."""
        job = self._scheduler.get_job(f"journey:{journey_name}")
        return None if job is None else job.next_run_time

    def _fire(
        self,
        journey: Journey,
        location: str,
        run: Callable[[Journey, Callable[[], bool]], None],
        on_lost: Callable[[Journey], None],
    ) -> None:
        interval = journey.interval_seconds
        offset = slot_offset(journey.name, location, interval)
        past = (self._clock.now().timestamp() - offset + ROUNDING_SECONDS) % interval
        lag = max(0.0, past - ROUNDING_SECONDS)
        self.run_now(journey, run, on_lost, lag_seconds=lag)

    def run_now(
        self,
        journey: Journey,
        run: Callable[[Journey, Callable[[], bool]], None],
        on_lost: Callable[[Journey], None],
        *,
        lag_seconds: float = 0.0,
    ) -> bool:
        """Hand a run to its pool at once; return False, and count why, where it cannot start."""
        pool = self.pools[journey.engine]
        reason = None
        if lag_seconds > journey.interval_seconds / 2:
            reason = "overload"
        elif pool.is_busy(journey.name):
            reason = "overrun"
        else:
            self._observe_lag(pool.name, lag_seconds)
            deadline = (
                2 * journey.total_seconds + journey.confirm_after_seconds
            )  # with its confirmation
            started = pool.start(
                journey.name,
                lambda lost: self._guarded(journey, run, lost),
                deadline_seconds=deadline,
                on_lost=lambda: on_lost(journey),
            )
            reason = None if started else "overload"
        if reason is not None:
            self._count_missed(journey.name, reason)
        return reason is None

    def _guarded(
        self,
        journey: Journey,
        run: Callable[[Journey, Callable[[], bool]], None],
        lost: Callable[[], bool],
    ) -> None:
        try:
            run(journey, lost)
        except Exception:  # our own bug or a full disk: the next run must happen all the same
            log.exception("run failed inside the monitor", journey=journey.name)
            self._count_duty("run", "failed")
            self._perform("crash", lambda: self.on_crash(journey))

    def _observe_lag(self, pool: str, seconds: float) -> None:
        with self._lock:
            self.lag[pool].observe(seconds)

    def _count_missed(self, journey: str, reason: str) -> None:
        with self._lock:
            self.missed[(journey, reason)] += 1

    def give_up_overdue(self) -> None:
        """Free the places of runs that hang past their deadline."""
        for pool in (*self.pools.values(), self.scraping):
            pool.give_up_overdue()
