"""The page behind a link in a page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from monitor.clock import FakeClock
from monitor.storage import deliveries
from monitor.storage.incidents import load_incidents
from monitor.storage.store import Store
from monitor.use_cases.acknowledge_links import LIVES, Linker, ensure_key
from monitor.web.pages.acknowledge import TAKES
from tests.monitor.web.builders import Web, services
from tests.notices import NOW, put_incident, put_row, set_status


class Page:
    """A page about an incident, and the phone it arrived on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.web = Web(services(store, clock=FakeClock(NOW)))
        self.phone: TestClient = self.web.client()
        self.incident = put_incident(store)
        ensure_key(store, NOW)
        put_row(store, self.incident, recipient="anna@shop.example")
        with store.begin() as tx:
            (row,) = deliveries.claim(
                tx, channel="oncall", limit=1, worker="w", now=NOW, lease_seconds=1
            )
        with store.read() as connection:
            self.path = Linker("http://monitor.test")(connection, row, NOW)[
                len("http://monitor.test") :
            ]

    @property
    def taken_by(self) -> str | None:
        """Who has the incident."""
        with self.store.read() as connection:
            return load_incidents(connection, [self.incident])[self.incident].acknowledged_by


@pytest.fixture
def page(sqlite_store: Store) -> Page:
    """A page that was just sent."""
    return Page(sqlite_store)


def test_the_page_shows_what_it_is_and_one_button(page: Page) -> None:
    """Title, severity and in whose name it is taken."""
    shown = page.phone.get(page.path)
    assert shown.status_code == 200
    assert shown.text.count("<button") == 1
    assert "Checkout fails" in shown.text
    assert "anna@shop.example" in shown.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("header", [{}, {"sec-purpose": "prefetch"}, {"purpose": "preview"}])
def test_nothing_but_the_buttons_post_takes_anything(
    page: Page, method: str, header: dict[str, str]
) -> None:
    """Scanners, previews and prefetching look as often as they like."""
    page.phone.request(method, page.path, headers=header)
    assert page.taken_by is None


def test_the_button_leads_to_thanks_and_a_reload_does_not_press_again(page: Page) -> None:
    """Post, redirect, get."""
    pressed = page.phone.post(page.path)
    assert (pressed.status_code, page.taken_by) == (303, "anna@shop.example (by link)")
    assert "You have it. Thank you." in page.phone.get(pressed.headers["location"]).text
    again = page.phone.post(page.path)
    assert "has it already" in page.phone.get(again.headers["location"]).text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_link_cannot_do_any_more_is_said_in_words(page: Page, method: str) -> None:
    """Expired: 410 and what to do instead."""
    page.web.clock.advance((LIVES + timedelta(seconds=1)).total_seconds())
    answer = page.phone.request(method, page.path)
    assert (answer.status_code, page.taken_by) == (410, None)
    assert "This link has expired." in answer.text


def test_an_incident_that_is_over_says_so(page: Page) -> None:
    """Good news is no refusal."""
    set_status(page.store, page.incident, "resolved", resolved_at=NOW)
    answer = page.phone.get(page.path)
    assert (answer.status_code, "It is over." in answer.text) == (200, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "A" * 32, "%00", "..%2f..", "A" * 3000])
def test_a_forged_link_says_only_that_it_does_nothing(page: Page, method: str, token: str) -> None:
    """Not even which incidents there are."""
    answer = page.phone.request(method, f"/a/{token}")
    assert answer.status_code == 404
    assert "Checkout" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_address_leaks_to_nobody(page: Page, method: str) -> None:
    """No referrer, no cache, no search engine, nothing loaded from elsewhere."""
    answer = page.phone.request(method, page.path)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_guessing_is_slowed_down(page: Page) -> None:
    """One network presses so often and no more."""
    answers = [page.phone.post("/a/x").status_code for _ in range(TAKES + 1)]
    assert (answers[-2], answers[-1]) == (404, 429)
