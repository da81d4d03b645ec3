"""Whether two disturbances of one component have one cause: pure judgement from signs and times.

The signs are what alerts say of themselves: the journey, the step that fails and the reason, and
the cause where a rule names one. Two that began close together on one component are taken as one
unless a rule says that they are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

NEAR = timedelta(minutes=10)  # two beginnings no further apart than this may have one cause
# Causes that only say in which way the same trouble shows; every other name is a cause of its own.
SYMPTOMS = frozenset({"", "location", "slow", "budget", "reports"})
# Conditions that stand for themselves, and the failure reasons in which they show after all.
SHOWS_AS: Mapping[str, frozenset[str]] = {
    "certificate": frozenset({"tls"}),
    "cleanup": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a disturbance's cause; empty where nobody said."""

    component: str
    began_at: datetime
    journey: str = ""
    cause: str = ""
    step: str = ""
    reason: str = ""

    @classmethod
    def of(
        cls, labels: Mapping[str, str], annotations: Mapping[str, str], began_at: datetime
    ) -> Signs:
        """Return what an alert says of itself; step and reason may stand in an annotation."""
        step, reason = (
            labels.get(word) or annotations.get(word) or "" for word in ("step", "reason")
        )
        component, journey = labels.get("component", ""), labels.get("journey", "")
        return cls(component, began_at, journey, labels.get("cause", ""), step, reason)


def one_cause(new: Signs, old: Signs) -> str:
    """Return why both, about one component, have one cause; empty where they have not."""
    if _rule_each_other_out(new, old):
        return ""
    where = f"same component ({new.component})"
    if new.journey and new.journey == old.journey:
        return f"{where} and journey ({new.journey}){_differing(new, old)}"
    if known := _said_by_both(new, old):
        shared = [f"{word} ({one})" for word, one, other in known if one == other]
        if len(shared) == len(known):
            return f"{where}, {' and '.join(shared)}"
    near = is_near(new.began_at, old.began_at)
    if near:
        return f"{where}, begun within {NEAR.total_seconds() / 60:g} min of it"
    if known or (new.cause in SYMPTOMS) != (old.cause in SYMPTOMS):
        return ""
    return f"{where}, and nothing tells them apart"


def is_near(one: datetime, other: datetime) -> bool:
    """Tell whether two beginnings are close enough for one cause; the last instant is included."""
    return abs(one - other) <= NEAR


def needed_by(component: str, needs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return every component that this one needs, directly or not, with the words that say so.

    The nearest come first. A circle in `needs` is walked once, and nothing needs itself.
    """
    found: dict[str, str] = {}
    waiting = deque([(component, component)])
    while waiting:
        name, path = waiting.popleft()
        for needed in needs.get(name, ()):
            if needed != component and needed not in found:
                which = "" if name == component else ", which"
                found[needed] = f"{path}{which} depends on {needed}"
                waiting.append((needed, found[needed]))
    return found


def _rule_each_other_out(one: Signs, other: Signs) -> bool:
    """Tell whether the causes that rules name cannot be the same."""
    if one.cause == other.cause:
        return False
    pairs = [
        (named, seen) for named, seen in ((one, other), (other, one)) if named.cause in SHOWS_AS
    ]
    if pairs:
        return any(seen.reason not in SHOWS_AS[named.cause] for named, seen in pairs)
    return one.cause not in SYMPTOMS and other.cause not in SYMPTOMS


def _said_by_both(new: Signs, old: Signs) -> list[tuple[str, str, str]]:
    pairs = [("failing step", new.step, old.step), ("reason", new.reason, old.reason)]
    return [(word, one, other) for word, one, other in pairs if one and other]


def _differing(new: Signs, old: Signs) -> str:
    """Return a remark where one journey fails at another step, or for another reason."""
    other = [
        f"{word} {one}, before: {two}" for word, one, two in _said_by_both(new, old) if one != two
    ]
    return f"; {'; '.join(other)}" if other else ""
