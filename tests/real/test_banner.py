"""The banner on a shop's page of another origin, in a real browser."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from monitor.web.static_files import static_files

NOTICE = {
    "id": "inc-1", "kind": "incident", "tone": "major", "title": "<b>Payments</b> fail",
    "state": "Identified", "since_words": "09:01 UTC", "url": "http://127.0.0.1/incidents/inc",
}  # fmt: skip

pytestmark = [pytest.mark.real, pytest.mark.slow]


@contextmanager
def served(answers: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Give the address of a server with these answers: path → (type, body)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = answers.get(self.path, ("text/plain", ""))
            self.send_response(200 if self.path in answers else 404)
            self.send_header("content-type", kind)
            self.send_header("access-control-allow-origin", "*")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A running Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def shop_page(notices: list[dict[str, str]]) -> Iterator[str]:
    """Give the address of a shop's page that loads the banner from a monitor elsewhere."""
    script = static_files()["banner.js"].body.decode()
    document = json.dumps({"page": {"name": "Shop"}, "notices": notices})
    monitor = {
        "/banner.js": ("text/javascript", script),
        "/api/v1/banner.json": ("application/json", document),
    }
    with served(monitor) as origin:
        html = f'<!doctype html><body><script src="{origin}/banner.js" defer></script><h1>Shop</h1>'
        with served({"/": ("text/html", html)}) as shop:
            yield shop


def test_the_shops_visitors_see_what_is_wrong_and_may_dismiss_it(browser: Browser) -> None:
    """The title is text, whatever it holds; dismissed it stays away for the visit."""
    with shop_page([NOTICE]) as shop:
        page = browser.new_page()
        page.goto(shop)
        banner = page.wait_for_selector("[data-saypro-banner]")
        assert banner is not None
        assert "<b>Payments</b> fail · Identified, since 09:01 UTC" in banner.inner_text()
        page.click("text=Dismiss")
        page.reload(wait_until="networkidle")
        assert page.query_selector("[data-saypro-banner]") is None
        assert browser.contexts[0].cookies() == []


def test_a_quiet_day_leaves_the_shops_page_as_it_was(browser: Browser) -> None:
    """No empty box, nothing moved."""
    with shop_page([]) as shop:
        page = browser.new_page()
        page.goto(shop, wait_until="networkidle")
        assert page.evaluate("document.body.children.length") == 2
