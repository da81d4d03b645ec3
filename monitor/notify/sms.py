"""Notifications as a text message, through a provider with an HTTP API.

Twilio is spoken to in its own terms; `generic` posts number and text as any provider wants them
named. Apprise knows thirty more providers, but sends the text as it is: here it is made to fit.
"""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, model_validator

from monitor.notify.http import Answer, HttpAddress, SecretReference, call
from monitor.notify.message import Context, KindSettings, Message, NotifyError, Receipt, Words
from monitor.notify.sms_text import render_sms

TWILIO = "https://api.twilio.com"
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")  # E.164


class Settings(KindSettings):
    """A text message to one or more numbers."""

    provider: Literal["twilio", "generic"] = "twilio"
    """Whose API it is."""
    to: Words = ()
    """Numbers such as `+27821234567`; a message that names its own goes there instead."""
    sender: str = ""
    """The number or name it comes from."""
    account: str = ""
    """Twilio: the account SID; may hold `${secret:NAME}`."""
    token: SecretReference = ""
    """Twilio: the auth token; generic: what stands after `Bearer`. By reference."""
    url: HttpAddress | Literal[""] = ""
    """Generic: where to POST. Twilio: another API server than its own."""
    encoding: Literal["json", "form"] = "json"
    """Generic: how the fields travel."""
    fields: dict[str, str] = Field(
        default_factory=lambda: {"to": "{to}", "from": "{sender}", "text": "{text}"},
        description="generic: name of each field and what stands in it",
    )
    id_field: str = "id"
    """Generic: where in a JSON answer the provider's id is, with dots: `messages.0.id`."""
    parts: int = Field(default=1, ge=1, le=4)
    """How many text messages one notification may cost."""

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        needed = ("account", "token", "sender") if self.provider == "twilio" else ("url",)
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError(f"expected {', '.join(missing)} for provider {self.provider}")
        if bad := [number for number in self.to if not _NUMBER.fullmatch(number)]:
            raise ValueError(f"expected numbers such as +27821234567, not {', '.join(bad)}")
        return self


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return what the provider answered; the reference is its id of the last message.

    Several numbers get one text each. When one of them fails all are tried again: rather a text
    twice than a person asleep. Give each person a channel where that matters.
    """
    numbers = [message.recipient] if _NUMBER.fullmatch(message.recipient) else list(settings.to)
    if not numbers:
        raise NotifyError("the channel names no number", retryable=False)
    link = message.acknowledge_url or str(message.incident.get("url") or "")
    text = render_sms(message.subject, link, parts=settings.parts)
    deliver = _twilio if settings.provider == "twilio" else _generic
    taken = [deliver(number, text, settings, context) for number in numbers]
    ids = [reference for _, reference in taken if reference]
    words = f"{taken[0][0].words} for {len(numbers)} number{'s' if len(numbers) > 1 else ''}"
    return Receipt(f"{words}: {', '.join(ids)}" if ids else words, ids[-1] if ids else "")


def _twilio(number: str, text: str, settings: Settings, context: Context) -> tuple[Answer, str]:
    account = quote(context.reveal(settings.account), safe="")
    answer = call(
        f"{(settings.url or TWILIO).rstrip('/')}/2010-04-01/Accounts/{account}/Messages.json",
        context,
        timeout_seconds=settings.timeout,
        form={"To": number, "From": settings.sender, "Body": text},
        login=(settings.account, settings.token),
    )
    return answer, answer.value("sid")


def _generic(number: str, text: str, settings: Settings, context: Context) -> tuple[Answer, str]:
    given = {"to": number, "sender": settings.sender, "text": text}
    values = {name: _filled(shape, given) for name, shape in settings.fields.items()}
    body: dict[str, Any] = {"document" if settings.encoding == "json" else "form": values}
    answer = call(
        settings.url,
        context,
        timeout_seconds=settings.timeout,
        headers={"Authorization": f"Bearer {settings.token}"} if settings.token else {},
        **body,
    )
    path = [int(part) if part.isdigit() else part for part in settings.id_field.split(".")]
    return answer, answer.value(*path)


def _filled(shape: str, given: dict[str, str]) -> str:
    return re.sub(r"\{(to|sender|text)\}", lambda found: given[found[1]], shape)
