"""Signing in: `monitor.web.pages.sign_in`, `pages.account`, `sessions` and `accounts`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.errors import InvalidInputError
from monitor.accounts.people import add_user, reset_password, shut_account
from monitor.storage.store import Store
from monitor.web.permissions import Role
from monitor.web.security import ensure_first_administrator
from monitor.web.sessions import COOKIE, LONGEST, LONGEST_IDLE
from tests.builders import NOW
from tests.monitor.web.builders import PASSWORD, FakeSettings, Web, hidden, services, sign_in


def test_the_right_password_opens_the_console(web: Web) -> None:
    """Sign-in leads to the page that was asked for."""
    client = web.client()
    answer = sign_in(client, web.add_user(Role.AGENT), next_="/console/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/account")
    assert "agent" in client.get("/console/account").text


def test_a_wrong_password_and_a_wrong_name_are_answered_alike(web: Web) -> None:
    """Nobody learns which accounts exist."""
    web.add_user(Role.AGENT)
    answers = [sign_in(web.client(), name, "not the password") for name in ("agent", "nobody")]
    assert {answer.status_code for answer in answers} == {403}
    assert all("do not belong together" in answer.text for answer in answers)


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(web: Web) -> None:
    """HttpOnly and SameSite=Lax, for the whole host, and for a limited time."""
    cookie = sign_in(web.client(), web.add_user(Role.AGENT)).headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/", "max-age="))


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(sqlite_store: Store) -> None:
    """With a public address of https the browser never sends the cookie in the clear."""
    https = "https://monitor.test"
    web = Web(services(sqlite_store, settings=FakeSettings(public_url=https)), base_url=https)
    answer = sign_in(web.client(), web.add_user(Role.AGENT))
    assert answer.headers["set-cookie"].startswith("__Host-monitor_session=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "max-age" in answer.headers["strict-transport-security"]


def test_signing_in_again_ends_the_session_it_replaces(web: Web) -> None:
    """An old cookie, perhaps planted by somebody, is worth nothing after sign-in."""
    client, name = web.client(), web.add_user(Role.AGENT)
    sign_in(client, name)
    old = client.cookies[COOKIE]
    token = hidden(web.client().get("/console/sign-in").text, "form_token")
    client.post("/console/sign-in", data={"form_token": token, "name": name, "password": PASSWORD})
    assert client.cookies[COOKIE] != old
    stale = web.client()
    stale.cookies.set(COOKIE, old)
    assert stale.get("/console/account").status_code == 303


def test_the_store_does_not_hold_what_the_cookie_holds(web: Web) -> None:
    """Who reads the database cannot take over a session."""
    client, _ = web.as_role(Role.AGENT)
    with web.services.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sessions").fetchall()
    assert client.cookies[COOKIE] not in str(rows)


def test_signing_out_ends_the_session_on_our_side(web: Web) -> None:
    """A copied cookie does not outlive signing out."""
    client, csrf = web.as_role(Role.AGENT)
    secret = client.cookies[COOKIE]
    assert client.post("/console/sign-out", data={"csrf": csrf}).status_code == 303
    copied = web.client()
    copied.cookies.set(COOKIE, secret)
    assert copied.get("/console/account").headers["location"].startswith("/console/sign-in")


def test_signing_out_everywhere_ends_all_sessions_of_the_account(web: Web) -> None:
    """Other browsers of the same person are out as well; other people stay in."""
    (here, csrf), (there, _), (other, _) = map(
        web.as_role, (Role.AGENT, Role.AGENT, Role.RESPONDER)
    )
    here.post("/console/account/sign-out-everywhere", data={"csrf": csrf})
    assert [c.get("/console/account").status_code for c in (here, there, other)] == [303, 303, 200]


@pytest.mark.parametrize(
    ("used_every", "passed", "status"),
    [
        (LONGEST_IDLE, LONGEST_IDLE, 303),
        (LONGEST_IDLE, LONGEST_IDLE - timedelta(seconds=1), 200),
        (timedelta(hours=6), LONGEST - timedelta(seconds=1), 200),
        (timedelta(hours=6), LONGEST, 303),
    ],
)
def test_a_session_ends_when_idle_and_at_the_latest_after_a_week(
    web: Web, used_every: timedelta, passed: timedelta, status: int
) -> None:
    """Use prolongs a session up to its absolute end, and not beyond."""
    client, _ = web.as_role(Role.AGENT)
    ends = web.now() + passed
    while ends - web.now() > used_every:
        web.clock.advance(used_every.total_seconds())
        client.get("/console/account")
    web.clock.advance((ends - web.now()).total_seconds())
    assert client.get("/console/account").status_code == status


def test_the_first_administrator_is_made_once(web: Web) -> None:
    """A second start shows no password and makes no account."""
    store = web.services.store
    password = ensure_first_administrator(store, NOW)
    assert password is not None
    assert len(password) == 23
    assert ensure_first_administrator(store, NOW) is None


def test_a_one_time_password_leads_to_nothing_but_choosing_another(web: Web) -> None:
    """Until the password is changed, every page sends there."""
    password = ensure_first_administrator(web.services.store, NOW) or ""
    client = web.client()
    sign_in(client, "admin", password)
    assert client.get("/runbooks/ProbeFailing").headers["location"] == "/console/account/password"
    form = client.get("/console/account/password").text
    new = {"csrf": hidden(form, "csrf"), "old": password, "new": PASSWORD, "again": PASSWORD}
    assert client.post("/console/account/password", data=new).headers["location"] == "/console"
    assert client.get("/console/account").status_code == 200
    assert sign_in(web.client(), "admin", password).status_code == 403
    assert sign_in(web.client(), "admin", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("new", "again", "told"),
    [
        ("short", "short", "at least 12"),
        ("a fine pass phrase", "a fine pass phrasf", "differ"),
        (PASSWORD, PASSWORD, "differs from the present"),
        ("i am an agent too", "i am an agent too", "easy to guess"),
        ("abababababababab", "abababababababab", "easy to guess"),
    ],
)
def test_a_poor_new_password_is_refused_with_the_reason(
    web: Web, new: str, again: str, told: str
) -> None:
    """The form comes back and says what to do; the old password stays."""
    client, csrf = web.as_role(Role.AGENT)
    form = {"csrf": csrf, "old": PASSWORD, "new": new, "again": again}
    answer = client.post("/console/account/password", data=form)
    assert answer.status_code == 422
    assert told in answer.text
    assert sign_in(web.client(), "agent").status_code == 303


def test_guessing_is_slowed_for_the_guesser_and_nobody_else(web: Web) -> None:
    """After three failures a client waits; the account's owner elsewhere does not."""
    name = web.add_user(Role.AGENT)
    guesser, owner = web.client("203.0.113.7"), web.client("198.51.100.1")
    refused = [sign_in(guesser, name, "guess").status_code for _ in range(4)]
    assert refused == [403, 403, 403, 429]
    assert sign_in(guesser, name).status_code == 429
    assert sign_in(owner, name).status_code == 303
    web.clock.advance(2)
    assert sign_in(guesser, name).status_code == 303


