"""The page of accounts: `monitor.web.pages.console_users`."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from monitor.accounts.people import add_user, known_user, reset_password
from monitor.storage.audit import AuditFilter, search_audit
from monitor.web.permissions import Role
from tests.monitor.web.authenticator import enrol
from tests.monitor.web.builders import PASSWORD, Web, hidden, sign_in
from tests.monitor.web.town import words


@pytest.fixture
def desk(web: Web) -> tuple[TestClient, str]:
    """An administrator's browser, and an account named ann to do things to."""
    add_user(web.services.store, "ann", Role.AGENT, web.now())
    return web.as_role(Role.ADMINISTRATOR)


def press(desk: tuple[TestClient, str], web: Web, what: str, name: str = "ann", **form: str) -> int:
    """Send one of the forms of an account's page; return the status."""
    client, csrf = desk
    number = known_user(web.services.store, name).id
    return client.post(f"/console/users/{number}/{what}", data={"csrf": csrf, **form}).status_code


def page_of(desk: tuple[TestClient, str], web: Web, name: str = "ann") -> str:
    number = known_user(web.services.store, name).id
    return words(desk[0].get(f"/console/users/{number}").text)


def actions(web: Web, target: str = "user:ann") -> list[tuple[str, str]]:
    """Return (who, what) of the log's lines about an account, oldest first."""
    with web.services.store.read() as connection:
        rows = search_audit(connection, AuditFilter(target=target))
    return [(row.actor, row.action) for row in reversed(rows)]


def test_a_person_is_added_with_a_password_that_is_shown_once(
    web: Web, desk: tuple[TestClient, str]
) -> None:
    """The password signs in, is on no later page, and has to be changed."""
    client, csrf = desk
    form = {"csrf": csrf, "name": "Bob", "role": "responder", "email": "Bob@shop.example"}
    shown = client.post("/console/users", data=form)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    password = re.findall(r'class="secret">([^<]+)<', shown.text)[0]
    assert password not in client.get("/console/users").text + page_of(desk, web, "bob")
    theirs = web.client()
    assert sign_in(theirs, "bob", password).status_code == 303
    assert theirs.get("/console").headers["location"] == "/console/account/password"
    assert known_user(web.services.store, "bob").email == "bob@shop.example"
    assert ("administrator", "user.added") in actions(web, "user:bob")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": "an n"}, "cannot be used"),
        ({"name": "ann"}, "already an account named ann"),
        ({"name": "bob", "email": "nowhere"}, "no e-mail address"),
        ({"name": "bob", "role": "machine"}, "expected one of"),
    ],
)
def test_what_cannot_be_added_is_told_and_the_form_kept(
    desk: tuple[TestClient, str], form: dict[str, str], told: str
) -> None:
    """Nothing has to be typed twice."""
    client, csrf = desk
    given = {"csrf": csrf, "role": "agent", "display_name": "Bob B", **form}
    answer = client.post("/console/users", data=given)
    assert answer.status_code == 422
    assert told in words(answer.text).replace("&#39;", "'")
    assert 'value="Bob B"' in answer.text


def test_another_role_ends_every_session(web: Web, desk: tuple[TestClient, str]) -> None:
    """No cookie from before has the new rights, nor keeps the old."""
    theirs, _ = web.as_role(Role.AGENT)
    assert press(desk, web, "role", "agent", role="responder") == 303
    assert theirs.get("/console/account").status_code == 303
    assert known_user(web.services.store, "agent").role == Role.RESPONDER


@pytest.mark.parametrize(("what", "form"), [("role", {"role": "viewer"}), ("shut", {})])
def test_the_last_administrator_stays_one(
    web: Web, desk: tuple[TestClient, str], what: str, form: dict[str, str]
) -> None:
    """Not even by himself; with a second one he may go, and one that is shut does not count."""
    assert press(desk, web, what, "administrator", **form) == 422
    add_user(web.services.store, "eve", Role.ADMINISTRATOR, web.now())
    assert press(desk, web, "shut", "eve") == 303
    assert press(desk, web, what, "administrator", **form) == 422
    assert press(desk, web, "open", "eve") == 303
    assert press(desk, web, what, "administrator", **form) == 303


