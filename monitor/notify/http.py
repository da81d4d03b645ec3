"""One request to a receiver over HTTP, and what its answer means for the message.

No redirect is followed: only the configured address ever receives a message. It may be a private
one, because the operator's own configuration names it. No text of an error repeats the address,
which may hold a secret, nor the receiver's own words, which may repeat it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
from pydantic import AfterValidator

from monitor.fetching import unproxied
from monitor.notify.message import Context, NotifyError

USER_AGENT = "saypro-monitor"
RETRYABLE = frozenset({408, 425, 429})  # the receiver says "not now", not "never"
LONGEST_RETRY_AFTER_SECONDS = 3600.0
LARGEST_ANSWER = 65_536  # bytes; what lies beyond is of no use


def _http_address(url: str) -> str:
    if not url.startswith(("http://", "https://", "${secret:")):
        raise ValueError("expected an address that begins with http:// or https://")
    return url


def _reference(secret: str) -> str:
    if secret and not (secret.startswith("${secret:") and secret.endswith("}")):
        raise ValueError("expected a reference such as ${secret:NAME}, never the value")
    return secret


HttpAddress = Annotated[str, AfterValidator(_http_address)]
"""An address to call; may hold `${secret:NAME}`."""
SecretReference = Annotated[str, AfterValidator(_reference)]
"""A secret by its name, `${secret:NAME}`, or empty."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered to a message it accepted."""

    host: str
    status: int
    body: bytes = b""

    @property
    def words(self) -> str:
        """Return the answer as it stands on a timeline."""
        return f"{self.host} answered {self.status}"

    def value(self, *path: str | int) -> str:
        """Return a text or number inside a JSON answer; empty where there is none."""
        try:
            found: Any = json.loads(self.body)
            for part in path:
                found = found[part]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError):
            return ""
        return str(found)[:200] if isinstance(found, str | int) else ""


def call(
    url: str,
    context: Context,
    *,
    timeout_seconds: float,
    method: str = "POST",
    body: bytes | None = None,
    form: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
    ca_file: str = "",
    keep_answer: bool = True,
) -> Answer:
    """Return the answer of a receiver that accepted the message with a 2xx.

    `url`, the headers' values and the login are revealed here. One of `body` (as it is), `form`
    and `document` (as JSON) is sent.

    Raises:
        NotifyError: any other answer, or none; retryable for 408, 425, 429, 5xx and no answer.
    """
    address = context.reveal(url)
    host = urlsplit(address).hostname or "the address"
    sent = {"User-Agent": USER_AGENT}
    sent |= {name: context.reveal(value) for name, value in (headers or {}).items()}
    payload: bytes | dict[str, str] | None = body
    if document is not None:
        sent.setdefault("Content-Type", "application/json; charset=utf-8")
        payload = json.dumps(document, ensure_ascii=False, default=str).encode()
    elif form is not None:
        payload = dict(form)
    try:
        with unproxied() as session:
            answer = session.request(
                method,
                address,
                data=payload,
                headers=sent,
                auth=None if login is None else _revealed(login, context),
                timeout=timeout_seconds,
                stream=True,  # an answer's body could be endless
                verify=ca_file or True,
            )
            words = _beginning(answer) if keep_answer else b""
            answer.close()
    except requests.RequestException as error:
        raise NotifyError(f"{host}: {_words(error)}", retryable=_may_pass(error)) from error
    return judge(Answer(host, answer.status_code, words), answer.headers, context.clock.now())


def judge(answer: Answer, headers: Mapping[str, str], now: datetime) -> Answer:
    """Return the answer if it is a 2xx.

    Raises:
        NotifyError: it is not; retryable for 408, 425, 429 and 5xx.
    """
    if 200 <= answer.status < 300:
        return answer
    raise NotifyError(
        answer.words,
        retryable=answer.status >= 500 or answer.status in RETRYABLE,
        retry_after_seconds=retry_after(headers.get("Retry-After", ""), now),
    )


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds a `Retry-After` header asks to wait, at most an hour; None without one.

    Both forms of RFC 9110 §10.2.3 are read: seconds, and an HTTP date.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _beginning(answer: requests.Response) -> bytes:
    """Return the first bytes of the answer's body; none where it breaks off: its status counts."""
    try:
        return next(answer.iter_content(LARGEST_ANSWER), b"")
    except requests.RequestException:
        return b""


def _revealed(login: tuple[str, str], context: Context) -> tuple[str, str]:
    return context.reveal(login[0]), context.reveal(login[1])


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