def test_a_shut_account_is_out_at_once(web: Web) -> None:
    """Shutting an account ends its sessions and refuses its password."""
    client, _ = web.as_role(Role.AGENT)
    shut_account(web.services.store, "agent", NOW)
    assert client.get("/console/account").status_code == 303
    assert sign_in(web.client(), "agent").status_code == 403


def test_a_reset_password_ends_sessions_and_works_once(web: Web) -> None:
    """Whoever had the old password is out."""
    client, _ = web.as_role(Role.AGENT)
    password = reset_password(web.services.store, "agent", web.now())
    assert client.get("/console/account").status_code == 303
    assert sign_in(web.client(), "agent", password).status_code == 303


@pytest.mark.parametrize(
    ("name", "role"), [("Ann", "agent"), ("", "agent"), ("a b", "agent"), ("ann", "machine")]
)
def test_an_unusable_account_is_refused(web: Web, name: str, role: str) -> None:
    """Names are plain and lower case; a machine is no account."""
    with pytest.raises(InvalidInputError):
        add_user(web.services.store, name, role, NOW)


def test_a_name_is_taken_once(web: Web) -> None:
    """The second account of a name is refused in words."""
    add_user(web.services.store, "ann", "agent", NOW)
    with pytest.raises(InvalidInputError, match="already"):
        add_user(web.services.store, "ann", "viewer", NOW)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "/%5Cevil.test",
        "javascript:alert(1)",
        "/console\r\nset-cookie: a=b",
        "/console/../../evil",
        "/",
        "/console/sign-out",
        "console",
        "",
    ],
)
def test_sign_in_never_sends_anybody_elsewhere(web: Web, target: str) -> None:
    """Anything but a page of the console becomes the console's start."""
    answer = sign_in(web.client(), web.add_user(Role.AGENT), next_=target)
    assert answer.headers["location"] == "/console"
