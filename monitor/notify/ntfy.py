"""Notifications to a phone through ntfy: priority, tags, a tap that opens the incident.

The button "Acknowledge" posts from the phone itself: nothing but a finger does that. ntfy has its
own kind because Apprise's has no acknowledging button. https://docs.ntfy.sh/publish/
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from monitor.notify.http import HttpAddress, SecretReference, call
from monitor.notify.looks import Tone, cut, tone_of
from monitor.notify.message import Context, KindSettings, Message, Receipt

LONGEST_TEXT = 1000  # characters, at most four bytes each: beyond 4,096 B it becomes a file
LONGEST_TITLE = 200
PRIORITY = {Tone.CRITICAL: 5, Tone.WARNING: 4, Tone.INFO: 3, Tone.GOOD: 3}
TAGS = {
    Tone.CRITICAL: "rotating_light",
    Tone.WARNING: "warning",
    Tone.INFO: "information_source",
    Tone.GOOD: "white_check_mark",
}


class Settings(KindSettings):
    """A topic of an ntfy server."""

    topic: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_-]{1,64}|\$\{secret:.+\})$")]
    """The topic; whoever knows it reads along, so keep it secret: `${secret:NTFY_TOPIC}`."""
    server: HttpAddress = "https://ntfy.sh"
    """The server."""
    token: SecretReference = ""
    """Its access token, by reference; empty where it asks for none."""
    ca_file: str = Field(default="", description="certificate authorities to trust, a PEM file")


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return what the server answered; the reference is its message id."""
    headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
    answer = call(
        settings.server.rstrip("/") + "/",
        context,
        timeout_seconds=settings.timeout,
        document=render(message, settings, context),
        headers=headers,
        ca_file=settings.ca_file,
    )
    number = answer.value("id")
    return Receipt(f"ntfy ({answer.host}) took it as {number or 'unnamed'}", number)


def render(message: Message, settings: Settings, context: Context) -> dict[str, Any]:
    """Return the message as the server takes it."""
    tone = tone_of(message)
    document: dict[str, Any] = {
        "topic": context.reveal(settings.topic),
        "title": cut(message.subject, LONGEST_TITLE),
        "message": cut(message.body.strip(), LONGEST_TEXT) or message.subject,
        "priority": PRIORITY[tone],
        "tags": [TAGS[tone]],
    }
    views = [(words, url) for words, url in message.links if url != message.acknowledge_url]
    actions = [{"action": "view", "label": words, "url": url} for words, url in views]
    if message.acknowledge_url:
        actions.insert(0, _acknowledging(message.acknowledge_url))
    if views:
        document["click"] = views[0][1]
    return document | ({"actions": actions[:3]} if actions else {})  # ntfy shows three


def _acknowledging(url: str) -> dict[str, Any]:
    return {
        "action": "http",
        "label": "Acknowledge",
        "url": url,
        "method": "POST",
        "clear": True,
    }
