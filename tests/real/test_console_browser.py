"""The console in a real browser: from the one-time password to the acknowledged incident."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from monitor.storage.store import Store
from monitor.web.security import ensure_first_administrator
from tests.builders import NOW
from tests.monitor.web.builders import PASSWORD, FakeSettings, Web, services
from tests.monitor.web.seeds import troubled_shop

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


@pytest.fixture
def address(sqlite_store: Store) -> Iterator[str]:
    """A monitor of a troubled shop, served on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        troubled_shop(sqlite_store)
        web = Web(services(sqlite_store, settings=FakeSettings(public_url=url)))
        server = uvicorn.Server(uvicorn.Config(web.app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield url
        server.should_exit = True
        thread.join()


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


def test_a_page_left_open_shows_what_happens_elsewhere(
    browser: Browser, address: str, sqlite_store: Store
) -> None:
    """The timeline follows by itself what a colleague does, without disturbing what is typed."""
    context = browser.new_context()
    page, colleague = context.new_page(), context.new_page()
    first_sign_in(page, address, ensure_first_administrator(sqlite_store, NOW) or "")
    page.goto(f"{address}/console/incidents/1")
    page.get_by_label("Note for colleagues").fill("half a thought")
    colleague.goto(f"{address}/console/incidents/1")
    colleague.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("admin has taken it.")).to_be_visible(timeout=15_000)
    expect(page.get_by_label("Note for colleagues")).to_have_value("half a thought")
    context.close()
