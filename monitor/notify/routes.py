"""Where each channel's messages go: configured channels turned into routes ready to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from incidents.oncall.contacts import PERSON_MAIL
from incidents.pacing import Grouping, Limit
from incidents.quiet_hours import QuietHours
from monitor.notify.delivery_rules import DeliveryRules, GroupingSettings
from monitor.notify.kinds import ACCOUNT, ACCOUNT_NOTICE, CANARY, KINDS, REPORTER, SINK, Kind
from monitor.notify.message import Context, KindSettings, Message, Receipt

ACCOUNT_DEADLINE = "25m"  # links in such mails end after half an hour


class ChannelLike(Protocol):
    """The part of `monitor.config.Channel` that delivery needs."""

    @property
    def name(self) -> str:
        """The channel's name, as rows of the outbox carry it."""
        ...

    @property
    def kind(self) -> str:
        """One of `kinds.KINDS`."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """The kind's own settings, not validated yet."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """A channel that can be sent over."""

    channel: str
    kind: Kind[Any]
    settings: KindSettings
    rules: DeliveryRules = field(default_factory=DeliveryRules)

    @property
    def limit(self) -> Limit | None:
        """Return how many messages it takes, if that is limited."""
        return self.rules.limit.made() if self.rules.limit else None

    @property
    def grouping(self) -> Grouping | None:
        """Return when openings are told together, if they are."""
        said = self.rules.grouping
        if said is None:
            said = GroupingSettings() if self.kind.for_people else False
        return said.made() if said else None

    def quiet_hours(self, site_zone: str) -> QuietHours | None:
        """Return when only severe trouble gets through, if that is ever so."""
        return self.rules.quiet_hours.made(site_zone) if self.rules.quiet_hours else None

    def send(self, message: Message, context: Context) -> Receipt:
        """Return the receipt; raises `NotifyError`."""
        return self.kind.send(message, self.settings, context)


def find_faults(kind: str, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (place, what was expected) for everything wrong with a channel's settings."""
    if kind not in KINDS:
        return [("kind", f"expected one of {', '.join(sorted(KINDS))}")]
    try:
        KINDS[kind].settings.model_validate(settings)
    except ValidationError as error:
        return [
            (".".join(map(str, ("settings", *fault["loc"]))), fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)
        ]
    return []


def make_route(channel: ChannelLike) -> Route | None:
    """Return the route of a channel; None where its kind or settings are not valid."""
    if find_faults(channel.kind, channel.settings):
        return None
    kind = KINDS[channel.kind]
    settings = kind.settings.model_validate(channel.settings)
    return Route(channel.name, kind, settings, DeliveryRules.of(channel))


def make_routes(channels: Iterable[ChannelLike]) -> dict[str, Route]:
    """Return the route of every valid channel by name, and those every installation has."""
    mail = KINDS["email"]
    one_by_one = DeliveryRules(grouping=False)
    routes = {
        REPORTER: Route(REPORTER, mail, mail.settings(), one_by_one),
        PERSON_MAIL: Route(PERSON_MAIL, mail, mail.settings(), DeliveryRules()),
        ACCOUNT_NOTICE: Route(ACCOUNT_NOTICE, mail, mail.settings(), one_by_one),
        CANARY: Route(CANARY, SINK, SINK.settings(), one_by_one),
    }
    for channel in channels:
        route = make_route(channel)
        if route is not None:
            routes[channel.name] = route
    to_owners = mail.settings(deadline=ACCOUNT_DEADLINE)
    return routes | {ACCOUNT: Route(ACCOUNT, mail, to_owners, one_by_one)}
