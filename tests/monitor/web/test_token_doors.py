"""Every door and which tokens open it: a walk with each scope and none, expired and revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest
from fastapi.testclient import TestClient

from monitor.accounts.scopes import PERSONAL, Scope
from monitor.accounts.token_secrets import new_token
from monitor.accounts.tokens import NewToken, add_alert_source, add_token, end_token
from monitor.storage.engine import open_engine
from monitor.storage.schema import alerts
from monitor.storage.store import Store
from monitor.storage.users import set_disabled, set_password, set_role, user_by_name
from monitor.web.permissions import ACCOUNT_ROLES, MAY, Permission, Role
from monitor.web.scopes import HOLDS, NEVER, scopes_for
from tests.monitor.web.builders import FakeHolder, FakeSettings, Web, configuration, services
from tests.monitor.web.seeds import troubled_shop
from tests.monitor.web.test_doors import ASKERS, DOORS, GUARDED, SCRAPERS, SENDERS, is_let_in, knock

TOKEN = "a token that every sender shares"
ONE_OF_EACH = {Permission(DOORS[door]): door for door in GUARDED}  # of many, the last by name
ALERT = [{"labels": {"alertname": "Slow", "severity": "info"}}]


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A troubled shop with an account of every role, whose shared tokens are all set."""
    folder = tmp_path_factory.mktemp("tokens")
    copy(sqlite_template, folder / "monitor.db")
    store = Store(open_engine(f"sqlite:///{folder / 'monitor.db'}"))
    troubled_shop(store)
    settings = FakeSettings(alerts_token=TOKEN, metrics_token=TOKEN, client_rate=0, token_rate=0)
    holder = FakeHolder(configuration(folder))
    web = Web(services(store, configuration=holder, settings=settings))
    for role in ACCOUNT_ROLES:
        web.add_user(role)
    web.services.events.close()  # else the door of news would never shut again
    yield web
    store.close()


def make(web: Web, role: Role, scopes: tuple[Scope, ...]) -> NewToken:
    """Return a new token of the account of that role."""
    store = web.services.store
    with store.read() as connection:
        user = user_by_name(connection, role.value)
    assert user is not None
    name = f"{role} {new_token()[:12]}"
    return add_token(
        store,
        user_id=user.id,
        owner=user.name,
        name=name,
        scopes=scopes,
        days=30,
        by=user.name,
        now=web.now(),
    )


def showing(web: Web, secret: str, address: str = "192.0.2.7") -> TestClient:
    """Return a program elsewhere that shows this token."""
    client = web.client(address)
    client.headers["authorization"] = f"Bearer {secret}"
    return client


def opens(client: TestClient, door: str) -> bool:
    answer = knock(client, door, {})
    like_alertmanager = door.startswith("DELETE ")  # which answers 500 for an unknown silence
    assert answer.status_code < 500 or like_alertmanager
    return is_let_in(answer)


def test_every_permission_is_in_a_scope_or_out_of_reach_of_tokens() -> None:
    """A new permission cannot be forgotten: put it into `HOLDS`, or into `NEVER`."""
    held = frozenset().union(*HOLDS.values())
    assert held | NEVER == set(Permission)
    assert not held & NEVER
    assert set(HOLDS) == set(Scope)


@pytest.mark.parametrize("scope", PERSONAL)
def test_a_token_opens_what_its_scope_and_its_owners_role_allow(shop: Web, scope: Scope) -> None:
    """A door of each permission, with an administrator's and a viewer's token."""
    for role in (Role.ADMINISTRATOR, Role.VIEWER):
        client = showing(shop, make(shop, role, (scope,)).secret)
        opened = {key for key, door in ONE_OF_EACH.items() if opens(client, door)}
        assert opened == {key for key in ONE_OF_EACH if key in HOLDS[scope] and role in MAY[key]}


def test_no_token_opens_what_is_for_persons_alone(shop: Web) -> None:
    """All scopes together make no account, no token, and change no password."""
    client = showing(shop, make(shop, Role.ADMINISTRATOR, PERSONAL).secret)
    closed = {door for door in GUARDED if not opens(client, door)}
    assert {DOORS[door] for door in closed} == NEVER & set(DOORS.values())