def test_a_shut_account_is_out_and_comes_in_again_once_it_is_open(
    web: Web, desk: tuple[TestClient, str]
) -> None:
    """Shutting ends sessions and refuses the right password; opening undoes the second."""
    theirs, _ = web.as_role(Role.AGENT)
    press(desk, web, "shut", "agent")
    assert theirs.get("/console/account").status_code == 303
    assert sign_in(web.client(), "agent").status_code == 403
    assert "Shut since" in page_of(desk, web, "agent")
    press(desk, web, "open", "agent")
    assert sign_in(web.client(), "agent").status_code == 303


def test_who_lost_phone_and_codes_is_let_in_by_the_password(
    web: Web, desk: tuple[TestClient, str]
) -> None:
    """The reset is offered where there is something to reset, and recorded."""
    assert "Reset second factor" not in page_of(desk, web)
    enrol(web, *web.as_role(Role.AGENT))
    assert "Reset second factor" in page_of(desk, web, "agent")
    press(desk, web, "second-factor", "agent")
    assert sign_in(web.client(), "agent").headers["location"] == "/console"
    assert actions(web, "user:agent")[-2:] == [
        ("administrator", "user.second_factor_reset"),
        ("agent", "user.signed_in"),
    ]


def test_a_new_one_time_password_replaces_the_old_and_ends_sessions(
    web: Web, desk: tuple[TestClient, str]
) -> None:
    """Whoever was in with the old one is out."""
    theirs, _ = web.as_role(Role.AGENT)
    assert press(desk, web, "password", "agent") == 200
    assert theirs.get("/console/account").status_code == 303
    assert sign_in(web.client(), "agent", PASSWORD).status_code == 403


@pytest.mark.parametrize(("days", "status"), [(7, 303), (7.01, 403)])
def test_a_one_time_password_is_good_for_a_week(web: Web, days: float, status: int) -> None:
    """A letter that nobody opened is worth nothing for ever."""
    add_user(web.services.store, "ann", Role.AGENT, web.now())
    password = reset_password(web.services.store, "ann", web.now())
    web.clock.advance(days * 86_400)
    assert sign_in(web.client(), "ann", password).status_code == status


def test_two_people_never_have_one_address(web: Web, desk: tuple[TestClient, str]) -> None:
    """Said at the field, and nothing is changed."""
    for name, status in (("ann", 303), ("administrator", 422)):
        assert press(desk, web, "contact", name, email="ann@shop.example") == status
    assert known_user(web.services.store, "administrator").email is None


def test_ones_own_page_changes_everything_but_the_address(web: Web) -> None:
    """Whoever borrows a browser cannot have the next password mailed to himself."""
    client, csrf = web.as_role(Role.AGENT)
    form = {"csrf": csrf, "email": "thief@evil.example", "phone": "+27 82 123 4567"}
    assert client.post("/console/account/contact", data=form).status_code == 303
    known = known_user(web.services.store, "agent")
    assert (known.email, known.phone) == (None, "+27821234567")


def test_ones_sessions_are_listed_and_ended_one_by_one(web: Web) -> None:
    """With browser and address; nobody ends somebody else's."""
    web.add_user(Role.AGENT)
    agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
    here, there = web.client("192.0.2.1"), web.client("192.0.2.2", headers=agent)
    for client in (here, there):
        sign_in(client, "agent")
    page = here.get("/console/account").text
    assert "Firefox on Linux" in page
    assert "192.0.2.2" in page
    row = page[page.index("192.0.2.2") :]
    form = {"csrf": hidden(page, "csrf"), "session": hidden(row, "session")}
    stranger, csrf = web.as_role(Role.VIEWER)
    stranger.post("/console/account/sessions/end", data={**form, "csrf": csrf})
    assert there.get("/console/account").status_code == 200
    here.post("/console/account/sessions/end", data=form)
    assert [c.get("/console/account").status_code for c in (here, there)] == [200, 303]


def test_refusals_are_recorded_without_names_that_are_no_accounts(web: Web) -> None:
    """A password typed into the wrong field is in no log that nobody can edit."""
    web.add_user(Role.AGENT)
    for name in ("agent", "correct horse battery"):
        sign_in(web.client(), name, "wrong")
    with web.services.store.read() as connection:
        rows = search_audit(connection, AuditFilter(action="user.sign_in_refused"))
    assert [row.target for row in rows] == ["", "user:agent"]
    assert "horse" not in str(rows)
