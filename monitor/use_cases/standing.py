"""How every open alert stands at an instant: active, or kept quiet, and by what.

Silences and inhibition are looked at live, so that a list is right the moment a silence is made.
Many alerts share the few labels that matchers ask about: each such combination is judged once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from incidents.alerts.inhibition import KEPT, Inhibitor, InhibitRule, Source
from incidents.alerts.matchers import Matcher, all_hold
from incidents.alerts.silences import InForce
from incidents.muted import WINDOW
from monitor.storage.silences import live_silences

Tests = Mapping[str, Sequence[Matcher]]
"""The matchers of silences and filters for each label that nothing else looks at."""
Read = Callable[[Connection, Sequence[str], Tests], Sequence[tuple[Any, ...]]]
"""Reads (key, identity, state, severity, muted_by, *labels of these names) of alerts.

Alerts on whose labels all tests agree may come as one.
"""


@dataclass(slots=True)
class Alike:
    """Alerts that nobody who asks can tell apart, but for their identity."""

    labels: dict[str, str]
    silences: tuple[str, ...]
    is_wanted: bool
    firing: list[str] = field(default_factory=list)  # identities that may inhibit, a few of them
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Stands:
    """One alert with what keeps it quiet: a window's name, ids of silences, identities of alerts.

    `key` is what the rows were read for: the first of their columns.
    """

    key: Any
    fingerprint: str
    state: str
    severity: str
    labels: dict[str, str]  # those that were asked about
    window: str = ""
    silences: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    is_open: bool = True

    @property
    def silenced_by(self) -> tuple[str, ...]:
        """Return what an Alertmanager would call silences: a window is one too."""
        return (self.window, *self.silences) if self.window else self.silences

    @property
    def is_active(self) -> bool:
        """Tell whether nothing keeps it quiet."""
        return not self.silenced_by and not self.inhibited_by


def standing(
    connection: Connection,
    read: Read,
    rules: Sequence[InhibitRule],
    now: datetime,
    *,
    wanted: Sequence[Matcher] = (),
    names: Iterable[str] = (),
    is_open: bool = True,
) -> list[Stands]:
    """Return how each alert stands that meets all of `wanted`; labels of `names` are read too."""
    silences = live_silences(connection, now)
    matchers = {*wanted, *(matcher for silence in silences for matcher in silence.matchers)}
    as_they_are = {*names, *(name for rule in rules for name in _names_of(rule))}
    columns = sorted(as_they_are | {matcher.name for matcher in matchers})
    tests: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        if matcher.name not in as_they_are:
            tests.setdefault(matcher.name, []).append(matcher)
    judge = _Judge(columns, InForce(silences, now), wanted)
    judged = [(row, judge.of(row[5:])) for row in read(connection, columns, tests)]
    for row, alike in judged:
        may_inhibit = row[2] == "firing" and not row[4] and not alike.silences
        if may_inhibit and len(alike.firing) < KEPT:
            alike.firing.append(row[1])
    inhibitor = judge.inhibitor(rules)
    return [
        Stands(
            row[0],
            row[1],
            row[2],
            row[3],
            alike.labels,
            row[4] if row[4].startswith(WINDOW) else "",
            alike.silences,
            _inhibited_by(inhibitor, row[1], alike),
            is_open,
        )
        for row, alike in judged
        if alike.is_wanted
    ]


def _names_of(rule: InhibitRule) -> set[str]:
    matchers = (*rule.source_matchers, *rule.target_matchers)
    return {*rule.equal, *(matcher.name for matcher in matchers)}


class _Judge:
    """Judges each combination of labels once."""

    def __init__(self, names: Sequence[str], in_force: InForce, wanted: Sequence[Matcher]) -> None:
        self._names = names
        self._in_force = in_force
        self._wanted = wanted
        self._known: dict[tuple[str | None, ...], Alike] = {}

    def inhibitor(self, rules: Sequence[InhibitRule]) -> Inhibitor:
        """Return what inhibits, and note with each combination what inhibits it."""
        inhibitor = Inhibitor(rules)
        for alike in self._known.values():
            inhibitor.add(Source(fingerprint, alike.labels) for fingerprint in alike.firing)
        for alike in self._known.values():
            alike.source = inhibitor.source_of("", alike.labels)
        return inhibitor

    def of(self, values: tuple[str | None, ...]) -> Alike:
        """Return what alerts with these values have in common."""
        known = self._known.get(values)
        if known is None:
            labels = {name: value for name, value in zip(self._names, values, strict=True) if value}
            silences = tuple(silence.id for silence in self._in_force.of(labels))
            known = Alike(labels, silences, all_hold(self._wanted, labels))
            self._known[values] = known
        return known


def _inhibited_by(inhibitor: Inhibitor, fingerprint: str, alike: Alike) -> tuple[str, ...]:
    source = alike.source
    if source is not None and source.fingerprint == fingerprint:
        source = inhibitor.source_of(fingerprint, alike.labels)
    return (source.fingerprint,) if source else ()
