"""Notifications as a signed JSON POST to an address the operator configured.

No redirect is followed: only the configured address ever receives a message. It may be a private
one, because the operator's own configuration names it. The signature is described in
docs/notifications.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

import requests
from pydantic import Field, field_validator

from monitor.notify.message import Context, KindSettings, Message, NotifyError

_RETRYABLE = {408, 425, 429}  # the receiver says "not now", not "never"
_LONGEST_RETRY_AFTER_SECONDS = 3600.0


class Settings(KindSettings):
    """A webhook channel."""

    url: str
    """Where to POST; may hold `${secret:NAME}`."""
    secret: str = ""
    """Key of the signature, by reference: `${secret:NAME}`; empty means unsigned."""
    authorization: str = ""
    """Value of the `Authorization` header, e.g. `Bearer ${secret:TOKEN}`."""
    method: Literal["POST", "PUT"] = "POST"
    ca_file: str = Field(default="", description="certificate authorities to trust, a PEM file")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://", "${secret:")):
            raise ValueError("expected an address that begins with http:// or https://")
        return url

    @field_validator("secret")
    @classmethod
    def _is_reference(cls, secret: str) -> str:
        if secret and not (secret.startswith("${secret:") and secret.endswith("}")):
            raise ValueError("expected a reference such as ${secret:WEBHOOK_KEY}, never the value")
        return secret


def send(message: Message, settings: Settings, context: Context) -> str:
    """Return the receiver's answer in words once it has accepted the message with a 2xx."""
    url = context.reveal(settings.url)
    host = urlsplit(url).hostname or "the address"
    body = render_body(message, context)
    headers = render_headers(message, settings, context, body)
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a .netrc of this machine
            answer = session.request(
                settings.method,
                url,
                data=body,
                headers=headers,
                timeout=settings.timeout,
                allow_redirects=False,
                stream=True,  # the answer's body is of no use, and could be endless
                verify=settings.ca_file or True,
            )
            answer.close()
    except requests.RequestException as error:
        raise NotifyError(f"{host}: {_words(error)}", retryable=_may_pass(error)) from error
    return judge(host, answer, context.clock.now())


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
        "User-Agent": "saypro-monitor",
        "X-Notification-Id": message.id,
        "X-Monitor-Event": message.event,
        "X-Monitor-Timestamp": timestamp,
    }
    if settings.authorization:
        headers["Authorization"] = context.reveal(settings.authorization)
    if settings.secret:
        key = context.reveal(settings.secret).encode()
        headers["X-Monitor-Signature"] = "sha256=" + sign(key, timestamp, body)
    return headers


def sign(key: bytes, timestamp: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of `timestamp`, a dot and `body`."""
    return hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def judge(host: str, answer: requests.Response, now: datetime) -> str:
    """Return words for an accepted message.

    Raises:
        NotifyError: any answer but a 2xx; retryable for 408, 425, 429 and 5xx.
    """
    if 200 <= answer.status_code < 300:
        return f"{host} answered {answer.status_code}"
    retryable = answer.status_code >= 500 or answer.status_code in _RETRYABLE
    raise NotifyError(
        f"{host} answered {answer.status_code}",
        retryable=retryable,
        retry_after_seconds=retry_after(answer.headers.get("Retry-After", ""), now),
    )


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds a `Retry-After` header asks to wait, at most an hour; None without one.

    Both forms of RFC 9110 §10.2.3 are read: seconds, and an HTTP date.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_RETRY_AFTER_SECONDS)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS)


def _words(error: requests.RequestException) -> str:
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    return "the request could not be made"


def _may_pass(error: requests.RequestException) -> bool:
    return isinstance(error, requests.ConnectionError | requests.Timeout) or not isinstance(
        error, ValueError
    )


_WORDS: dict[type[requests.RequestException], str] = {  # the narrower class first
    requests.exceptions.SSLError: "its certificate was not accepted",
    requests.ConnectTimeout: "no connection in time",
    requests.ReadTimeout: "no answer in time",
    requests.ConnectionError: "no connection",
}
