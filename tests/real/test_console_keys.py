"""The console from the keyboard alone: palette, keys, menu and the way through a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web.permissions import NAVIGATION, Role
from tests.real.browsing import chromium, needs_chromium
from tests.real.console import PHONE, WIDE, ServedConsole, served_console

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]

# What is wrong with what has the focus: no ring, or a bar lies over its beginning or end.
FOCUS_FAULTS = """(() => {
    const one = document.activeElement, box = one.getBoundingClientRect();
    if (one === document.body) return [];
    const name = `${one.tagName} ${one.innerText || one.name || ''}`.slice(0, 60), faults = [];
    if (getComputedStyle(one).outlineStyle === 'none') faults.push(`${name} has no ring`);
    for (const y of [box.top + 2, box.bottom - 2]) {
        const over = document.elementFromPoint(box.left + Math.min(box.width / 2, 20), y);
        const bar = over?.closest('header.bar, nav.thumb');
        if (bar && !bar.contains(one)) faults.push(`${name} is behind ${bar.tagName}`);
    }
    return faults;
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium from the system's packages."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def console(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedConsole]:
    """A console that these tests look at and hardly change."""
    folder = tmp_path_factory.mktemp("keys")
    copy(sqlite_template, folder / "monitor.db")
    store = Store(open_engine(f"sqlite:///{folder / 'monitor.db'}"))
    with served_console(store) as served:
        yield served
    store.close()


@pytest.fixture
def page(browser: Browser, console: ServedConsole) -> Iterator[Page]:
    """An administrator's window on the first page."""
    page = console.page(browser)
    page.goto(f"{console.url}/console")
    yield page
    page.context.close()


def active(page: Page) -> str:
    """Return the words of what has the focus."""
    words: str = page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
    )
    return words.strip()


def choices(page: Page) -> Locator:
    """Return what the palette offers."""
    return page.get_by_role("dialog").get_by_role("option")


def test_the_palette_finds_an_incident_and_goes_there(page: Page, console: ServedConsole) -> None:
    """A combobox in a dialog: type, arrow, Enter; the list says what is chosen."""
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to, do or find")
    expect(box).to_be_focused()
    box.press_sequentially("pay")
    expect(choices(page).filter(has_text="INC-1")).to_be_visible()
    first = choices(page).first
    expect(first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", first.get_attribute("id") or "")
    while "INC-1" not in page.locator("[role=option][aria-selected=true]").inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{console.url}/console/incidents/1")


def test_an_exact_reference_is_the_first_choice_of_the_palette(
    page: Page, console: ServedConsole
) -> None:
    """Type it, press Enter, be there."""
    page.keyboard.press("Control+k")
    page.keyboard.type("rpt-2")
    expect(choices(page).first).to_contain_text("RPT-2")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{console.url}/console/reports/2")


def test_the_palette_keeps_the_focus_and_gives_it_back(page: Page) -> None:
    """Tab does not leave it, Escape shuts it, and one is where one was."""
    link = page.get_by_role("link", name="Journeys", exact=True).first
    link.focus()
    page.keyboard.press("Control+k")
    page.keyboard.press("Tab")
    inside = "document.querySelector('dialog').contains(document.activeElement)"
    assert page.evaluate(f"{inside} || document.activeElement === document.body")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_the_palette_does_what_the_page_offers(page: Page, console: ServedConsole) -> None:
    """What has a key of its own can be found by its name too."""
    page.goto(f"{console.url}/console/incidents/1")
    page.keyboard.press("Control+k")
    page.keyboard.type("note for")
    expect(choices(page).first).to_contain_text("Note for colleagues")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Note for colleagues")).to_be_focused()


def test_g_and_a_letter_go_to_every_page_of_the_menu(page: Page, console: ServedConsole) -> None:
    """As the menu and the page of keys say."""
    entries = [entry for entry in NAVIGATION if entry.key]
    for entry in entries:
        page.goto(f"{console.url}/console/help")
        page.keyboard.press("g")
        page.keyboard.press(entry.key)
        page.wait_for_url(f"{console.url}{entry.path}")


def test_j_and_k_walk_a_list_and_enter_opens_a_line(page: Page, console: ServedConsole) -> None:
    """The focus itself moves, so that everything else works as ever."""
    page.goto(f"{console.url}/console/reports")
    for key, name in (("j", "RPT-2"), ("j", "RPT-1"), ("j", "RPT-1"), ("k", "RPT-2")):
        page.keyboard.press(key)
        assert active(page) == name
    page.keyboard.press("Enter")
    page.wait_for_url(f"{console.url}/console/reports/2")


def test_letters_do_nothing_where_somebody_writes(page: Page, console: ServedConsole) -> None:
    """Escape leaves the field; then they work, unless they are switched off."""
    page.goto(f"{console.url}/console/incidents/1")
    page.keyboard.press("n")
    note = page.get_by_label("Note for colleagues")
    expect(note).to_be_focused()
    page.keyboard.type("again j k g i ? /")
    expect(note).to_have_value("again j k g i ? /")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()


def test_a_question_mark_shows_the_keys_and_they_can_be_switched_off(page: Page) -> None:
    """For whoever dictates to the browser, single letters are a danger."""
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet.get_by_text("acknowledge: you take it")).to_be_visible()
    sheet.get_by_label("Keys without Ctrl work in this browser").uncheck()
    sheet.get_by_role("button", name="Close").click()
    page.keyboard.press("?")
    page.keyboard.press("j")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.tagName") != "A"


def test_an_incident_is_taken_with_one_key(browser: Browser, console: ServedConsole) -> None:
    """`a`, at three in the morning."""
    page = console.page(browser, Role.RESPONDER)
    page.goto(f"{console.url}/console/incidents/1")
    page.keyboard.press("a")
    expect(page.get_by_text("You have taken this incident.")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_menu_of_a_phone_opens_names_the_page_and_leads_on(
    browser: Browser, console: ServedConsole, scripts: bool
) -> None:
    """With and without scripts; on a wide screen it always stands."""
    page = console.page(browser, viewport=PHONE, java_script_enabled=scripts)
    page.goto(f"{console.url}/console/notifications")
    menu = page.get_by_role("navigation", name="Console")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(menu).to_be_visible()
    here = menu.get_by_role("link", name="Notifications")
    expect(here).to_have_attribute("aria-current", "page")
    expect(here).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    menu.get_by_role("link", name="Maintenance").click()
    expect(page.get_by_role("heading", name="Maintenance")).to_be_visible()
    page.context.close()


def test_the_way_through_a_page_begins_at_its_main_part_and_shows_where_one_is(
    page: Page, console: ServedConsole
) -> None:
    """Skip the menu, then every stop has a ring."""
    page.goto(f"{console.url}/console/incidents/1")
    page.keyboard.press("Tab")
    assert active(page) == "Skip to content"
    page.keyboard.press("Enter")
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        stops.append((active(page) or "a field", page.evaluate(ring)))
    assert [who for who, ring in stops if ring == "none"] == []
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize(
    "path", ["/incidents", "/incidents/1", "/alerts", "/silences/new", "/on-call/calendar"]
)
def test_what_has_the_focus_is_ringed_and_not_behind_a_bar(
    browser: Browser, console: ServedConsole, path: str, size: ViewportSize
) -> None:
    """Neither the bar above nor a phone's bar below covers it, whichever way one comes."""
    page = console.page(browser, viewport=size)
    page.goto(f"{console.url}/console{path}")
    faults = []
    for way in ["Shift+Tab"] * 30 + ["Tab"] * 45:
        page.keyboard.press(way)
        faults += page.evaluate(FOCUS_FAULTS)
    assert faults == []
    page.context.close()


def test_a_note_is_one_press_away_on_a_phone(browser: Browser, console: ServedConsole) -> None:
    """The bar below unfolds the form and puts the cursor there."""
    page = console.page(browser, Role.RESPONDER, viewport=PHONE)
    page.goto(f"{console.url}/console/incidents/1")
    page.get_by_role("navigation", name="At once").get_by_role("link", name="Note").click()
    expect(page.get_by_label("Note for colleagues")).to_be_focused()
    expect(page.get_by_label("Note for colleagues")).to_be_in_viewport()
    page.context.close()


def test_a_caller_s_question_is_answered_with_the_approved_words(
    browser: Browser, console: ServedConsole
) -> None:
    """From any page: open the banner, press Copy, paste; the keys go on working."""
    page = console.page(browser, Role.AGENT, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{console.url}/console/journeys")
    page.get_by_text("Words for customers").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "Paying may fail at the moment. We are working on it."
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    page.context.close()
