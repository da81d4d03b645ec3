"""The story of the spine with nothing simulated: the real process, a real browser, real time.

The tests are chapters: they run in order, on one demo that runs through them all. A fixture is
what happens, a test is what must be true after it.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.real.browsing import chromium, needs_chromium
from tests.real.process import Terminal, monitor, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]
PASSWORD = "three quiet lamps at noon"
OUTAGE_SECONDS = 15_000  # milliseconds, as Playwright counts: fault to status page
RECOVERY = 40_000  # a few good runs in a row
HEADLINE = ".hero h1"


@dataclass
class Demo:
    """The demo as a person has it in front of them: a terminal and a browser."""

    terminal: Terminal
    browser: Browser
    page: Page
    shop: str
    site: str
    one_time_password: str

    def open(self, path: str) -> Page:
        """Open a page of the monitor."""
        self.page.goto(self.site + path)
        return self.page

    def switch(self, fault: str) -> None:
        """Click a switch of the shop's fault panel."""
        self.page.goto(f"{self.shop}/faults")
        switch = self.page.get_by_role("switch", name=fault)
        before = switch.get_attribute("aria-checked")
        switch.click()
        expect(switch).not_to_have_attribute("aria-checked", before or "")

    def wait_for_text(self, path: str, place: str, text: str, milliseconds: float) -> None:
        """Open a page again and again until `place` holds `text`."""

        def seen() -> bool:
            found = self.open(path).locator(place).first
            return found.count() > 0 and text in found.inner_text()

        wait_for(seen, f"{text!r} at {path}", milliseconds / 1000, pause=0.5)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`monitor run` on an empty folder, seen to work."""
    data: Path = tmp_path_factory.mktemp("story")
    command = ("run", "--data", data, "--port", "0", "--shop-port", "0")
    with chromium() as browser, monitor(*command) as terminal:
        terminal.line("Stop with Ctrl-C")
        said = "\n".join(terminal.lines)
        shop, site = (
            re.findall(rf"{door} +(http://\S+)/\s", said)[0] for door in ("Shop", "Status page")
        )
        password = re.findall(r"one-time password +(\S+)", said)[0]
        demo = Demo(terminal, browser, browser.new_page(), shop, site, password)
        demo.wait_for_text("/", HEADLINE, "All systems operational", RECOVERY)
        yield demo


@pytest.fixture(scope="module")
def outage(demo: Demo) -> Demo:
    """Somebody breaks checkout on the fault panel."""
    demo.switch("Payments are refused")
    demo.wait_for_text("/", ".notice-card", "Cart and checkout does not work", OUTAGE_SECONDS)
    return demo


@pytest.fixture(scope="module")
def reported(outage: Demo) -> tuple[Demo, str]:
    """A user reports it; gives the address of their page too."""
    page = outage.open("/report")
    page.get_by_label("What happened?").fill("I cannot pay: my card is refused at the checkout")
    page.get_by_role("button", name="Send the report").click()
    page.wait_for_url("**/r/*")
    return outage, page.url


@pytest.fixture(scope="module")
def console(reported: tuple[Demo, str]) -> Demo:
    """The engineer signs in for the first time and chooses a password."""
    demo, _ = reported
    page = demo.open("/console")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(demo.one_time_password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Present password").fill(demo.one_time_password)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_role("heading", name="What is wrong now")).to_be_visible()
    return demo


@pytest.fixture(scope="module")
def repaired(console: Demo, reported: tuple[Demo, str]) -> tuple[Demo, str]:
    """The shop is repaired by the same switch."""
    console.switch("Payments are refused")
    console.wait_for_text("/", HEADLINE, "All systems operational", RECOVERY)
    return reported


@dataclass
class Window:
    """A maintenance under way: where it is in the console, and the terminal's length before."""

    demo: Demo
    url: str
    since: int
    ends_at: datetime


@pytest.fixture(scope="module")
def maintenance(repaired: tuple[Demo, str]) -> Window:
    """Work on search is announced from now until a minute that is at least 40 s away."""
    demo, _ = repaired
    now = datetime.now(UTC)
    ends_at = (now + timedelta(seconds=100)).replace(second=0, microsecond=0)
    since = len(demo.terminal.lines)
    page = demo.open("/console/maintenance/new")
    page.get_by_label("What is done").fill("A new search index")
    page.get_by_label("Time zone of both").select_option("UTC")
    page.get_by_label("From").fill(f"{now:%Y-%m-%dT%H:%M}")
    page.get_by_label("Until").fill(f"{ends_at:%Y-%m-%dT%H:%M}")
    page.get_by_label("Search and browsing").select_option("expected_down")
    page.get_by_role("button", name="Announce").click()
    expect(page.get_by_text("In progress").first).to_be_visible()
    return Window(demo, page.url.removeprefix(demo.site), since, ends_at)


def test_at_first_three_components_are_operational_and_say_when_they_were_checked(
    demo: Demo,
) -> None:
    """The status page says what was looked at, and when."""
    components = demo.open("/").locator(".component")
    expect(components).to_have_count(3)
    for component in components.all():
        expect(component).to_contain_text("Operational")
        expect(component).to_contain_text(re.compile(r"checked (just now|\d+ s ago)"))


