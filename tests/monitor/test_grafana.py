"""Dashboards and annotations pushed to a server that answers as Grafana's HTTP API documents."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.clock import FakeClock
from monitor.grafana import Mark, PushError, load_marks, push
from monitor.grafana_push import push_to_grafana
from monitor.settings import load_settings
from monitor.storage.engine import open_engine
from monitor.storage.schema import maintenance
from monitor.storage.store import Store
from tests.notices import NOW, later, put_incident, set_status

TOKEN = "glsa_for_tests"
OPEN = Mark("incident", "INC-7", "INC-7 Checkout fails", NOW)


class FakeGrafana:
    """Keeps folders, dashboards and annotations; shapes as in Grafana's HTTP API documentation."""

    def __init__(self) -> None:
        self.folders: dict[str, str] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.annotations: dict[int, dict[str, Any]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/grafana"

    def answer(self, method: str, path: str, query: str, body: Any) -> tuple[int, Any]:
        parts = path.removeprefix("/grafana/api/").split("/")
        match (method, *parts):
            case ("GET", "folders", uid):
                known = uid in self.folders
                return (200, {"uid": uid}) if known else (404, {"message": "folder not found"})
            case ("POST", "folders"):
                self.folders[body["uid"]] = body["title"]
                return 200, body
            case ("POST", "dashboards", "db"):
                if body["folderUid"] not in self.folders:
                    return 400, {"message": "folder not found"}
                self.dashboards[body["dashboard"]["uid"]] = body["dashboard"]
                return 200, {"status": "success", "uid": body["dashboard"]["uid"], "version": 1}
            case ("GET", "annotations"):
                tags = set(parse_qs(query)["tags"])
                return 200, [a for a in self.annotations.values() if tags <= set(a["tags"])]
            case ("POST", "annotations"):
                number = len(self.annotations) + 1
                self.annotations[number] = {"id": number, **body}
                return 200, {"message": "Annotation added", "id": number}
            case ("PUT", "annotations", number):
                self.annotations[int(number)] |= body
                return 200, {"message": "Annotation updated"}
        return 404, {"message": f"not found: {method} {path}"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        grafana = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                parts = urlsplit(self.path)
                grafana.calls.append(
                    (self.command, parts.path, self.headers.get("Authorization", ""))
                )
                status, answer = 401, {"message": "Invalid API key"}
                if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                    status, answer = grafana.answer(self.command, parts.path, parts.query, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = serve  # noqa: N815 - http.server's names

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    """A Grafana below a path, that takes one token."""
    fake = FakeGrafana()
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    thread.join()


def push_to(grafana: FakeGrafana, *marks: Mark, seconds: float = 60, token: str = TOKEN) -> Any:
    return push(
        grafana.url, token, marks=marks, monitor_url="https://mon.example/", now=later(seconds)
    )


def test_dashboards_arrive_in_their_folder_and_link_to_the_monitor(grafana: FakeGrafana) -> None:
    """The overview is there, and its links lead to the address given."""
    pushed = push_to(grafana)
    board = grafana.dashboards["saypro-overview"]
    assert pushed.dashboards == ("Shop journeys: overview",)
    assert grafana.folders == {"saypro-monitor": "SayPro Monitor"}
    assert board["templating"]["list"][-1]["query"] == "https://mon.example"


def test_an_open_incident_is_a_mark_that_grows_and_then_ends(grafana: FakeGrafana) -> None:
    """One annotation all along: to now while open, to its end once resolved."""
    closed = Mark("incident", "INC-7", "INC-7 Checkout fails", NOW, later(90))
    results = [push_to(grafana, OPEN), push_to(grafana, OPEN, seconds=80)]
    results += [push_to(grafana, closed, seconds=200), push_to(grafana, closed, seconds=300)]
    assert [(r.marks_added, r.marks_changed) for r in results] == [(1, 0), (0, 1), (0, 1), (0, 0)]
    mark = grafana.annotations[1]
    assert (mark["timeEnd"] - mark["time"], len(grafana.annotations)) == (90_000, 1)


def test_marks_carry_the_tags_that_the_dashboards_ask_for(grafana: FakeGrafana) -> None:
    """Every annotation query by tags finds the marks of its kind."""
    push_to(grafana, OPEN, Mark("maintenance", "MNT-1", "MNT-1 Search", NOW, later(9)))
    board = grafana.dashboards["saypro-overview"]
    for query in board["annotations"]["list"][:2]:
        wanted = set(query["target"]["tags"])
        assert [a for a in grafana.annotations.values() if wanted <= set(a["tags"])]


def test_a_refused_token_is_told_and_not_shown(grafana: FakeGrafana) -> None:
    """The error names the server and its answer."""
    with pytest.raises(PushError, match=r"127\.0\.0\.1 refused: Unauthorized") as caught:
        push_to(grafana, token="glsa_wrong")
    assert "glsa_wrong" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"), [("http://127.0.0.1:1", "cannot be reached"), ("grafana", "expected")]
)
def test_a_wrong_address_says_so(url: str, words: str) -> None:
    """Neither a dead server nor a bare word ends in a traceback."""
    with pytest.raises(PushError, match=words):
        push(url, None, marks=[], monitor_url="https://mon.example", now=NOW)


def test_marks_are_incidents_and_windows_that_were_not_over(store: Store) -> None:
    """What ended before the period, and what was cancelled, is left out."""
    put_incident(store)
    over = put_incident(store, "resolved")
    set_status(store, over, "resolved", resolved_at=later(-10))
    window = {"description": "", "starts_at": NOW, "ends_at": later(60), "time_zone": "UTC"}
    times = {"created_at": NOW, "updated_at": NOW}
    with store.begin() as tx:
        for number, cancelled_at in ((1, None), (2, NOW)):
            row = {"number": number, "public_id": f"m{number}", "title": "Search index"}
            tx.connection.execute(
                maintenance.insert().values(**row, **window, **times, cancelled_at=cancelled_at)
            )
    with store.read() as connection:
        marks = load_marks(connection, since=NOW)
    assert [mark.kind for mark in marks] == ["incident", "maintenance"]
    assert marks[1].text == "MNT-1 Search index"


def test_the_command_pushes_what_the_database_holds(
    grafana: FakeGrafana, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0, the dashboards, and one mark for the open incident."""
    store = Store(open_engine(sqlite_url))
    put_incident(store)
    store.close()
    settings = load_settings({"MONITOR_DATABASE_URL": sqlite_url})
    environ = {"MONITOR_SECRET_GRAFANA": TOKEN}
    assert push_to_grafana(settings, environ, grafana.url, clock=FakeClock()) == 0
    assert "annotations  1 added, 0 changed" in capsys.readouterr().out


def test_without_a_token_the_command_says_which_variable_to_set(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and nothing is sent."""
    settings = load_settings({"MONITOR_DATABASE_URL": sqlite_url})
    assert push_to_grafana(settings, {}, "http://127.0.0.1:1") == 1
    assert "MONITOR_SECRET_GRAFANA" in capsys.readouterr().err
