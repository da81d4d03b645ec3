"""Regrouping, roles, tasks, overruling and postmortems through the JSON API."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Response

from monitor.web.permissions import Role
from tests.monitor.web.builders import Web
from tests.monitor.web.test_openapi import described
from tests.monitor.web.town import Town


class Api:
    """A machine that works on incidents."""

    def __init__(self, town: Town) -> None:
        self.client, _ = town.web.as_role(Role.MACHINE)

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Response:
        return self.client.post(f"/api/v1/incidents/{path}", json=body, headers=headers)

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/incidents/{path}").json()


@pytest.fixture
def api(town: Town) -> Api:
    """Two open incidents: checkout with two alerts, and search."""
    town.desk.now = town.web.now()
    town.desk.fire("checkout")
    town.desk.fire("checkout", location="eu")
    town.desk.fire("search")
    return Api(town)


def test_a_split_answers_with_the_new_incident(api: Api) -> None:
    """And says where it is; sent again with its key it is the same one."""
    alert = api.get("1")["alerts"][1]
    body = {"alerts": [alert["id"]], "title": "Europe", "why": "another network"}
    answers = [api.post("1/split", body, **{"idempotency-key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [a.headers["location"] for a in answers] == ["/api/v1/incidents/3"] * 2
    shown = answers[1].json()
    assert (shown["title"], shown["alerts"][0]["placed_by"]) == ("Europe", "api token")
    assert [link["number"] for link in shown["links"]] == [1]


def test_an_alert_moves_and_a_merge_takes_the_rest(api: Api) -> None:
    """The merged incident says where it went, the survivor what came."""
    alert = api.get("1")["alerts"][1]["id"]
    assert api.post("1/move", {"to": 2, "alerts": [alert], "why": "index"}).status_code == 200
    merged = api.post("1/merge", {"into": 2, "why": "one database"}).json()
    assert (merged["status"], merged["merged_into"], merged["alerts"]) == ("resolved", 2, [])
    survivor = api.get("2")
    assert (survivor["merged"], len(survivor["alerts"])) == ([1], 3)


def test_incidents_are_linked_and_unlinked(api: Api) -> None:
    """With a reason each time."""
    assert api.post("1/links", {"other": 2, "why": "one deploy"}).json()["links"][0]["number"] == 2
    gone = api.client.delete("/api/v1/incidents/1/links/2", params={"why": "no"})
    assert gone.json()["links"] == []


def test_roles_and_tasks_are_part_of_the_answer(api: Api) -> None:
    """From the task's first words to done."""
    api.post("1/roles", {"role": "lead", "person": "ann"})
    api.post("1/tasks", {"text": "roll back", "owner": "ben", "due_at": "2026-11-22T12:00:00Z"})
    changed = {"text": "roll forward", "owner": "eve"}
    api.client.put("/api/v1/incidents/1/tasks/1", json=changed)
    shown = api.post("1/tasks/1/done", {"done": True}).json()
    assert shown["lead"] == "ann"
    (task,) = shown["tasks"]
    assert (task["text"], task["owner"], task["due_at"]) == ("roll forward", "eve", None)
    assert task["done_by"] == "api token"


def test_what_is_overruled_shows_what_automation_says(api: Api) -> None:
    """Until it is given back."""
    shown = api.post("1/severity", {"severity": "warning", "why": "night"}).json()
    assert (shown["severity"], shown["derived_severity"]) == ("warning", "critical")
    shown = api.post("1/severity", {"severity": None, "why": "day"}).json()
    assert (shown["severity"], shown["derived_severity"]) == ("critical", "")
    shown = api.post("1/impact", {"impact": "none", "why": "nobody buys"}).json()
    assert (shown["impact"], shown["derived_impact"]) == ("none", "major")


def test_a_postmortem_is_drafted_saved_and_exported(api: Api) -> None:
    """Versions stay; the incident is one that is looked back on."""
    api.post("1/status", {"status": "resolved", "despite_firing": True})
    drafted = api.get("1/postmortem")
    assert (drafted["version"], drafted["body"][:22]) == (0, "# Postmortem of INC-1:")
    saved = api.post("1/postmortem", {"body": "# One", "based_on": 0}).json()
    assert saved["status"] == "postmortem"
    api.post("1/postmortem", {"body": "# Two", "based_on": 1})
    late = api.post("1/postmortem", {"body": "# Late", "based_on": 1})
    assert late.status_code == 409
    assert "save on top of version 2" in late.json()["error"]["message"]
    assert [v["body"] for v in api.get("1/postmortem")["versions"]] == ["# Two", "# One"]
    assert api.get("1/postmortem/versions/1")["body"] == "# One"
    file = api.client.get("/api/v1/incidents/1/postmortem.md")
    assert file.text == "# Two"
    assert 'filename="INC-1-postmortem-2.md"' in file.headers["content-disposition"]
    assert api.get("1/postmortem/draft")["version"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("1/split", {"why": "x"}, 422, "choose alerts or reports"),
        ("1/split", {"alerts": [99], "why": "x"}, 422, "alert 99 does not belong to INC-1"),
        ("1/move", {"to": 9, "alerts": [1], "why": "x"}, 404, "no incident INC-9"),
        ("1/merge", {"into": 1, "why": "x"}, 422, "name another one"),
        ("1/merge", {"into": 2, "why": " "}, 422, "the reason is empty"),
        ("1/tasks/4/done", {"done": True}, 404, "no task 4"),
        ("1/severity", {"severity": "info", "why": "x"}, 422, "critical or warning"),
        ("1/postmortem", {"body": "x"}, 409, "still open; resolve it"),
        ("1/roles", {"role": "king", "person": "ann"}, 422, "role"),
    ],
)
def test_a_refusal_says_what_would_do(
    api: Api, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    """In the house's one shape."""
    answer = api.post(path, body)
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (status, True)


def test_what_is_not_saved_cannot_be_exported(api: Api) -> None:
    """The refusal says that there is none yet."""
    answer = api.client.get("/api/v1/incidents/1/postmortem.md")
    assert (answer.status_code, "no postmortem of INC-1 yet" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("q=search", [2]),
        ("q=INC-1", [1]),
        ("q=is+DOWN", [2, 1]),
        ("q=100%25", []),
        ("status=investigating", [2, 1]),
        ("status=resolved", []),
        ("component=checkout", [1]),
        ("person=ann", [1]),
        ("since=2026-11-22T09:00:00Z", [2, 1]),
        ("until=2026-11-22T09:00:00Z", []),
        ("limit=1", [2]),
    ],
)
def test_incidents_are_found(api: Api, query: str, numbers: list[int]) -> None:
    """By words, state, component, person and time; counted over all pages."""
    api.post("1/tasks", {"text": "look", "owner": "ann"})
    answer = api.client.get(f"/api/v1/incidents?{query}").json()
    assert [one["number"] for one in answer["incidents"]] == numbers
    assert answer["count"] == (2 if query == "limit=1" else len(numbers))


def test_every_new_body_has_an_example(web: Web) -> None:
    """Which its own operation would take, as far as a schema can say."""
    schemas = described()["components"]["schemas"]
    names = ("Split", "MoveOut", "Merge", "Link", "RoleGiven", "TaskGiven", "TaskDone")
    for name in (*names, "SeverityGiven", "ImpactGiven", "PostmortemText"):
        (example,) = schemas[name]["examples"]
        assert (
            set(schemas[name].get("required", []))
            <= example.keys()
            <= set(schemas[name]["properties"])
        )
