"""The audit log's page, its files and its API: searched, complete, and safe to open."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monitor.storage.audit import record
from monitor.storage.audit_chain import seal
from monitor.web import audit_files
from monitor.web.permissions import Role
from tests.builders import NOW
from tests.monitor.web.builders import Web
from tests.monitor.web.town import words

HOSTILE = "<script>alert(1)</script>"


def note(web: Web, **given: Any) -> None:
    facts = {"actor": "ann", "action": "user.added", "target": "user:bob", "at": NOW}
    with web.services.store.begin() as tx:
        record(tx, **{**facts, **given})


@pytest.fixture
def reader(web: Web) -> TestClient:
    """An administrator's browser."""
    return web.as_role(Role.ADMINISTRATOR)[0]


def test_the_page_shows_who_did_what_to_what(web: Web, reader: TestClient) -> None:
    """With a link to what it was done to, and the place in the chain once it is sealed."""
    note(web, action="incident.opened", target="INC-7", detail={"severity": "critical"})
    shown = reader.get("/console/audit").text
    assert "not sealed yet" in shown
    assert '<a href="/console/incidents/7">INC-7</a>' in shown
    assert "severity critical" in words(shown)
    with web.services.store.begin() as tx:
        seal(tx, NOW)
    assert "Sealed up to position 1" in reader.get("/console/audit").text


def test_what_hostile_callers_were_called_is_text(web: Web, reader: TestClient) -> None:
    """Nothing recorded becomes markup."""
    note(web, actor=HOSTILE, target=HOSTILE, detail={HOSTILE: HOSTILE})
    assert HOSTILE not in reader.get("/console/audit").text


def test_the_search_finds_by_days_of_the_sites_zone(web: Web, reader: TestClient) -> None:
    """Both days are included."""
    note(web, actor="old", at=NOW - timedelta(days=2))
    note(web, actor="new")
    day = f"{NOW:%Y-%m-%d}"
    found = words(reader.get(f"/console/audit?first={day}&last={day}").text)
    assert "new user.added" in found
    assert "old user.added" not in found


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "9999-12-31"])
def test_a_day_that_is_none_is_refused_in_words(reader: TestClient, day: str) -> None:
    """The form stays filled, and says what a day looks like."""
    answer = reader.get(f"/console/audit?last={day}")
    assert answer.status_code == 422
    assert "is no day" in answer.text


def test_pages_lead_from_one_to_the_next_without_a_gap(web: Web, reader: TestClient) -> None:
    """A hundred a page, with the search kept."""
    for number in range(101):
        note(web, target=f"user:{number}")
    first = reader.get("/console/audit?action=user").text
    assert "user:100<" in first
    assert "user:0<" not in first
    address = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert address.startswith("?action=user&before=")
    assert "user:0<" in reader.get(f"/console/audit{address}").text


def test_an_export_holds_every_match_and_is_recorded_itself(
    web: Web, reader: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many batches it takes."""
    monkeypatch.setattr(audit_files, "BATCH", 2)
    for number in range(5):
        note(web, target=f"user:{number}", detail={"n": number})
    answer = reader.get("/console/audit/export.jsonl?action=user")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["detail"]["n"] for row in rows] == [4, 3, 2, 1, 0]
    logged = reader.get("/api/v1/audit?action=audit.exported").json()["changes"]
    assert logged[0]["detail"] == {"format": "jsonl", "search": {"action": "user"}}


@pytest.mark.parametrize("start", audit_files.FORMULA_STARTS)
def test_no_cell_of_the_csv_is_a_formula(web: Web, reader: TestClient, start: str) -> None:
    """A name that a spreadsheet would run is only a name."""
    name = f"{start}cmd|' /C calc'!A0"
    note(web, actor=name, target=name)
    text = reader.get("/console/audit/export.csv?action=user").text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["actor"] == f"'{name}"
    assert row["target"] == f"'{name}"


def test_the_api_pages_through_the_log_and_tells_the_head(web: Web, reader: TestClient) -> None:
    """Newest first; `next` leads on, and is null at the end."""
    for number in range(3):
        note(web, target=f"user:{number}")
    with web.services.store.begin() as tx:
        head = seal(tx, NOW)
    first = reader.get("/api/v1/audit?limit=2").json()
    assert first["head"] == {"position": 3, "hash": head.hash}
    rest = reader.get(f"/api/v1/audit?limit=2&before={first['next']}").json()
    targets = [row["target"] for row in first["changes"] + rest["changes"]]
    assert targets == ["user:2", "user:1", "user:0"]
    assert rest["next"] is None
    assert first["changes"][0]["hash"] == head.hash


def test_a_moment_without_a_zone_is_refused_by_the_api(reader: TestClient) -> None:
    """Nobody can say which moment it is."""
    assert reader.get("/api/v1/audit?since=2026-11-22T09:00:00").status_code == 422
    assert reader.get("/api/v1/audit?since=2026-11-22T09:00:00Z").status_code == 200
