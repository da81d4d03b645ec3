"""Notifications to a Slack channel through an incoming webhook: blocks beside a coloured bar.

The webhook answers `ok` and no id, so there is no thread to reply to. Limits are Slack's own: a
header has 150 characters, a section 3,000 (https://docs.slack.dev/reference/block-kit/blocks).
"""

from __future__ import annotations

from typing import Any

from monitor.notify.http import HttpAddress, call
from monitor.notify.looks import COLOURS, cut, tone_of
from monitor.notify.message import Context, KindSettings, Message, Receipt

LONGEST_HEADER = 150
LONGEST_SECTION = 3000
LONGEST_BUTTON = 75


class Settings(KindSettings):
    """A Slack channel."""

    url: HttpAddress
    """The incoming webhook, e.g. `https://hooks.slack.com/services/${secret:SLACK_PATH}`."""
    mention: str = ""
    """Whom an opening of critical severity calls: `<!here>`, `<!channel>`, `<@U123>`."""


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return Slack's answer in words; a 429 is tried again when Slack says so."""
    document = render(message, settings, context)
    answer = call(settings.url, context, timeout_seconds=settings.timeout, document=document)
    return Receipt(f"Slack ({answer.host}) took it")


def render(message: Message, settings: Settings, context: Context) -> dict[str, Any]:
    """Return the message as the webhook takes it."""
    tone = tone_of(message)
    calls = settings.mention if tone == "critical" and message.event in _CALLING else ""
    section = cut(escape(message.body.strip()), LONGEST_SECTION)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(cut(message.subject, LONGEST_HEADER))},
        {"type": "section", "text": {"type": "mrkdwn", "text": section or "–"}},
    ]
    buttons = [
        {"type": "button", "text": _plain(cut(words, LONGEST_BUTTON)), "url": url}
        | ({"style": "primary"} if words == "Acknowledge" else {})
        for words, url in message.links
    ]
    blocks += [{"type": "actions", "elements": buttons}] if buttons else []
    footer = f"{escape(context.site_name)} · {escape(message.id)}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": footer}]})
    text = " ".join(part for part in (calls, escape(message.subject)) if part)
    return {"text": text, "attachments": [{"color": COLOURS[tone], "blocks": blocks}]}


def escape(text: str) -> str:
    """Return `text` so that Slack shows it as it is: nobody is called, nothing is a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


_CALLING = (
    "incident_opened",
    "incident_reopened",
    "incident_escalated",
    "incident_paged",
    "incident_digest",
)
