"""The pages and the API on which tokens are made and ended."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from monitor.accounts.scopes import WORDS
from monitor.accounts.token_secrets import PREFIX, is_token
from monitor.web.permissions import Role
from tests.monitor.web.builders import Web
from tests.monitor.web.test_docs import DOCS
from tests.monitor.web.town import words

OWN, ALL = "/console/account/tokens", "/console/tokens"


def tokens_in(html: str) -> list[str]:
    """Return every whole token that a page shows."""
    return [found for found in re.findall(rf"{PREFIX}\w+", html) if is_token(found)]


def post(session: tuple[TestClient, str], path: str, **fields: object) -> str:
    client, csrf = session
    answer = client.post(path, data={"csrf": csrf, **fields}, follow_redirects=True)
    return str(answer.text)


def test_a_token_is_shown_this_once(web: Web) -> None:
    """And is kept out of every cache; the next look shows its beginning only."""
    client, csrf = session = web.as_role(Role.RESPONDER)
    form = {"csrf": csrf, "name": "deploy", "scope": ["read", "incidents:write"], "days": "30"}
    answer = client.post(OWN, data=form)
    (secret,) = tokens_in(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    again = session[0].get(OWN).text
    assert tokens_in(again) == []
    assert secret[:8] in again
    assert "incidents:write" in again


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "", "scope": "read", "days": "30"}, "name is empty"),
        ({"name": "x", "days": "30"}, "at least one scope"),
        ({"name": "x", "scope": "audit:read", "days": "30"}, "no use for the scope"),
        ({"name": "x", "scope": "alerts:send", "days": "30"}, "no use for the scope"),
        ({"name": "x", "scope": "read", "days": "9999"}, "lives 1 to 366 days"),
    ],
)
def test_what_makes_no_token_is_told_above_the_form(
    web: Web, fields: dict[str, str], told: str
) -> None:
    """What was typed is still there."""
    shown = post(web.as_role(Role.RESPONDER), OWN, **fields)
    assert told in words(shown).replace("&#39;", "'")
    assert tokens_in(shown) == []
    assert f'value="{fields["name"]}"' in shown


def test_one_ends_ones_own_tokens_and_an_administrator_everybodys(web: Web) -> None:
    """By number; another's is as if it were not there."""
    agent, viewer = web.as_role(Role.AGENT), web.as_role(Role.VIEWER)
    administrator = web.as_role(Role.ADMINISTRATOR)
    for name in ("one", "two"):
        post(agent, OWN, name=name, scope="read", days="30")
    client, csrf = viewer
    assert client.post(f"{OWN}/1/revoke", data={"csrf": csrf}).status_code == 404
    assert "It is revoked" in post(agent, f"{OWN}/1/revoke")
    assert "agent" in administrator[0].get(ALL).text
    assert "It is revoked" in post(administrator, f"{ALL}/2/revoke")
    assert agent[0].get(OWN).text.count("Revoked") == 2


def test_an_alert_source_is_made_by_an_administrator(web: Web) -> None:
    """With a name of its own, which is refused where it is none."""
    administrator = web.as_role(Role.ADMINISTRATOR)
    assert "cannot be used" in post(administrator, f"{ALL}/sources", source="rules")
    shown = post(administrator, f"{ALL}/sources", source="eu-prom", days="")
    assert len(tokens_in(shown)) == 1
    listed = words(administrator[0].get(ALL).text)
    assert "eu-prom" in listed
    assert "when revoked" in listed


def test_the_api_makes_lists_and_ends_tokens_for_people_in_a_session(web: Web) -> None:
    """The secret is in the first answer and in no other."""
    client, csrf = web.as_role(Role.ADMINISTRATOR)
    client.headers["x-csrf-token"] = csrf
    body = {"name": "deploy", "scopes": ["audit:read"], "days": 7}
    answer = client.post("/api/v1/tokens", json=body)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert is_token(made.pop("token"))
    source = client.post("/api/v1/tokens/sources", json={"source": "eu-prom"}).json()
    assert source["expires_at"] is None
    assert [t["id"] for t in client.get("/api/v1/tokens").json()["tokens"]] == [made["id"]]
    everything = client.get("/api/v1/tokens/all").json()["tokens"]
    assert [t["id"] for t in everything] == [source["id"], made["id"]]
    assert "token" not in everything[0]
    ended = client.post(f"/api/v1/tokens/{source['id']}/revoke", json={}).json()
    assert ended["state"] == "revoked"


def test_the_api_refuses_scopes_that_the_role_has_no_use_for(web: Web) -> None:
    """And says which there are."""
    client, csrf = web.as_role(Role.VIEWER)
    body = {"name": "x", "scopes": ["incidents:write"]}
    answer = client.post("/api/v1/tokens", json=body, headers={"x-csrf-token": csrf})
    assert answer.status_code == 422
    assert "there are: read, metrics:read" in answer.json()["error"]["message"]


def test_the_documented_scopes_are_those_in_force() -> None:
    """Every one, in its own words."""
    text = (DOCS / "tokens.md").read_text("utf-8")
    for scope, meaning in WORDS.items():
        assert f"| `{scope}` | {meaning} |" in text
