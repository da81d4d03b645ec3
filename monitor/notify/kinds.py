"""The kinds of channel there are; a new kind is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from monitor.notify import (
    apprise,
    console,
    email,
    ntfy,
    pagerduty,
    slack,
    sms,
    teams,
    telegram,
    webhook,
)
from monitor.notify.message import Context, KindSettings, Message, Receipt

S = TypeVar("S", bound=KindSettings)


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """One kind: the settings its channels may have, and how a message is sent.

    `send` returns the receipt and raises `NotifyError`. A kind that people read gets a storm as
    one message; programs get every incident by itself. One that `replies` wants the receiver's id
    of the opening with each later message.
    """

    settings: type[S]
    send: Callable[[Message, S, Context], Receipt]
    for_people: bool = True
    takes_acknowledgements: bool = False
    replies: bool = False


KINDS: Mapping[str, Kind[Any]] = {
    "apprise": Kind(apprise.Settings, apprise.send),
    "console": Kind(console.Settings, console.send, for_people=False),
    "email": Kind(email.Settings, email.send),
    "ntfy": Kind(ntfy.Settings, ntfy.send),
    "pagerduty": Kind(
        pagerduty.Settings, pagerduty.send, for_people=False, takes_acknowledgements=True
    ),
    "slack": Kind(slack.Settings, slack.send),
    "sms": Kind(sms.Settings, sms.send),
    "teams": Kind(teams.Settings, teams.send),
    "telegram": Kind(telegram.Settings, telegram.send, replies=True),
    "webhook": Kind(webhook.Settings, webhook.send, for_people=False),
}

REPORTER = "reporter"
"""The channel every installation has: mail to a user who reported a problem."""

ACCOUNT = "account mail"
"""Mail to a person of the console about their own account; no configured channel has this name."""

ACCOUNT_NOTICE = "account notice"
"""Mail to a person that the way into their account has changed; it may wait for its server."""

CANARY = "canary"
"""The channel that takes canaries where none is configured for them: it keeps nothing."""


def _swallow(_message: Message, _settings: KindSettings, _context: Context) -> Receipt:
    return Receipt("the built-in sink took it")


SINK = Kind(KindSettings, _swallow, for_people=False)
