"""Notifications as a signed JSON POST to an address the operator configured.

The signature is described in docs/notifications.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC
from typing import Literal

from pydantic import Field

from monitor.notify.http import HttpAddress, SecretReference, call
from monitor.notify.message import Context, KindSettings, Message, Receipt


class Settings(KindSettings):
    """A webhook channel."""

    url: HttpAddress
    """Where to POST; may hold `${secret:NAME}`."""
    secret: SecretReference = ""
    """Key of the signature, by reference: `${secret:NAME}`; empty means unsigned."""
    authorization: str = ""
    """Value of the `Authorization` header, e.g. `Bearer ${secret:TOKEN}`."""
    method: Literal["POST", "PUT"] = "POST"
    ca_file: str = Field(default="", description="certificate authorities to trust, a PEM file")


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return the receiver's answer in words once it has accepted the message with a 2xx."""
    body = render_body(message, context)
    answer = call(
        settings.url,
        context,
        timeout_seconds=settings.timeout,
        method=settings.method,
        body=body,
        headers=render_headers(message, settings, context, body),
        ca_file=settings.ca_file,
        keep_answer=False,
    )
    return Receipt(answer.words)


def render_body(message: Message, context: Context) -> bytes:
    """Return the JSON document that is sent, in UTF-8."""
    document = {
        "id": message.id,
        "event": message.event,
        "severity": message.severity,
        "subject": message.subject,
        "text": message.body,
        "created_at": message.created_at.astimezone(UTC).isoformat(),
        "attempt": message.attempt,
        "site": {"name": context.site_name, "url": context.site_url},
        "acknowledge_url": message.acknowledge_url,
        "data": dict(message.payload),
    }
    return json.dumps(document, ensure_ascii=False, default=str).encode()


def render_headers(
    message: Message, settings: Settings, context: Context, body: bytes
) -> dict[str, str]:
    """Return the headers; the signature covers the time of sending and the whole body."""
    timestamp = str(int(context.clock.now().timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-Notification-Id": message.id,
        "X-Monitor-Event": message.event,
        "X-Monitor-Timestamp": timestamp,
    }
    if settings.authorization:
        headers["Authorization"] = settings.authorization
    if settings.secret:
        key = context.reveal(settings.secret).encode()
        headers["X-Monitor-Signature"] = "sha256=" + sign(key, timestamp, body)
    return headers


def sign(key: bytes, timestamp: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of `timestamp`, a dot and `body`."""
    return hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
