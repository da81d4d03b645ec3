"""A whole web application over a fresh store, with fakes for what runs behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.routing import BaseRoute

from monitor.accounts.passwords import hash_password
from monitor.accounts.seal import Seal
from monitor.clock import FakeClock
from monitor.config.model import Category, Channel, Component, Configuration, Location, Site
from monitor.storage.store import Store
from monitor.storage.users import insert_user, set_password, user_by_name
from monitor.use_cases.entrance import Entrance
from monitor.web.app import create_app
from monitor.web.permissions import Role
from monitor.web.services import JourneySchedule, RuleGroupView, Services
from monitor.web.sessions import COOKIE, begin_session
from probes.faults import Fault
from probes.secrets import EnvironmentSecrets
from tests.builders import NOW, journey

API_TOKEN = "an api token for tests"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class FakeSettings:
    """Deployment settings as a test wants them."""

    public_url: str = "http://monitor.test"
    allowed_hosts: Sequence[str] = ()
    trusted_proxies: Sequence[str] = ()
    api_token: str | None = API_TOKEN
    alerts_token: str | None = None
    metrics_token: str | None = None
    client_rate: int = 1200
    token_rate: int = 6000
    smtp_url: str | None = "smtp://127.0.0.1:25"


class FakeMetrics:
    """Metrics with one figure."""

    def render(self) -> bytes:
        """Return one sample."""
        return b"# TYPE up gauge\nup 1.0\n"


@dataclass
class FakeJourneys:
    """A journey desk that writes down what it was asked."""

    schedules: Sequence[JourneySchedule] = ()
    asked: list[str] = field(default_factory=list)

    def schedule(self) -> Sequence[JourneySchedule]:
        """Return what the test put in."""
        return self.schedules

    def run_now(self, journey: str) -> None:
        """Write the name down."""
        self.asked.append(journey)


@dataclass
class FakeRules:
    """A rules desk with the groups the test put in."""

    groups_: Sequence[RuleGroupView] = ()

    def groups(self) -> Sequence[RuleGroupView]:
        """Return what the test put in."""
        return self.groups_


@dataclass
class FakeReload:
    """How the last reload went."""

    at: datetime = NOW
    faults: tuple[Fault, ...] = ()

    @property
    def successful(self) -> bool:
        """Return whether there were no faults."""
        return not self.faults


@dataclass
class FakeHolder:
    """Holds a configuration and counts how often it was asked to read it again."""

    current: Configuration
    last_reload: FakeReload = field(default_factory=FakeReload)
    last_success_at: datetime = NOW
    reloads: int = 0

    def reload(self) -> FakeReload:
        """Count, and say how the test wants it to end."""
        self.reloads += 1
        return self.last_reload


def configuration(folder: Path = Path("config")) -> Configuration:
    """Return a configuration of three components and their journeys."""
    names = ("login", "search", "checkout")
    return Configuration(
        folder=folder,
        site=Site.model_validate({"name": "Demo Market", "url": "http://shop.test/"}),
        components=tuple(Component(id=name, name=name.capitalize()) for name in names),
        locations=(Location(name="local", title="This machine"),),
        quorum=1,
        journeys=tuple(journey(name) for name in names),
        rule_files=(),
        channels=(Channel(name="pager", kind="console"),),
        categories=(Category(id="paying", label="Paying", component="checkout"),),
    )


def services(store: Store, **changes: object) -> Services:
    """Return services over `store`, the rest being fakes."""
    clock = FakeClock(NOW)
    holder: Any = changes.get("configuration") or FakeHolder(configuration())
    facts: dict[str, object] = {
        "settings": FakeSettings(),
        "configuration": holder,
        "entrance": Entrance(store, lambda: holder.current, clock),
        "store": store,
        "clock": clock,
        "metrics": FakeMetrics(),
        "journeys": FakeJourneys(),
        "rules": FakeRules(),
        "ready": list,
        "seal": Seal("a key for tests, and for tests alone"),
        "secrets": EnvironmentSecrets({}),
    }
    return Services(**{**facts, **changes})  # type: ignore[arg-type] # tests choose well


_ROUTES: list[BaseRoute] = []
"""Those of the first application of this process: FastAPI works a route's parameters out anew for
every application, at its first request, which takes longer than most tests. They hold no state."""


@dataclass
class Web:
    """The application, how to reach it, and who can sign in."""

    services: Services
    base_url: str = "http://monitor.test"

    def __post_init__(self) -> None:
        self.app = create_app(self.services)
        if not _ROUTES:
            _ROUTES.extend(self.app.router.routes)
        self.app.router.routes[:] = _ROUTES
        self.clock: FakeClock = self.services.clock  # type: ignore[assignment] # as built above

    def client(self, address: str = "127.0.0.1", **options: object) -> TestClient:
        """Return a browser without a session, seen as coming from `address`."""
        return TestClient(
            self.app,
            base_url=self.base_url,
            client=(address, 50_000),
            follow_redirects=False,
            **options,  # type: ignore[arg-type] # passed through
        )

    def add_user(self, role: Role, password: str = PASSWORD, *, one_time: bool = False) -> str:
        """Make an account named after its role and return the name."""
        hashed = hash_password(password)
        with self.services.store.begin() as tx:
            insert_user(tx, role.value, role.value, hashed, self.services.clock.now())
            user = user_by_name(tx.connection, role.value)
            assert user is not None
            set_password(tx, user.id, hashed, self.now(), one_time=one_time)
        return role.value

    def as_role(self, role: Role) -> tuple[TestClient, str]:
        """Return a browser signed in with that role, and its session's form token."""
        client = self.client()
        if role is Role.MACHINE:
            client.headers["authorization"] = f"Bearer {API_TOKEN}"
            return client, ""
        with self.services.store.read() as connection:
            user = user_by_name(connection, role.value)
        if user is None:
            self.add_user(role)
            return self.as_role(role)
        session = begin_session(self.services.store, user, self.now())
        client.cookies.set(COOKIE, session.secret)
        return client, session.csrf

    def now(self) -> datetime:
        """Return the application's present."""
        return self.services.clock.now()


def hidden(html: str, name: str) -> str:
    """Return the value of the first hidden field of that name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found[1]


def sign_in(client: TestClient, name: str, password: str = PASSWORD, next_: str = "") -> Response:
    """Fill in the sign-in form and return the answer."""
    page = client.get("/console/sign-in").text
    form = {"form_token": hidden(page, "form_token"), "name": name, "password": password}
    return client.post("/console/sign-in", data={**form, "next": next_})
