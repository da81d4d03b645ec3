"""Regrouping, tasks, roles, postmortems and the list of incidents, by page and form."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from monitor.use_cases.incidents import IncidentDesk
from monitor.web.permissions import Role
from tests.monitor.web.town import Town, words


class People:
    """A responder in the console of a shop with two incidents."""

    def __init__(self, town: Town) -> None:
        self.town = town
        town.desk.now = town.web.now()
        town.desk.fire("checkout")
        town.desk.fire("checkout", location="eu")
        town.desk.fire("search")
        self.client, self.csrf = town.web.as_role(Role.RESPONDER)

    def send(self, path: str, **fields: str) -> Response:
        """Send a form of incident 1 and return the page it leads to."""
        form = {"csrf": self.csrf, **fields}
        return self.client.post(f"/console/incidents/1/{path}", data=form, follow_redirects=True)

    def see(self, path: str = "/1", client: TestClient | None = None) -> str:
        """Return what a reader sees of a page."""
        return words((client or self.client).get(f"/console/incidents{path}").text)


@pytest.fixture
def people(town: Town) -> People:
    return People(town)


def test_chosen_alerts_are_split_out_from_a_page(people: People) -> None:
    """Without a target they become an incident of their own."""
    page = people.client.get("/console/incidents/1/regroup").text
    boxes = re.findall(r'name="(alert-\d+)"', page)
    shown = words(people.send("move", **{boxes[1]: "yes"}, why="other network", title="EU").text)
    assert "This is what was split out" in shown
    assert "responder put it there: other network" in shown


def test_a_chosen_alert_is_moved_to_a_named_incident(people: People) -> None:
    """Which shows where it came from."""
    shown = words(people.send("move", **{"alert-2": "yes"}, to="2", why="index").text)
    assert "moved here from INC-1: index" in shown


def test_a_merged_incident_leads_to_its_survivor(people: People) -> None:
    """And the list says what it was merged into."""
    people.send("merge", into="INC-2", why="one database")
    assert "This is a part of INC-2 now." in people.see()
    assert "merged into INC-2" in people.see("?state=all")
    assert "a part of this" in people.see("/2")


def test_links_are_made_and_taken_away(people: People) -> None:
    """By their names."""
    assert "The two are linked." in words(people.send("link", other="inc-2", why="deploy").text)
    assert "Related incidents" in people.see("/2")
    people.send("unlink", other="2", why="no")
    assert "Related incidents" not in people.see("/2")


@pytest.mark.parametrize("name", ["", "INC-", "two", "0", "99999999999"])
def test_what_names_no_incident_is_refused_with_an_example(people: People, name: str) -> None:
    """Rather than with a fault of ours."""
    answer = people.send("merge", into=name, why="x")
    assert (answer.status_code, "such as INC-7" in answer.text) == (422, True)


def test_roles_tasks_and_overruling_by_form(people: People) -> None:
    """Each leads back to the page, which shows it."""
    people.send("roles", lead="ann", communications="eve")
    people.send("tasks", text="roll back", owner="ben", due="2026-11-22T08:00")
    shown = people.see()
    for part in ("Lead ann", "Communications eve", "roll back ben · due 22 Nov 08:00 UTC late"):
        assert part in shown
    people.send("tasks/1/change", text="roll on", owner="", due="")
    people.send("tasks/1", done="yes")
    assert "done 22 Nov 09:00 UTC by responder" in people.see()
    people.send("overrule", severity="warning", impact="none", why="night")
    assert "Warning overruled automation says critical" in people.see()
    people.send("overrule", severity="automatic", impact="automatic", why="day")
    assert "overruled automation" not in people.see()


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("tasks", {"text": "x", "due": "tomorrow"}, "a time is written like"),
        ("tasks", {"text": "x", "due": "0001-01-01T00:00"}, "from 1970"),
        ("overrule", {"why": "x"}, "choose a severity or an impact"),
        ("overrule", {"why": "x", "severity": "huge"}, "expected one of"),
    ],
)
def test_what_cannot_be_used_says_what_can(
    people: People, path: str, fields: dict[str, str], said: str
) -> None:
    """In the answer to the form."""
    answer = people.send(path, **fields)
    assert (answer.status_code, said in words(answer.text).lower()) == (422, True)


def test_a_note_is_markdown_and_nothing_more(people: People) -> None:
    """What it holds of HTML is shown."""
    page = people.send("note", text="**disk** is full <script>alert(1)</script>").text
    assert "<strong>disk</strong>" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize(
    ("show", "there", "gone"),
    [
        ("people", "ann was here", "Opened by"),
        ("automation", "Opened by", "ann was here"),
        ("notes", "ann was here", "Opened by"),
        ("alerts", "joined", "ann was here"),
        ("messages", "Nothing of this kind", "ann was here"),
        ("nonsense", "ann was here", "Nothing of this kind"),
    ],
)
def test_a_timeline_is_narrowed(people: People, show: str, there: str, gone: str) -> None:
    """To people, automation, notes, alerts or messages; anything else shows all."""
    people.send("note", text="ann was here")
    page = people.client.get(f"/console/incidents/1?show={show}").text
    line = words(page[page.index('<ol class="timeline"') :].split("</ol>")[0])
    assert there in line
    assert gone not in line


def test_approved_words_are_put_into_the_form(people: People) -> None:
    """With the status they come with; a number that names none changes nothing."""
    page = people.client.get("/console/incidents/1?wording=2").text
    assert "We know why Checkout does not work as it should" in page
    assert people.client.get("/console/incidents/1?wording=99").status_code == 200


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["INC-2", "INC-1"]),
        ("?q=search", ["INC-2"]),
        ("?component=checkout", ["INC-1"]),
        ("?severity=warning", []),
        ("?status=identified", []),
        ("?state=mine", ["INC-1"]),
        ("?state=resolved", []),
        ("?since=2026-11-23", []),
        ("?until=2026-11-22", ["INC-2", "INC-1"]),
        ("?since=nonsense&severity=nonsense&state=nonsense", ["INC-2", "INC-1"]),
    ],
)
def test_the_list_shows_what_is_asked_for(people: People, query: str, names: list[str]) -> None:
    """By words, component, severity, status, day, and whose it is."""
    people.send("tasks", text="x", owner="responder")
    page = people.client.get(f"/console/incidents{query}").text
    rows = page.split("<tbody>")[1] if "<tbody>" in page else ""
    assert re.findall(r">(INC-\d)</a>", rows) == names


def test_a_postmortem_is_written_from_its_draft(people: People) -> None:
    """Saved, shown as Markdown, kept in versions, and taken away."""
    desk = people.town.desk
    where = IncidentDesk(desk.store, desk.configuration, desk.policy)
    assert "still open" in people.see("/1/postmortem")
    desk.resolve("checkout")
    desk.resolve("checkout", location="eu")
    where.add_note(1, "n", by="ann", now=desk.now)
    assert "A draft from the record" in people.see("/1/postmortem")
    people.send("postmortem", body="# One\r\n\nBecause.", based_on="0")
    shown = words(people.send("postmortem", body="# Two", based_on="1").text)
    assert "Version 2 of 2" in shown
    assert "Version 1 of 2" in people.see("/1/postmortem?version=1")
    late = people.send("postmortem", body="# Late words", based_on="1")
    assert (late.status_code, "# Late words" in late.text) == (409, True)
    assert people.client.get("/console/incidents/1/postmortem.md").text == "# Two"


def test_a_reader_sees_it_all_and_is_offered_nothing(people: People) -> None:
    """No form that would be refused."""
    viewer, _ = people.town.web.as_role(Role.VIEWER)
    page = viewer.get("/console/incidents/1").text
    forms = re.findall(r'action="/console/incidents/1/(\w+)', page)
    assert forms == []
