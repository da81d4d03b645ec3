"""How a canary comes in: by our own door for alerts, as every alert from outside does.

Where the address on which the process listens is not known, it is handed to the entrance behind
the doors: then a web server that stands still is not noticed.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable

from incidents.alerts.model import Alert
from incidents.errors import IncidentError
from monitor.notify.kinds import CANARY
from monitor.use_cases.entrance import Entrance

PATIENCE_SECONDS = 5.0
PATH = "/api/v2/alerts"
HEADER = "x-monitor-canary"

Knock = Callable[[Alert], str]
"""Has an alert received, and returns why it was not; empty once it is stored."""


def through_the_entrance(entrance: Entrance) -> Knock:
    """Return how an alert is handed to the entrance itself."""

    def knock(alert: Alert) -> str:
        try:
            entrance.receive([alert], source=CANARY, canary=True, patience_seconds=PATIENCE_SECONDS)
        except IncidentError as error:
            return str(error)
        return ""

    return knock


def through_the_door(host: str, port: int, key: str) -> Knock:
    """Return how an alert is posted to this process by HTTP; `key` proves that it is us."""

    def knock(alert: Alert) -> str:
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
        headers = {"content-type": "application/json", HEADER: key}
        try:
            connection.request("POST", PATH, _body(alert), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"the door for alerts does not answer: {error or type(error).__name__}"
        finally:
            connection.close()
        return "" if status == 200 else f"the door for alerts answered {status}"

    return knock


def _body(alert: Alert) -> bytes:
    told = {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": alert.starts_at.isoformat(),
        **({"endsAt": alert.ends_at.isoformat()} if alert.ends_at else {}),
    }
    return json.dumps([told]).encode()
