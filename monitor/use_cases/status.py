"""How the components stand now, and the record of how they stood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from incidents.notices.maintenance import Maintenance
from incidents.notices.published import PublicComponent, PublicIncident, PublicPage, Site
from incidents.notices.rollup import roll_up
from incidents.notices.status import ComponentStatus, JourneySignal, Standing, component_standing
from monitor.config.model import Component, Configuration
from monitor.storage.maintenance import live_windows
from monitor.storage.status import (
    change_state,
    close_state,
    current_states,
    first_seen,
    load_signals,
    note_recorded,
    open_component_statuses,
    open_public_incidents,
    recorded_at,
)
from monitor.storage.store import Store, Transaction

HEARTBEAT = timedelta(minutes=1)  # how often it is written down that somebody looked
GAP = timedelta(minutes=5)  # nobody looked for so long: nothing is known of that time


class StateChange(NamedTuple):
    """A component went from one status (None: it is new) to another."""

    component: str
    old: ComponentStatus | None
    new: ComponentStatus
    cause: str


def signals(connection: Connection, configuration: Configuration) -> tuple[JourneySignal, ...]:
    """Return what every configured journey last saw."""
    locations = [location.name for location in configuration.locations]
    return load_signals(connection, configuration.journeys, locations)


def standings(
    connection: Connection,
    configuration: Configuration,
    now: datetime,
    windows: Sequence[Maintenance] | None = None,
) -> dict[str, Standing]:
    """Return how every configured component stands at `now`."""
    seen = signals(connection, configuration)
    told = open_component_statuses(connection)
    announced = live_windows(connection, now) if windows is None else windows
    return {
        component.id: component_standing(
            component.id, seen, told, announced, quorum=configuration.quorum, now=now
        )
        for component in configuration.components
    }


def public_page(
    connection: Connection, configuration: Configuration, public_url: str, now: datetime
) -> PublicPage:
    """Return everything that the public may know at `now`."""
    windows = live_windows(connection, now)
    standing = standings(connection, configuration, now, windows)
    open_incidents = open_public_incidents(connection)
    components = _components(connection, configuration.components, standing, now)
    statuses = [component.status for component in components]
    return PublicPage(
        site=Site(configuration.site.name, public_url.rstrip("/"), configuration.site.time_zone),
        now=now,
        updated_at=_updated_at(components, open_incidents, now),
        rollup=roll_up(statuses, has_open_incident=bool(open_incidents)),
        components=components,
        open_incidents=open_incidents,
        windows=windows,
    )


def _components(
    connection: Connection,
    configured: Iterable[Component],
    standing: Mapping[str, Standing],
    now: datetime,
) -> tuple[PublicComponent, ...]:
    states, born = current_states(connection), first_seen(connection)
    return tuple(
        PublicComponent(
            id=component.id,
            name=component.name,
            status=standing[component.id].status,
            created_at=born.get(component.id, now),
            updated_at=states[component.id][1] if component.id in states else now,
            description=component.description or None,
            group=component.group,
            last_checked_at=standing[component.id].last_checked_at,
        )
        for component in configured
    )


def _updated_at(
    components: Iterable[PublicComponent], incidents: Iterable[PublicIncident], now: datetime
) -> datetime:
    """Return when the page's facts last changed, by a check or by a word of ours."""
    moments = [c.last_checked_at for c in components if c.last_checked_at]
    return max([*moments, *(incident.updated_at for incident in incidents)], default=now)


def record_component_states(
    store: Store, configuration: Configuration, now: datetime
) -> tuple[StateChange, ...]:
    """Record which components changed their status since this was last called, and return them.

    Called after everything that may change a status, and at least once a minute. Time in which
    nobody called is recorded as unknown: what was not looked at is not claimed to have been well.
    """
    with store.read() as connection:
        changes = _changes(connection, configuration, now)
        last = recorded_at(connection)
    if not changes and last is not None and timedelta(0) <= now - last < HEARTBEAT:
        return ()
    with store.begin() as tx:
        _record_gap(tx, recorded_at(tx.connection), now)
        changes = _changes(tx.connection, configuration, now)
        for change in changes:
            change_state(tx, change.component, change.new, change.cause, now)
        _close_removed(tx, configuration, now)
        note_recorded(tx, now)
    return changes


def _changes(
    connection: Connection, configuration: Configuration, now: datetime
) -> tuple[StateChange, ...]:
    held = {name: status for name, (status, _) in current_states(connection).items()}
    return tuple(
        StateChange(name, held.get(name), standing.status, standing.cause)
        for name, standing in standings(connection, configuration, now).items()
        if held.get(name) is not standing.status
    )


def _record_gap(tx: Transaction, last: datetime | None, now: datetime) -> None:
    """Record as unknown the time since `last` if it is too long to vouch for."""
    if last is None or now - last <= GAP:
        return
    for component, (status, _) in current_states(tx.connection).items():
        if status is not ComponentStatus.UNKNOWN:
            change_state(tx, component, ComponentStatus.UNKNOWN, "not recorded", last)


def _close_removed(tx: Transaction, configuration: Configuration, now: datetime) -> None:
    configured = {component.id for component in configuration.components}
    for component in set(current_states(tx.connection)) - configured:
        close_state(tx, component, now)