FOR_SENDING = ("POST /api/v2/alerts", "POST /api/v1/alertmanager")
OTHER_DOORS = sorted(door for door, key in DOORS.items() if key in (SENDERS, SCRAPERS, ASKERS))


@pytest.mark.parametrize("door", OTHER_DOORS)
def test_metrics_and_alerts_have_scopes_of_their_own(shop: Web, door: str) -> None:
    """A source sends alerts, a scraper reads metrics, and neither does the other's work."""
    reader = make(shop, Role.VIEWER, (Scope.READ_METRICS,)).secret
    others = tuple(scope for scope in PERSONAL if scope is not Scope.READ_METRICS)
    other = make(shop, Role.ADMINISTRATOR, others).secret
    name = f"source-{OTHER_DOORS.index(door)}"
    source = add_alert_source(
        shop.services.store, source=name, name="", days=None, by="ann", now=shop.now()
    ).secret
    sends, reads = door in FOR_SENDING, door.startswith("GET /api/v2/")
    silences = DOORS[door] == SENDERS and not sends and not reads
    assert opens(showing(shop, source), door) is (sends or reads)
    assert opens(showing(shop, reader), door) is (DOORS[door] != SENDERS)
    assert opens(showing(shop, other), door) is (reads or silences)
    assert opens(showing(shop, TOKEN), door) is not silences


def test_a_sources_token_opens_no_guarded_door(shop: Web) -> None:
    """It belongs to nobody."""
    source = add_alert_source(
        shop.services.store, source="only-alerts", name="", days=None, by="ann", now=shop.now()
    )
    client = showing(shop, source.secret)
    assert not [door for door in ONE_OF_EACH.values() if opens(client, door)]


@pytest.mark.parametrize("kind", ["none", "cut", "unknown", "expired", "revoked", "shut"])
def test_a_dead_token_opens_no_door(web: Web, kind: str) -> None:
    """And programs are told 401, whichever it is."""
    role = Role.ADMINISTRATOR
    web.add_user(role)
    made = make(web, role, PERSONAL)
    secret, store = made.secret, web.services.store
    assert opens(showing(web, secret), "GET /api/v1/incidents")
    if kind in ("none", "cut", "unknown"):
        secret = {"none": "", "cut": secret[:-1], "unknown": new_token()}[kind]
    elif kind == "expired":
        web.clock.advance(timedelta(days=30).total_seconds())
    elif kind == "revoked":
        end_token(store, made.id, by="ann", now=web.now())
    else:
        with store.begin() as tx:
            user = user_by_name(tx.connection, role.value)
            assert user is not None
            set_disabled(tx, user.id, web.now())
    client = showing(web, secret)
    assert not [
        door for door in (*ONE_OF_EACH.values(), *OTHER_DOORS) if opens_from_afar(client, door)
    ]
    assert client.get("/api/v1/incidents").status_code == 401


def opens_from_afar(client: TestClient, door: str) -> bool:
    """Return whether a door opens; `/metrics` is open to all where no token is set."""
    return door != "GET /metrics" and opens(client, door)


def test_a_token_follows_its_owners_role_at_once(web: Web) -> None:
    """Made by an administrator who is a viewer now, it may what a viewer may."""
    web.add_user(Role.ADMINISTRATOR)
    made = make(web, Role.ADMINISTRATOR, PERSONAL)
    client = showing(web, made.secret)
    assert opens(client, "GET /api/v1/audit")
    with web.services.store.begin() as tx:
        user = user_by_name(tx.connection, Role.ADMINISTRATOR.value)
        assert user is not None
        set_role(tx, user.id, Role.VIEWER.value)
    assert not opens(client, "GET /api/v1/audit")
    assert opens(client, "GET /api/v1/maintenance")


