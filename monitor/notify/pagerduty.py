"""Incidents handed on to PagerDuty by its Events API v2: trigger, acknowledge and resolve.

`dedup_key` names the incident and never changes, so a message sent twice, an escalation and a
reopening all reach the same PagerDuty alert while it is open. Apprise's own PagerDuty service can
only trigger. https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from monitor.notify.http import HttpAddress, SecretReference, call
from monitor.notify.looks import cut
from monitor.notify.message import Context, KindSettings, Message, NotifyError, Receipt

ACTIONS = {"incident_resolved": "resolve", "incident_acknowledged": "acknowledge"}
SEVERITIES = frozenset({"critical", "error", "warning", "info"})
LONGEST_SUMMARY = 1024
LONGEST_DETAIL = 8000  # characters; the whole event may have 512 kB


class Settings(KindSettings):
    """An integration of a PagerDuty service."""

    routing_key: SecretReference = Field(min_length=1)
    """The integration key, by reference: `${secret:PAGERDUTY_KEY}`."""
    url: HttpAddress = "https://events.pagerduty.com/v2/enqueue"
    """The Events API; `https://events.eu.pagerduty.com/v2/enqueue` for accounts in Europe."""


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return what PagerDuty answered; the reference is the `dedup_key` it keeps."""
    document = render(message, settings, context)
    answer = call(settings.url, context, timeout_seconds=settings.timeout, document=document)
    key = answer.value("dedup_key") or str(document["dedup_key"])
    if answer.value("status") not in ("", "success"):
        raise NotifyError(f"{answer.host} did not take the event", retryable=False)
    return Receipt(f"PagerDuty took the {document['event_action']} as {key}", key)


def render(message: Message, settings: Settings, context: Context) -> dict[str, Any]:
    """Return the event."""
    action = ACTIONS.get(message.event, "trigger")
    event: dict[str, Any] = {
        "routing_key": context.reveal(settings.routing_key),
        "event_action": action,
        "dedup_key": dedup_key(message, context),
    }
    if action != "trigger":
        return event
    incident = message.incident
    links = [
        {"href": url, "text": words}
        for words, url in message.links
        if url != message.acknowledge_url  # PagerDuty has its own, and shows links to all
    ]
    return event | {
        "client": context.site_name,
        "client_url": str(incident.get("url") or context.site_url),
        "links": links,
        "payload": {
            "summary": cut(message.subject or message.event, LONGEST_SUMMARY),
            "source": str(incident.get("component") or context.site_name),
            "severity": message.severity if message.severity in SEVERITIES else "info",
            "timestamp": str(incident.get("started_at") or message.created_at.isoformat()),
            "component": str(incident.get("component") or ""),
            "group": str(incident.get("journey") or ""),
            "class": str(incident.get("reason") or ""),
            "custom_details": {
                "text": cut(message.body, LONGEST_DETAIL),
                "notification": message.id,
            },
        },
    }


def dedup_key(message: Message, context: Context) -> str:
    """Return the name of the incident, the same in every message about it, unlike any other's."""
    place = urlsplit(context.site_url).netloc or context.site_name
    return cut(f"{place}/{message.incident.get('name') or message.thread or message.id}", 255)
