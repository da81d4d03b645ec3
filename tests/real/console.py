"""The console of a troubled shop, served on a free port, for tests with a real browser."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from playwright.sync_api import Browser, Page

from monitor.serve import WebServer
from monitor.storage.store import Store
from monitor.web.events import Events
from monitor.web.permissions import Role
from monitor.web.sessions import COOKIE
from tests.monitor.web.builders import API_TOKEN, FakeSettings, Web, services
from tests.monitor.web.seeds import troubled_shop
from tests.real.process import wait_for

PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 800}


@dataclass
class ServedConsole:
    """A running console, and how to look at it."""

    url: str
    web: Web
    server: WebServer
    thread: threading.Thread

    def page(self, browser: Browser, role: Role = Role.ADMINISTRATOR, **options: Any) -> Page:
        """Return a fresh browser window that is signed in with a role."""
        context = browser.new_context(**{"viewport": WIDE, **options})
        secret = self.web.as_role(role)[0].cookies[COOKIE]
        context.add_cookies([{"name": COOKIE, "value": secret, "url": self.url}])
        return context.new_page()

    def by_api(self, path: str, **body: str) -> None:
        """Change something as a program does."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            json.dumps(body).encode(),
            {"authorization": f"Bearer {API_TOKEN}", "content-type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def served_console(store: Store) -> Iterator[ServedConsole]:
    """Serve the console of a troubled shop; its streams notice an end within a second."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        troubled_shop(store)
        settings, events = FakeSettings(public_url=url), Events(heartbeat=1.0)
        web = Web(services(store, settings=settings, events=events))
        config = uvicorn.Config(web.app, log_config=None, lifespan="off", ws="none")
        server = WebServer(config, web.services.events)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: server.started, "web server")
        yield ServedConsole(url, web, server, thread)
        server.should_exit = True
        thread.join()
