"""On call in the console: who, when, swaps, one's calendar, and the panel on an incident."""

from __future__ import annotations

import re
from typing import Any

import icalendar
import pytest
from fastapi.testclient import TestClient

from monitor.storage.audit import AuditFilter, search_audit
from monitor.web.permissions import Role
from tests.monitor.use_cases.duty import Duty, staffed
from tests.monitor.web.builders import Web
from tests.monitor.web.town import HOSTILE, words

TURNS = {"people": ["ann", "responder"], "rotates": "daily", "handover": "12:00"}
PEOPLE = [
    {"name": "ann", "channels": ["ann-phone"]},
    {"name": "responder", "channels": ["ben-phone"]},
    {"name": "ben"},
    {"name": "cleo"},
]
OFFICE = {"people": ["ann"], "only": [{"days": ["monday"], "from": "09:00", "to": "17:00"}]}


def people(**changes: Any) -> Any:
    """Ann and the signed-in responder take daily turns."""
    shop = {"name": "shop", "title": "First line", "team": "engineers", "layers": [TURNS]}
    given = {"people": PEOPLE, "schedules": [shop]}
    return staffed(**{**given, **changes})


@pytest.fixture
def client(web: Web) -> TestClient:
    """A signed-in responder, who takes turns."""
    holder: Any = web.services.configuration
    holder.current = people()
    client, csrf = web.as_role(Role.RESPONDER)
    client.headers["x-csrf-token"] = csrf
    return client


FORM = {
    "schedule": "shop",
    "person": "cleo",
    "starts": "2026-11-22T10:00",
    "ends": "2026-11-22T14:00",
    "reason": "Dentist",
}


def test_the_page_says_who_is_on_call_and_who_follows(client: TestClient) -> None:
    """With the team, the handover, and who could not sign in."""
    said = words(client.get("/console/on-call").text)
    assert "First line" in said
    assert re.search(r"until 22 Nov 12:00 UTC , then", said), said
    assert "No gap in 14 days" in said
    assert "No open account is called ann" in said


def test_policies_and_overrides_name_schedules_teams_and_components_as_people_do(
    client: TestClient, web: Web
) -> None:
    """Ids are for files."""
    steps = [{"tell": [{"schedule": "shop"}, {"team": "engineers"}, {"person": "cleo"}]}]
    policy = {"name": "pay", "components": ["checkout"], "steps": steps}
    teams = [{"name": "engineers", "title": "The engineers", "members": ["ann"]}]
    last = {"last_resort": [{"channel": "everybody"}]}
    holder: Any = web.services.configuration
    holder.current = people(teams=teams, escalation=[policy | last])
    client.post("/console/on-call/overrides", data={**FORM, "action": "save"})
    said = words(client.get("/console/on-call").text)
    assert "pay Checkout" in said
    assert "First line, everybody of The engineers, cleo then wait 5 min" in said
    assert "Last resort: channel everybody." in said
    assert "cleo First line 22 Nov 10:00 UTC" in said


def test_gaps_are_shown_with_a_way_to_fill_them(client: TestClient, web: Web) -> None:
    """The form opens with the gap's times in it."""
    holder: Any = web.services.configuration
    holder.current = people(schedules=[{"name": "shop", "team": "engineers", "layers": [OFFICE]}])
    html = client.get("/console/on-call").text
    assert "Nobody" in words(html)
    assert "3 gaps in the next 14 days" in words(html)
    link = re.search(r'href="(/console/on-call/overrides/new\?schedule=shop[^"]*)"', html)
    assert link is not None
    form = client.get(link[1].replace("&amp;", "&")).text
    assert 'value="2026-11-22T09:00"' in form


