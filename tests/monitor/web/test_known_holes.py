"""Holes that similar products have had, tried here: each test says which kind it was.

Others have their tests beside what they are about: roles at every door in `test_doors`, markup in
`test_console`, sign-in in `test_sign_in`, hosts and proxies in `test_middleware`.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monitor.use_cases.incidents import IncidentDesk
from monitor.web import openapi
from monitor.web.permissions import Role
from monitor.web.routes import ROUTERS
from tests.monitor.web.test_doors import DOORS, PUBLIC
from tests.monitor.web.town import Town

PRIVATE = {
    "a draft's title": "Vault key leaked to partner",
    "an internal note": "the root password is on the whiteboard",
    "a reporter's words": "my card ends in four two four two",
    "a reporter's address": "ada.private@example.org",
    "a reporter's name": "Ada Privately",
    "an alert's label": "db-primary-07.internal",
    "an answer to a reporter": "refund of 73 euros is on its way",
}
TEMPLATES = ["{{ 7*7 }}", "{% print(7*7) %}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{ config }}"]


def troubled(town: Town) -> str:
    """Have something private of every kind; return the public id of the published incident."""
    town.see()
    desk = IncidentDesk(town.store, town.desk.configuration, town.desk.policy)
    now = town.desk.now = town.web.now()
    town.desk.fire("vault", instance=PRIVATE["an alert's label"],
                   annotations={"summary": PRIVATE["a draft's title"]})  # fmt: skip
    published = town.break_(message="Paying fails.")
    number = town.desk.incidents()[-1].number
    desk.add_note(number, PRIVATE["an internal note"], by="ann", now=now)
    town.report(
        PRIVATE["a reporter's words"],
        email=PRIVATE["a reporter's address"],
        name=PRIVATE["a reporter's name"],
    )
    client, csrf = town.web.as_role(Role.AGENT)
    reply = {"csrf": csrf, "kind": "answer", "text": PRIVATE["an answer to a reporter"]}
    assert client.post("/console/reports/1/reply", data=reply).status_code == 303
    return published


def public_addresses(town: Town, published: str) -> list[str]:
    """Return every address that is open to everybody, with what exists in its place."""
    others = [one.public_id for one in town.desk.incidents() if one.public_id != published]
    found = []
    for door in sorted(door for door, key in DOORS.items() if key == PUBLIC):
        method, path = door.split(" ")
        if method == "GET" and "{token}" not in path and "/static/" not in path:
            found += [path.replace("{public_id}", name) for name in (published, *others)]
    return sorted(set(found))


def test_no_public_address_shows_what_is_internal(town: Town) -> None:
    """Internal data on a public page: one route of many had been forgotten."""
    published = troubled(town)
    stranger = town.web.client("192.0.2.44")
    seen = {path: stranger.get(path).text for path in public_addresses(town, published)}
    assert "Paying fails." in seen[f"/incidents/{published}"]
    leaks = [(what, path) for path, text in seen.items() for what in PRIVATE
             if PRIVATE[what].lower() in text.lower()]  # fmt: skip
    assert leaks == []


def test_a_draft_cannot_be_reached_by_its_address(town: Town) -> None:
    """An unguessable name is no permission."""
    published = troubled(town)
    [draft] = [one.public_id for one in town.desk.incidents() if one.public_id != published]
    assert town.client.get(f"/incidents/{draft}").status_code == 404


@pytest.mark.parametrize("text", TEMPLATES)
def test_what_people_write_is_never_a_template(town: Town, text: str) -> None:
    """Template injection: titles, updates and notices were rendered a second time."""
    town.see()
    town.plan(title=f"Index {text}", description=f"Old {text}")
    public_id = town.break_(title=f"Checkout {text}", message=f"Paying {text}")
    client, csrf = town.web.as_role(Role.RESPONDER)
    number = town.desk.incidents()[-1].number
    client.post(f"/console/incidents/{number}/note", data={"csrf": csrf, "text": f"Note {text}"})
    pages = ["/", f"/incidents/{public_id}", "/history.atom", "/api/v2/summary.json"]
    shown = [town.client.get(path).text for path in pages]
    shown.append(client.get(f"/console/incidents/{number}").text)
    for page in shown:
        assert not re.search(r"(Index|Old|Checkout|Paying|Note) (49|&lt;Config|<Config)", page)
    assert "7*7" in shown[1] or "config" in shown[1]


def test_nothing_that_can_be_sent_to_us_is_an_address_to_call() -> None:
    """Forged requests to the inside: whatever we call is named in the operator's files alone."""
    app = FastAPI(generate_unique_id_function=openapi.operation_id)
    for router in ROUTERS:
        app.include_router(router)
    bodies = [
        operation["requestBody"]
        for methods in app.openapi()["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    named = set(_names(bodies)) | set(_names(_models_of_bodies(app.openapi(), bodies)))
    assert {name for name in named if re.search(r"url|uri|webhook|callback|host", name)} <= SHOWN


SHOWN: set[str] = {"client_url"}  # of PagerDuty's events: a link for people, never called


def _models_of_bodies(document: dict[str, Any], bodies: list[Any]) -> list[Any]:
    """Return the models that request bodies refer to, directly or not."""
    models, waiting = document.get("components", {}).get("schemas", {}), str(bodies)
    found: set[str] = set()
    while new := set(re.findall(r"#/components/schemas/(\w+)", waiting)) - found:
        found |= new
        waiting = str([models[name] for name in new])
    return [models[name] for name in found]


def _names(part: Any) -> list[str]:
    if isinstance(part, list):
        return [name for one in part for name in _names(one)]
    if not isinstance(part, dict):
        return []
    own = list(part.get("properties", {}))
    return own + [name for one in part.values() for name in _names(one)]


def test_a_page_is_never_built_from_the_name_that_was_asked_for(town: Town) -> None:
    """Poisoned links: a mail or page led to the host that the request had named."""
    town.see()
    town.break_()
    for path in ("/", "/history.atom", "/api/v2/summary.json", "/banner.js"):
        client = TestClient(town.web.app, base_url="http://evil.example", follow_redirects=False)
        assert "evil.example" not in client.get(path).text


def test_links_that_open_something_cannot_be_guessed(town: Town) -> None:
    """Counted or short names: a reporter's page has 128 random bits or more in its address."""
    links = {town.report(f"Paying fails {number}").headers["location"] for number in range(5)}
    tokens = [link.removeprefix("/r/") for link in links]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22,}", token) for token in tokens)
    shared = [sum(a == b for a, b in zip(tokens[0], other, strict=True)) for other in tokens[1:]]
    assert max(shared) < 8


def test_an_uploaded_file_is_not_taken(town: Town) -> None:
    """Uploads that became scripts: no form takes a file, and none is kept anywhere."""
    form = {**town.form(), "description": "See my file"}
    files = {"attachment": (".htaccess", b"<svg onload=alert(1)>", "image/svg+xml")}
    assert town.client.post("/report", data=form, files=files).status_code == 400
    assert town.client.post("/report", data=form).status_code == 303
