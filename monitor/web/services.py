"""What the web is given to work with: the objects behind the pages, named by what they can do.

The composition root (`monitor.composition.doors`) builds one `Services`; pages take it with
`services: Annotated[Services, Depends(services_of)]` or the shorter `Given`. Protocols name the
least a page needs, so that tests give small working fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol, cast

from fastapi import Depends, Request

from monitor.clock import Clock
from monitor.use_cases.policy import AlertPolicy
from monitor.web.events import Events

if TYPE_CHECKING:
    from monitor.accounts.seal import Seal
    from monitor.config.holder import ConfigurationHolder
    from monitor.storage.store import Store
    from monitor.use_cases.entrance import Entrance
    from monitor.web.queries import Queries
    from probes.secrets import SecretSource


class WebSettings(Protocol):
    """The deployment settings that doors depend on."""

    @property
    def public_url(self) -> str:
        """Where users reach the monitor, without a trailing slash; links in answers start so."""
        ...

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Further host names browsers may ask for; `*` allows every name."""
        ...

    @property
    def trusted_proxies(self) -> Sequence[str]:
        """Addresses or networks whose forwarding headers are believed."""
        ...

    @property
    def client_rate(self) -> int:
        """Requests a minute that one client may send; 0: any number."""
        ...

    @property
    def token_rate(self) -> int:
        """Requests a minute that may be sent with one token; 0: any number."""
        ...

    @property
    def api_token(self) -> str | None:
        """The bearer token that machines show at `/api/v1`, or None: no machine may write."""
        ...

    @property
    def alerts_token(self) -> str | None:
        """The bearer token that alert senders show, or None: any sender is believed."""
        ...

    @property
    def smtp_url(self) -> str | None:
        """The mail server, or None: nobody is promised a mail."""
        ...

    @property
    def metrics_token(self) -> str | None:
        """The bearer token that scrapers show, or None: metrics are open."""
        ...


class Metrics(Protocol):
    """Everything the process measures about shops and itself."""

    def render(self) -> bytes:
        """Return the Prometheus text format, version 0.0.4."""
        ...


@dataclass(frozen=True)
class JourneySchedule:
    """When a journey runs at a location: what only the scheduler knows."""

    journey: str
    location: str
    next_run_at: datetime | None = None
    running: bool = False


class JourneyDesk(Protocol):
    """Where journeys are run."""

    def schedule(self) -> Sequence[JourneySchedule]:
        """Return every journey and location that is scheduled here."""
        ...

    def run_now(self, journey: str) -> None:
        """Have the journey run as soon as a worker is free; twice asked is once run."""
        ...


@dataclass(frozen=True)
class AlertView:
    """One labelled instance of a rule, as the evaluator sees it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: str  # pending | firing
    active_at: datetime
    value: float


@dataclass(frozen=True)
class RuleView:
    """A rule and how its last evaluation went."""

    name: str
    expression: str
    alerting: bool
    state: str  # inactive | pending | firing | unknown
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    evaluated_at: datetime | None = None
    alerts: tuple[AlertView, ...] = ()


@dataclass(frozen=True)
class RuleGroupView:
    """A group of rules that are evaluated together."""

    name: str
    file: str
    interval_seconds: float
    rules: tuple[RuleView, ...] = ()


class RulesDesk(Protocol):
    """Where alert rules are evaluated; empty when a Prometheus does it."""

    def groups(self) -> Sequence[RuleGroupView]:
        """Return all groups in the order of their files."""
        ...


@dataclass(frozen=True)
class Services:
    """Everything a page or an API call may use."""

    settings: WebSettings
    configuration: ConfigurationHolder
    store: Store
    entrance: Entrance
    clock: Clock
    metrics: Metrics
    journeys: JourneyDesk
    rules: RulesDesk
    ready: Callable[[], list[str]]  # reasons why not, empty when ready
    seal: Seal
    secrets: SecretSource
    policy: AlertPolicy = field(default_factory=AlertPolicy)
    events: Events = field(default_factory=Events)
    queries: Queries | None = None  # None where a Prometheus keeps the samples


def services_of(request: Request) -> Services:
    """Return what the application was built with."""
    return cast("Services", request.app.state.services)


Given = Annotated[Services, Depends(services_of)]
