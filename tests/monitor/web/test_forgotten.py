"""A forgotten password: `pages.forgotten` and `monitor.accounts.password_reset`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from monitor.accounts.contact import Contact, save_contact
from monitor.accounts.password_reset import LASTS, MAILS_AN_HOUR, fill_in_links
from monitor.accounts.people import add_user, known_user, shut_account
from monitor.notify.message import Context, MailAccount
from monitor.notify.worker import OutboxWorker
from monitor.storage.store import Store
from monitor.web.pages.forgotten import ASKED_AN_HOUR
from monitor.web.permissions import Role
from monitor.web.throttle import FREE_FOR_STRANGERS
from probes.secrets import EnvironmentSecrets
from tests.monitor.web.authenticator import enrol
from tests.monitor.web.builders import PASSWORD, FakeSettings, Web, hidden, services, sign_in
from tests.sinks import MailSink, mail_sink

NEW = "a staple for the battery"


@pytest.fixture
def ann(web: Web) -> str:
    """An agent whose address is known."""
    web.add_user(Role.AGENT)
    user = known_user(web.services.store, "agent")
    save_contact(web.services.store, user, Contact(email="ann@shop.example"), web.now())
    return "agent"


def ask(web: Web, who: str, address: str = "127.0.0.1") -> Response:
    """Fill in the form of the forgetful."""
    client = web.client(address)
    token = hidden(client.get("/console/sign-in/forgot").text, "form_token")
    form = {"form_token": token, "name": who}
    return client.post("/console/sign-in/forgot", data=form)


def deliver(web: Web, sink: MailSink) -> None:
    """Have everything that waits mailed."""
    context = Context(
        secrets=EnvironmentSecrets({}),
        mail=MailAccount(f"smtp://127.0.0.1:{sink.port}", "monitor@shop.example"),
        clock=web.clock,
        complete=fill_in_links(web.services.seal, "http://monitor.test"),
    )
    OutboxWorker(web.services.store, lambda: (), context).deliver_due(web.now())


def mailed(web: Web, who: str = "agent") -> str:
    """Ask for a link and return its path, as the reader of the mail sees it."""
    ask(web, who)
    with mail_sink() as sink:
        deliver(web, sink)
    assert {tuple(to) for to in sink.recipients} == {("ann@shop.example",)}
    return link_in(sink)


def link_in(sink: MailSink) -> str:
    texts = [body.get_content() for mail in sink.mails if (body := mail.get_body(("plain",)))]
    link = r"http://monitor\.test(/console/sign-in/reset/\S+)"
    (found,) = re.findall(link, "\n".join(texts))
    return str(found)


def choose(client: TestClient, path: str, password: str = NEW) -> Response:
    """Open a link and choose a password."""
    page = client.get(path)
    form = {"form_token": hidden(page.text, "form_token"), "new": password, "again": password}
    return client.post(path, data=form)


@pytest.mark.parametrize("who", ["agent", "Ann@Shop.example "])
def test_the_mailed_link_sets_a_new_password_and_ends_every_session(
    web: Web, ann: str, who: str
) -> None:
    """By name or address; the old password is worth nothing, the new one signs in."""
    theirs, _ = web.as_role(Role.AGENT)
    path = mailed(web, who)
    assert choose(web.client(), path).status_code == 200
    assert theirs.get("/console/account").status_code == 303
    assert sign_in(web.client(), ann, PASSWORD).status_code == 403
    assert sign_in(web.client(), ann, NEW).headers["location"] == "/console"


def test_everybody_is_answered_alike(web: Web, ann: str) -> None:
    """Nobody learns which accounts exist, which are shut, and whose address is known."""
    add_user(web.services.store, "bob", Role.AGENT, web.now())
    add_user(
        web.services.store, "eve", Role.AGENT, web.now(), contact=Contact(email="e@shop.example")
    )
    shut_account(web.services.store, "eve", web.now())
    names = (ann, "bob", "eve", "nobody", "e@shop.example")
    answers = [ask(web, who, f"192.0.2.{n}") for n, who in enumerate(names)]
    pages = {re.sub(r'name="form_token" value="[^"]*"', "", answer.text) for answer in answers}
    assert ({answer.status_code for answer in answers}, len(pages)) == ({200}, 1)
    with mail_sink() as sink:
        deliver(web, sink)
    assert [list(to) for to in sink.recipients] == [["ann@shop.example"]]


def test_a_link_works_once(web: Web, ann: str) -> None:
    """Looking at it uses nothing up; setting the password uses up all of the account's links."""
    first, second = mailed(web), mailed(web)
    assert first != second
    for _ in range(2):
        assert web.client().get(first).status_code == 200
    assert choose(web.client(), first).status_code == 200
    for used in (first, second):
        assert web.client().get(used).status_code == 410
    form = {"form_token": hidden(web.client().get("/console/sign-in/forgot").text, "form_token")}
    assert web.client().post(first, data={**form, "new": NEW, "again": NEW}).status_code == 403


