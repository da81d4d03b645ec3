"""What a configuration folder says, as values: immutable, valid, and free of secrets' values.

`MonitorFile` is the shape of `monitor.yml`; `Configuration` is the whole folder after loading
(`monitor.config.load`). Deployment settings (ports, database, mail server) are not here: see
`monitor.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    model_validator,
)

from incidents.alerts.inhibition import DEFAULT_RULES, InhibitRule
from incidents.alerts.matchers import Matcher, parse_matcher
from incidents.errors import InvalidInputError
from monitor.config.oncall import OnCallFile, OnCallSettings
from monitor.config.sign_in import SignIn
from monitor.config.watching import CanarySettings, HeartbeatSettings
from monitor.notify.delivery_rules import (
    GroupingSettings,
    LimitSettings,
    QuietHoursSettings,
)
from probes.durations import Duration

if TYPE_CHECKING:
    from probes.journey import Journey

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Severity = Literal["critical", "warning", "info"]
DAY = 86_400.0
ControlTarget = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+:\d{1,5}$")]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("expected an IANA time zone such as Africa/Johannesburg") from error
    return name


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Part):
    """Whose shop is watched, and how its people are reached."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    url: HttpUrl
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    support_email: str | None = None
    logo: HttpUrl | None = None


class Component(_Part):
    """One line of the status page."""

    id: Slug
    name: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    description: str = ""
    group: str | None = None
    publish: Literal["automatic", "draft"] = "automatic"
    depends_on: tuple[Slug, ...] = ()


class Location(_Part):
    """A place journeys are run from."""

    name: Slug
    title: str = ""


class Channel(_Part):
    """Where notifications of an audience go; `settings` are validated by the kind itself."""

    name: Slug
    kind: Slug
    audience: Literal["oncall", "support", "person"] = "oncall"
    severities: frozenset[Severity] = frozenset({"critical", "warning"})
    settings: Mapping[str, Any] = {}
    limit: LimitSettings | None = None
    grouping: GroupingSettings | Literal[False] | None = None
    quiet_hours: QuietHoursSettings | None = None


class Category(_Part):
    """What a user's report may be about, and the component it speaks of."""

    id: Slug
    label: str
    component: Slug | None = None


class Target(_Part):
    """A further place to scrape samples from: Prometheus text or OpenMetrics over HTTP.

    `bearer`, `username` and `password` may name a secret, `${secret:NAME}`.
    """

    name: Slug
    url: HttpUrl
    interval: Annotated[Duration, Field(ge=1)] = 15.0
    timeout: Annotated[Duration, Field(gt=0)] = 10.0
    sample_limit: Annotated[int, Field(ge=1)] = 20_000
    labels: Mapping[str, str] = {}
    honor_labels: bool = False
    bearer: str = ""
    username: str = ""
    password: str = ""
    verify: bool = True
    ca_file: str | None = None

    @model_validator(mode="after")
    def _timeout_within_interval(self) -> Target:
        if self.timeout > self.interval:
            raise ValueError("a timeout no longer than the interval")
        return self


def _matcher(text: str) -> str:
    try:
        parse_matcher(text)
    except InvalidInputError as error:
        raise ValueError('expected a matcher such as severity="critical" or job=~"a|b"') from error
    return text


MatcherText = Annotated[str, AfterValidator(_matcher)]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class ReconcileServer(_Part):
    """A Prometheus or Alertmanager that is asked what it knows, to repair what we missed.

    `source` is the door its alerts come through. `bearer`, `username` and `password` may name a
    secret, `${secret:NAME}`.
    """

    name: Slug
    kind: Literal["prometheus", "alertmanager"] = "prometheus"
    url: HttpUrl
    interval: Annotated[Duration, Field(ge=1)] = 300.0
    settle: Annotated[Duration, Field(ge=1)] = 300.0  # a started Alertmanager knows nothing yet
    receiver: str = ""  # of an Alertmanager: only what it routes there
    sender: str = ""  # the source that its own token names, where it has one
    bearer: str = ""
    username: str = ""
    password: str = ""
    verify: bool = True
    ca_file: str | None = None

    @property
    def source(self) -> str:
        """Return the name under which its alerts come in: its token's, else the door's."""
        return self.sender or ("api/v2" if self.kind == "prometheus" else "alertmanager")


