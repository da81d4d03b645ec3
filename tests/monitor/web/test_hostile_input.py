"""Bytes that no database keeps, at every public door, on both databases."""

from __future__ import annotations

import pytest

from monitor.storage.store import Store
from monitor.web.permissions import Role
from tests.monitor.web.builders import Web, services
from tests.monitor.web.town import Town


@pytest.fixture
def both(store: Store) -> Town:
    """The town on SQLite and on PostgreSQL in turn."""
    return Town(Web(services(store)))


@pytest.mark.parametrize(
    "path",
    ["/r/%00", "/incidents/%00", "/maintenance/%00", "/api/v1/reports/%00", "/r/%ff%fe"],
)
def test_an_address_with_a_nul_names_nothing(both: Town, path: str) -> None:
    """Not found, rather than a database's refusal."""
    assert both.client.get(path).status_code == 404


def test_a_report_full_of_control_characters_is_taken_without_them(both: Town) -> None:
    """NUL and half surrogates go; the words stay."""
    sent = both.report("Paying\x00 fails\x1b", name="A\x00da", once="\x00", incident="\x00")
    assert sent.status_code == 303
    page = both.client.get(sent.headers["location"]).text
    assert "Paying fails" in page


def test_a_window_and_an_answer_with_a_nul_are_taken_without_it(both: Town) -> None:
    """The console's forms are no exception."""
    client, csrf = both.web.as_role(Role.RESPONDER)
    client.headers["x-csrf-token"] = csrf
    form = {
        "title": "Index\x00 upgrade", "description": "a\x00", "zone": "UTC",
        "starts": "2026-11-22T09:00", "ends": "2026-11-22T10:00", "effect.search": "expected_down",
    }  # fmt: skip
    assert client.post("/console/maintenance", data=form).status_code == 303
    both.report()
    reply = {"kind": "answer", "text": "Hello\x00"}
    assert client.post("/console/reports/1/reply", data=reply).status_code == 303
