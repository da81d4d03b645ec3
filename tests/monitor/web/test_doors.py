"""Every door and who may pass it: a walk over all routes with every role and with none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx2 import Response

from monitor.accounts.people import add_user
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web import static_files
from monitor.web.permissions import ACCOUNT_ROLES, MAY, Permission, Role
from monitor.web.routes import ROUTERS
from monitor.web.static_files import static_url
from tests.builders import NOW
from tests.monitor.web.builders import FakeHolder, Web, configuration, services
from tests.monitor.web.seeds import troubled_shop

PUBLIC = "everybody"
BY_PROVIDER = "whom the configured provider sends, in the browser that asked"
BY_LINK = "who holds a link that we mailed"
HALF_WAY = "who has taken the first step of signing in"
BY_SECRET = "whoever knows the secret"
BY_FORM = "everybody, by a form that we gave out"
LINK = "everybody, by a signed link that does this one thing"
SENDERS = "alert senders"  # by token; without one set, this machine only
KEYED = "alert senders, by a key in the body"  # refused as PagerDuty does, with 400
SCRAPERS = "scrapers"  # by token where one is set
ASKERS = "who asks about metrics"  # scrapers by token, viewers, else this machine only

DOORS: dict[str, Permission | str] = {
    "GET /-/healthy": PUBLIC,
    "GET /-/ready": PUBLIC,
    "GET /metrics": SCRAPERS,
    "GET /static/{digest}/{name:path}": PUBLIC,
    "GET /console/sign-in": PUBLIC,
    "POST /console/sign-in": BY_FORM,
    "GET /console/sign-in/code": HALF_WAY,
    "POST /console/sign-in/code": BY_FORM,
    "GET /console/sign-in/forgot": PUBLIC,
    "POST /console/sign-in/forgot": BY_FORM,
    "GET /console/sign-in/reset/{token}": BY_LINK,
    "GET /console/sign-in/openid": BY_PROVIDER,
    "GET /console/sign-in/openid/callback": BY_PROVIDER,
    "POST /console/sign-in/reset/{token}": BY_FORM,
    "POST /console/sign-out": Permission.OWN_ACCOUNT,
    "GET /console/account": Permission.OWN_ACCOUNT,
    "GET /console/account/password": Permission.OWN_ACCOUNT,
    "POST /console/account/password": Permission.OWN_ACCOUNT,
    "POST /console/account/sign-out-everywhere": Permission.OWN_ACCOUNT,
    "POST /console/account/sessions/end": Permission.OWN_ACCOUNT,
    "POST /console/account/contact": Permission.OWN_ACCOUNT,
    "GET /console/account/second-factor": Permission.OWN_ACCOUNT,
    "POST /console/account/second-factor": Permission.OWN_ACCOUNT,
    "POST /console/account/second-factor/recovery-codes": Permission.OWN_ACCOUNT,
    "POST /console/account/second-factor/off": Permission.OWN_ACCOUNT,
    "GET /console/users": Permission.MANAGE_USERS,
    "POST /console/users": Permission.MANAGE_USERS,
    "GET /console/users/new": Permission.MANAGE_USERS,
    "GET /console/users/{user_id}": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/contact": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/role": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/password": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/second-factor": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/sessions": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/shut": Permission.MANAGE_USERS,
    "POST /console/users/{user_id}/open": Permission.MANAGE_USERS,
    "GET /runbooks/{alert}": Permission.VIEW,
    "GET /console": Permission.VIEW,
    "GET /console/design": Permission.VIEW,
    "GET /console/events": Permission.VIEW,
    "GET /console/help": Permission.VIEW,
    "GET /console/search": Permission.VIEW,
    "GET /api/v1/search": Permission.VIEW,
    "GET /console/incidents": Permission.VIEW,
    "POST /console/incidents": Permission.WORK_INCIDENTS,
    "GET /console/incidents/new": Permission.WORK_INCIDENTS,
    "GET /console/incidents/{number}": Permission.VIEW,
    "POST /console/incidents/{number}/acknowledge": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/note": Permission.NOTE,
    "POST /console/incidents/{number}/update": Permission.PUBLISH,
    "POST /console/incidents/{number}/status": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/resolve": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/take-over": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/hand-back": Permission.WORK_INCIDENTS,
    "GET /console/incidents/{number}/regroup": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/split": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/move": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/merge": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/link": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/unlink": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/roles": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/tasks": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/tasks/{task}": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/tasks/{task}/change": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/overrule": Permission.WORK_INCIDENTS,
    "GET /console/incidents/{number}/postmortem": Permission.VIEW,
    "GET /console/incidents/{number}/postmortem.md": Permission.VIEW,
    "POST /console/incidents/{number}/postmortem": Permission.WORK_INCIDENTS,
    "GET /console/journeys": Permission.VIEW,
    "GET /console/journeys/{name}": Permission.VIEW,
    "POST /console/journeys/{name}/run": Permission.RUN_JOURNEYS,
    "GET /console/runs/{run_id}": Permission.VIEW,
    "GET /console/alerts": Permission.VIEW,
    "GET /console/silences": Permission.VIEW,
    "GET /console/silences/new": Permission.SILENCE,
    "POST /console/silences": Permission.SILENCE,
    "GET /console/silences/{silence_id}": Permission.VIEW,
    "POST /console/silences/{silence_id}/extend": Permission.SILENCE,
    "POST /console/silences/{silence_id}/expire": Permission.SILENCE,
    "GET /console/notifications": Permission.VIEW,
    "POST /console/notifications/{row_id}/retry": Permission.RETRY_NOTIFICATIONS,
    "GET /console/account/tokens": Permission.OWN_ACCOUNT,
    "POST /console/account/tokens": Permission.OWN_ACCOUNT,
    "POST /console/account/tokens/{token_id}/revoke": Permission.OWN_ACCOUNT,
    "GET /console/tokens": Permission.MANAGE_TOKENS,
    "POST /console/tokens/sources": Permission.MANAGE_TOKENS,
    "POST /console/tokens/{token_id}/revoke": Permission.MANAGE_TOKENS,
    "GET /api/v1/tokens": Permission.OWN_ACCOUNT,
    "GET /api/v1/tokens/all": Permission.MANAGE_TOKENS,
    "POST /api/v1/tokens": Permission.OWN_ACCOUNT,
    "POST /api/v1/tokens/sources": Permission.MANAGE_TOKENS,
    "POST /api/v1/tokens/{token_id}/revoke": Permission.OWN_ACCOUNT,
    "GET /console/audit": Permission.VIEW_AUDIT,
    "GET /console/audit/export.{kind}": Permission.VIEW_AUDIT,
    "GET /api/v1/audit": Permission.VIEW_AUDIT,
    "GET /console/configuration": Permission.VIEW_CONFIGURATION,
    "POST /console/configuration/reload": Permission.RELOAD,
    "POST /api/v2/alerts": SENDERS,
    "GET /api/v2/alerts": SENDERS,
    "GET /api/v2/alerts/groups": SENDERS,
    "GET /api/v2/receivers": SENDERS,
    "GET /api/v2/silences": SENDERS,
    "POST /api/v2/silences": SENDERS,
    "GET /api/v2/silence/{silence_id}": SENDERS,
    "DELETE /api/v2/silence/{silence_id}": SENDERS,
    "GET /api/v2/status": SENDERS,
    "GET /api/v1/silences": Permission.VIEW,
    "POST /api/v1/silences": Permission.SILENCE,
    "POST /api/v1/silences/preview": Permission.SILENCE,
    "GET /api/v1/silences/{silence_id}": Permission.VIEW,
    "PUT /api/v1/silences/{silence_id}": Permission.SILENCE,
    "POST /api/v1/silences/{silence_id}/expire": Permission.SILENCE,
    "POST /api/v1/alertmanager": SENDERS,
    "POST /v2/enqueue": KEYED,
    "GET /api/v1/incidents": Permission.VIEW,
    "GET /api/v1/incidents/{number}/timeline": Permission.VIEW,
    "GET /api/v1/incidents/{number}/alerts": Permission.VIEW,
    "POST /api/v1/incidents": Permission.WORK_INCIDENTS,
    "GET /api/v1/incidents/{number}": Permission.VIEW,
    "POST /api/v1/incidents/{number}/acknowledge": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/take-over": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/hand-back": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/notes": Permission.NOTE,
    "POST /api/v1/incidents/{number}/updates": Permission.PUBLISH,
    "POST /api/v1/incidents/{number}/status": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/split": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/move": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/merge": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/links": Permission.WORK_INCIDENTS,
    "DELETE /api/v1/incidents/{number}/links/{other}": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/roles": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/tasks": Permission.WORK_INCIDENTS,
    "PUT /api/v1/incidents/{number}/tasks/{task}": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/tasks/{task}/done": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/severity": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/impact": Permission.WORK_INCIDENTS,
    "GET /api/v1/incidents/{number}/postmortem": Permission.VIEW,
    "GET /api/v1/incidents/{number}/postmortem/draft": Permission.VIEW,
    "GET /api/v1/incidents/{number}/postmortem/versions/{version}": Permission.VIEW,
    "GET /api/v1/incidents/{number}/postmortem.md": Permission.VIEW,
    "POST /api/v1/incidents/{number}/postmortem": Permission.WORK_INCIDENTS,
    "GET /api/v1/maintenance": Permission.VIEW,
    "POST /api/v1/maintenance": Permission.PLAN_MAINTENANCE,
    "POST /api/v1/maintenance/{number}/cancel": Permission.PLAN_MAINTENANCE,
    "GET /console/maintenance": Permission.VIEW,
    "GET /console/maintenance/new": Permission.PLAN_MAINTENANCE,
    "POST /console/maintenance": Permission.PLAN_MAINTENANCE,
    "GET /console/maintenance/{number}": Permission.VIEW,
    "POST /console/maintenance/{number}/cancel": Permission.PLAN_MAINTENANCE,
    "GET /console/on-call": Permission.VIEW,
    "GET /console/on-call/calendar": Permission.VIEW,
    "GET /console/on-call/overrides/new": Permission.CHANGE_ON_CALL,
    "POST /console/on-call/overrides": Permission.CHANGE_ON_CALL,
    "POST /console/on-call/overrides/{number}/end": Permission.CHANGE_ON_CALL,
    "GET /console/on-call/mine": Permission.OWN_ACCOUNT,
    "POST /console/on-call/mine/link": Permission.OWN_ACCOUNT,
    "POST /console/on-call/mine/link/revoke": Permission.OWN_ACCOUNT,
    "GET /on-call/{secret}.ics": BY_SECRET,
    "POST /console/incidents/{number}/escalate": Permission.WORK_INCIDENTS,
    "POST /console/incidents/{number}/reassign": Permission.WORK_INCIDENTS,
    "GET /api/v1/incidents/{number}/escalation": Permission.VIEW,
    "POST /api/v1/incidents/{number}/escalate": Permission.WORK_INCIDENTS,
    "POST /api/v1/incidents/{number}/reassign": Permission.WORK_INCIDENTS,
    "GET /api/v1/oncall/now": Permission.VIEW,
    "GET /api/v1/oncall/shifts": Permission.VIEW,
    "GET /api/v1/oncall/overrides": Permission.VIEW,
    "POST /api/v1/oncall/overrides": Permission.CHANGE_ON_CALL,
    "GET /api/v1/oncall/overrides/{number}": Permission.VIEW,
    "POST /api/v1/oncall/overrides/{number}/end": Permission.CHANGE_ON_CALL,
    "GET /console/reports": Permission.VIEW_REPORTS,
    "GET /console/reports/{number}": Permission.VIEW_REPORTS,
    "POST /console/reports/{number}/reply": Permission.ANSWER_REPORTS,
    "POST /console/reports/{number}/ask": Permission.ANSWER_REPORTS,
    "POST /console/reports/{number}/link": Permission.LINK_REPORTS,
    "POST /console/reports/{number}/category": Permission.ANSWER_REPORTS,
    "GET /a/{token}": LINK,
    "HEAD /a/{token}": LINK,
    "POST /a/{token}": LINK,
    "GET /report": PUBLIC,
    "POST /report": BY_FORM,
    "GET /r/{token}": PUBLIC,
    "POST /r/{token}/message": BY_FORM,
    "POST /r/{token}/works": BY_FORM,
    "POST /r/{token}/category": BY_FORM,
    "POST /r/{token}/incident": BY_FORM,
    "GET /api/v1/status": PUBLIC,
    "POST /api/v1/reports": PUBLIC,
    "GET /api/v1/reports/{token}": PUBLIC,
}
QUESTIONS = ("query", "query_range", "query_exemplars", "series", "labels")
DOORS |= {f"{method} /api/v1/{path}": ASKERS for path in QUESTIONS for method in ("GET", "POST")}
DOORS |= {
    f"GET /api/v1/{path}": ASKERS
    for path in (
        "alerts",
        "label/{name}/values",
        "metadata",
        "rules",
        "status/buildinfo",
        "targets",
    )
}
READABLE_BY_ALL = (  # with GET and HEAD
    "/",
    "/incidents/{public_id}",
    "/maintenance/{public_id}",
    "/history",
    "/history.atom",
    "/banner.js",
    "/api/v1/banner.json",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/scheduled-maintenances.json",
    "/api/v2/scheduled-maintenances/upcoming.json",
    "/api/v2/scheduled-maintenances/active.json",
)
DOORS |= {f"{method} {path}": PUBLIC for path in READABLE_BY_ALL for method in ("GET", "HEAD")}
VALUES = {
    "{number}": "1",
    "{silence_id}": "5c5e5e5e-0000-4000-8000-000000000001",
    "{name}": "checkout",
    "{run_id}": "checkout-0",
    "{row_id}": "2",
    "{alert}": "ProbeFailing",
    "{public_id}": "public000001",
    "{token}": "token-1",
    "{user_id}": "1",
    "{kind}": "csv",
    "{token_id}": "99",
    "/static/{digest}/{name:path}": static_url("base.css"),
}
FOREIGN = {"sec-fetch-site": "cross-site"}
GUARDED = sorted(door for door, key in DOORS.items() if isinstance(key, Permission))
FORMS = [door for door in GUARDED if door.startswith("POST")]


def all_doors() -> set[str]:
    """Return every route of the application as `METHOD path`."""
    routes = [route for router in (static_files.router, *ROUTERS) for route in router.routes]
    return {
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A troubled shop that the whole walk shares, with a runbook of its own."""
    folder = tmp_path_factory.mktemp("walk")
    copy(sqlite_template, folder / "monitor.db")
    runbooks = folder / "alert_rules" / "runbooks"
    runbooks.mkdir(parents=True)
    (runbooks / "ProbeFailing.md").write_text("# Look first\n\n<script>alert(1)</script>\n")
    store = Store(open_engine(f"sqlite:///{folder / 'monitor.db'}"))
    add_user(store, "subject", Role.VIEWER, NOW)  # number 1, whom the walk does things to
    troubled_shop(store)
    walked = Web(services(store, configuration=FakeHolder(configuration(folder))))
    walked.services.events.close()  # else that door would never shut again
    yield walked
    store.close()