def test_an_override_is_previewed_before_it_is_in_force(client: TestClient, web: Web) -> None:
    """As it is, and as it would be; then one more press."""
    preview = client.post("/console/on-call/overrides", data={**FORM, "action": "preview"})
    said = words(preview.text)
    assert "What it changes" in said
    assert "22 Nov 10:00 UTC to 22 Nov 14:00 UTC" in said
    assert "Nobody has swapped a shift" in words(client.get("/console/on-call").text)
    saved = client.post("/console/on-call/overrides", data={**FORM, "action": "save"})
    assert saved.status_code == 303
    page = words(client.get(saved.headers["location"]).text)
    assert "The override is in force." in page
    assert "Dentist" in page
    ended = client.post("/console/on-call/overrides/1/end")
    assert "taken back" in words(client.get(ended.headers["location"]).text)
    assert _audited(web, "override") == ["ended", "added"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"starts": "soon"}, "'soon' is no date and time"),
        ({"ends": "2026-11-22T09:00+02:00"}, "without an offset"),
        ({"ends": "2026-11-22T10:00"}, "ends after it starts"),
        ({"person": ""}, "Choose who takes the shift"),
        ({"person": HOSTILE}, "There is no"),
    ],
)
def test_a_bad_form_comes_back_with_what_is_wrong(
    client: TestClient, changes: dict[str, str], said: str
) -> None:
    """And with everything that was typed, as text."""
    answer = client.post("/console/on-call/overrides", data={**FORM, **changes, "action": "save"})
    assert answer.status_code == 422
    assert said in answer.text.replace("&#39;", "'")
    assert "<script>alert" not in answer.text
    assert "Dentist" in answer.text


def test_the_calendar_marks_ones_own_days_and_walks_the_weeks(client: TestClient) -> None:
    """Five weeks from a Monday; nonsense in the address shows this week."""
    html = client.get("/console/on-call/calendar").text
    assert html.count("calendar-day") >= 35
    assert "is-mine" in html
    assert "is-today" in html
    later = re.search(r'rel="next" href="(\?week=[0-9-]+)"', html)
    assert later is not None
    assert "is-today" not in client.get(f"/console/on-call/calendar{later[1]}").text
    assert "is-today" in client.get("/console/on-call/calendar?week=nonsense").text
    assert "is-today" in client.get("/console/on-call/calendar?week=9999-12-31").text


def test_ones_calendar_link_is_shown_once_read_by_anybody_and_revocable(
    client: TestClient, web: Web
) -> None:
    """A new link voids the old one."""
    assert "Make a link" in client.get("/console/on-call/mine").text
    first = _link(client)
    stranger = web.client()
    answer = stranger.get(first)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    events = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert len(events) > 50
    mark = {"if-none-match": answer.headers["etag"]}
    assert stranger.get(first, headers=mark).status_code == 304
    assert first not in client.get("/console/on-call/mine").text
    assert "A calendar last read it" in words(client.get("/console/on-call/mine").text)
    second = _link(client)
    assert [stranger.get(link).status_code for link in (first, second)] == [404, 200]
    client.post("/console/on-call/mine/link/revoke")
    assert stranger.get(second).status_code == 404
    assert _audited(web, "calendar_link") == ["revoked", "made", "made"]


def _audited(web: Web, noun: str) -> list[str]:
    with web.services.store.read() as connection:
        rows = search_audit(connection, AuditFilter(action=noun, actor="responder"))
    return [row.action.removeprefix(f"{noun}.") for row in rows]


def _link(client: TestClient) -> str:
    html = client.post("/console/on-call/mine/link").text
    found = re.search(r"http://monitor\.test(/on-call/[\w-]{43}\.ics)", html)
    assert found is not None
    return found[1]


def test_my_shifts_are_mine(client: TestClient) -> None:
    """With a way to hand each over."""
    html = client.get("/console/on-call/mine").text
    assert "Hand over" in html
    assert "First line" in html


def test_the_panel_says_who_was_called_who_is_next_and_moves_it_on(
    client: TestClient, web: Web
) -> None:
    """Take it, escalate it, hand it to somebody."""
    duty = Duty(web.services.store, web.services.configuration.current)
    duty.now = web.now()
    duty.fire()
    page = words(client.get("/console/incidents/1").text)
    assert "Who is called" in page
    assert "step 2 of 2" in page
    moved = client.post("/console/incidents/1/escalate")
    assert "The next step is taken" in words(client.get(moved.headers["location"]).text)
    client.post("/console/incidents/1/reassign", data={"person": "responder"})
    client.post("/console/incidents/1/acknowledge")
    page = words(client.get("/console/incidents/1").text)
    assert "Somebody has it" in page
    assert "responder is called again at" in page
    assert "I am still on it" in page
    assert {"escalation_step", "reassigned"} <= set(_audited(web, "incident"))


def test_without_people_the_pages_say_how_to_have_some(web: Web) -> None:
    """And an incident has no panel."""
    client, _ = web.as_role(Role.RESPONDER)
    duty = Duty(web.services.store, web.services.configuration.current)
    duty.fire()
    assert "docs/on-call.md" in client.get("/console/on-call").text
    assert "No schedule is configured" in client.get("/console/on-call/calendar").text
    assert "Who is called" not in client.get("/console/incidents/1").text