@pytest.mark.parametrize(("early", "status"), [(1, 200), (0, 410)])
def test_a_link_is_good_for_half_an_hour(web: Web, ann: str, early: int, status: int) -> None:
    """To the second; the end excluded."""
    path = mailed(web)
    web.clock.advance(LASTS.total_seconds() - early)
    assert web.client().get(path).status_code == status


def test_the_database_holds_no_link(web: Web, ann: str) -> None:
    """Neither the outbox, nor a page that shows it, gives anybody the way in."""
    path = mailed(web)
    token = path.rpartition("/")[2]
    with web.services.store.read() as connection:
        rows = [
            connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            for table in ("outbox", "proofs", "audit")
        ]
    assert token not in str(rows)
    assert token not in web.as_role(Role.ADMINISTRATOR)[0].get("/console/notifications").text


def test_the_second_factor_is_still_asked_for(web: Web, ann: str) -> None:
    """Whoever reads somebody's mail has not got their phone."""
    enrol(web, *web.as_role(Role.AGENT))
    choose(web.client(), mailed(web))
    assert sign_in(web.client(), ann, NEW).headers["location"] == "/console/sign-in/code"


@pytest.mark.parametrize("password", ["short", "agentagentagent", "aaaaaaaaaaaaaaaa"])
def test_a_weak_password_is_refused_and_the_link_kept(web: Web, ann: str, password: str) -> None:
    """Who mistypes does not have to ask again."""
    path = mailed(web)
    assert choose(web.client(), path, password).status_code == 422
    assert choose(web.client(), path).status_code == 200


def test_nobody_is_flooded_with_mail(web: Web, ann: str) -> None:
    """However many ask, from wherever; after an hour it may be asked again."""
    for number in range(MAILS_AN_HOUR + 3):
        assert ask(web, ann, f"192.0.2.{number}").status_code == 200
    with mail_sink() as sink:
        deliver(web, sink)
        assert len(sink.mails) == MAILS_AN_HOUR
        web.clock.advance(timedelta(hours=1).total_seconds() + 1)
        ask(web, ann)
        deliver(web, sink)
    assert len(sink.mails) == MAILS_AN_HOUR + 1


def test_one_client_asks_only_so_often(web: Web) -> None:
    """For whatever accounts, existing or not."""
    statuses = [ask(web, f"user{number}").status_code for number in range(ASKED_AN_HOUR + 1)]
    assert statuses == [200] * ASKED_AN_HOUR + [429]


def test_a_new_address_makes_links_to_the_old_one_worthless(web: Web, ann: str) -> None:
    """Whoever lost the mailbox has lost the links in it."""
    path = mailed(web)
    user = known_user(web.services.store, ann)
    save_contact(web.services.store, user, Contact(email="new@shop.example"), web.now())
    assert web.client().get(path).status_code == 410


def test_who_holds_the_link_is_not_held_up_by_an_attack(web: Web, ann: str) -> None:
    """A new browser gets past the brake that strangers have pulled."""
    throttle = web.app.state.throttle
    for number in range(FREE_FOR_STRANGERS + 10):
        throttle.failed(ann, f"198.51.100.{number}", web.now())
    client = web.client()
    assert sign_in(client, ann).status_code == 429
    choose(client, mailed(web))
    assert sign_in(client, ann, NEW).status_code == 303


def test_without_a_mail_server_the_page_says_what_to_do(sqlite_store: Store) -> None:
    """No form that leads nowhere; a form sent all the same changes nothing."""
    web = Web(services(sqlite_store, settings=replace(FakeSettings(), smtp_url=None)))
    page = web.client().get("/console/sign-in/forgot").text
    assert "monitor user reset" in page
    assert 'method="post"' not in page
