"""One notification as a kind sees it, what a kind may use to send it, and how it may fail."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from monitor.clock import Clock, SystemClock
from probes.durations import Duration
from probes.secrets import MissingSecret, SecretSource, UnfitSecret

_SECRET = re.compile(r"\$\{secret:([A-Za-z0-9_.-]+)\}")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:@+-]{1,120}")


class NotifyError(Exception):
    """A delivery did not happen.

    `retryable` says whether the same message may be accepted later. `retry_after_seconds` is the
    receiver's own wish, where it gave one. The text goes on the timeline: it names the receiver's
    host and answer, never a whole address, which may hold a secret.
    """

    def __init__(
        self, text: str, *, retryable: bool, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(text)
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class MailAccount:
    """The deployment's own way to send mail: `MONITOR_SMTP_URL` and `MONITOR_MAIL_FROM`."""

    smtp_url: str = ""
    mail_from: str = ""


Complete = Callable[[str, str, Mapping[str, Any]], str]
"""Returns a message's text with what was not to be kept in the outbox: (event, body, payload)."""


def complete_already(_event: str, body: str, _payload: Mapping[str, Any]) -> str:
    """Return the text as it is."""
    return body


@dataclass(frozen=True, slots=True)
class Context:
    """What every kind may use: secrets, the mail account, who we are, the time."""

    secrets: SecretSource
    mail: MailAccount = MailAccount()
    site_name: str = "SayPro Monitor"
    site_url: str = ""
    time_zone: str = "UTC"
    clock: Clock = field(default_factory=SystemClock)
    complete: Complete = complete_already

    def reveal(self, text: str) -> str:
        """Return `text` with every `${secret:NAME}` replaced by its value.

        Raises:
            NotifyError: a secret is missing; retryable, for an operator can still supply it.
        """

        def value(match: re.Match[str]) -> str:
            try:
                return self.secrets.get(match[1])
            except (MissingSecret, UnfitSecret) as error:
                raise NotifyError(str(error), retryable=True) from error

        return _SECRET.sub(value, text)


@dataclass(frozen=True, slots=True)
class Message:
    """One notification to one recipient; the same `key` means the same notification."""

    key: str
    event: str
    subject: str
    body: str
    created_at: datetime
    severity: str = ""
    recipient: str = ""
    thread: str = ""
    attempt: int = 1
    payload: Mapping[str, Any] = field(default_factory=dict)
    channel: str = ""
    """The configured channel it goes over; empty for what users who reported something get."""
    acknowledge_url: str = ""
    """Where its reader takes the incident without signing in; empty where nothing is to take."""
    opening_reference: str = ""
    """The receiver's own id of the message that opened the thread, where it gave one."""

    @property
    def id(self) -> str:
        """The stable id sent along: the key where every header can carry it, else its hash."""
        return self.key if _PLAIN_ID.fullmatch(self.key) else digest(self.key)

    @property
    def is_over(self) -> bool:
        """Whether it brings good news: the trouble has ended."""
        return self.event.endswith(("resolved", "completed"))

    @property
    def incident(self) -> Mapping[str, Any]:
        """What its incident is, as `incidents.outbox` writes it; empty where it is about none."""
        found = self.payload.get("incident", {})
        return found if isinstance(found, Mapping) else {}

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """(Words, address) of what its reader may want to open, the acknowledgement first."""
        named = (
            ("Acknowledge", self.acknowledge_url),
            ("Open the incident", str(self.incident.get("url") or self.payload.get("url") or "")),
            ("Runbook", str(self.incident.get("runbook_url") or "")),
        )
        return tuple(
            (words, url) for words, url in named if url.startswith(("http://", "https://"))
        )


class Receipt(str):
    """What a receiver said to a message it accepted, in words for the timeline.

    `reference` is the receiver's own id of the message, which later messages of the same thread
    may reply to; empty where it gives none.
    """

    reference: str

    def __new__(cls, words: str, reference: str = "") -> Receipt:
        """Return the words with the reference beside them."""
        made = super().__new__(cls, words)
        made.reference = reference
        return made


def digest(text: str) -> str:
    """Return 32 hexadecimal digits that stand for `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class KindSettings(BaseModel):
    """What a channel of any kind may set beside its own settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deadline: Annotated[Duration, Field(ge=1, le=7 * 86400)] = 3600.0
    """A notification not accepted this long after it was queued is given up, and says so."""
    timeout: Annotated[Duration, Field(ge=0.1, le=60)] = 10
    """The longest wait for one answer of the receiver."""
    parallel: int = Field(default=2, ge=1, le=16)
    """Deliveries of this channel under way at once."""


def _words(value: object) -> object:
    return (
        [word for word in re.split(r"[,\s]+", value) if word] if isinstance(value, str) else value
    )


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""A list, written as a list or as words between commas or spaces."""
