"""Which incident an alert belongs to, and the sentence that says why.

An incident's identity is its *key*: component, journey and cause class, taken from labels and
never from text or times. An alert goes where a person put it; else it joins an open incident of
the same key, or what that was merged into; else one of the same component and cause
(`incidents.causes`); else a critical one about a component that its own depends on. Else it reopens
the incident of the same key that was resolved a short while ago, or opens a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import quote, unquote

from incidents.causes import Signs, is_near, one_cause
from incidents.lifecycle import Severity

DEFAULT_REOPEN_WINDOW = timedelta(minutes=15)
NOTHING: Mapping[str, str] = MappingProxyType({})
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
        return _key(self.component, self.journey, self.cause)


@lru_cache(4096)  # a storm asks for the same few again and again
def _key(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts)


def cause_of(key: str) -> str:
    """Return the cause class that an identity names; empty where a person made the identity."""
    parts = key.split("/")
    return unquote(parts[2]) if len(parts) > 2 else ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An incident that an alert might join or reopen; `signs` are those of its first alert."""

    number: int
    key: str
    components: frozenset[str]
    severity: Severity
    open: bool
    signs: Signs
    resolved_at: datetime | None = None
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people decided about one alert: where it goes, and which incidents it keeps out of."""

    together: int | None = None
    because: str = ""
    apart: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Belongs:
    """The incident an alert belongs to and why.

    `reopens` tells that it was resolved, `inhibited` that another alert explains this one.
    """

    number: int
    why: str
    reopens: bool = False
    inhibited: bool = False


NO_WISHES = Wishes()


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
        self._ended_of_key: dict[str, set[int]] = {}
        for candidate in candidates:
            self.put(candidate)

    def put(self, candidate: Candidate) -> None:
        """Have the incident found as it now stands."""
        if old := self._known.pop(candidate.number, None):
            self._forget(old)
        self._known[candidate.number] = candidate
        if not candidate.open:
            self._ended_of_key.setdefault(candidate.key, set()).add(candidate.number)
            return
        self._open_of_key[candidate.key] = candidate.number
        for component in candidate.components:
            self._open_of_component.setdefault(component, set()).add(candidate.number)

    def holds_slot(self, key: str) -> bool:
        """Tell whether an open incident stands for this identity."""
        return key in self._open_of_key

    def open_about(self, components: Iterable[str]) -> list[int]:
        """Return the open incidents that hit any of these components, oldest first."""
        found = (self._open_of_component.get(component, set()) for component in components)
        return sorted(set().union(*found))

    def find(
        self,
        key: str,
        signs: Signs,
        *,
        needs: Mapping[str, str] = NOTHING,
        now: datetime,
        window: timedelta = DEFAULT_REOPEN_WINDOW,
        wishes: Wishes = NO_WISHES,
    ) -> Belongs | None:
        """Return the incident the alert belongs to, or None when it needs a new one.

        What a person decided comes first. `needs` are the components that the alert's own depends
        on, with the words that say so (`causes.needed_by`). `window` includes its last instant.
        Among several the oldest incident is joined, and the last resolved one is reopened.
        """
        apart = {self._survivor(number) for number in wishes.apart}
        return (
            self._wished(wishes, now, window)
            or self.same_key(key, apart)
            or self._same_component(signs, apart)
            or self._caused(needs, apart)
            or self._reopened(key, apart, now, window)
        )

    def _wished(self, wishes: Wishes, now: datetime, window: timedelta) -> Belongs | None:
        if wishes.together is None:
            return None
        number = self._survivor(wishes.together)
        candidate = self._known.get(number)
        if candidate is None or not (candidate.open or _is_fresh(candidate, now, window)):
            return None
        return Belongs(number, wishes.because, reopens=not candidate.open)

    def same_key(self, key: str, apart: Set[int] = frozenset()) -> Belongs | None:
        """Return the open incident of that identity, or what it was merged into, or None."""
        number = self._open_of_key.get(key)
        if number is not None and number not in apart:
            return Belongs(number, "same component, journey and cause")
        for merged in sorted(self._ended_of_key.get(key, ()), reverse=True):
            survivor = self._known.get(self._survivor(merged))
            if survivor and survivor.open and survivor.number not in apart:
                return Belongs(
                    survivor.number, f"INC-{merged}, which it belongs to, is part of this"
                )
        return None

    def _same_component(self, signs: Signs, apart: Set[int]) -> Belongs | None:
        for number in sorted(self._open_of_component.get(signs.component, set()) - apart):
            if why := one_cause(signs, self._known[number].signs):
                return Belongs(number, why)
        return None

    def _caused(self, needs: Mapping[str, str], apart: Set[int]) -> Belongs | None:
        for needed, words in needs.items():
            for number in sorted(self._open_of_component.get(needed, set()) - apart):
                candidate = self._known[number]
                if candidate.severity is Severity.CRITICAL:
                    return Belongs(number, words)
        return None

    def _reopened(
        self, key: str, apart: Set[int], now: datetime, window: timedelta
    ) -> Belongs | None:
        recent = [
            (candidate.resolved_at, candidate.number)
            for number in self._ended_of_key.get(key, ())
            if (candidate := self._known.get(self._survivor(number)))
            and candidate.number not in apart
            and _is_fresh(candidate, now, window)
        ]
        if not recent:
            return None
        minutes = window.total_seconds() / 60
        why = f"it came back within {minutes:g} min of being resolved"
        return Belongs(max(recent)[1], why, reopens=True)

    def _survivor(self, number: int) -> int:
        """Return the incident that stands for this one: itself, or what it was merged into.

        Of incidents merged in a circle, which only a repaired database can hold, the oldest stands
        for all: else one might go back into what a person took it out of.
        """
        path = [number]
        while (known := self._known.get(path[-1])) and known.merged_into is not None:
            if known.merged_into in path:
                return min(path[path.index(known.merged_into) :])
            path.append(known.merged_into)
        return path[-1]

    def _forget(self, old: Candidate) -> None:
        if not old.open:
            self._ended_of_key[old.key].discard(old.number)
            return
        if self._open_of_key.get(old.key) == old.number:
            del self._open_of_key[old.key]
        for component in old.components:
            self._open_of_component[component].discard(old.number)


def follows_from(
    upstream: Candidate, other: Candidate, needs: Mapping[str, Mapping[str, str]]
) -> str:
    """Return why `other` is a consequence of `upstream`, or empty where it is not.

    It is while upstream is critical, both began close together, and everything that `other` hits
    needs upstream's component. `needs` has the words of `causes.needed_by` by component.
    """
    source = upstream.signs.component
    hit = other.components | ({other.signs.component} - {""})
    if upstream.severity is not Severity.CRITICAL or not source or not hit:
        return ""
    if not is_near(upstream.signs.began_at, other.signs.began_at):
        return ""
    words = [needs.get(component, NOTHING).get(source, "") for component in sorted(hit)]
    return "; ".join(words) if all(words) else ""


def _is_fresh(candidate: Candidate, now: datetime, window: timedelta) -> bool:
    return candidate.resolved_at is not None and now - candidate.resolved_at <= window
