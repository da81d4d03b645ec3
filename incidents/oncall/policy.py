"""Escalation policies: who is told in which order, and for which incidents.

A policy is copied onto an incident when it opens (`as_json`, `from_json`): what is changed in the
configuration later does not change an escalation under way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple


class TargetKind(StrEnum):
    """What a step can name."""

    SCHEDULE = "schedule"  # whoever is on call there when the step is taken
    PERSON = "person"
    TEAM = "team"  # every member
    CHANNEL = "channel"


class Target(NamedTuple):
    """One place a step tells."""

    kind: TargetKind
    name: str

    @property
    def words(self) -> str:
        """Return it as people read it: `schedule shop`; a person is just the name."""
        return self.name if self.kind is TargetKind.PERSON else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Step:
    """Who is told together, and how long is waited for one of them to acknowledge."""

    tell: tuple[Target, ...]
    wait: timedelta


@dataclass(frozen=True)
class Policy:
    """Steps in their order, gone through `rounds` times, and who is told when all were in vain."""

    name: str
    steps: tuple[Step, ...]
    last_resort: tuple[Target, ...]
    rounds: int = 1
    acknowledge_timeout: timedelta | None = None  # None: an acknowledgement holds for ever
    components: frozenset[str] = frozenset()  # empty: all, and incidents without any
    severities: frozenset[str] = frozenset({"critical", "warning"})

    @property
    def length(self) -> int:
        """Return how many steps are taken before the last resort."""
        return len(self.steps) * self.rounds

    def targets_of(self, position: int) -> tuple[Target, ...]:
        """Return who is told at a position; `length` is the last resort."""
        if position == self.length:
            return self.last_resort
        return self.steps[position % len(self.steps)].tell

    def wait_after(self, position: int) -> timedelta:
        """Return how long is waited after the step at a position, below `length`."""
        return self.steps[position % len(self.steps)].wait

    def words_of(self, position: int) -> str:
        """Return a position as people read it: `step 2 of 3`, or `the last resort`."""
        if position >= self.length:
            return "the last resort"
        turn, step = divmod(position, len(self.steps))
        again = f", round {turn + 1} of {self.rounds}" if self.rounds > 1 else ""
        return f"step {step + 1} of {len(self.steps)}{again}"

    def covers(self, components: Collection[str], severity: str) -> bool:
        """Return whether the policy is for incidents of these components and this severity."""
        ours = not self.components or not self.components.isdisjoint(components)
        return ours and severity in self.severities


def policy_for(
    policies: Sequence[Policy], components: Collection[str], severity: str
) -> Policy | None:
    """Return the first policy, in the order of the configuration, that covers an incident."""
    return next((policy for policy in policies if policy.covers(components, severity)), None)


def as_json(policy: Policy) -> dict[str, Any]:
    """Return a policy as it is kept with an incident; durations are seconds."""

    def targets(of: Sequence[Target]) -> list[list[str]]:
        return [[target.kind.value, target.name] for target in of]

    timeout = policy.acknowledge_timeout
    return {
        "name": policy.name,
        "steps": [
            {"tell": targets(step.tell), "wait": step.wait.total_seconds()} for step in policy.steps
        ],
        "last_resort": targets(policy.last_resort),
        "rounds": policy.rounds,
        "acknowledge_timeout": timeout.total_seconds() if timeout else None,
        "components": sorted(policy.components),
        "severities": sorted(policy.severities),
    }


def from_json(kept: Mapping[str, Any]) -> Policy:
    """Return the policy that `as_json` wrote."""

    def targets(of: Sequence[Sequence[str]]) -> tuple[Target, ...]:
        return tuple(Target(TargetKind(kind), name) for kind, name in of)

    timeout = kept["acknowledge_timeout"]
    return Policy(
        name=kept["name"],
        steps=tuple(
            Step(targets(step["tell"]), timedelta(seconds=step["wait"])) for step in kept["steps"]
        ),
        last_resort=targets(kept["last_resort"]),
        rounds=kept["rounds"],
        acknowledge_timeout=None if timeout is None else timedelta(seconds=timeout),
        components=frozenset(kept["components"]),
        severities=frozenset(kept["severities"]),
    )
