"""What others wrote is served as text, JSON or escaped HTML, never as it came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from monitor.storage.audit import AuditFilter, search_audit
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web.permissions import Role
from tests.monitor.web.builders import FakeHolder, Web, configuration, services
from tests.monitor.web.seeds import HOSTILE, troubled_shop
from tests.monitor.web.test_doors import DOORS, knock

SAFE_TYPES = {
    "application/json",
    "application/x-ndjson",
    "text/html",
    "text/plain",
    "text/csv",
    "text/calendar",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/atom+xml",
    "image/svg+xml",
}
OURS = ("/static/", "/banner.js")  # files of this program: nothing in them is of users
MAY_BE_CODE = {"text/css", "text/javascript", "application/javascript", "image/svg+xml"}


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A shop in which every text that others wrote tries to become markup."""
    folder = tmp_path_factory.mktemp("content")
    copy(sqlite_template, folder / "monitor.db")
    store = Store(open_engine(f"sqlite:///{folder / 'monitor.db'}"))
    troubled_shop(store)
    web = Web(services(store, configuration=FakeHolder(configuration(folder))))
    web.services.events.close()
    yield web
    store.close()


@pytest.mark.parametrize("door", [door for door in DOORS if door.startswith("GET ")])
def test_no_door_serves_what_others_wrote_as_anything_a_browser_would_run(
    shop: Web, door: str
) -> None:
    """A type that we chose, `nosniff`, and in HTML no markup of theirs."""
    client, _ = shop.as_role(Role.ADMINISTRATOR)
    answer = knock(client, door, {})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    if answer.content:
        assert kind in SAFE_TYPES | {"text/event-stream"}, kind
    if kind in MAY_BE_CODE:
        assert door.removeprefix("GET ").startswith(OURS)
    if kind in ("text/html", "application/atom+xml"):
        assert HOSTILE not in answer.text
        assert "<script>alert(" not in answer.text


def test_who_opened_which_report_is_recorded_but_not_that_a_page_refreshed(web: Web) -> None:
    """One row a look; a page that follows the news by itself looks once."""
    troubled_shop(web.services.store)
    client, _ = web.as_role(Role.AGENT)
    client.get("/console/reports/1")
    client.get("/console/reports/1", headers={"x-refresh": "1"})
    client.get("/console/reports/99")
    with web.services.store.read() as connection:
        rows = search_audit(connection, AuditFilter(action="report.opened"))
    assert [(row.actor, row.target) for row in rows] == [("agent", "RPT-1")]