class InhibitRulePart(_Part):
    """Which firing alerts explain which others away, as Alertmanager's `inhibit_rules`."""

    source_matchers: Annotated[tuple[MatcherText, ...], Field(min_length=1)]
    target_matchers: Annotated[tuple[MatcherText, ...], Field(min_length=1)]
    equal: tuple[LabelName, ...] = ()

    def rule(self) -> InhibitRule:
        """Return the rule with its matchers read."""
        return InhibitRule(_read(self.source_matchers), _read(self.target_matchers), self.equal)


def _read(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(parse_matcher(text) for text in texts)


class Retention(_Part):
    """How long each kind of record is kept."""

    runs: Duration = 30 * DAY
    evidence: Duration = 14 * DAY
    samples: Duration = 4 * DAY
    incidents: Duration = 400 * DAY
    reports: Duration = 400 * DAY
    personal: Duration = 180 * DAY  # of reports that are resolved or closed
    audit: Duration = 1100 * DAY


class Limits(_Part):
    """Bounds that keep one bad file from taking the machine."""

    series: Annotated[int, Field(ge=1_000, le=10_000_000)] = 100_000
    http_workers: Annotated[int, Field(ge=1, le=256)] = 16
    browser_workers: Annotated[int, Field(ge=1, le=16)] = 2


class MonitorFile(OnCallFile):
    """The shape of `monitor.yml`."""

    site: Site
    components: Annotated[tuple[Component, ...], Field(min_length=1)]
    locations: Annotated[tuple[Location, ...], Field(min_length=1)] = (Location(name="local"),)
    location: Slug | None = None
    quorum: Annotated[int, Field(ge=1)] = 1
    control_targets: tuple[ControlTarget, ...] = ()
    channels: tuple[Channel, ...] = ()
    targets: tuple[Target, ...] = ()
    categories: tuple[Category, ...] = ()
    retention: Retention = Retention()
    limits: Limits = Limits()
    external_labels: Mapping[str, str] = {}
    reconcile: tuple[ReconcileServer, ...] = ()
    inhibit_rules: tuple[InhibitRulePart, ...] | None = None  # None: critical inhibits milder
    sign_in: SignIn = SignIn()
    heartbeat: HeartbeatSettings | None = None
    last_resort: Slug | None = None
    canary: CanarySettings | None = None


@dataclass(frozen=True)
class Configuration:
    """A whole folder, loaded and cross-checked."""

    folder: Path
    site: Site
    components: tuple[Component, ...]
    locations: tuple[Location, ...]
    quorum: int
    journeys: tuple[Journey, ...]
    rule_files: tuple[Path, ...]
    channels: tuple[Channel, ...] = ()
    categories: tuple[Category, ...] = ()
    retention: Retention = field(default_factory=Retention)
    limits: Limits = field(default_factory=Limits)
    external_labels: Mapping[str, str] = field(default_factory=dict)
    sign_in: SignIn = field(default_factory=SignIn)
    location: str = "local"
    control_targets: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    inhibit_rules: tuple[InhibitRule, ...] = DEFAULT_RULES
    reconcile: tuple[ReconcileServer, ...] = ()
    oncall: OnCallSettings = field(default_factory=OnCallSettings)
    heartbeat: HeartbeatSettings | None = None
    last_resort: str | None = None  # the channel that is told when we ourselves stand still
    canary: CanarySettings | None = None

    @property
    def shared_channels(self) -> tuple[Channel, ...]:
        """Return the channels that are told by severity: all but those of single people."""
        return tuple(channel for channel in self.channels if channel.audience != "person")

    def component(self, component_id: str) -> Component | None:
        """Return the component of that id, or None."""
        return next((c for c in self.components if c.id == component_id), None)

    def journey(self, name: str) -> Journey | None:
        """Return the journey of that name, or None."""
        return next((j for j in self.journeys if j.name == name), None)

    @property
    def journeys_here(self) -> tuple[Journey, ...]:
        """Return the journeys that this process runs: those that name its location, or none."""
        return tuple(j for j in self.journeys if not j.locations or self.location in j.locations)
