"""The kinds of channel there are; a new kind is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from monitor.notify import apprise, console, email, webhook
from monitor.notify.message import Context, KindSettings, Message

S = TypeVar("S", bound=KindSettings)


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """One kind: the settings its channels may have, and how a message is sent."""

    settings: type[S]
    send: Callable[[Message, S, Context], str]
    """Returns a receipt in words; raises `NotifyError`."""


KINDS: Mapping[str, Kind[Any]] = {
    "apprise": Kind(apprise.Settings, apprise.send),
    "console": Kind(console.Settings, console.send),
    "email": Kind(email.Settings, email.send),
    "webhook": Kind(webhook.Settings, webhook.send),
}

REPORTER = "reporter"
"""The channel every installation has: mail to a user who reported a problem."""
