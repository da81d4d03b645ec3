"""Notifications to a Telegram chat through the bot API; what follows replies to the opening.

Links are part of the text rather than buttons, for Telegram refuses a whole message when it does
not like a button's address, such as one inside a private network.
https://core.telegram.org/bots/api#sendmessage
"""

from __future__ import annotations

from html import escape
from typing import Any

from pydantic import Field

from monitor.notify.http import HttpAddress, SecretReference, call
from monitor.notify.looks import Tone, cut, tone_of
from monitor.notify.message import Context, KindSettings, Message, Receipt

LONGEST_TEXT = 4096  # characters after entities were read
SIGNS = {Tone.CRITICAL: "🔴", Tone.WARNING: "🟠", Tone.INFO: "🔵", Tone.GOOD: "🟢"}


class Settings(KindSettings):
    """A Telegram chat."""

    token: SecretReference = Field(min_length=1)
    """The bot's token, by reference: `${secret:TELEGRAM_TOKEN}`."""
    chat: str
    """The chat's id, or `@name` of a public channel; may hold `${secret:NAME}`."""
    topic: int | None = Field(default=None, ge=1)
    """The topic of a forum, by its `message_thread_id`."""
    api: HttpAddress = "https://api.telegram.org"
    """The bot API server, where you run your own."""


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return what Telegram answered; the reference is its message id."""
    document = render(message, settings, context)
    url = f"{settings.api.rstrip('/')}/bot{settings.token}/sendMessage"
    answer = call(url, context, timeout_seconds=settings.timeout, document=document)
    number = answer.value("result", "message_id")
    return Receipt(f"Telegram took it as message {number or 'unnamed'}", number)


def render(message: Message, settings: Settings, context: Context) -> dict[str, Any]:
    """Return the parameters of `sendMessage`."""
    document: dict[str, Any] = {
        "chat_id": context.reveal(settings.chat),
        "text": render_text(message),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "disable_notification": tone_of(message) in (Tone.INFO, Tone.GOOD),
    }
    if settings.topic is not None:
        document["message_thread_id"] = settings.topic
    if message.opening_reference.isdigit():
        document["reply_parameters"] = {
            "message_id": int(message.opening_reference),
            "allow_sending_without_reply": True,
        }
    return document


def render_text(message: Message) -> str:
    """Return title, text and links as Telegram's HTML, short enough to be taken whole."""
    title = cut(message.subject, 300)
    links = "\n".join(f'<a href="{escape(url)}">{words}</a>' for words, url in message.links)
    around = len(title) + sum(len(words) + 1 for words, _ in message.links) + 20
    body = cut(message.body.strip(), LONGEST_TEXT - around)
    parts = [f"{SIGNS[tone_of(message)]} <b>{escape(title)}</b>", escape(body), links]
    return "\n\n".join(part for part in parts if part)