def test_a_token_of_an_account_whose_password_was_reset_waits_for_the_new_one(web: Web) -> None:
    """Whoever resets a password does not trust what was made before."""
    web.add_user(Role.RESPONDER)
    client = showing(web, make(web, Role.RESPONDER, PERSONAL).secret)
    with web.services.store.begin() as tx:
        user = user_by_name(tx.connection, Role.RESPONDER.value)
        assert user is not None
        set_password(tx, user.id, "x", web.now(), one_time=True)
    answer = client.get("/api/v1/incidents")
    assert answer.status_code == 403
    assert "password" in answer.json()["error"]["message"]


def test_what_a_token_does_is_done_in_its_owners_and_its_own_name(web: Web) -> None:
    """The timeline and the audit log say which program it was."""
    web.add_user(Role.RESPONDER)
    client = showing(web, make(web, Role.RESPONDER, (Scope.WRITE_INCIDENTS,)).secret)
    opened = client.post("/api/v1/incidents", json={"title": "It smells"}).json()
    assert opened["timeline"][0]["actor"].startswith("responder (token responder ")


def test_a_refusal_says_that_the_scopes_do_not_reach(web: Web) -> None:
    """Not that the role does not."""
    web.add_user(Role.ADMINISTRATOR)
    client = showing(web, make(web, Role.ADMINISTRATOR, (Scope.READ,)).secret)
    answer = client.post("/api/v1/incidents", json={"title": "It smells"})
    assert answer.status_code == 403
    assert "scopes do not let it work on incidents" in answer.json()["error"]["message"]


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
def test_an_alert_carries_the_name_of_the_source_that_sent_it(web: Web, address: str) -> None:
    """Also where local senders are believed without a token."""
    made = add_alert_source(
        web.services.store, source="eu-prom", name="", days=None, by="ann", now=web.now()
    )
    client = showing(web, made.secret, address)
    assert client.post("/api/v2/alerts", json=ALERT).status_code == 200
    with web.services.store.read() as connection:
        assert connection.execute(alerts.select()).mappings().one()["source"] == "eu-prom"
    end_token(web.services.store, made.id, by="ann", now=web.now())
    assert client.post("/api/v2/alerts", json=ALERT).status_code == 401


def test_a_sources_token_is_its_routing_key_too(web: Web) -> None:
    """What speaks PagerDuty's language shows it inside the event."""
    made = add_alert_source(
        web.services.store, source="nagios", name="", days=None, by="ann", now=web.now()
    )
    payload = {"summary": "Disk full", "source": "db1", "severity": "critical"}
    event = {"event_action": "trigger", "routing_key": made.secret, "payload": payload}
    assert web.client("192.0.2.7").post("/v2/enqueue", json=event).status_code == 202
    with web.services.store.read() as connection:
        assert connection.execute(alerts.select()).mappings().one()["source"] == "nagios"
    end_token(web.services.store, made.id, by="ann", now=web.now())
    assert web.client("127.0.0.1").post("/v2/enqueue", json=event).status_code == 400


def test_a_sender_is_told_to_wait_while_no_token_can_be_looked_up(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with a time, never 401: an Alertmanager drops what it is refused for good."""
    from sqlalchemy.exc import OperationalError

    from monitor.web import security

    def gone(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(security, "live_token", gone)
    answer = showing(web, new_token()).post("/api/v2/alerts", json=ALERT)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_only_scopes_that_the_role_has_a_use_for_are_offered(role: Role) -> None:
    """A viewer is not offered to work on incidents."""
    offered = scopes_for(role)
    assert Scope.SEND_ALERTS not in offered
    for scope in set(offered) - {Scope.READ, Scope.READ_METRICS}:
        assert any(role in MAY[p] for p in HOLDS[scope] - {Permission.VIEW})
    assert scopes_for(Role.MACHINE) == ()


def test_the_deployments_own_tokens_go_on_working(shop: Web) -> None:
    """`MONITOR_API_TOKEN` and `MONITOR_ALERTS_TOKEN` are as they were."""
    assert opens(shop.as_role(Role.MACHINE)[0], "GET /api/v1/incidents")
    assert opens(showing(shop, TOKEN), "POST /api/v2/alerts")
    plain = Web(replace(shop.services, settings=FakeSettings(api_token=None)))
    assert not opens(showing(plain, TOKEN), "GET /api/v1/incidents")
