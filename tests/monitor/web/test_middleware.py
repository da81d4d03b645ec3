"""What every answer carries and every request passes: `middleware`, `errors`, `static_files`."""

from __future__ import annotations

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from monitor.storage.store import Store
from monitor.web.middleware import CONTENT_SECURITY_POLICY, host_name
from monitor.web.permissions import Role
from monitor.web.static_files import FOR_EVER, FOR_NOW, static_files, static_url
from tests.monitor.web.builders import FakeJourneys, FakeSettings, Web, services


@pytest.mark.parametrize(
    "path", ["/-/healthy", "/console", "/console/sign-in", "/nowhere", "/api/nowhere", "/metrics"]
)
def test_every_answer_carries_the_protective_headers(web: Web, path: str) -> None:
    """Whatever the answer, a browser may load nothing from elsewhere and frame nothing."""
    headers = web.client().get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_the_policy_allows_no_inline_script_or_style() -> None:
    """Injected markup has nothing to run with."""
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY


def test_console_pages_are_kept_by_no_cache(web: Web) -> None:
    """The back button after signing out shows nothing."""
    client, _ = web.as_role(Role.VIEWER)
    assert client.get("/console").headers["cache-control"] == "no-store"


def test_a_bug_is_answered_without_a_word_of_its_inside(sqlite_store: Store) -> None:
    """A traceback stays in the log; the answer carries the protective headers all the same."""

    class Broken(FakeJourneys):
        def schedule(self) -> list[object]:  # type: ignore[override] # it never returns
            raise ZeroDivisionError("inner secret")

    web = Web(services(sqlite_store, journeys=Broken()))
    signed_in, _ = web.as_role(Role.VIEWER)
    client = TestClient(web.app, base_url=web.base_url, raise_server_exceptions=False)
    client.cookies = signed_in.cookies
    answer = client.get("/console/journeys")
    assert answer.status_code == 500
    assert "inner secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("monitor.test", 200),
        ("MONITOR.TEST:8080", 200),
        ("localhost:8080", 200),
        ("192.0.2.1", 200),
        ("[::1]:8080", 200),
        ("evil.test", 421),
        ("monitor.test.evil.test", 421),
        ("evil.test@monitor.test:x", 421),
        ("", 421),
    ],
)
def test_only_our_names_and_plain_addresses_are_answered(web: Web, host: str, status: int) -> None:
    """A name somebody points at us gets nothing that a browser would take for its own."""
    answer = web.client().get("/console/sign-in", headers={"host": host})
    assert answer.status_code == status
    assert "evil.test" not in answer.text


def test_machines_may_use_any_name(web: Web) -> None:
    """Prometheus reaches us by the name of a container."""
    assert web.client().get("/metrics", headers={"host": "monitor-7f9"}).status_code == 200


def test_no_answer_repeats_the_host_header(sqlite_store: Store) -> None:
    """Even where every name is allowed, links do not follow the one that was sent."""
    web = Web(services(sqlite_store, settings=FakeSettings(allowed_hosts=("*",))))
    client, _ = web.as_role(Role.ADMINISTRATOR)
    for path in ("/console", "/console/incidents", "/console/sign-in", "/nowhere"):
        answer = client.get(path, headers={"host": "evil.test"})
        assert "evil.test" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("192.0.2.66", "203.0.113.9", "192.0.2.66"),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    sqlite_store: Store, peer: str, chain: str, client: str
) -> None:
    """The nearest address that is no trusted proxy counts; a stranger's header does not."""
    web = Web(services(sqlite_store, settings=FakeSettings(trusted_proxies=("10.0.0.0/8",))))
    seen: list[str] = []

    @web.app.get("/-/seen")
    def see(request: Request) -> None:
        seen.append(request.client.host if request.client else "")

    web.client(peer).get("/-/seen", headers={"x-forwarded-for": chain} if chain else {})
    assert seen == [client]


@pytest.mark.parametrize(("size", "status"), [(256 * 1024, 403), (256 * 1024 + 1, 413)])
def test_a_form_larger_than_the_limit_is_refused(web: Web, size: int, status: int) -> None:
    """Nobody fills the memory with one request."""
    body = b"a=" + b"x" * (size - 2)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert web.client().post("/console/sign-in", content=body, headers=form).status_code == status


def test_errors_are_pages_for_people_and_json_for_programs(web: Web) -> None:
    """Each gets a refusal it can read, with what to do next."""
    page, answer = web.client().get("/nowhere"), web.client().get("/api/nowhere")
    assert "may be mistyped" in page.text
    assert answer.json() == {
        "error": {"code": "not_found", "message": "There is nothing at this address."}
    }


@pytest.mark.parametrize("name", sorted(static_files()))
def test_a_static_file_is_kept_for_ever_under_its_own_digest(web: Web, name: str) -> None:
    """A changed file has a new address; an old address serves the present content for a moment."""
    client = web.client()
    assert client.get(static_url(name)).headers["cache-control"] == FOR_EVER
    assert client.get(f"/static/old/{name}").headers["cache-control"] == FOR_NOW


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "/etc/passwd", "none.css", ""])
def test_nothing_but_static_files_is_served_as_one(web: Web, name: str) -> None:
    """Names are looked up, never joined to a folder."""
    assert web.client().get(f"/static/x/{name}").status_code == 404


def test_readiness_gives_its_reasons(sqlite_store: Store) -> None:
    """A load balancer sees 503, a person sees why."""
    web = Web(services(sqlite_store, ready=lambda: ["database: locked", "rules: not loaded"]))
    answer = web.client().get("/-/ready")
    assert (answer.status_code, answer.text) == (503, "database: locked\nrules: not loaded\n")


@pytest.mark.parametrize(
    ("shown", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("", 401)]
)
def test_metrics_ask_for_their_token_where_one_is_set(
    sqlite_store: Store, shown: str, status: int
) -> None:
    """Without one they are open."""
    web = Web(services(sqlite_store, settings=FakeSettings(metrics_token="right")))
    headers = {"authorization": shown} if shown else {}
    assert web.client().get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "name"), [("a.b:80", "a.b"), ("[::1]:80", "::1"), ("A.B.", "a.b"), ("[", "")]
)
def test_a_host_header_is_read_without_its_port(host: str, name: str) -> None:
    """Case, port and a final dot do not matter; nonsense is nobody's name."""
    assert host_name(host) == name