def knock(client: TestClient, door: str, form: dict[str, str], **headers: str) -> Response:
    """Go through a door with values that exist, and return the answer."""
    method, path = door.split(" ")
    for name, value in VALUES.items():
        path = path.replace(name, value)
    token = {"x-csrf-token": form["csrf"]} if form.get("csrf") else {}
    if method in ("PUT", "DELETE"):
        return client.request(method, path, headers={**headers, **token})
    if method != "POST":
        return client.request(method, path, headers=headers)
    if path.startswith("/api/"):
        return client.post(path, json={}, headers={**headers, **token})
    return client.post(path, data=form, headers=headers)


def is_let_in(answer: Response) -> bool:
    """Return whether the door opened, whatever was then said of the request itself."""
    sent_away = answer.headers.get("location", "").startswith("/console/sign-in?")
    return answer.status_code not in (401, 403) and not sent_away


def test_every_route_has_its_line_in_the_table() -> None:
    """A new door cannot be opened without saying here for whom."""
    assert all_doors() == set(DOORS)


@pytest.mark.parametrize("door", GUARDED)
def test_a_door_opens_for_the_roles_of_its_permission_and_no_other(shop: Web, door: str) -> None:
    """The walk: every role and nobody, at every guarded door."""
    allowed = MAY[Permission(DOORS[door])]
    opened = set()
    for role in Role:
        client, csrf = shop.as_role(role)
        answer = knock(client, door, {"csrf": csrf})
        assert answer.status_code < 500
        if is_let_in(answer):
            opened.add(role)
    assert opened == allowed
    assert not is_let_in(knock(shop.client(), door, {}))


