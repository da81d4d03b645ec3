"""Servers are asked in turn, and what came through a source's own token is theirs to end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from pydantic import HttpUrl

from monitor.accounts.tokens import add_alert_source
from monitor.config.model import ReconcileServer
from monitor.reconcile.duty import Reconciler
from monitor.storage import incidents as rows
from monitor.storage.store import Store
from monitor.use_cases.policy import AlertPolicy
from tests.monitor.web.builders import FakeHolder, Web, configuration, services
from tests.notices import make_context

ANSWERS = {  # of a Prometheus that has long been up, and knows of no alert
    "/api/v1/status/config": {"yaml": "global: {}\n"},
    "/api/v1/status/runtimeinfo": {"startTime": "2026-11-01T00:00:00Z"},
    "/api/v1/rules": {"groups": []},
    "/api/v1/query_range": {"result": []},
}
DOWN = {"alertname": "Down", "severity": "critical", "component": "checkout"}
MINUTES = 60


@contextmanager
def quiet_prometheus() -> Iterator[str]:
    """Give the address of a server that answers as Prometheus does while nothing fires."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "success", "data": ANSWERS[urlsplit(self.path).path]})
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def open_numbers(web: Web) -> list[int]:
    """Return the numbers of the open incidents."""
    with web.services.store.read() as connection:
        return [incident.number for incident in rows.open_incidents(connection)]


@pytest.mark.parametrize(
    ("sender", "left"),
    [("shop-eu", [1]), ("", [2]), ("shop-za", [1, 2])],
    ids=["its own token's", "none", "another's"],
)
def test_a_server_ends_what_came_in_under_its_own_name(
    sqlite_store: Store, sender: str, left: list[int]
) -> None:
    """INC-1 came through the open door, INC-2 with the token of `shop-eu`."""
    with quiet_prometheus() as url:
        server = ReconcileServer(name="them", url=HttpUrl(url), sender=sender)
        holder = FakeHolder(replace(configuration(), reconcile=(server,)))
        web = Web(services(sqlite_store, configuration=holder))
        web.client().post("/api/v2/alerts", json=[{"labels": {**DOWN, "component": "search"}}])
        clock = web.clock
        token = add_alert_source(
            sqlite_store, source="shop-eu", name="", days=None, by="ann", now=web.now()
        )
        bearer = {"authorization": f"Bearer {token.secret}"}
        sent = web.client().post("/api/v2/alerts", json=[{"labels": DOWN}], headers=bearer)
        assert (sent.status_code, open_numbers(web)) == (200, [1, 2])
        clock.advance(20 * MINUTES)
        reconciler = Reconciler(
            sqlite_store,
            clock,
            AlertPolicy(),
            lambda: holder.current,
            lambda: make_context(clock=clock),
            lambda alerts, source: web.services.entrance.receive(alerts, source=source),
        )
        reconciler.run_due()
        web.services.entrance.stop()
    assert open_numbers(web) == left
