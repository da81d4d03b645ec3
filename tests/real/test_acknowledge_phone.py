"""The page behind a link in a page, on a phone: a real browser takes an incident."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import ViewportSize, expect

from monitor.storage import deliveries
from monitor.storage.incidents import load_incidents
from monitor.storage.store import Store
from monitor.use_cases.acknowledge_links import Linker, ensure_key
from tests.builders import NOW
from tests.monitor.web.builders import FakeSettings, Web, services
from tests.notices import put_incident, put_row
from tests.real.browsing import chromium, needs_chromium
from tests.real.process import wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_chromium]
PHONE = ViewportSize(width=390, height=844)


@contextmanager
def served(store: Store) -> Iterator[str]:
    """Serve a monitor on a free port and give its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        web = Web(services(store, settings=FakeSettings(public_url=url)))
        config = uvicorn.Config(web.app, log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: server.started, "web server")
        yield url
        server.should_exit = True
        thread.join()


def page_link(store: Store, url: str, incident: int) -> str:
    ensure_key(store, NOW)
    put_row(store, incident, recipient="anna@shop.example", created_at=NOW, due_at=NOW)
    with store.begin() as tx:
        (row,) = deliveries.claim(
            tx, channel="oncall", limit=1, worker="w", now=NOW, lease_seconds=1
        )
    with store.read() as connection:
        return Linker(url)(connection, row, NOW)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_thumb_takes_the_incident(sqlite_store: Store, scheme: str) -> None:
    """No scrolling, no script, a button a thumb cannot miss; then the page says thanks."""
    incident = put_incident(sqlite_store)
    with served(sqlite_store) as url, chromium() as browser:
        context = browser.new_context(
            viewport=PHONE,
            has_touch=True,
            is_mobile=True,
            java_script_enabled=False,
            color_scheme="dark" if scheme == "dark" else "light",
        )
        phone = context.new_page()
        phone.goto(page_link(sqlite_store, url, incident))
        button = phone.get_by_role("button", name="I take INC-")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 64
        assert box["y"] + box["height"] < PHONE["height"]
        assert box["width"] > PHONE["width"] * 0.8
        button.tap()
        expect(phone.get_by_role("status")).to_contain_text("You have it. Thank you.")
        phone.reload()
        expect(phone.get_by_role("button")).to_have_count(0)
        context.close()
    with sqlite_store.read() as connection:
        taken = load_incidents(connection, [incident])[incident].acknowledged_by
    assert taken == "anna@shop.example (by link)"