@pytest.mark.parametrize("door", GUARDED)
def test_strangers_are_sent_to_sign_in_and_programs_are_told_401(shop: Web, door: str) -> None:
    """A page leads to the form and back; the API says what is missing."""
    answer = knock(shop.client(), door, {})
    if door.split(" ")[1].startswith("/api/"):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthorized"
    else:
        assert answer.headers["location"].startswith("/console/sign-in?next=/")


@pytest.mark.parametrize("door", FORMS)
def test_a_form_without_its_sessions_token_changes_nothing(shop: Web, door: str) -> None:
    """No token, another session's token, or a page of another site: all refused."""
    (client, csrf), (_, other) = shop.as_role(Role.ADMINISTRATOR), shop.as_role(Role.ADMINISTRATOR)
    assert knock(client, door, {}).status_code == 403
    assert knock(client, door, {"csrf": other}).status_code == 403
    assert knock(client, door, {"csrf": csrf}, **FOREIGN).status_code == 403


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
@pytest.mark.parametrize("door", [door for door in GUARDED if door.startswith("GET /console")])
def test_a_page_offers_no_form_that_its_reader_may_not_send(
    shop: Web, door: str, role: Role
) -> None:
    """What a role may not do is not shown to it."""
    client, csrf = shop.as_role(role)
    answer = knock(client, door, {})
    if not is_let_in(answer):
        return
    for action in form_actions(answer.text):
        posted = next(known for known in FORMS if fits(known, action))
        assert role in MAY[Permission(DOORS[posted])], posted
    assert answer.text.count('method="post"') == answer.text.count(f'name="csrf" value="{csrf}"')


