"""The second factor: `pages.second_factor`, `pages.sign_in` and `monitor.accounts.factors`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from monitor.accounts import factors
from monitor.accounts.people import known_user, reset_second_factor, shut_account
from monitor.accounts.seal import Seal
from monitor.config.sign_in import SignIn
from monitor.storage.second_factors import recovery_codes_left
from monitor.storage.users import User
from monitor.web.entering import HALF_COOKIE, HALF_LASTS
from monitor.web.pages.sign_in import MOST_WRONG_CODES
from monitor.web.permissions import Role
from monitor.web.sessions import COOKIE
from monitor.web.throttle import FREE_FOR_ACCOUNT
from tests.monitor.web.authenticator import PAGE, Authenticator, csrf_of, enrol, give_code
from tests.monitor.web.builders import PASSWORD, Web, hidden, sign_in


@pytest.fixture
def ann(web: Web) -> tuple[Authenticator, list[str]]:
    """An agent who has set a second factor up; its first code is spent."""
    client, csrf = web.as_role(Role.AGENT)
    enrolled = enrol(web, client, csrf)
    web.clock.advance(60)
    return enrolled


def half_way(web: Web, address: str = "127.0.0.1") -> TestClient:
    """Return a browser that has given the right password."""
    client = web.client(address)
    answer = sign_in(client, "agent", next_="/console/incidents")
    assert answer.headers["location"] == "/console/sign-in/code"
    return client


def agent(web: Web) -> User:
    """Return the account as it is."""
    return known_user(web.services.store, "agent")


def test_the_password_alone_opens_nothing(web: Web, ann: object) -> None:
    """Half way in there is no session: no page of the console, and no cookie of one."""
    client = half_way(web)
    assert COOKIE not in client.cookies
    for path in ("/console", "/console/account", PAGE, "/runbooks/ProbeFailing"):
        assert client.get(path).headers["location"].startswith("/console/sign-in?next=")
    assert client.get("/api/v1/incidents").status_code == 401
    client.cookies.set(COOKIE, client.cookies[HALF_COOKIE])
    assert client.get("/console/account").status_code == 303


def test_password_and_code_lead_to_the_page_that_was_asked_for(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """The second step begins the session, and uses up the first."""
    client = half_way(web)
    answer = give_code(client, ann[0].code(web.now()))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/incidents")
    assert client.get("/console/account").status_code == 200
    assert client.get("/console/sign-in/code").status_code == 303


@pytest.mark.parametrize(
    ("seconds", "status"), [(-60, 403), (-30, 303), (0, 303), (30, 303), (60, 403)]
)
def test_a_code_is_good_one_step_either_way(
    web: Web, ann: tuple[Authenticator, list[str]], seconds: int, status: int
) -> None:
    """Clocks differ and people type slowly; beyond that a code is old, or not there yet."""
    web.clock.advance(120)
    code = ann[0].code(web.now() + timedelta(seconds=seconds))
    assert give_code(half_way(web), code).status_code == status


def test_a_code_that_was_used_is_worth_nothing_again(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """Whoever looks over a shoulder has no code: neither this one, nor the one before it."""
    now, before = ann[0].code(web.now()), ann[0].code(web.now() - timedelta(seconds=30))
    assert give_code(half_way(web), now).status_code == 303
    for spent in (now, before):
        assert give_code(half_way(web), spent).status_code == 403


def test_the_code_that_switched_it_on_signs_nobody_in(web: Web) -> None:
    """Setting up spends its code as signing in does."""
    client, csrf = web.as_role(Role.AGENT)
    app, _ = enrol(web, client, csrf)
    assert give_code(half_way(web), app.code(web.now())).status_code == 403


def test_a_recovery_code_does_once(web: Web, ann: tuple[Authenticator, list[str]]) -> None:
    """In the place of the app, however it is spaced; the others stay good."""
    first, second, *_ = ann[1]
    assert give_code(half_way(web), first.upper().replace("-", " ")).status_code == 303
    assert give_code(half_way(web), first).status_code == 403
    assert give_code(half_way(web), second).status_code == 303
    with web.services.store.read() as connection:
        assert recovery_codes_left(connection, agent(web).id) == len(ann[1]) - 2


def test_after_some_wrong_codes_the_password_is_asked_for_again(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """The first step is worth a few tries; then even the right code is too late."""
    client = half_way(web)
    for _ in range(MOST_WRONG_CODES):
        assert give_code(client, "000000").status_code == 403
        web.clock.advance(5)  # longer than the throttle asks for after so few
    assert client.get("/console/sign-in/code").headers["location"] == "/console/sign-in"


def test_guessing_codes_is_slowed(web: Web, ann: tuple[Authenticator, list[str]]) -> None:
    """A thief of the password waits ever longer between codes, with every new first step too."""
    client = half_way(web, "192.0.2.66")
    for _ in range(FREE_FOR_ACCOUNT):
        assert give_code(client, "000000").status_code == 403
    assert give_code(client, "000000").status_code == 429
    again = half_way(web, "192.0.2.66")
    assert give_code(again, ann[0].code(web.now())).status_code == 429
    assert give_code(half_way(web, "192.0.2.1"), ann[0].code(web.now())).status_code == 303


def test_the_first_step_is_good_for_a_few_minutes(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """A browser left half way in does not stay so."""
    client = half_way(web)
    token = hidden(client.get("/console/sign-in/code").text, "form_token")
    web.clock.advance(HALF_LASTS.total_seconds())
    form = {"form_token": token, "code": ann[0].code(web.now())}
    answer = client.post("/console/sign-in/code", data=form)
    assert (answer.status_code, COOKIE in client.cookies) == (403, False)


def test_an_account_shut_between_the_steps_stays_outside(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """What was proven a minute ago does not outlive the account."""
    client = half_way(web)
    shut_account(web.services.store, "agent", web.now())
    assert client.get("/console/sign-in/code").status_code == 303


def test_setting_up_takes_the_password_and_a_code(web: Web) -> None:
    """Neither a borrowed browser nor a mistyped secret leaves a factor behind."""
    client, csrf = web.as_role(Role.AGENT)
    page = client.get(PAGE).text
    app, offer = Authenticator(page), hidden(page, "offer")
    right = {"csrf": csrf, "offer": offer, "password": PASSWORD, "code": app.code(web.now())}
    for wrong in ({"password": "not it"}, {"code": "000000"}, {"code": ""}):
        answer = client.post(PAGE, data={**right, **wrong})
        assert answer.status_code == 422
        assert Authenticator(answer.text).secret == app.secret
    assert client.post(PAGE, data={**right, "offer": "forged"}).status_code == 422
    assert "Set up a second factor" in client.get(PAGE).text


def test_the_offer_of_one_session_is_worth_nothing_in_another(web: Web) -> None:
    """Nobody can have somebody else set up a factor whose secret he knows."""
    client, csrf = web.as_role(Role.AGENT)
    attacker, _ = web.as_role(Role.VIEWER)
    page = attacker.get(PAGE).text
    app = Authenticator(page)
    form = {"csrf": csrf, "password": PASSWORD, "code": app.code(web.now())}
    assert client.post(PAGE, data={**form, "offer": hidden(page, "offer")}).status_code == 422


def test_switching_it_on_ends_every_other_session_and_renames_this_one(web: Web) -> None:
    """Whoever was in with a stolen password is out."""
    (there, _), here = web.as_role(Role.AGENT), web.client()
    sign_in(here, "agent")
    before = here.cookies[COOKIE]
    enrol(web, here, csrf_of(here))
    assert here.cookies[COOKIE] != before
    assert [c.get("/console/account").status_code for c in (here, there)] == [200, 303]


def test_switching_it_off_takes_password_and_code(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """One of the two is not enough; with both, the password alone signs in again."""
    client = half_way(web)
    give_code(client, ann[0].code(web.now()))
    web.clock.advance(30)
    code = ann[0].code(web.now())
    form = {"csrf": csrf_of(client), "password": PASSWORD, "code": code}
    for wrong in ({"password": "no"}, {"code": "000000"}):
        assert client.post(f"{PAGE}/off", data={**form, **wrong}).status_code == 422
    assert client.post(f"{PAGE}/off", data=form).headers["location"].startswith("/console/account")
    assert client.get("/console/account").status_code == 200
    assert sign_in(web.client(), "agent").headers["location"] == "/console"


def test_new_recovery_codes_replace_the_old(web: Web, ann: tuple[Authenticator, list[str]]) -> None:
    """A list that somebody may have seen is made worthless."""
    client = half_way(web)
    give_code(client, ann[0].code(web.now()))
    form = {"csrf": csrf_of(client), "password": PASSWORD, "code": ann[1][0]}
    answer = client.post(f"{PAGE}/recovery-codes", data=form)
    assert answer.status_code == 200
    assert give_code(half_way(web), ann[1][1]).status_code == 403


def test_an_administrators_reset_lets_the_password_do_alone(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """For whoever lost phone and codes; who was half way in begins again."""
    client = half_way(web)
    assert reset_second_factor(web.services.store, "agent", web.now())
    assert client.get("/console/sign-in/code").status_code == 303
    assert sign_in(web.client(), "agent").headers["location"] == "/console"
    assert not reset_second_factor(web.services.store, "agent", web.now())


def test_a_role_that_asks_for_one_sees_nothing_before_it_is_set_up(web: Web) -> None:
    """The console leads there, the API says so; other roles are left alone."""
    holder: Any = web.services.configuration
    sign_in_rules = SignIn(second_factor_roles=frozenset({"responder"}))
    holder.current = replace(holder.current, sign_in=sign_in_rules)
    client, csrf = web.as_role(Role.RESPONDER)
    assert client.get("/console").headers["location"] == PAGE
    assert client.get("/api/v1/incidents").status_code == 403
    assert web.as_role(Role.AGENT)[0].get("/console").status_code == 200
    enrol(web, client, csrf)
    assert client.get("/console").status_code == 200


def test_the_database_alone_gives_neither_secret_nor_codes(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """A stolen copy of it signs nobody in."""
    with web.services.store.read() as connection:
        rows = [
            connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            for table in ("second_factors", "recovery_codes", "users", "sessions", "proofs")
        ]
    assert ann[0].secret not in str(rows)
    assert not any(code in str(rows) for code in ann[1])


def test_with_another_key_recovery_codes_still_do(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """Losing the key file locks nobody out for good, and lets no code of the app through."""
    store, other = web.services.store, Seal("another key, of another installation")
    account, code = agent(web), ann[0].code(web.now())
    assert factors.check(store, other, account, code, web.now()) is None
    assert factors.check(store, other, account, ann[1][0], web.now()) == "recovery code"


def test_a_factor_copied_to_another_account_does_not_open(
    web: Web, ann: tuple[Authenticator, list[str]]
) -> None:
    """Who can write the database cannot give himself somebody's factor, or theirs his own."""
    web.add_user(Role.VIEWER)
    viewer = known_user(web.services.store, "viewer")
    with web.services.store.begin() as tx:
        tx.connection.exec_driver_sql(f"UPDATE second_factors SET user_id = {viewer.id}")
    code = ann[0].code(web.now())
    assert factors.check(web.services.store, web.services.seal, viewer, code, web.now()) is None


def test_the_qr_code_is_one_picture_without_styles_of_its_own(web: Web) -> None:
    """The page's policy allows no inline style; the picture needs none."""
    page = web.as_role(Role.AGENT)[0].get(PAGE).text
    svg = page[page.index("<svg", page.index('class="qr"')) :].split("</svg>")[0] + "</svg>"
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "style" not in svg
