"""The incidents that one transaction's alerts may join, as the database and people have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection

from incidents.alerts.model import Alert, begun
from incidents.causes import Signs, needed_by
from incidents.correlation import (
    NO_WISHES,
    Belongs,
    Candidate,
    Register,
    Subject,
    Wishes,
    cause_of,
    follows_from,
)
from monitor.config.model import Configuration
from monitor.storage import incidents as incident_rows
from monitor.storage.incidents import Incident
from monitor.storage.regrouping import Placement, live_placements


class Candidates:
    """What is known of incidents in this transaction, read as asked; kept in step by `know`."""

    def __init__(self, connection: Connection, configuration: Configuration) -> None:
        self._connection = connection
        self._configuration = configuration
        self.incidents: dict[int, Incident] = {}  # by number
        self.register = Register()
        self._numbers: dict[int, int] = {}  # by row id
        self._asked: set[str] = set()  # components whose open incidents are known
        self._wishes: dict[str, Wishes] = {}  # by fingerprint
        self._needing: dict[str, list[str]] = {}  # components by one that they need

    def load(self, subjects: Iterable[Subject], since: datetime) -> None:
        """Read the incidents that alerts about these subjects may join or reopen.

        That is: those of the same keys, open or resolved `since`; open ones about their components
        and what these need; and what people decided. A storm may have opened thousands of others.
        """
        asked = set(subjects)
        keys = {subject.key for subject in asked}
        components = {subject.component for subject in asked} - {""}
        components |= {needed for each in components for needed in self._needed_by(each)}
        decided = live_placements(self._connection, since)
        self._asked |= components
        self._learn(incident_rows.joinable(self._connection, keys, components, since))
        self._learn_of(row.incident_id for row in decided)
        self._wishes = {}
        for row in decided:
            self._wish(row)

    def open_of(self, ids: Iterable[int | None]) -> dict[int, Incident]:
        """Return the open ones among the incidents of these row ids, by row id."""
        wanted = {row_id for row_id in ids if row_id is not None}
        self._learn_of(wanted)
        found = (self.incidents[self._numbers[row_id]] for row_id in wanted & self._numbers.keys())
        return {incident.id: incident for incident in found if incident.is_open}

    def known(self, ids: Iterable[int]) -> dict[int, Incident]:
        """Return what was read already of the incidents of these row ids, by row id."""
        numbers = ((row_id, self._numbers.get(row_id)) for row_id in ids)
        return {row_id: self.incidents[number] for row_id, number in numbers if number is not None}

    def know(self, incident: Incident) -> None:
        """Have the incident found as it now stands."""
        self._numbers[incident.id] = incident.number
        self.incidents[incident.number] = incident
        self.register.put(self._candidate(incident))

    def find(self, alert: Alert, *, now: datetime, window: timedelta) -> Belongs | None:
        """Return the incident the alert belongs to, or None when it needs a new one."""
        key = Subject.of(alert.labels).key
        wishes = self._wishes.get(alert.fingerprint, NO_WISHES) if self._wishes else NO_WISHES
        if wishes is NO_WISHES and (belongs := self.register.same_key(key)):
            return belongs  # what nearly all do in a storm
        signs = Signs.of(alert.labels, alert.annotations, begun(alert, now))
        return self.register.find(
            key,
            signs,
            needs=self._needed_by(signs.component),
            now=now,
            window=window,
            wishes=wishes,
        )

    def is_decided(self, alert: Alert) -> bool:
        """Tell whether a person said where this alert belongs, or where it does not."""
        return alert.fingerprint in self._wishes

    def consequences(self, upstream: Incident) -> list[tuple[Incident, str]]:
        """Return the open incidents that only follow from this one, and why, oldest first."""
        cause = self._candidate(upstream)
        needing = self._components_needing(cause.signs.component)
        self._learn_about(needing)
        found = []
        for number in self.register.open_about(needing):
            other = self.incidents[number]
            if other is upstream:
                continue
            needs = {c: self._needed_by(c) for c in (*other.components, other.component or "")}
            if why := follows_from(cause, self._candidate(other), needs):
                found.append((other, why))
        return found

    def survivor_of(self, incident_id: int) -> int:
        """Return the row id of the incident that stands for this one by now."""
        number = self._numbers.get(incident_id)
        survivor = None if number is None else self.incidents[number].merged_into_id
        return incident_id if survivor is None else survivor

    def _learn_of(self, ids: Iterable[int]) -> None:
        """Read the incidents of these row ids that are not known yet."""
        if absent := set(ids) - self._numbers.keys():
            self._learn(incident_rows.load_incidents(self._connection, absent).values())

    def _learn(self, found: Iterable[Incident]) -> None:
        """Have these found, and what each was merged into, unless they are known already."""
        new = [incident for incident in found if incident.number not in self.incidents]
        self._numbers |= {incident.id: incident.number for incident in new}
        self.incidents |= {incident.number: incident for incident in new}
        self._learn_of(i.merged_into_id for i in new if i.merged_into_id is not None)
        for incident in new:
            self.know(incident)

    def _learn_about(self, components: Iterable[str]) -> None:
        """Read the open incidents about these components that were not asked for yet."""
        if absent := set(components) - self._asked:
            self._asked |= absent
            self._learn(incident_rows.open_about(self._connection, absent))

    def _wish(self, row: Placement) -> None:
        number = self._numbers[row.incident_id]
        wishes = self._wishes.get(row.fingerprint, NO_WISHES)
        if row.apart:
            together = None if wishes.together == number else wishes.together
            self._wishes[row.fingerprint] = Wishes(
                together, wishes.because, wishes.apart | {number}
            )
        else:
            because = f"{row.placed_by} put it there: {row.why}"
            self._wishes[row.fingerprint] = Wishes(number, because, wishes.apart - {number})

    def _candidate(self, incident: Incident) -> Candidate:
        survivor = incident.merged_into_id
        return Candidate(
            number=incident.number,
            key=incident.key,
            components=frozenset(incident.components),
            severity=incident.severity,
            open=incident.is_open,
            resolved_at=incident.resolved_at,
            merged_into=None if survivor is None else self._numbers.get(survivor),
            signs=Signs(
                component=incident.component or "",
                began_at=incident.started_at,
                journey=incident.journey or "",
                cause=cause_of(incident.key),
                step=incident.step or "",
                reason=incident.reason or "",
            ),
        )

    @cached_property
    def _needs(self) -> dict[str, tuple[str, ...]]:
        return {c.id: c.depends_on for c in self._configuration.components if c.depends_on}

    def _needed_by(self, component: str) -> Mapping[str, str]:
        return needed_by(component, self._needs) if component in self._needs else {}

    def _components_needing(self, component: str) -> list[str]:
        if component not in self._needing:
            needing = [name for name in self._needs if component in self._needed_by(name)]
            self._needing[component] = needing
        return self._needing[component]
