"""Reports and maintenance in the console."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from monitor.storage.maintenance import load_window
from monitor.storage.reports import load_messages, load_report
from monitor.web.permissions import Role
from tests.monitor.web.town import HOSTILE, Town, words


@pytest.fixture
def agent(town: Town) -> TestClient:
    """A signed-in agent, whose forms carry the session's token."""
    client, csrf = town.web.as_role(Role.AGENT)
    client.headers["x-csrf-token"] = csrf
    return client


@pytest.fixture
def responder(town: Town) -> TestClient:
    """A signed-in responder."""
    client, csrf = town.web.as_role(Role.RESPONDER)
    client.headers["x-csrf-token"] = csrf
    return client


def test_reports_are_listed_with_their_incident_and_read_whole(
    town: Town, agent: TestClient
) -> None:
    """What the reporter wrote stays text."""
    town.break_()
    town.report(f"Paying fails {HOSTILE}", name="Ada", order_reference="A-1")
    listed = agent.get("/console/reports").text
    assert "INC-1" in listed
    detail = agent.get("/console/reports/1").text
    assert "<script>alert" not in listed + detail
    assert {"Ada", "A-1", "same component (checkout)"} <= {
        w for w in ("Ada", "A-1", "same component (checkout)") if w in words(detail)
    }


def test_a_list_of_one_status_shows_only_those(town: Town, agent: TestClient) -> None:
    """New and linked ones stand apart."""
    town.report("hello")
    town.break_()
    town.report("Paying fails")
    page = words(agent.get("/console/reports?status=new").text)
    assert ("RPT-1" in page, "RPT-2" in page) == (True, False)


def test_an_answer_reaches_the_reporter_and_a_note_does_not(town: Town, agent: TestClient) -> None:
    """The same form, two buttons."""
    address = town.report().headers["location"]
    for kind, text in (("answer", "We look into it"), ("note", "Strange one")):
        sent = agent.post("/console/reports/1/reply", data={"kind": kind, "text": text})
        assert sent.status_code == 303
    page = words(town.client.get(address).text)
    assert ("We look into it" in page, "Strange one" in page) == (True, False)
    assert "Strange one" in agent.get("/console/reports/1").text


def test_reporters_do_not_read_who_answered(town: Town, agent: TestClient) -> None:
    """Support answers, not a named person."""
    address = town.report().headers["location"]
    agent.post("/console/reports/1/reply", data={"kind": "answer", "text": "Hello"})
    assert "agent" not in words(town.client.get(address).text)


def test_an_agent_links_unlinks_recategorises_and_asks(town: Town, agent: TestClient) -> None:
    """Everything leads back to the report."""
    town.break_("search")
    town.report("hello")
    for path, fields in (
        ("link", {"incident": "INC-1"}),
        ("category", {"category": "navigation"}),
        ("ask", {}),
    ):
        assert agent.post(f"/console/reports/1/{path}", data=fields).status_code == 303, path
    with town.store.read() as connection:
        report = load_report(connection, 1)
        notes = [m.body for m in load_messages(connection, report.id) if m.direction == "note"]
    assert (report.incident_number, report.category, report.is_asked) == (1, "navigation", True)
    assert notes == ["Category changed from “Something else” to “Search and finding my way”."]


@pytest.mark.parametrize("incident", ["INC-99", "nonsense", "²"])
def test_a_link_to_what_is_not_there_is_refused(
    town: Town, agent: TestClient, incident: str
) -> None:
    """And says so."""
    town.report()
    answer = agent.post("/console/reports/1/link", data={"incident": incident})
    assert answer.status_code in (404, 422)


def test_who_only_looks_may_not_read_reports(town: Town) -> None:
    """They hold names and addresses."""
    town.report()
    client, _ = town.web.as_role(Role.VIEWER)
    assert client.get("/console/reports").status_code == 403
    assert client.get("/console/reports/1").status_code == 403


def plan_form(**changes: str) -> dict[str, str]:
    """A window of search, from 09:00 to 10:00."""
    form = {
        "title": "Index upgrade", "zone": "UTC", "starts": "2026-11-22T09:00",
        "ends": "2026-11-22T10:00", "effect.search": "expected_down", "effect.login": "",
    }  # fmt: skip
    return {**form, **changes}


def test_a_responder_plans_and_cancels_a_window(town: Town, responder: TestClient) -> None:
    """It is on the public page in between."""
    sent = responder.post("/console/maintenance", data=plan_form())
    assert sent.headers["location"] == "/console/maintenance/1"
    assert "Index upgrade In progress" in words(town.client.get("/").text)
    assert "Index upgrade" in responder.get("/console/maintenance").text
    assert "End it now" in responder.get("/console/maintenance/1").text
    assert responder.post("/console/maintenance/1/cancel").status_code == 303
    assert "Index upgrade" not in words(town.client.get("/").text)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"title": ""}, "A title of 1 to"),
        ({"starts": "soon"}, "is no date and time"),
        ({"starts": "2026-11-22T09:00+02:00"}, "without an offset"),
        ({"ends": "2026-11-22T09:00"}, "later than the start"),
        ({"zone": "Mars/Olympus"}, "one of the offered time zones"),
        ({"effect.search": ""}, "at least one component"),
        ({"effect.search": "explodes"}, "is no effect"),
    ],
)
def test_a_plan_that_cannot_be_comes_back_with_what_is_wrong(
    town: Town, responder: TestClient, changes: dict[str, str], fault: str
) -> None:
    """And with what was typed."""
    answer = responder.post("/console/maintenance", data=plan_form(**changes))
    assert answer.status_code == 422
    assert fault in words(answer.text).replace("&#39;", "'")


def test_times_are_read_in_the_chosen_zone(town: Town, responder: TestClient) -> None:
    """What was typed in Johannesburg is two hours earlier in UTC."""
    holder = town.web.services.configuration
    site = holder.current.site.model_copy(update={"time_zone": "Africa/Johannesburg"})
    object.__setattr__(holder.current, "site", site)
    form = plan_form(zone="Africa/Johannesburg", starts="2026-11-22T12:00", ends="2026-11-22T13:00")
    responder.post("/console/maintenance", data=form)
    with town.store.read() as connection:
        window = load_window(connection, 1)
    assert (window.starts_at.hour, window.time_zone) == (10, "Africa/Johannesburg")


def test_an_agent_may_look_at_maintenance_and_not_plan_it(town: Town, agent: TestClient) -> None:
    """The button is not there, and the door is closed."""
    assert "Plan maintenance" not in agent.get("/console/maintenance").text
    assert agent.get("/console/maintenance/new").status_code == 403
    assert agent.post("/console/maintenance", data=plan_form()).status_code == 403
