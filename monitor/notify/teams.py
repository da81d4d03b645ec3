"""Notifications to Microsoft Teams through a Workflows webhook, as an Adaptive Card.

The older "incoming webhook" connectors are gone; a workflow "Post to a channel when a webhook
request is received" takes the same address's place and answers 202 without an id. The card stays
below the 28 KB that Teams takes.
"""

from __future__ import annotations

from typing import Any

from monitor.notify.http import HttpAddress, call
from monitor.notify.looks import Tone, cut, tone_of
from monitor.notify.message import Context, KindSettings, Message, Receipt

LONGEST_TEXT = 6000  # characters, at most four bytes each: within 28 KB with all the rest
LONGEST_TITLE = 300
STYLES = {
    Tone.CRITICAL: "attention",
    Tone.WARNING: "warning",
    Tone.INFO: "accent",
    Tone.GOOD: "good",
}
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\*_[]()~`#"})


class Settings(KindSettings):
    """A Teams channel."""

    url: HttpAddress
    """The workflow's address; all of it is secret: `${secret:TEAMS_URL}`."""


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return the workflow's answer in words."""
    document = render(message, context)
    answer = call(settings.url, context, timeout_seconds=settings.timeout, document=document)
    return Receipt(f"Teams ({answer.host}) took it: {answer.status}")


def render(message: Message, context: Context) -> dict[str, Any]:
    """Return the message as the workflow takes it: one card."""
    title = {"type": "TextBlock", "text": escape(cut(message.subject, LONGEST_TITLE))}
    head = {"type": "Container", "style": STYLES[tone_of(message)], "bleed": True}
    footer = escape(f"{context.site_name} · {message.id}")
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": cut(message.subject, LONGEST_TITLE),
        "body": [
            head | {"items": [title | {"weight": "Bolder", "size": "Medium", "wrap": True}]},
            *_paragraphs(cut(message.body.strip(), LONGEST_TEXT)),
            {"type": "TextBlock", "text": footer, "isSubtle": True, "size": "Small", "wrap": True},
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": words, "url": url} for words, url in message.links
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None}
    return {"type": "message", "attachments": [{**attachment, "content": card}]}


def escape(text: str) -> str:
    """Return `text` so that the card's Markdown shows it as it is."""
    return text.translate(_MARKS)


def _paragraphs(text: str) -> list[dict[str, Any]]:
    return [
        {"type": "TextBlock", "text": escape(part.strip()).replace("\n", "\n\n"), "wrap": True}
        for part in text.split("\n\n")
        if part.strip()
    ]
