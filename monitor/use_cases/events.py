"""Events in PagerDuty's shape: an alert begins, ends, or somebody has taken its incident."""

from __future__ import annotations

from datetime import datetime

from incidents.alerts.pagerduty import Event
from incidents.lifecycle import AlreadyResolved
from monitor.config.model import Configuration
from monitor.storage.alerts import incident_number_of
from monitor.storage.store import Store
from monitor.use_cases.alerts import receive_alerts
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.policy import AlertPolicy

SOURCE = "pagerduty"


def receive_event(
    store: Store,
    event: Event,
    *,
    configuration: Configuration,
    now: datetime,
    policy: AlertPolicy,
    source: str = SOURCE,
) -> None:
    """Record an event and what follows from it; all of it is committed on return.

    A second trigger is an update. An acknowledgement of what is not open changes nothing.
    """
    if event.action != "acknowledge":
        receive_alerts(
            store,
            [event.alert],
            source=source,
            configuration=configuration,
            now=now,
            policy=policy,
        )
        return
    with store.read() as connection:
        number = incident_number_of(connection, event.alert.fingerprint)
    if number is None:
        return
    try:
        IncidentDesk(store, configuration, policy).acknowledge(number, by=event.by, now=now)
    except AlreadyResolved:
        return  # it ended meanwhile
