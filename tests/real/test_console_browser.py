"""The console in a real browser: from the one-time password to the acknowledged incident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from monitor.storage.schema import sessions
from monitor.storage.store import Store
from monitor.storage.users import insert_user, user_by_name
from monitor.web.permissions import Role
from monitor.web.security import ensure_first_administrator
from tests.builders import NOW
from tests.monitor.web.builders import PASSWORD
from tests.real.browsing import chromium, needs_chromium
from tests.real.console import PHONE, WIDE, ServedConsole, served_console
from tests.real.process import wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]
PAGES = (
    *("", "/incidents", "/incidents/1", "/incidents/new", "/journeys", "/journeys/checkout"),
    *("/runs/checkout-0", "/alerts", "/notifications", "/maintenance", "/maintenance/new"),
    *("/reports", "/reports/1", "/configuration", "/account", "/design", "/help"),
    *("/search?q=pay", "/silences", "/silences/new", "/users", "/tokens", "/audit"),
    *("/on-call", "/on-call/calendar", "/on-call/mine"),
)


@pytest.fixture
def served(sqlite_store: Store) -> Iterator[ServedConsole]:
    """A monitor of a troubled shop, served on a free port."""
    with served_console(sqlite_store) as console:
        yield console


@pytest.fixture
def address(served: ServedConsole) -> str:
    """Where it is served."""
    return served.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium from the system's packages."""
    with chromium() as started:
        yield started


# Parts of a page that scroll sideways, which on a phone nobody finds out.
SIDEWAYS = """[...document.querySelectorAll('main *')].filter((one) => one.checkVisibility()
    && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)
    && one.scrollWidth > one.clientWidth + 1).map((one) => `${one.tagName} ${one.className}`)"""


def make_user(store: Store, name: str) -> int:
    """Store an account and return its number."""
    with store.begin() as tx:
        insert_user(tx, name, Role.VIEWER.value, "", NOW)
        made = user_by_name(tx.connection, name)
    assert made is not None
    return made.id


def silenced(page: Page, address: str) -> str:
    """Make a silence that recurs and return its page."""
    page.goto(f"{address}/console/silences/new")
    page.get_by_label("Matchers").fill('component="checkout"')
    page.get_by_label("Repeats").fill("FREQ=WEEKLY")
    page.get_by_label("Why").fill("known")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_role("heading", name="The next times")).to_be_visible()
    return page.url.removeprefix(f"{address}/console")


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
    page.get_by_role("main").get_by_role("link", name="INC-1").click()
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
    long = make_user(sqlite_store, "somebody.with.a.long.name@marketplace.example")
    wide = []
    for path in (*PAGES, silenced(page, address), f"/users/{long}"):
        page.goto(f"{address}/console{path}")
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            wide.append(path)
        wide += [f"{path}: {part}" for part in page.evaluate(SIDEWAYS)]
    assert wide == []
    page.close()


def test_what_is_open_takes_a_line_each_on_a_phone_and_has_its_words(
    browser: Browser, served: ServedConsole
) -> None:
    """The page below is what its reader came for; the words are one press away, and whole."""
    for number in range(2, 5):
        served.by_api("/incidents", title=f"Parcels are late {number} " * 8, severity="warning")
    page = served.page(browser, viewport=PHONE)
    page.goto(f"{served.url}/console/journeys")
    strips = page.locator(".strip")
    assert strips.count() == 3
    assert [strip.bounding_box()["height"] <= 48 for strip in strips.all()] == [True] * 3  # type: ignore[index]
    strips.first.get_by_text("Words").click()
    told = page.get_by_label("What may be told about INC-1")
    expect(told).to_have_value("Paying may fail at the moment. We are working on it.")
    assert (told.bounding_box() or {"width": 0})["width"] > PHONE["width"] / 2
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("path", ["/incidents", "/alerts", "/audit"])
def test_a_list_comes_before_what_narrows_it_on_a_phone(
    browser: Browser, served: ServedConsole, path: str, scripts: bool
) -> None:
    """Folded there, standing on a wide screen, with scripts and without."""
    for size in (PHONE, WIDE):
        page = served.page(browser, viewport=size, java_script_enabled=scripts)
        page.goto(f"{served.url}/console{path}")
        form = page.locator("main").get_by_role("search")
        fold = page.get_by_role("heading", name="Narrow the list")
        if size is WIDE:
            expect(fold).to_be_hidden()
        else:
            expect(form).to_be_hidden()
            fold.click()
        expect(form.get_by_role("button").first).to_be_visible()
        page.context.close()


def test_a_page_left_open_shows_at_once_what_a_program_did(
    browser: Browser, served: ServedConsole
) -> None:
    """Told by the stream alone: this page's own clock never asks."""
    page = served.page(browser)
    page.add_init_script("window.setInterval = () => 0")
    page.goto(f"{served.url}/console/incidents/1")
    page.get_by_text("Write a note").click()
    page.get_by_label("Note for colleagues").fill("half a thought")
    served.by_api("/incidents/1/acknowledge")
    expect(page.get_by_text("api token has taken it.")).to_be_visible()
    expect(page.get_by_label("Note for colleagues")).to_have_value("half a thought")
    expect(page.get_by_label("Note for colleagues")).to_be_focused()
    page.context.close()


def test_a_browser_that_cannot_follow_asks_now_and_then(
    browser: Browser, served: ServedConsole
) -> None:
    """The page stays fresh without the stream, only later."""
    page = served.page(browser)
    page.add_init_script("delete window.EventSource")
    page.goto(f"{served.url}/console/incidents/1")
    served.by_api("/incidents/1/acknowledge")
    expect(page.get_by_text("api token has taken it.")).to_be_visible(timeout=15_000)
    page.context.close()


def test_a_page_says_that_its_reader_was_signed_out_elsewhere(
    browser: Browser, served: ServedConsole
) -> None:
    """What is shown may be old, and the page does not hide it."""
    page = served.page(browser)
    page.goto(f"{served.url}/console/incidents/1")
    with served.web.services.store.begin() as tx:
        tx.connection.execute(delete(sessions))
    expect(page.get_by_text("You are signed out.")).to_be_attached(timeout=45_000)
    page.context.close()


def test_a_new_incident_is_announced_and_shown_on_a_page_about_something_else(
    browser: Browser, served: ServedConsole
) -> None:
    """An agent in the middle of a report sees the banner grow, and hears of it."""
    page = served.page(browser, Role.AGENT)
    page.goto(f"{served.url}/console/reports/2")
    page.get_by_label("Write").fill("Dear customer")
    served.by_api("/incidents", title="Parcels are late", severity="warning")
    expect(page.get_by_role("button", name="Link this report to INC-2")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("Parcels are late")
    expect(page.get_by_label("Write")).to_have_value("Dear customer")
    page.context.close()


def test_an_open_page_does_not_hold_up_the_end_of_the_service(
    browser: Browser, served: ServedConsole
) -> None:
    """The stream ends first; nobody waits for browsers to go away."""
    page = served.page(browser)
    page.goto(f"{served.url}/console/incidents/1")
    wait_for(served.web.services.events.count, "an open page that follows")
    served.server.should_exit = True
    served.thread.join(timeout=30)
    assert not served.thread.is_alive()
    page.context.close()
