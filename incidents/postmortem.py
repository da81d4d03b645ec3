"""The draft of a postmortem: what the record says, as Markdown, with room for what it does not.

Every figure is computed from facts that are given; people write the causes and the lessons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incidents.errors import IncidentError

LONGEST_POSTMORTEM = 200_000  # characters of Markdown
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")
_TO_WRITE = "_To be written._"


class StillOpen(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """An incident that goes on is not looked back on."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"incident INC-{number} is still open; resolve it, then look back on it")


class ChangedMeanwhile(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """Somebody else saved a version after the one that was worked on."""

    def __init__(self, number: int, version: int, author: str) -> None:
        self.number, self.version, self.author = number, version, author
        super().__init__(
            f"{author} saved version {version} of the postmortem of INC-{number} meanwhile; "
            f"read it, take over what you need, and save on top of version {version}"
        )


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert that took part; `ended_at` is empty where nobody said that it is over."""

    words: str
    started_at: datetime
    ended_at: datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened or was said, and by whom."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What is to be done, whose it is, and whether it is done."""

    text: str
    owner: str = ""
    due_at: datetime | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Everything the draft is made of; `impact` has the seconds by component and status.

    Of many alerts and lines only some are given; `alert_count` and `line_count` count all.
    """

    name: str
    title: str
    severity: str
    impact_word: str
    started_at: datetime
    opened_at: datetime
    resolved_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    lead: str = ""
    communications: str = ""
    first_failure_at: datetime | None = None  # of a probe's run
    first_report_at: datetime | None = None
    reopened_count: int = 0
    impact: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    alerts: Sequence[AlertFacts] = ()
    alert_count: int = 0
    report_count: int = 0
    still_broken_count: int = 0
    told: Mapping[str, int] = field(default_factory=dict)  # messages by what became of them
    unsent: Mapping[str, int] = field(default_factory=dict)  # by reason
    updates: Sequence[Line] = ()
    timeline: Sequence[Line] = ()
    line_count: int = 0
    tasks: Sequence[TaskFacts] = ()
    merged: Sequence[str] = ()

    @property
    def first_sign_at(self) -> datetime:
        """Return when the trouble first showed: a failed run, a report, or an alert's start."""
        known = [self.started_at, self.first_failure_at, self.first_report_at]
        return min(at for at in known if at is not None)

    @property
    def detection_gap(self) -> timedelta:
        """Return how long it took from the first sign to the incident."""
        return max(self.opened_at - self.first_sign_at, timedelta(0))

    @property
    def users_knew_before(self) -> timedelta | None:
        """Return how long users knew before our probes; None where they did not."""
        if self.first_report_at is None:
            return None
        ours = min(at for at in (self.first_failure_at, self.opened_at) if at is not None)
        return ours - self.first_report_at if self.first_report_at < ours else None


def draft(record: Record) -> str:
    """Return the postmortem as far as the record can write it."""
    parts = [
        f"# Postmortem of {record.name}: {escaped(record.title)}",
        "## Summary\n\n" + _TO_WRITE,
        "## Figures\n\n" + _figures(record),
        "## Impact\n\n" + _impact(record),
        "## Root cause\n\n" + _TO_WRITE,
        "## Contributing alerts\n\n" + _alerts(record),
        "## What users were told\n\n" + _updates(record),
        "## Notifications\n\n" + _notifications(record),
        "## What went well, what did not, where we were lucky\n\n" + _TO_WRITE,
        "## Action items\n\n" + action_items(record.tasks),
        "## Timeline\n\nTimes are UTC.\n\n" + _timeline(record),
    ]
    return "\n\n".join(parts) + "\n"


def action_items(tasks: Sequence[TaskFacts]) -> str:
    """Return the tasks as a list, what is left to do first."""
    if not tasks:
        return "None was written down."
    lines = []
    for task in sorted(tasks, key=lambda task: task.done):
        owner = escaped(task.owner) or "nobody yet"
        due = f", due {task.due_at:%Y-%m-%d %H:%M} UTC" if task.due_at else ""
        lines.append(f"- {'Done' if task.done else 'To do'}: {escaped(task.text)} ({owner}{due})")
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def duration(seconds: float) -> str:
    """Return a duration in minutes, to the nearest; below one minute in seconds."""
    return f"{round(seconds)} s" if seconds < 60 else f"{round(seconds / 60)} min"


def _figures(record: Record) -> str:
    rows = [
        ("Severity", record.severity),
        ("Impact", record.impact_word),
        ("Began", _at(record.started_at)),
        ("First failing run", _at(record.first_failure_at)),
        ("First user report", _at(record.first_report_at)),
        ("Opened", _at(record.opened_at)),
        ("Acknowledged", _acknowledged(record)),
        ("Resolved", _at(record.resolved_at)),
        ("Detection gap", _took(record.detection_gap)),
        ("Users knew before probes", _took(record.users_knew_before)),
        ("Time to acknowledge", _between(record.opened_at, record.acknowledged_at)),
        ("Time to resolve", _between(record.started_at, record.resolved_at)),
        ("Reopened", f"{record.reopened_count} ×" if record.reopened_count else ""),
        ("Lead", escaped(record.lead)),
        ("Communications", escaped(record.communications)),
        ("User reports", _reports(record)),
        ("Merged into it", ", ".join(record.merged)),
    ]
    return _table(("What", "Value"), [(name, value) for name, value in rows if value])


def _impact(record: Record) -> str:
    rows = [
        (escaped(component), status.replace("_", " "), duration(seconds))
        for component, spent in record.impact.items()
        for status, seconds in spent.items()
    ]
    if not rows:
        return "No component was recorded as impaired."
    return _table(("Component", "Status", "For"), rows)


def _alerts(record: Record) -> str:
    if not record.alerts:
        return "No alert took part."
    rows = [
        (
            escaped(alert.words),
            _at(alert.started_at),
            _at(alert.ended_at) or "not told",
            escaped(alert.because),
        )
        for alert in record.alerts
    ]
    table = _table(("Alert", "From", "To", "Why it belongs here"), rows)
    return table + _left_out(record.alert_count - len(rows), "alert")


def _updates(record: Record) -> str:
    if not record.updates:
        return "Nothing."
    return "\n".join(
        f"- {_at(one.at)}, {escaped(one.by)}: {escaped(one.text)}" for one in record.updates
    )


def _notifications(record: Record) -> str:
    lines = [f"- {count} {escaped(state)}" for state, count in sorted(record.told.items())]
    lines += [
        f"- {count} not sent: {reason.replace('_', ' ')}"
        for reason, count in sorted(record.unsent.items())
    ]
    return "\n".join(lines) or "Nobody was to be told."


def _timeline(record: Record) -> str:
    rows = [
        (f"{line.at:%Y-%m-%d %H:%M:%S}", escaped(line.by), escaped(line.text))
        for line in record.timeline
    ]
    table = _table(("When", "Who", "What"), rows)
    return table + _left_out(record.line_count - len(rows), "line")


def _left_out(count: int, what: str) -> str:
    if count < 1:
        return ""
    return f"\n\n_{count} more {what}{'s' if count > 1 else ''} in the incident's record._"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _acknowledged(record: Record) -> str:
    if record.acknowledged_at is None:
        return "by nobody"
    return f"{_at(record.acknowledged_at)} by {escaped(record.acknowledged_by)}"


def _reports(record: Record) -> str:
    said = (
        f", {record.still_broken_count} say it is still broken" if record.still_broken_count else ""
    )
    return f"{record.report_count}{said}"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _took(gap: timedelta | None) -> str:
    return duration(gap.total_seconds()) if gap is not None else ""


def _between(start: datetime, end: datetime | None) -> str:
    return _took(max(end - start, timedelta(0))) if end else ""
