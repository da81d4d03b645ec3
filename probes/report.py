"""A run as a person reads it in a terminal: steps, phases, verdict, and why."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from probes.result import PHASES, Hop, Outcome, ProbeRun, StepResult

_STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.ERRORED: "bold yellow",
    Outcome.SKIPPED: "dim",
}
_SIGNS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.ERRORED: "!", Outcome.SKIPPED: "–"}
_BODY_LINES = 12
_BODY_WIDTH = 160


def render_table(run: ProbeRun, *, evidence: bool = True) -> RenderableType:
    """Return the run as a table of steps and hops, its verdict below, and what the failure saw."""
    table = Table(title=f"{run.journey} from {run.location}, attempt {run.attempt}")
    table.add_column("step")
    table.add_column("outcome")
    table.add_column("status", justify="right")
    for phase in PHASES:
        table.add_column(phase.replace("_", " "), justify="right")
    table.add_column("ms", justify="right")
    for step in run.steps:
        _add_step(table, step)
    parts: list[RenderableType] = [table, _verdict(run)]
    if evidence and run.failing is not None and run.failing.evidence is not None:
        parts.append(_evidence(run.failing))
    return Group(*parts)


def _add_step(table: Table, step: StepResult) -> None:
    """Add a step's own request, and a line for every redirect after it."""
    first, *others = step.hops or (None,)
    name = Text(step.name)
    for flag in ("soft", "cleanup", "slow"):
        if getattr(step, flag):
            name.append(f" ({flag})", style="dim")
    outcome = Text(_word(step), style=_STYLES[step.outcome])
    table.add_row(name, outcome, *_cells(first), _milliseconds(step.duration_seconds, bool(first)))
    for hop in others:
        if hop is not None:
            where = Text(f"  → {hop.url}", style="dim", overflow="ellipsis", no_wrap=True)
            table.add_row(where, "", *_cells(hop), _milliseconds(hop.duration_seconds, True))


def _word(step: StepResult) -> str:
    """Return the outcome with its sign and reason."""
    reason = f": {step.reason}" if step.reason else ""
    return f"{_SIGNS[step.outcome]} {step.outcome.word}{reason}"


def _cells(hop: Hop | None) -> list[str]:
    """Return a hop's status and phases."""
    if hop is None:
        return [""] * (1 + len(PHASES))
    phases = [_milliseconds(seconds, seconds > 0) for _, seconds in hop.phases.items()]
    return [str(hop.status or ""), *phases]


def _milliseconds(seconds: float, known: bool) -> str:
    """Return a time in milliseconds, empty where nothing happened."""
    return f"{seconds * 1000:.1f}" if known else ""


def _verdict(run: ProbeRun) -> Text:
    """Return the outcome of the run in a sentence or two."""
    text = Text(f"{_SIGNS[run.outcome]} {run.outcome.word}", style=_STYLES[run.outcome])
    if run.degraded:
        text.append(", degraded", style="yellow")
    text.append(f" in {run.duration_seconds * 1000:.0f} ms", style="default")
    if run.reason is not None:
        where = f" at {run.failed_step!r}" if run.failed_step else ""
        text.append(f"{where}, reason {run.reason}: {run.detail}", style="default")
    if run.cleanup_failed:
        text.append("\n! cleanup did not pass: something may be left in the shop", style="yellow")
    if run.certificate_expires_at is not None:
        text.append(f"\ncertificate valid until {run.certificate_expires_at:%Y-%m-%d %H:%M} UTC")
    return text


def _evidence(step: StepResult) -> Text:
    """Return what was asked and answered when the step failed, shortened for a screen."""
    seen = step.evidence
    if seen is None:
        return Text()
    lines = [f"\n{seen.request}", f"→ {seen.status or 'no answer'} {seen.final_url}"]
    lines += [f"  {name}: {value}" for name, value in seen.response_headers]
    body = [line[:_BODY_WIDTH] for line in seen.body_excerpt.splitlines() if line.strip()]
    lines += ["", *(f"  {line}" for line in body[:_BODY_LINES])]
    if len(body) > _BODY_LINES:
        lines.append(f"  … and {len(body) - _BODY_LINES} more lines")
    return Text("\n".join(lines), style="dim")