def form_actions(html: str) -> list[str]:
    """Return the addresses that a page's posting forms lead to."""
    return [part.split('"')[0] for part in html.split('method="post" action="')[1:]]


def fits(door: str, action: str) -> bool:
    """Return whether an address belongs to a route."""
    pattern = door.removeprefix("POST ").split("/")
    parts = action.split("/")
    return len(parts) == len(pattern) and all(
        want.startswith("{") or want == part for want, part in zip(pattern, parts, strict=True)
    )


@pytest.mark.parametrize("door", [door for door, key in DOORS.items() if key == PUBLIC])
def test_public_doors_are_open(shop: Web, door: str) -> None:
    """Nobody has to sign in for what is for everybody."""
    answer = knock(shop.client(), door, {})
    assert answer.status_code == (422 if door.startswith("POST") else 200)


@pytest.mark.parametrize("door", [door for door, key in DOORS.items() if key == LINK])
def test_a_link_that_nobody_signed_opens_nothing(shop: Web, door: str) -> None:
    """Neither for looking nor for acting."""
    assert knock(shop.client(), door, {}).status_code == 404


@pytest.mark.parametrize("door", [door for door, key in DOORS.items() if key == BY_FORM])
def test_a_strangers_form_comes_back_with_the_token_it_was_given(shop: Web, door: str) -> None:
    """A forged or missing token, or a page of another site, changes nothing."""
    for form, headers in (({}, {}), ({"form_token": "1.f"}, {}), ({}, FOREIGN)):
        answer = knock(shop.client(), door, form, **headers)
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("door", [door for door, key in DOORS.items() if key == SENDERS])
def test_alerts_are_taken_from_this_machine_or_with_the_token(shop: Web, door: str) -> None:
    """Without a token set, only local senders are believed, and not what a proxy passes on."""
    assert is_let_in(knock(shop.client(), door, {}))
    assert not is_let_in(knock(shop.client("192.0.2.7"), door, {}))
    passed_on = {"x-forwarded-for": "192.0.2.7"}
    assert not is_let_in(knock(shop.client(), door, {}, **passed_on))


@pytest.mark.parametrize("door", [door for door, key in DOORS.items() if key == ASKERS])
def test_metrics_are_told_to_this_machine_and_to_whoever_may_look(shop: Web, door: str) -> None:
    """Samples say much about a shop, and queries cost: strangers get neither."""
    assert is_let_in(knock(shop.client(), door, {}))
    assert is_let_in(knock(shop.as_role(Role.VIEWER)[0], door, {}))
    assert not is_let_in(knock(shop.client("192.0.2.7"), door, {}))
    assert not is_let_in(knock(shop.client(), door, {}, **{"x-forwarded-for": "192.0.2.7"}))
