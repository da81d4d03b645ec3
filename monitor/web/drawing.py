"""Pictures of runs, computed as plain numbers for templates to draw: no browser code needed.

A waterfall's width is 1000 units, so that it scales with the page; each bar names the phase that
colours it, and each row carries the same facts as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from probes.result import Hop, ProbeRun, StepResult

WIDTH = 1000.0
THINNEST = 3.0  # units: a phase that took place can be seen
PHASE_WORDS = {
    "dns": "name lookup",
    "connect": "connect",
    "tls": "TLS",
    "first_byte": "wait for first byte",
    "transfer": "transfer",
    "other": "own work and waiting",
}


@dataclass(frozen=True)
class Bar:
    """A stretch of a row: where it begins, how wide it is, and what it stands for."""

    phase: str
    x: float
    width: float


@dataclass(frozen=True)
class HopRow:
    """One request of a step."""

    hop: Hop
    bars: tuple[Bar, ...]
    words: str


@dataclass(frozen=True)
class WaterfallRow:
    """One step: its bars, and the requests inside it."""

    step: StepResult
    bars: tuple[Bar, ...]
    hops: tuple[HopRow, ...]
    words: str


def waterfall(run: ProbeRun, *, longest_seconds: float | None = None) -> tuple[WaterfallRow, ...]:
    """Return a row for each step, on one common scale.

    `longest_seconds` sets the scale, so that two runs can be compared; else the run fills it.
    """
    total = max(longest_seconds or 0.0, sum(step.duration_seconds for step in run.steps), 1e-6)
    scale = WIDTH / total
    rows, at = [], 0.0
    for step in run.steps:
        rows.append(_row(step, at, scale))
        at += step.duration_seconds
    return tuple(rows)


def _row(step: StepResult, start: float, scale: float) -> WaterfallRow:
    hops, at = [], start
    for hop in step.hops:
        hops.append(HopRow(hop, _bars(hop, at, scale), phase_words(hop)))
        at += hop.duration_seconds
    whole = Bar("other", start * scale, max(step.duration_seconds * scale, THINNEST))
    bars = (whole, *(bar for row in hops for bar in row.bars if bar.phase != "other"))
    requests = "; ".join(row.words for row in hops) or "no request was sent"
    return WaterfallRow(step, bars, tuple(hops), requests)


def _bars(hop: Hop, start: float, scale: float) -> tuple[Bar, ...]:
    bars = [Bar("other", start * scale, max(hop.duration_seconds * scale, THINNEST))]
    for phase, seconds in hop.phases.items():
        if seconds > 0:
            bars.append(Bar(phase, start * scale, max(seconds * scale, THINNEST)))
            start += seconds
    return tuple(bars)


def phase_words(hop: Hop) -> str:
    """Return the phases of a request in words: `connect 1 ms, wait for first byte 40 ms`."""
    parts = [
        f"{PHASE_WORDS[phase]} {value * 1000:.0f} ms"
        for phase, value in hop.phases.items()
        if value
    ]
    return ", ".join(parts) or "kept connection, no phases"


class Timed(Protocol):
    """What a sparkline needs of a run."""

    @property
    def duration_seconds(self) -> float: ...
    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True)
class Tick:
    """One run of a sparkline: a bar from the ground up."""

    x: float
    y: float
    width: float
    height: float
    outcome: str


@dataclass(frozen=True)
class Sparkline:
    """Durations as bars, oldest on the left; `width` and `height` are the picture's units."""

    width: float
    height: float
    ticks: tuple[Tick, ...]
    words: str


def sparkline(newest_first: Sequence[Timed], *, slots: int = 40, height: float = 28) -> Sparkline:
    """Return the last `slots` runs as bars whose height is their duration.

    A run that did not pass is drawn at full height, so that a fast failure is not overlooked.
    """
    shown = list(reversed(newest_first[:slots]))
    longest = max((run.duration_seconds for run in shown if run.outcome == "pass"), default=0.0)
    step, gap = 4.0, 1.0
    offset = (slots - len(shown)) * step
    ticks = tuple(
        _tick(run, offset + index * step, step - gap, height, longest)
        for index, run in enumerate(shown)
    )
    return Sparkline(slots * step, height, ticks, sparkline_words(shown))


def _tick(run: Timed, x: float, width: float, height: float, longest: float) -> Tick:
    share = run.duration_seconds / longest if longest else 1.0
    tall = height if run.outcome != "pass" else max(2.0, share * (height - 2))
    return Tick(x, round(height - tall, 1), width, round(tall, 1), run.outcome)


def sparkline_words(runs: Iterable[Timed]) -> str:
    """Return what the picture shows, for those who do not see it."""
    runs = list(runs)
    if not runs:
        return "no runs yet"
    bad = sum(run.outcome != "pass" for run in runs)
    durations = sorted(run.duration_seconds for run in runs)
    middle = durations[len(durations) // 2]
    return f"last {len(runs)} runs: {bad} not passed, median {middle * 1000:.0f} ms"
