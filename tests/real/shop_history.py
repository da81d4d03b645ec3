"""Four days of a shop as the monitor's metrics tell them: outages, slow hours, restarts, gaps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitor.promql import STALE
from tests.monitor.promql.prometheus import Labels

START_SECONDS = 1_700_000_000
DAYS = 4
END_SECONDS = START_SECONDS + DAYS * 86_400
DENSE_SECONDS = 75 * 60  # the last of it, that rules are evaluated in
LONG_STEP, SHORT_STEP = 120, 10
RESTARTS = (END_SECONDS - 100_000, END_SECONDS - 2_000)  # down for two minutes before each
BOUNDS = ("0.5", "1", "2.5", "5.0", "10", "+Inf")
LAG_BOUNDS = ("0.1", "1", "5", "15", "+Inf")
JOURNEYS = {  # component, quorum, share of runs that fail, and that are slow, in the last hours
    "checkout": ("checkout", 1, 0.0, 0.05),
    "search": ("search", 2, 0.0, 0.6),
    "browse": ("catalogue", 1, 0.3, 0.02),
}
LOCATIONS = ("here", "there")
CERTIFICATE_DAYS = {"checkout": 12.0, "search": 1.0, "browse": -0.5}  # left in the end
RULE_TROUBLES = tuple(
    f"{owner}_rule_{trouble}_total"
    for owner in ("monitor", "prometheus")
    for trouble in ("evaluation_failures", "group_iterations_missed")
)
Shape = Callable[[int, int], float]  # time, seconds since the sample before it: value or growth
Samples = list[tuple[int, float]]


@dataclass(frozen=True)
class Course:
    """How one series goes; a counter grows by its shape, and starts from 0 after a restart."""

    labels: Labels
    shape: Shape
    is_counter: bool = False


def gauge(name: str, shape: Shape, /, **labels: str) -> Course:
    """Return a series whose shape is its value; NaN is no sample."""
    return Course(tuple(sorted({"__name__": name, **labels}.items())), shape)


def counter(name: str, shape: Shape, /, **labels: str) -> Course:
    """Return a series whose shape is its growth since the sample before."""
    return Course(tuple(sorted({"__name__": name, **labels}.items())), shape, is_counter=True)


def constant(value: float) -> Shape:
    """Return the shape of what never changes."""
    return lambda *_: value


def before_end(at: int, first_minute: float, last_minute: float) -> bool:
    """Whether a time lies between so many minutes before the end."""
    return first_minute * 60 >= END_SECONDS - at > last_minute * 60


def history(seed: int) -> dict[Labels, Samples]:
    """Return every series with its samples, times in ms; the same seed gives the same."""
    chance = random.Random(seed)
    found: dict[Labels, Samples] = {}
    for course in (*of_journeys(chance), *of_monitor(chance), *of_machine(chance)):
        found[course.labels] = sampled(course, chance)
    return {labels: samples for labels, samples in found.items() if samples}


def sampled(course: Course, chance: random.Random) -> Samples:
    """Return a series' samples: none while the monitor is down, a few lost, gauges marked stale."""
    found: Samples = []
    total, before, was_there = 0.0, START_SECONDS, False
    for at in sample_times():
        growth = course.shape(at, at - before)
        before = at
        if any(restart - 120 <= at < restart for restart in RESTARTS):
            total, was_there = -1.0, False
            continue
        total = 0.0 if total < 0 else total + growth
        value = total if course.is_counter else growth
        lost = chance.random() < 0.01 and (not course.is_counter or total > 50)
        at_ms = at * 1000 + chance.randrange(1, 400)
        if value != value:
            found += [(at_ms, STALE)] * was_there
            was_there = False
        elif not lost:
            found.append((at_ms, value))
            was_there = True
    return found


def sample_times() -> Iterator[int]:
    """Yield when samples are taken: seldom long ago, often in the end."""
    dense = END_SECONDS - DENSE_SECONDS
    yield from range(START_SECONDS, dense, LONG_STEP)
    yield from range(dense, END_SECONDS, SHORT_STEP)


