"""Which incident an alert belongs to, and the sentence that says why.

An incident's identity is its *key*: component, journey and cause class, taken from labels and
never from text or times. An alert joins an open incident of the same key; else one that is open
for the same component; else one that is open for a component which its own depends on. Else it
reopens the incident of the same key that was resolved a short while ago, or opens a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from incidents.lifecycle import Severity

DEFAULT_REOPEN_WINDOW = timedelta(minutes=15)
RESEND_DELAY = timedelta(minutes=1)  # Prometheus's default `--rules.alert.resend-delay`


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about, as far as its labels tell."""

    component: str
    journey: str
    cause: str

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Subject:
        """Return the subject that the labels name.

        The cause class is the label `cause`. Without it every alert of a journey or component
        has one cause; an alert that names neither stands for itself, by its rule's name.
        """
        component, journey = labels.get("component", ""), labels.get("journey", "")
        named = "" if component or journey else labels.get("alertname", "")
        return cls(component, journey, labels.get("cause", named))

    @property
    def key(self) -> str:
        """Return the identity of an incident about this subject."""
        return "/".join(quote(part, safe="") for part in (self.component, self.journey, self.cause))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident that an alert might join or reopen."""

    number: int
    key: str
    components: frozenset[str]
    severity: Severity
    open: bool
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Belongs:
    """The incident an alert belongs to and why; `reopens` tells that it was resolved."""

    number: int
    why: str
    reopens: bool = False


def reopen_window(
    hold_for: timedelta, interval: timedelta, resend_delay: timedelta = RESEND_DELAY
) -> timedelta:
    """Return how long after its resolution an incident is reopened rather than followed by another.

    A rule needs up to `for`, two evaluations and four resends to fire again after its evaluator
    was restarted mid-outage (measured with Prometheus 2.42.0, 2026-11-22); never under 15 min.
    """
    return max(DEFAULT_REOPEN_WINDOW, hold_for + 4 * resend_delay + 2 * interval)


def opens_incident(severity: Severity) -> bool:
    """Tell whether an alert of this severity may open an incident, or join one."""
    return severity in (Severity.CRITICAL, Severity.WARNING)


def find(
    subject: Subject,
    candidates: Sequence[Candidate],
    *,
    depends_on: Iterable[str] = (),
    now: datetime,
    window: timedelta = DEFAULT_REOPEN_WINDOW,
) -> Belongs | None:
    """Return the incident the alert belongs to, or None when it needs a new one.

    `window` includes its last instant. Among several the oldest incident is taken when joining,
    the last resolved one when reopening.
    """
    opened = sorted((c for c in candidates if c.open), key=lambda c: c.number)
    return (
        _same(subject, opened)
        or _caused(opened, depends_on)
        or _reopened(subject, candidates, now, window)
    )


def _same(subject: Subject, opened: Sequence[Candidate]) -> Belongs | None:
    for candidate in opened:
        if candidate.key == subject.key:
            return Belongs(candidate.number, "same component, journey and cause")
    if subject.component:
        for candidate in opened:
            if subject.component in candidate.components:
                return Belongs(candidate.number, f"same component ({subject.component})")
    return None


def _caused(opened: Sequence[Candidate], depends_on: Iterable[str]) -> Belongs | None:
    needed = set(depends_on)
    for candidate in opened:
        shared = needed & candidate.components
        if shared and candidate.severity is Severity.CRITICAL:
            return Belongs(candidate.number, f"depends on {', '.join(sorted(shared))}")
    return None


def _reopened(
    subject: Subject, candidates: Sequence[Candidate], now: datetime, window: timedelta
) -> Belongs | None:
    recent = [
        c
        for c in candidates
        if not c.open and c.key == subject.key and c.resolved_at and now - c.resolved_at <= window
    ]
    if not recent:
        return None
    last = max(recent, key=lambda c: (c.resolved_at or now, c.number))
    minutes = window.total_seconds() / 60
    return Belongs(last.number, f"came back within {minutes:g} min of being resolved", reopens=True)
