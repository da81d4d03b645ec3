"""Gap repair: what others know and we missed is taken up, closed or rebuilt.

What fires now comes in by the common entrance, with its true start. What a server says is over is
resolved at the time its history gives. What began and ended while nobody listened becomes an
incident marked *reconstructed*: nobody is paged for it, one message tells of all of them. Doing it
twice changes nothing: what is known already is never rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, RowMapping

from incidents.alerts.history import Disturbance, Episode, disturbances
from incidents.alerts.model import Alert, AlertState, words
from incidents.lifecycle import (
    Origin,
    Severity,
    Status,
    component_status,
    impact_of,
    worse_status,
    worst,
)
from incidents.notices.status import ComponentStatus
from incidents.outbox import notification_key
from incidents.publication import public_title, publishes_by_itself, reconstructed_words
from incidents.timeline import AUTOMATION, Entry, Kind
from monitor.config.model import Configuration, ReconcileServer
from monitor.storage import gaps
from monitor.storage import incidents as incident_rows
from monitor.storage.audit import record
from monitor.storage.facts import read_fact, write_fact
from monitor.storage.numbers import lock_incidents, next_number, public_id
from monitor.storage.outbox import enqueue
from monitor.storage.status import add_past_states
from monitor.storage.store import Store, Transaction
from monitor.use_cases.policy import AlertPolicy

LONGEST_GAP = timedelta(days=7)  # further back nothing is rebuilt
EDGE = timedelta(seconds=30)  # looked at twice, so that nothing falls between two looks
SOON = timedelta(minutes=1)  # what is good for no longer is told anew
CHUNK = 1_000  # alerts delivered at once
PRIORITY = 20  # of the message: it wakes nobody and hurries nobody
EVENT = "incidents_reconstructed"

Deliver = Callable[[Sequence[Alert], str], None]


@dataclass(frozen=True, slots=True)
class Heard:
    """What all servers of one door say together; `may_close` if all answered and are sure."""

    source: str
    firing: Sequence[Alert]
    alive: frozenset[str]
    unsure: frozenset[str] = frozenset()  # names of rules that were not evaluated well yet
    may_close: bool = True
    episodes: Sequence[Episode] = ()
    precision: timedelta = timedelta(0)  # how exactly the ends of episodes are known


@dataclass(slots=True)
class Repaired:
    """What was done."""

    delivered: int = 0
    closed: int = 0
    rebuilt: list[int] = field(default_factory=list)  # numbers of incidents
    joined: int = 0  # missed alerts that an incident of that time took in


def last_look(connection: Connection, server: ReconcileServer, now: datetime) -> datetime | None:
    """Return since when history has to be read, or None where this server was never asked."""
    noted = read_fact(connection, _fact(server))
    if not isinstance(noted, str):
        return None
    return max(datetime.fromisoformat(noted) - EDGE, now - LONGEST_GAP)


def repair(
    store: Store,
    heard: Heard,
    servers: Sequence[ReconcileServer],
    *,
    configuration: Configuration,
    policy: AlertPolicy,
    deliver: Deliver,
    now: datetime,
) -> Repaired:
    """Bring what we hold in line with what the servers of one door know."""
    done = Repaired()
    ended = _ended(heard)
    starts = {episode.fingerprint: episode.starts_at for episode in heard.episodes}
    with store.read() as connection:
        held = {row["fingerprint"]: row for row in gaps.open_of_source(connection, heard.source)}
    known = [_since(alert, starts.get(alert.fingerprint)) for alert in heard.firing]
    firing = [alert for alert in known if _is_news(alert, held.get(alert.fingerprint), now)]
    over = _over(heard, list(held.values()), ended, now)
    for start in range(0, len(firing), CHUNK):
        deliver(firing[start : start + CHUNK], heard.source)
    for start in range(0, len(over), CHUNK):
        deliver(over[start : start + CHUNK], heard.source)
    done.delivered, done.closed = len(firing), len(over)
    with store.begin() as tx:
        _rebuild(tx, heard, ended, configuration, policy, now, done)
        for server in servers:
            write_fact(tx, _fact(server), now.isoformat(), now)
    return done


def _fact(server: ReconcileServer) -> str:
    return f"reconciled:{server.name}"


def _ended(heard: Heard) -> list[Episode]:
    """Return the episodes that are over for certain."""
    return [
        episode
        for episode in heard.episodes
        if episode.fingerprint not in heard.alive
        and episode.labels.get("alertname", "") not in heard.unsure
    ]


def _since(alert: Alert, start: datetime | None) -> Alert:
    """Return a firing alert with the start its last episode has, where that is earlier."""
    return alert if start is None or start >= alert.starts_at else replace(alert, starts_at=start)


def _is_news(alert: Alert, row: RowMapping | None, now: datetime) -> bool:
    """Tell whether what we hold of a firing alert is less than this, or not good for long."""
    if row is None or row["state"] != AlertState.FIRING or alert.starts_at < row["starts_at"]:
        return True
    return row["ends_at"] is not None and row["ends_at"] - now < SOON


def _over(
    heard: Heard, held: Sequence[RowMapping], ended: Sequence[Episode], now: datetime
) -> list[Alert]:
    """Return resolutions of what we hold open and no server knows any more.

    What a Prometheus promised to be true for longer is left alone until then: its own word comes.
    """
    if not heard.may_close:
        return []
    last = {episode.fingerprint: episode.ends_at for episode in ended}
    return [
        _resolution(row, last.get(row["fingerprint"]), now)
        for row in held
        if row["fingerprint"] not in heard.alive
        and row["labels"].get("alertname", "") not in heard.unsure
        and (row["ends_at"] is None or row["ends_at"] <= now)
    ]


def _resolution(row: RowMapping, seen_until: datetime | None, now: datetime) -> Alert:
    end = seen_until or row["ends_at"] or now
    return Alert(
        row["labels"],
        row["annotations"],
        starts_at=row["starts_at"],
        ends_at=min(now, max(end, row["latest_starts_at"])),
        generator_url=row["generator_url"],
    )


def _rebuild(
    tx: Transaction,
    heard: Heard,
    ended: Sequence[Episode],
    configuration: Configuration,
    policy: AlertPolicy,
    now: datetime,
    done: Repaired,
) -> None:
    if not ended:
        return
    lock_incidents(tx)  # before reading: another replica may repair the same gap
    missed = _missed(tx.connection, ended, heard.precision, policy)
    rebuilder = _Rebuilder(tx, heard.source, configuration, now)
    for disturbance in disturbances(missed, policy.reopen_window):
        incident = rebuilder.incident_of(disturbance, policy.reopen_window)
        if incident is None:
            done.rebuilt.append(rebuilder.rebuild(disturbance))
        else:
            rebuilder.join(incident, disturbance)
            done.joined += len(disturbance.episodes)
    rebuilder.tell(done)


def _missed(
    connection: Connection,
    ended: Sequence[Episode],
    precision: timedelta,
    policy: AlertPolicy,
) -> list[Episode]:
    """Return the episodes nobody recorded and no window or silence of that time covers."""
    around = precision * 2 + EDGE
    since = min(episode.starts_at for episode in ended) - around
    kept = gaps.kept_of(connection, (episode.fingerprint for episode in ended), since)
    mute_at = cache(partial(policy.muting, connection))  # storms share their instants
    return [
        episode
        for episode in ended
        if not any(
            start <= episode.ends_at + around and (end is None or end >= episode.starts_at - around)
            for start, end in kept.get(episode.fingerprint, ())
        )
        and not mute_at(episode.starts_at)(episode.labels)
    ]


@dataclass
class _Rebuilder:
    """Writes incidents of the past, as far as they can be known."""

    tx: Transaction
    source: str
    configuration: Configuration
    now: datetime
    lines: list[str] = field(default_factory=list)
    severities: list[Severity] = field(default_factory=list)

    def incident_of(
        self, disturbance: Disturbance, bridge: timedelta
    ) -> incident_rows.Incident | None:
        """Return an incident that was open at that time and would have held these alerts."""
        component = disturbance.first.labels.get("component", "")
        start, end = disturbance.starts_at - bridge, disturbance.ends_at + bridge
        return gaps.incident_during(self.tx.connection, disturbance.key, component, start, end)

    def rebuild(self, disturbance: Disturbance) -> int:
        """Record an incident with its true times, over and marked; returns its number."""
        first, episodes = disturbance.first, disturbance.episodes
        severity = worst([Severity.of(episode.labels) for episode in episodes])
        components = _components(episodes)
        values: dict[str, Any] = {
            "number": next_number(self.tx, "incident"),
            "public_id": public_id(),
            "key": disturbance.key,
            "title": self._title(first),
            "status": Status.RESOLVED,
            "severity": severity,
            "impact": impact_of(severity, components.values()),
            "origin": Origin.AUTOMATIC,
            "component": first.labels.get("component"),
            "journey": first.labels.get("journey"),
            "step": first.labels.get("step"),
            "reason": first.labels.get("reason"),
            "started_at": disturbance.starts_at,
            "opened_at": disturbance.starts_at,
            "updated_at": self.now,
            "resolved_at": disturbance.ends_at,
            "resolved_by": AUTOMATION,
            "reconstructed": True,
            "previous_id": incident_rows.last_of_key(self.tx.connection, disturbance.key),
        }
        row_id = gaps.insert_closed_incident(
            self.tx, values, dict.fromkeys(components, "operational")
        )
        text = (
            f"Reconstructed: {_words(episodes)} from {_when(disturbance.starts_at)} to "
            f"{_when(disturbance.ends_at)}, while this monitor heard nothing. It is over, and "
            "nobody was paged."
        )
        self._write(row_id, text, episodes)
        self._publish(row_id, str(values["component"] or ""), severity)
        number = int(values["number"])
        self.lines.append(
            f"INC-{number}: {values['title']}, {text.removeprefix('Reconstructed: ')}"
        )
        self.severities.append(severity)
        self._record(f"INC-{number}", disturbance)
        return number

    def join(self, incident: incident_rows.Incident, disturbance: Disturbance) -> None:
        """Add missed alerts to the incident of their time."""
        text = (
            f"Reconstructed: {_words(disturbance.episodes)} too, from "
            f"{_when(disturbance.starts_at)} to {_when(disturbance.ends_at)}; nobody saw it then."
        )
        self._write(incident.id, text, disturbance.episodes)
        self._record(incident.name, disturbance)

    def tell(self, done: Repaired) -> None:
        """Queue one message about all that was rebuilt, to whoever would have been told."""
        if not self.lines:
            return
        severity = worst(self.severities)
        count = len(done.rebuilt)
        subject = f"{count} incident{'s' if count > 1 else ''} missed and reconstructed"
        shown = self.lines[:20]
        more = [f"and {count - len(shown)} more"] if count > len(shown) else []
        body = "\n".join(
            [f"{subject}; all of it is over. What others kept says:", "", *shown, *more]
        )
        rows = []
        for channel in self.configuration.channels:
            if severity.value not in channel.severities:
                continue
            mark = f"{min(done.rebuilt)}-{max(done.rebuilt)}"
            key = notification_key("reconstructed", mark, channel.name)
            rows.append(
                {
                    "key": key,
                    "event": EVENT,
                    "channel": channel.name,
                    "severity": "info",
                    "subject": subject,
                    "body": body + "\n",
                    "priority": PRIORITY,
                    "payload": {"key": key, "event": EVENT, "text": body},
                    "created_at": self.now,
                }
            )
        enqueue(self.tx, rows)

    def _publish(self, row_id: int, component_id: str, severity: Severity) -> None:
        """Put it among what the public may read of the past, where its component publishes."""
        component = self.configuration.component(component_id)
        if component is None or not publishes_by_itself(component.publish, severity, ""):
            return
        title = public_title(component.name, severity)
        incident_rows.change_incident(
            self.tx, row_id, {"published_at": self.now, "public_title": title}
        )
        note = {
            "public_id": public_id(),
            "incident_id": row_id,
            "at": self.now,
            "body": reconstructed_words(component.name),
            "status": Status.RESOLVED.value,
            "author": AUTOMATION,
            "published_at": self.now,
        }
        incident_rows.add_update(self.tx, note)

    def _write(self, row_id: int, text: str, episodes: Sequence[Episode]) -> None:
        entry = Entry(self.now, Kind.RECONSTRUCTED, text, data={"alerts": len(episodes)})
        incident_rows.add_entries(self.tx, [(row_id, entry)])
        gaps.insert_closed_alerts(self.tx, [self._row(episode, row_id) for episode in episodes])
        add_past_states(self.tx, _held(episodes))

    def _row(self, episode: Episode, incident_id: int) -> dict[str, Any]:
        return {
            "fingerprint": episode.fingerprint,
            "labels": dict(episode.labels),
            "annotations": {},
            "starts_at": episode.starts_at,
            "latest_starts_at": episode.starts_at,
            "ends_at": episode.ends_at,
            "state": AlertState.RESOLVED.value,
            "source": self.source,
            "generator_url": "",
            "received_at": self.now,
            "updated_at": self.now,
            "resolved_at": episode.ends_at,
            "incident_id": incident_id,
            "muted_by": "",
            "severity": Severity.of(episode.labels).value,
        }

    def _title(self, first: Episode) -> str:
        component = self.configuration.component(first.labels.get("component", ""))
        name = first.labels.get("alertname", "an alert without a name")
        return f"{component.name}: {name}" if component else words(first.labels)

    def _record(self, target: str, disturbance: Disturbance) -> None:
        detail = {
            "starts_at": disturbance.starts_at.isoformat(),
            "ends_at": disturbance.ends_at.isoformat(),
            "alerts": len(disturbance.episodes),
        }
        record(
            self.tx,
            actor=AUTOMATION,
            action="incident.reconstructed",
            target=target,
            at=self.now,
            detail=detail,
        )


def _held(
    episodes: Sequence[Episode],
) -> Iterator[tuple[str, ComponentStatus, datetime, datetime]]:
    """Yield what missed alerts say of components, and from when to when."""
    for episode in episodes:
        status = ComponentStatus(component_status(episode.labels))
        if (component := episode.labels.get("component", "")) and status.is_trouble:
            yield component, status, episode.starts_at, episode.ends_at


def _components(episodes: Sequence[Episode]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for episode in episodes:
        if component := episode.labels.get("component", ""):
            status = component_status(episode.labels)
            found[component] = worse_status(found.get(component, "operational"), status)
    return found


def _words(episodes: Sequence[Episode]) -> str:
    more = f" and {len(episodes) - 1} more" if len(episodes) > 1 else ""
    return f"{words(episodes[0].labels)}{more} fired"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
