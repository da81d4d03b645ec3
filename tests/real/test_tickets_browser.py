"""A ticket in a real browser: from a failing journey to its postmortem, and from a phone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, Locator, Page, expect

from incidents.lifecycle import Status
from monitor.serve import WebServer
from monitor.storage.store import Store
from monitor.use_cases.incidents import IncidentDesk
from monitor.web.permissions import Role
from tests.builders import NOW
from tests.monitor.use_cases.desk import Desk
from tests.monitor.web.builders import PASSWORD, FakeSettings, Web, services
from tests.real.browsing import chromium, needs_chromium
from tests.real.process import wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]
PHONE = {"width": 390, "height": 844}


REGROUP = "Split, move, merge or link"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def troubles(store: Store) -> Web:
    """A shop whose checkout fails at two locations, and whose search fails too."""
    web = Web(services(store, settings=FakeSettings()))
    web.add_user(Role.RESPONDER)
    desk = Desk(store, web.services.configuration.current)
    desk.now = NOW
    desk.fire("checkout", step="pay", reason="status")
    desk.fire("checkout", location="eu", step="pay", reason="status")
    desk.fire("search")
    return web


@contextmanager
def served(web: Web) -> Iterator[str]:
    """Serve an application on a free port and give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(web.app, log_config=None, lifespan="off", ws="none")
        server = WebServer(config, web.services.events)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: server.started, "web server")
        try:
            yield url
        finally:  # else a test that fails would wait for ever
            server.should_exit = True
            thread.join()


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/console/sign-in")
    page.get_by_label("Name").fill("responder")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def unfold(page: Page, name: str, inside: Locator) -> Locator:
    """Open the folded part of that name, unless what is inside shows already; returns `inside`."""
    if not inside.is_visible():
        page.locator(f'[data-fold="{name}"] > summary').click()
    return inside


@pytest.mark.parametrize("scripts", [True, False])
def test_a_ticket_from_its_journey_to_its_postmortem(
    browser: Browser, sqlite_store: Store, scripts: bool
) -> None:
    """Split, merge, roles, tasks, a note, and what was learnt; with scripts and without."""
    web = troubles(sqlite_store)
    with served(web) as url:
        page = browser.new_page(java_script_enabled=scripts)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        sign_in(page, url)
        page.goto(f"{url}/console/journeys/checkout")
        page.get_by_role("link", name="INC-1").first.click()
        unfold(page, "roles", page.get_by_label("Lead")).fill("responder")
        page.get_by_role("button", name="Save roles").click()
        unfold(page, "task-form", page.get_by_label("What is to be done")).fill("roll back")
        page.get_by_role("button", name="Add task").click()
        unfold(page, "tasks", page.get_by_role("button", name="Done: roll back")).click()
        unfold(page, "note", page.get_by_label("Note for colleagues")).fill("**disk** full")
        page.get_by_role("button", name="Add note").click()
        expect(page.locator("strong", has_text="disk")).to_be_visible()
        unfold(page, "alerts", page.get_by_role("link", name=REGROUP)).click()
        page.get_by_label("location=eu").check()
        page.get_by_label("Why").first.fill("another network")
        page.get_by_role("button", name="Split out or move").click()
        expect(page.get_by_text("This is what was split out")).to_be_visible()
        unfold(page, "alerts", page.get_by_role("link", name=REGROUP)).click()
        page.get_by_label("Into").select_option(label="INC-2 search is down")
        page.get_by_label("Why").nth(1).fill("one database")
        page.get_by_role("button", name="Merge into it").click()
        expect(page.get_by_text("The other incident is a part of this one now.")).to_be_visible()
        desk = IncidentDesk(sqlite_store, web.services.configuration.current, web.services.policy)
        _resolve(desk, 1)
        page.goto(f"{url}/console/incidents/1/postmortem")
        page.get_by_role("link", name="Write it from this draft").click()
        page.get_by_role("button", name="Save version").click()
        expect(page.get_by_text("The version is saved.")).to_be_visible()
        page.goto(f"{url}/console/incidents/1")
        expect(
            unfold(page, "facts", page.get_by_text("Postmortem", exact=True).first)
        ).to_be_visible()
        assert complaints == []
        page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_thumb_takes_an_incident_and_tells_users(
    browser: Browser, sqlite_store: Store, scripts: bool
) -> None:
    """On a phone what matters is in reach at once, wherever the page stands."""
    with served(troubles(sqlite_store)) as url:
        page = browser.new_page(viewport=PHONE, java_script_enabled=scripts)  # type: ignore[arg-type]
        sign_in(page, url)
        page.goto(f"{url}/console/incidents/1")
        thumb = page.get_by_role("navigation", name="At once")
        for name in ("Update", "Resolve"):
            expect(thumb.get_by_role("link", name=name)).to_be_in_viewport()
        expect(page.get_by_role("button", name="Acknowledge")).to_be_in_viewport()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("You have taken this incident.")).to_be_visible()
        thumb.get_by_role("link", name="Update").click()
        page.get_by_role("link", name="We know the cause").click()
        page.get_by_role("button", name="Publish update").click()
        expect(page.get_by_text("Your update is published")).to_be_visible()
        page.goto(f"{url}/")
        expect(page.get_by_text("We know why Checkout does not work").first).to_be_visible()
        page.close()


def _resolve(desk: IncidentDesk, number: int) -> None:
    desk.change_status(number, Status.RESOLVED, by="responder", now=NOW, despite_firing=True)
