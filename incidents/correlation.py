"""Which incident an alert belongs to, and the sentence that says why.

An incident's identity is its *key*: component, journey and cause class, taken from labels and
never from text or times. An alert joins an open incident of the same key; else one that is open
for the same component; else one that is open for a component which its own depends on. Else it
reopens the incident of the same key that was resolved a short while ago, or opens a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """The incident an alert belongs to and why.

    `reopens` tells that it was resolved, `inhibited` that another alert explains this one.
    """

    number: int
    why: str
    reopens: bool = False
    inhibited: bool = False


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


class Register:
    """The incidents that alerts may join or reopen, found by identity and by component."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._known: dict[int, Candidate] = {}
        self._open_of_key: dict[str, int] = {}
        self._open_of_component: dict[str, set[int]] = {}
        self._resolved_of_key: dict[str, set[int]] = {}
        for candidate in candidates:
            self.put(candidate)

    def put(self, candidate: Candidate) -> None:
        """Have the incident found as it now stands."""
        if old := self._known.pop(candidate.number, None):
            self._forget(old)
        self._known[candidate.number] = candidate
        if not candidate.open:
            self._resolved_of_key.setdefault(candidate.key, set()).add(candidate.number)
            return
        self._open_of_key[candidate.key] = candidate.number
        for component in candidate.components:
            self._open_of_component.setdefault(component, set()).add(candidate.number)

    def find(
        self,
        subject: Subject,
        *,
        depends_on: Iterable[str] = (),
        now: datetime,
        window: timedelta = DEFAULT_REOPEN_WINDOW,
    ) -> Belongs | None:
        """Return the incident the alert belongs to, or None when it needs a new one.

        `window` includes its last instant. Among several the oldest incident is joined, and the
        last resolved one is reopened.
        """
        return (
            self._same(subject)
            or self._caused(subject, depends_on)
            or self._reopened(subject, now, window)
        )

    def _same(self, subject: Subject) -> Belongs | None:
        if (number := self._open_of_key.get(subject.key)) is not None:
            return Belongs(number, "same component, journey and cause")
        if numbers := self._open_of_component.get(subject.component):
            return Belongs(min(numbers), f"same component ({subject.component})")
        return None

    def _caused(self, subject: Subject, depends_on: Iterable[str]) -> Belongs | None:
        for needed in depends_on:
            for number in sorted(self._open_of_component.get(needed, ())):
                if self._known[number].severity is Severity.CRITICAL:
                    return Belongs(number, f"{subject.component} depends on {needed}")
        return None

    def _reopened(self, subject: Subject, now: datetime, window: timedelta) -> Belongs | None:
        numbers = self._resolved_of_key.get(subject.key, ())
        recent = [
            (candidate.resolved_at, number)
            for number in numbers
            if (candidate := self._known[number]).resolved_at
            and now - candidate.resolved_at <= window
        ]
        if not recent:
            return None
        minutes = window.total_seconds() / 60
        why = f"it came back within {minutes:g} min of being resolved"
        return Belongs(max(recent)[1], why, reopens=True)

    def _forget(self, old: Candidate) -> None:
        if not old.open:
            self._resolved_of_key[old.key].discard(old.number)
            return
        if self._open_of_key.get(old.key) == old.number:
            del self._open_of_key[old.key]
        for component in old.components:
            self._open_of_component[component].discard(old.number)
