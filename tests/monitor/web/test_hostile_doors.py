"""Every door of every page and API, asked with anything: an answer in words, never a bug.

Addresses, query strings and forms are drawn from the routes and templates themselves, so that a
new page is among them the day it is written. JSON bodies are the business of `test_openapi`.
"""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web import pages
from monitor.web.permissions import Role
from monitor.web.routes import ROUTERS
from tests.hostile import WORDS
from tests.monitor.web.builders import Web, services
from tests.monitor.web.town import Town

TEMPLATES = Path(pages.__file__).parents[1] / "templates"
FIELDS = sorted(
    {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(r'name="([a-z_]+)"', path.read_text("utf-8"))
    }
    - {"csrf"}
)
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
GETS = [
    route
    for route in ROUTES
    if route.methods == {"GET"} and not route.path.endswith(("/events", "/stream"))
]
POSTS = [
    route
    for route in ROUTES
    if "POST" in (route.methods or ()) and not route.path.startswith(("/api/", "/v2/"))
]
USUAL = ("1", "2026-11-22", "2026-11-22T09:00", "2026-11", "INC-1", "UTC", "on", "60", "open")
TEXTS = st.sampled_from([word for word in WORDS if len(word) < 5001] + list(USUAL)) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=12
)
_requests = count(1)


@pytest.fixture(scope="module")
def manager(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, str]]:
    """Somebody who may do everything, in a shop in trouble."""
    path = tmp_path_factory.mktemp("doors") / "monitor.db"
    shutil.copy(sqlite_template, path)
    store = Store(open_engine(f"sqlite:///{path}"))
    web = Web(services(store))
    town = Town(web)
    town.see(checkout="down")
    town.break_()
    town.report()
    town.plan()
    yield web.as_role(Role.ADMINISTRATOR)
    store.close()


def asked_by(dependant: Dependant) -> set[str]:
    """Return the names in the query string that a door looks for."""
    deeper = (asked_by(inner) for inner in dependant.dependencies)
    return {field.alias for field in dependant.query_params}.union(*deeper)


def address(draw: st.DrawFn, route: APIRoute) -> str:
    """Return an address of the route: its parts usual or hostile, its query half filled in."""
    part = st.sampled_from(["1", "checkout", "2026-11"]) | TEXTS
    path = re.sub(
        r"\{[^}]+\}", lambda _: quote(draw(part), safe="", errors="replace") or "x", route.path
    )
    names = sorted(asked_by(route.dependant))
    asked = draw(st.dictionaries(st.sampled_from(names), TEXTS)) if names else {}
    query = "&".join(f"{name}={quote(text, errors='replace')}" for name, text in asked.items())
    return f"{path[:6000]}?{query[:6000]}"


@st.composite
def questions(draw: st.DrawFn) -> str:
    """An address that is only looked at."""
    return address(draw, draw(st.sampled_from(GETS)))


@st.composite
def deeds(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """An address with a form that is sent there."""
    route = draw(st.sampled_from(POSTS))
    form = draw(st.dictionaries(st.sampled_from(FIELDS), TEXTS, min_size=1, max_size=8))
    return address(draw, route), form


def ask(client: TestClient, method: str, url: str, **options: object) -> int:
    """Return how a request is answered; from another address each time, or it is a flood."""
    number = next(_requests)
    client._transport.client = (f"10.0.{number // 250}.{number % 250}", 1)  # type: ignore[attr-defined] # as TestClient keeps it
    return client.request(method, url, **options).status_code  # type: ignore[arg-type] # passed on


NUMBERS = ("9" * 5000, "9" * 30, "9" * 18, "\u00b2", "0001-01-01T00:00")


@pytest.mark.parametrize("text", NUMBERS, ids=["digits", "long", "wide", "square", "early"])
def test_what_is_no_usable_number_or_time_is_refused_everywhere(
    manager: tuple[TestClient, str], text: str
) -> None:
    """Every form of the console with the text in every field its page reads."""
    for route in POSTS:
        if "sign-out" not in route.path:
            source = inspect.getsource(inspect.getmodule(route.endpoint) or route.endpoint)
            form = dict.fromkeys(re.findall(r'(?:get\(|\[)"([a-z_]+)"', source), text)
            url = re.sub(r"\{[^}]+\}", "1", route.path)
            answer = ask(manager[0], "POST", url, data={**form, "csrf": manager[1]})
            assert answer < 500, url


MANY = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MANY
@given(url=questions())
def test_any_question_is_answered(manager: tuple[TestClient, str], url: str) -> None:
    """A page, or a refusal; a bug would be raised here."""
    assert ask(manager[0], "GET", url) < 500


@MANY
@given(deed=deeds())
def test_any_form_is_answered(
    manager: tuple[TestClient, str], deed: tuple[str, dict[str, str]]
) -> None:
    """Done, or refused."""
    url, form = deed
    said = {name: text.encode("utf-8", "replace").decode() for name, text in form.items()}
    if "sign-out" not in url:
        assert ask(manager[0], "POST", url, data={**said, "csrf": manager[1]}) < 500


@MANY
@given(
    name=st.sampled_from(["cookie", "authorization", "x-forwarded-for", "accept", "host", "etag"]),
    value=st.sampled_from([word.encode("utf-8", "replace") for word in WORDS])
    | st.binary(max_size=30),
)
def test_any_header_is_answered(manager: tuple[TestClient, str], name: str, value: bytes) -> None:
    """As bytes, as they come over the wire."""
    kept = bytes(byte for byte in value if byte not in b"\r\n\x00")
    if name == "cookie":
        kept = b"monitor_session=" + kept
    stranger = TestClient(manager[0].app, base_url="http://monitor.test", follow_redirects=False)
    assert ask(stranger, "GET", "/console", headers={name: kept}) < 500