def grown(chance: random.Random, share: float, passed: int) -> float:
    """Return how many of the runs of a time, one every 10 s, are of a kind; about their share."""
    whole, part = divmod(share * (passed // 10), 1)
    return whole + (chance.random() < part)


def is_down(journey: str, location: str, at: int) -> bool:
    """Whether a journey is down at a place, by its last verdict."""
    if journey == "checkout":
        return before_end(at, 40, 22)
    if journey == "search":
        return before_end(at, 30 if location == "there" else 20, 12)
    return False


def of_journeys(chance: random.Random) -> Iterator[Course]:
    """Yield what probes found."""
    for journey, (component, quorum, fails, slow) in JOURNEYS.items():
        known = {"component": component, "team": "shop", "severity": "critical"}
        yield gauge("probe_info", constant(1.0), journey=journey, **known)
        yield gauge("probe_quorum", constant(quorum), journey=journey)
        ends = END_SECONDS + CERTIFICATE_DAYS[journey] * 86_400
        expiry = "probe_certificate_expiry_timestamp_seconds"
        yield gauge(expiry, constant(ends), journey=journey)
        for location in LOCATIONS:
            own = {"journey": journey, "location": location}
            yield from verdicts(own)
            yield from runs(chance, own, fails, slow)


def verdicts(own: dict[str, str]) -> Iterator[Course]:
    """Yield how a journey is at one place, by its last run."""

    def down(at: int) -> bool:
        return is_down(own["journey"], own["location"], at)

    def silent(at: int) -> bool:
        return own == {"journey": "browse", "location": "there"} and before_end(at, 12, 0)

    def last_run(at: int, _: int) -> float:
        gone = silent(at) and before_end(at, 4, 0)
        return present(END_SECONDS - 12 * 60 if silent(at) else at, unless=gone)

    yield gauge("probe_up", lambda at, _: present(not down(at), unless=silent(at)), **own)
    yield gauge("probe_last_run_timestamp_seconds", last_run, **own)
    yield gauge("probe_interval_seconds", constant(10.0), **own)
    found = {**own, "step": "pay the total", "reason": "content"}
    yield gauge("probe_down_info", lambda at, _: present(1, unless=not down(at)), **found)


def runs(chance: random.Random, own: dict[str, str], fails: float, slow: float) -> Iterator[Course]:
    """Yield how many runs of a journey at one place ended how."""

    def failing(at: int) -> float:
        if is_down(own["journey"], own["location"], at):
            return 1.0
        return fails if at > RESTARTS[0] else 0.001

    def passing(at: int) -> float:
        return 1 - failing(at)

    def count(name: str, share: Callable[[int], float], **labels: str) -> Course:
        return counter(name, lambda at, passed: grown(chance, share(at), passed), **own, **labels)

    def always(share: float) -> Callable[[int], float]:
        return lambda _: share

    for step in ("open", "buy"):
        yield count("probe_step_runs_total", failing, outcome="fail", step=step)
        yield count("probe_step_runs_total", passing, outcome="pass", step=step)
    yield count("probe_runs_total", failing, outcome="fail")
    yield count("probe_runs_total", passing, outcome="pass")
    yield count("probe_runs_total", always(0.01), outcome="error")
    yield count("probe_slow_runs_total", lambda at: passing(at) * slow)
    yield count("probe_cleanup_failures_total", always(fails / 100))
    for le in BOUNDS:
        share = 1 - slow if float(le) <= 5 else 1.0
        yield count("probe_run_duration_seconds_bucket", always(share), le=le)
    yield count("probe_run_duration_seconds_count", always(1.0))
    odd = "monitor_prober_errors_total"
    yield count(odd, lambda at: 0.1 * before_end(at, 60, 30), reason="browser")


def present(value: float, *, unless: bool) -> float:
    """Return a value, or that there is none."""
    return float("nan") if unless else float(value)


def of_monitor(chance: random.Random) -> Iterator[Course]:
    """Yield what the monitor tells of itself and its users; much is odd towards the end."""

    def count(name: str, usual: float, odd: float, **labels: str) -> Course:
        def value(at: int, passed: int) -> float:
            return grown(chance, odd if before_end(at, 35, 5) else usual, passed)

        return counter(name, value, **labels)

    for pool in ("http", "browser"):
        for le in LAG_BOUNDS:
            share = 0.9 if float(le) <= 5 else 1.0
            yield count("monitor_scheduler_lag_seconds_bucket", share, share, pool=pool, le=le)
    yield count("monitor_runs_missed_total", 0.0, 0.2, journey="browse", reason="overrun")
    for outcome, usual, odd in (("sent", 0.1, 0.1), ("failed", 0.0, 0.1)):
        yield count("monitor_notifications_total", usual, odd, channel="mail", outcome=outcome)
    for name in RULE_TROUBLES:
        for group in ("journeys", "host"):
            yield count(name, 0.0, 0.1, rule_group=f"{name[:2]} {group}")
    yield count("prometheus_notifications_dropped_total", 0.0, 0.2)
    yield count("monitor_alert_refusals_total", 0.0, 0.2, reason="queue")
    yield count("monitor_heartbeats_total", 0.0, 0.1, outcome="failed")
    yield count("monitor_heartbeats_total", 0.03, 0.0, outcome="sent")
    yield count("monitor_canary_runs_total", 0.0, 0.02, outcome="late")
    for component in ("checkout", "catalogue", "search", "account"):
        yield count("monitor_user_reports_total", 0.005, 0.3, component=component)


def of_machine(chance: random.Random) -> Iterator[Course]:
    """Yield how the monitor, its machine and its targets are; much is odd towards the end."""

    def now_and_then(name: str, usual: float, odd: float, **labels: str) -> Course:
        def value(at: int, _: int) -> float:
            return (odd if before_end(at, 35, 10) else usual) + chance.random() / 100

        return gauge(name, value, **labels)

    def filling(at: int, _: int) -> float:
        return 0.99 - (END_SECONDS - at) / 86_400 / 4

    for pool in ("http", "browser"):
        yield now_and_then("monitor_pool_busy", 2.0, 9.5, pool=pool)
        yield gauge("monitor_pool_capacity", constant(10.0), pool=pool)
    yield now_and_then("monitor_outbox_oldest_age_seconds", 0.0, 400.0)
    yield now_and_then("monitor_host_cpu_ratio", 0.4, 0.97)
    yield now_and_then("monitor_host_memory_ratio", 0.5, 0.95)
    yield now_and_then("monitor_host_disk_ratio", 0.96, 0.94, mount="/data")
    yield now_and_then("monitor_process_resident_bytes", 2e8, 2e9)
    yield gauge("monitor_host_disk_ratio", filling, mount="/")
    yield gauge("prometheus_notifications_alertmanagers_discovered", constant(1.0))
    reload, copy = (
        "monitor_config_last_reload_successful",
        "monitor_status_snapshot_timestamp_seconds",
    )
    yield gauge(reload, lambda at, _: float(not before_end(at, 20, 5)))
    yield gauge(copy, lambda at, _: at - 900.0 * before_end(at, 20, 9))
    yield gauge("monitor_part_alive", lambda at, _: float(not before_end(at, 30, 8)), part="rules")
    covered, gap = "monitor_oncall_covered", "monitor_oncall_gap_seconds"
    yield gauge(covered, lambda at, _: float(not before_end(at, 30, 8)), schedule="first")
    yield gauge(gap, lambda at, _: 3600.0 * before_end(at, 30, 8), schedule="first")
    yield gauge("up", constant(1.0), job="monitor", instance="here:8000")
    shop = {"job": "shop", "instance": "shop:80"}
    yield gauge("up", lambda at, _: float(not before_end(at, 30, 8)), **shop)
    firing = {"alertname": "JourneyDown", "alertstate": "firing", "severity": "critical"}
    about = {"journey": "checkout", "component": "checkout", "team": "shop"}
    told = {**firing, **about}
    yield gauge("ALERTS", lambda at, _: present(1, unless=not before_end(at, 39, 20)), **told)
