"""The console in a real browser: from the one-time password to the acknowledged incident."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from monitor.serve import WebServer
from monitor.storage.store import Store
from monitor.web.events import Events
from monitor.web.security import ensure_first_administrator
from tests.builders import NOW
from tests.monitor.web.builders import API_TOKEN, PASSWORD, FakeSettings, Web, services
from tests.monitor.web.seeds import troubled_shop
from tests.real.process import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
PHONE = {"width": 390, "height": 844}
PAGES = (
    *("", "/incidents", "/incidents/1", "/incidents/new", "/journeys", "/journeys/checkout"),
    *("/runs/checkout-0", "/alerts", "/notifications", "/maintenance", "/maintenance/new"),
    *("/reports", "/configuration", "/account", "/design"),
)


@dataclass
class Served:
    """A monitor of a troubled shop, as it is served."""

    url: str
    web: Web
    server: WebServer
    thread: threading.Thread


@pytest.fixture
def served(sqlite_store: Store) -> Iterator[Served]:
    """A monitor of a troubled shop, served on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        troubled_shop(sqlite_store)
        settings, events = FakeSettings(public_url=url), Events(heartbeat=1.0)
        web = Web(services(sqlite_store, settings=settings, events=events))
        config = uvicorn.Config(web.app, log_config=None, lifespan="off", ws="none")
        server = WebServer(config, web.services.events)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: server.started, "web server")
        yield Served(url, web, server, thread)
        server.should_exit = True
        thread.join()


@pytest.fixture
def address(served: Served) -> str:
    """Where it is served."""
    return served.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium from the system's packages."""
    with sync_playwright() as playwright:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        started = playwright.chromium.launch(**options)  # type: ignore[arg-type] # as documented
        yield started
        started.close()


def first_sign_in(page: Page, address: str, password: str) -> None:
    """Sign in with the one-time password and choose another."""
    page.goto(f"{address}/console")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Present password").fill(password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Save password").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_new_administrator_finds_the_evidence_and_takes_the_incident(
    browser: Browser, address: str, sqlite_store: Store, scripts: bool
) -> None:
    """From a phone, with scripts and without: nothing is refused by the browser's policy."""
    password = ensure_first_administrator(sqlite_store, NOW) or ""
    page = browser.new_page(viewport=PHONE, java_script_enabled=scripts)  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    first_sign_in(page, address, password)
    page.get_by_role("link", name="checkout", exact=True).first.click()
    expect(page.get_by_role("heading", name="Latest run")).to_be_visible()
    page.get_by_role("link", name="INC-1").click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("You have taken this incident.")).to_be_visible()
    expect(page.get_by_text("admin has taken it.")).to_be_visible()
    page.get_by_role("link", name="the run of").click()
    expect(page.get_by_text("Step “pay” failed")).to_be_visible()
    assert page.title() == "Run of checkout · Demo Market"  # captured scripts did not run
    assert complaints == []
    page.close()


def test_no_page_is_wider_than_a_phone(browser: Browser, address: str, sqlite_store: Store) -> None:
    """Nobody scrolls sideways at three in the morning."""
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    first_sign_in(page, address, ensure_first_administrator(sqlite_store, NOW) or "")
    wide = []
    for path in PAGES:
        page.goto(f"{address}/console{path}")
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            wide.append(path)
    assert wide == []
    page.close()


def by_api(address: str, path: str, **body: str) -> None:
    """Change something as a program does."""
    request = urllib.request.Request(
        f"{address}/api/v1{path}",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {API_TOKEN}", "content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def test_a_page_left_open_shows_at_once_what_a_program_did(
    browser: Browser, address: str, sqlite_store: Store
) -> None:
    """Told by the stream alone: this page's own clock never asks."""
    page = browser.new_page()
    page.add_init_script("window.setInterval = () => 0")
    first_sign_in(page, address, ensure_first_administrator(sqlite_store, NOW) or "")
    page.goto(f"{address}/console/incidents/1")
    page.get_by_label("Note for colleagues").fill("half a thought")
    by_api(address, "/incidents/1/acknowledge")
    expect(page.get_by_text("api token has taken it.")).to_be_visible()
    expect(page.get_by_label("Note for colleagues")).to_have_value("half a thought")
    expect(page.get_by_label("Note for colleagues")).to_be_focused()
    page.close()


def test_a_browser_that_cannot_follow_asks_now_and_then(
    browser: Browser, address: str, sqlite_store: Store
) -> None:
    """The page stays fresh without the stream, only later."""
    page = browser.new_page()
    page.add_init_script("delete window.EventSource")
    first_sign_in(page, address, ensure_first_administrator(sqlite_store, NOW) or "")
    page.goto(f"{address}/console/incidents/1")
    by_api(address, "/incidents/1/acknowledge")
    expect(page.get_by_text("api token has taken it.")).to_be_visible(timeout=15_000)
    page.close()


def test_a_page_says_that_its_reader_was_signed_out_elsewhere(
    browser: Browser, address: str, sqlite_store: Store
) -> None:
    """What is shown may be old, and the page does not hide it."""
    context = browser.new_context()
    page, other = context.new_page(), context.new_page()
    first_sign_in(page, address, ensure_first_administrator(sqlite_store, NOW) or "")
    other.goto(f"{address}/console/account")
    other.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("You are signed out.")).to_be_attached(timeout=45_000)
    context.close()


def test_an_open_page_does_not_hold_up_the_end_of_the_service(
    browser: Browser, served: Served, sqlite_store: Store
) -> None:
    """The stream ends first; nobody waits for browsers to go away."""
    page = browser.new_page()
    first_sign_in(page, served.url, ensure_first_administrator(sqlite_store, NOW) or "")
    wait_for(served.web.services.events.count, "an open page that follows")
    served.server.should_exit = True
    served.thread.join(timeout=30)
    assert not served.thread.is_alive()
    page.close()