def test_the_status_page_tells_users_what_does_not_work_in_their_words(outage: Demo) -> None:
    """The component's name, the customers' wording, and nothing of steps or reasons."""
    page = outage.open("/")
    expect(page.locator(HEADLINE)).to_have_text("Partial outage")
    expect(page.locator(".notice-card")).to_contain_text("We are looking into it")
    expect(page.locator("main")).not_to_contain_text("Place the order")


def test_the_engineer_on_call_is_told_the_step_and_the_reason(outage: Demo) -> None:
    """One line on the terminal, once."""
    line = outage.terminal.line(r"NOTIFY CRITICAL")
    assert "step Place the order fails (status)" in line
    assert len(outage.terminal.pages()) == 1


def test_the_shops_own_pages_carry_the_banner(outage: Demo) -> None:
    """Whoever shops reads it there."""
    outage.page.goto(outage.shop)
    banner = outage.page.locator("[data-saypro-banner]")
    expect(banner).to_contain_text("Cart and checkout does not work")


def test_a_reporter_reads_at_once_that_we_know_since_when_and_what_follows(
    reported: tuple[Demo, str],
) -> None:
    """We know, since when, we will tell you."""
    demo, address = reported
    demo.page.goto(address)
    answer = demo.page.locator(".talk .ours").first
    expect(answer).to_contain_text("We know")
    expect(answer).to_contain_text(re.compile(r"since \d\d:\d\d UTC"))
    expect(answer).to_contain_text("this page")


def test_the_console_leads_from_the_incident_to_the_evidence(console: Demo) -> None:
    """Incident → journey → run: the waterfall, the failing step, what was expected and found."""
    page = console.open("/console")
    page.get_by_role("link", name=re.compile("INC-1")).first.click()
    expect(page.locator(".timeline li").first).to_be_visible()
    page.get_by_role("link", name="checkout", exact=True).first.click()
    page.locator("table a", has=page.locator("time")).first.click()
    expect(page.get_by_text("Step “Place the order” failed")).to_be_visible()
    expect(page.get_by_role("heading", name="Evidence: Place the order")).to_be_visible()
    assert page.locator("table svg").count() >= 5  # a bar of phases for each step that ran


def test_the_report_hangs_on_the_incident_and_a_person_takes_it(console: Demo) -> None:
    """Support and engineer look at the same ticket."""
    page = console.open("/console/incidents/1")
    expect(page.get_by_text("I cannot pay: my card is refused")).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("You have taken this incident.")).to_be_visible()


def test_the_incident_resolves_by_itself_and_the_engineer_hears_it(
    repaired: tuple[Demo, str],
) -> None:
    """Nobody had to close anything."""
    demo, _ = repaired
    assert "INC-1" in demo.terminal.line(r"NOTIFY .*INC-1 resolved")
    expect(demo.open("/console/incidents/1").locator("h1 + .row")).to_contain_text("Resolved")


def test_the_reporter_is_asked_whether_it_works_and_says_yes(repaired: tuple[Demo, str]) -> None:
    """The loop closes where it began."""
    demo, address = repaired
    demo.page.goto(address)
    demo.page.get_by_role("button", name="Yes, it works").click()
    expect(demo.page.locator("main")).to_contain_text("Closed")
    expect(demo.open("/console/incidents/1").locator("aside")).to_contain_text("works now")


def test_what_was_announced_pages_nobody_and_what_was_not_still_does(maintenance: Window) -> None:
    """Search fails in silence, checkout does not."""
    demo = maintenance.demo
    demo.switch("Search finds nothing")
    demo.wait_for_text("/console/journeys/search", "h2", "Down", OUTAGE_SECONDS)
    expect(demo.open("/").locator(".component").nth(1)).to_contain_text("maintenance")
    demo.switch("Payments are refused")
    page = demo.terminal.line(r"NOTIFY CRITICAL", since=maintenance.since)
    assert "checkout" in page
    assert not [one for one in demo.terminal.pages(maintenance.since) if "search" in one.lower()]


@pytest.mark.timeout(200)  # a window is planned in minutes, so it may last up to 100 s
def test_a_window_closes_when_it_has_ended_and_search_was_seen_to_work(maintenance: Window) -> None:
    """Never before its end, never without a look."""
    demo = maintenance.demo
    demo.page.goto(f"{demo.shop}/faults")
    demo.page.get_by_role("button", name="Repair everything").click()
    demo.wait_for_text(maintenance.url, ".head", "Completed", 130_000)
    assert datetime.now(UTC) >= maintenance.ends_at
    demo.terminal.line(r"NOTIFY .*A new search index.*over|NOTIFY .*completed", maintenance.since)
    demo.wait_for_text("/", HEADLINE, "All systems operational", RECOVERY)


def test_told_to_end_both_processes_end_in_good_order(demo: Demo) -> None:
    """Exit code 0, the shop gone too, and not one error of ours all the while."""
    children = psutil.Process(demo.terminal.process.pid).children(recursive=True)
    assert children, "the shop is a process of its own"
    assert demo.terminal.end(signal.SIGTERM, seconds=15) == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert "\n".join(demo.terminal.complaints()) == ""
