"""Events in PagerDuty's shape: an alert begins, ends, or somebody has taken its incident."""

from __future__ import annotations

from datetime import datetime

from incidents.alerts.pagerduty import Event
from incidents.lifecycle import AlreadyResolved
from monitor.config.model import Configuration
from monitor.storage.alerts import incident_number_of
from monitor.storage.store import Store
from monitor.use_cases.entrance import Entrance
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.policy import AlertPolicy

SOURCE = "pagerduty"


def receive_event(
    store: Store,
    entrance: Entrance,
    event: Event,
    *,
    configuration: Configuration,
    now: datetime,
    policy: AlertPolicy,
    source: str = SOURCE,
) -> None:
    """Record an event and what follows from it; all of it is committed on return.

    A second trigger is an update. An acknowledgement of what is not open changes nothing.

    Raises:
        Overloaded: too much waits, or the database is unwell; nothing is recorded.
    """
    if event.action != "acknowledge":
        entrance.receive([event.alert], source=source, not_before=now)
        return
    with store.read() as connection:
        number = incident_number_of(connection, event.alert.fingerprint)
    if number is None:
        return
    try:
        IncidentDesk(store, configuration, policy).acknowledge(number, by=event.by, now=now)
    except AlreadyResolved:
        return  # it ended meanwhile
