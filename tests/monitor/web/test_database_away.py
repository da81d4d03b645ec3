"""The database is gone, locked or full: what each reader sees, and that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from monitor.web.permissions import Role
from tests.monitor.web.builders import Web
from tests.monitor.web.town import Town, words

FORM = {"description": "Paying fails with my card", "name": "Ada", "email": "ada@example.org"}


@contextmanager
def away(web: Web) -> Iterator[None]:
    """Let no statement reach the database."""
    engine = web.services.store.engine

    def refuse(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("database or disk is full"))

    event.listen(engine, "begin", refuse)
    yield
    event.remove(engine, "begin", refuse)


def test_readers_get_the_last_page_which_says_how_old_it_is(town: Town) -> None:
    """Also those who had a newer commit before them; after five minutes it is no news any more."""
    town.see()
    fresh = town.client.get("/")
    town.break_()
    with away(town.web):
        town.web.clock.advance(60)
        old = town.client.get("/")
        assert old.status_code == 200
        assert "Nothing newer than 09:00:00 UTC can be read at the moment." in words(old.text)
        assert (old.headers["age"], old.headers["cache-control"]) == ("60", "no-store")
        assert old.headers["etag"] != fresh.headers["etag"]
        town.web.clock.advance(240)
        late = town.client.get("/")
    assert (late.status_code, late.headers["retry-after"]) == (503, "5")
    assert "Nothing newer" not in town.client.get("/").text


def test_programs_are_told_the_age_of_what_they_read(town: Town) -> None:
    """Their document is the same as before."""
    before = town.client.get("/api/v2/summary.json")
    with away(town.web):
        town.web.clock.advance(30)
        after = town.client.get("/api/v2/summary.json")
    assert (after.json(), after.headers["age"]) == (before.json(), "30")


def test_a_report_that_cannot_be_saved_keeps_every_word(town: Town) -> None:
    """And goes through when it is sent again, once."""
    form = {**town.form(), **FORM}
    with away(town.web):
        refused = town.client.post("/report", data=form)
    assert refused.status_code == 503
    assert "Your text is still here" in refused.text
    for text in FORM.values():
        assert text in refused.text
    assert town.client.post("/report", data=form).status_code == 303


@pytest.mark.parametrize("path", ["/console", "/console/incidents", "/history"])
def test_pages_say_that_it_is_not_the_readers_fault(town: Town, path: str) -> None:
    """With when to try again."""
    client, _ = town.web.as_role(Role.ADMINISTRATOR)
    with away(town.web):
        answer = client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "We cannot read or save anything at the moment." in words(answer.text)


def test_programs_get_503_and_senders_keep_their_alerts(town: Town) -> None:
    """Every sender of alerts sends again what was answered with 503."""
    client, _ = town.web.as_role(Role.MACHINE)
    with away(town.web):
        told = client.get("/api/v1/incidents")
        sent = client.post("/api/v2/alerts", json=[{"labels": {"alertname": "A"}}])
    assert (told.status_code, told.json()["error"]["code"]) == (503, "service_unavailable")
    assert (sent.status_code, "retry-after" in sent.headers) == (503, True)
