"""The API of Prometheus over our own samples: its shapes, its refusals, its bounds."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.rules.engine import Engine
from monitor.samples import SampleStore
from monitor.storage.store import Store
from monitor.web.queries import Queries
from tests.builders import NOW
from tests.monitor.rules.running import groups_of
from tests.monitor.web.builders import Web, services

AT = NOW.timestamp()
DOWN = {"alert": "Down", "expr": "up == 0", "labels": {"severity": "critical"}, "for": "0s"}


@pytest.fixture
def web(sqlite_store: Store, tmp_path: Path) -> Web:
    """An application that keeps samples and evaluates one alerting and one recording rule."""
    samples = SampleStore()
    for seconds in range(-600, 1, 15):
        rows = [
            ({"__name__": "up", "job": "shop"}, 0.0),
            ({"__name__": "up", "job": "monitor"}, 1.0),
            ({"__name__": "hits_total", "job": "shop", "path": "/ü"}, 600.0 + seconds),
        ]
        samples.writer("test").ingest(AT + seconds, rows)
    groups = groups_of(tmp_path, DOWN, {"record": "job:up:sum", "expr": "sum(up)"})
    engine = Engine(groups, samples, send=list)
    engine.evaluate_due(NOW)
    queries = Queries(samples, engine, lambda: [("hits_total", "counter", "Hits.")])
    return Web(services(sqlite_store, queries=queries))


@pytest.fixture
def client(web: Web) -> TestClient:
    """A program on the same machine."""
    return web.client()


def data(client: TestClient, path: str, **asked: Any) -> Any:
    """Return the data of a good answer."""
    answer = client.get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"
    return answer.json()["data"]


def test_query_answers_a_vector_by_get_and_by_post(client: TestClient) -> None:
    """Times are numbers, values are texts."""
    got = data(client, "query", query='up{job="shop"}')
    assert got == {
        "resultType": "vector",
        "result": [{"metric": {"__name__": "up", "job": "shop"}, "value": [AT, "0"]}],
    }
    assert client.post("/api/v1/query", data={"query": 'up{job="shop"}'}).json()["data"] == got


@pytest.mark.parametrize(
    ("query", "kind", "value"),
    [
        ("1 + 0.5", "scalar", "1.5"),
        ('"text"', "string", "text"),
        ("1e21", "scalar", "1000000000000000000000"),
        ("1e-7", "scalar", "0.0000001"),
        ("NaN", "scalar", "NaN"),
        ("-Inf", "scalar", "-Inf"),
        ("100", "scalar", "100"),
    ],
)
def test_query_answers_scalars_and_texts(
    client: TestClient, query: str, kind: str, value: str
) -> None:
    """Numbers are written without exponent, as Prometheus writes them."""
    got = data(client, "query", query=query, time=str(AT))
    assert got == {"resultType": kind, "result": [AT, value]}


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("1e21", "1e+21"),
        ("9e20", "900000000000000000000"),
        ("1e-6", "0.000001"),
        ("-9e-7", "-9e-07"),
        ("0", "0"),
        ("Inf", "+Inf"),
    ],
)
def test_samples_very_small_or_large_are_written_with_an_exponent(
    client: TestClient, query: str, value: str
) -> None:
    """Unlike scalars: so does Prometheus."""
    [one] = data(client, "query", query=f"vector({query})")["result"]
    [many] = data(client, "query_range", query=query, start=AT, end=AT, step=1)["result"]
    assert (one["value"][1], many["values"]) == (value, [[AT, value]])


def test_times_are_taken_to_the_nearest_millisecond(client: TestClient) -> None:
    """Halves go up, as they do in Prometheus."""
    got = data(client, "query", query="time()", time="1700000000.0625")
    assert got["result"] == [1700000000.063, "1700000000.063"]


def test_query_range_answers_every_step(client: TestClient) -> None:
    """Start and end are included, and may be given in RFC 3339."""
    got = data(
        client, "query_range", query='hits_total{job="shop"}',
        start=AT - 60, end=NOW.isoformat(), step="30s",
    )  # fmt: skip
    [series] = got["result"]
    assert series["values"] == [[AT - 60, "540"], [AT - 30, "570"], [AT, "600"]]


def test_matrix_selector_is_answered_with_its_samples(client: TestClient) -> None:
    """What was stored can be read out."""
    [series] = data(client, "query", query='up{job="shop"}[30s]')["result"]
    assert series["values"] == [[AT - 15, "0"], [AT, "0"]]


def test_labels_values_and_series_are_listed(client: TestClient) -> None:
    """All of them, or those of selected series."""
    assert {"__name__", "job", "path", "alertname"} <= set(data(client, "labels"))
    assert data(client, "labels", **{"match[]": "hits_total"}) == ["__name__", "job", "path"]
    assert data(client, "label/job/values", **{"match[]": "up"}) == ["monitor", "shop"]
    assert data(client, "label/path/values") == ["/ü"]
    assert data(client, "series", **{"match[]": 'up{job="shop"}'}) == [
        {"__name__": "up", "job": "shop"}
    ]


def test_rules_and_alerts_are_listed_as_prometheus_lists_them(client: TestClient) -> None:
    """With state, health and the alerts themselves."""
    [group] = data(client, "rules")["groups"]
    alerting, recording = group["rules"]
    assert (group["name"], group["interval"]) == ("g", 15)
    assert (alerting["state"], alerting["health"], alerting["type"]) == ("firing", "ok", "alerting")
    assert (recording["type"], recording["query"]) == ("recording", "sum(up)")
    [alert] = data(client, "alerts")["alerts"]
    assert alert["labels"] == {"alertname": "Down", "job": "shop", "severity": "critical"}
    assert (alert["state"], alert["activeAt"]) == ("firing", "2026-11-22T09:00:00Z")
    [only] = data(client, "rules", type="record")["groups"]
    assert [rule["name"] for rule in only["rules"]] == ["job:up:sum"]


def test_metadata_targets_and_version_are_told(client: TestClient) -> None:
    """What Grafana asks before it shows anything."""
    assert data(client, "metadata") == {
        "hits_total": [{"type": "counter", "help": "Hits.", "unit": ""}]
    }
    health = {
        one["labels"]["job"]: one["health"] for one in data(client, "targets")["activeTargets"]
    }
    assert health == {"shop": "down", "monitor": "up"}
    assert data(client, "status/buildinfo")["version"].startswith("3.")


@pytest.mark.parametrize(
    ("path", "asked", "status", "kind"),
    [
        ("query", {"query": "sum(up"}, 400, "bad_data"),
        ("query", {}, 400, "bad_data"),
        ("query", {"query": "up", "time": "yesterday"}, 400, "bad_data"),
        ("query", {"query": "up", "time": "1e300"}, 400, "bad_data"),
        ("query", {"query": "up", "timeout": "soon"}, 400, "bad_data"),
        ("query", {"query": "up + on () up"}, 422, "execution"),
        ("query", {"query": "(" * 5000 + "1" + ")" * 5000}, 400, "bad_data"),
        ("query", {"query": "sum_over_time(vector(1)[10y:1ms])"}, 422, "execution"),
        ("query_range", {"query": "up", "start": 0, "end": 1e9, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up", "start": 1, "end": 0, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up", "start": 0, "end": 1, "step": 0}, 400, "bad_data"),
        ("query_range", {"query": "up", "end": 1, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "up[1m]", "start": 0, "end": 1, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "'up'", "start": 0, "end": 1, "step": 1}, 400, "bad_data"),
        ("series", {}, 400, "bad_data"),
        ("series", {"match[]": "sum(up)"}, 400, "bad_data"),
        ("rules", {"type": "strange"}, 400, "bad_data"),
        ("metadata", {"limit": "many"}, 400, "bad_data"),
    ],
)
def test_refusal_has_the_shape_of_prometheus(
    client: TestClient, path: str, asked: dict[str, Any], status: int, kind: str
) -> None:
    """A hostile or mistaken question gets an error, never the machine."""
    answer = client.get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == status, answer.text
    assert (answer.json()["status"], answer.json()["errorType"]) == ("error", kind)


@settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(query=st.text(max_size=40), at=st.text(max_size=12))
def test_no_question_whatever_is_answered_with_a_fault_of_ours(
    client: TestClient, query: str, at: str
) -> None:
    """Any text is either answered or refused."""
    answer = client.get("/api/v1/query", params={"query": query, "time": at})
    assert answer.status_code in (200, 400, 422)


LENGTHS = st.sampled_from(["1ms", "1s", "15s", "1m", "1h", "1d", "1y", "90y"])
RANGED = ("rate", "sum_over_time", "stddev_over_time", "changes", "last_over_time", "deriv")
SHAPED = ("abs({})", "count_values('v', {})", "topk(1e9, {})", "sort({})", "month({})", "-({})")


def costly(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions that read or make a great deal of smaller ones."""
    return st.one_of(
        st.tuples(st.sampled_from(RANGED), inner, LENGTHS, LENGTHS).map(
            lambda t: f"{t[0]}(({t[1]})[{t[2]}:{t[3]}])"
        ),
        st.tuples(st.sampled_from(SHAPED), inner).map(lambda t: t[0].format(t[1])),
        st.tuples(inner, st.sampled_from(["+", "or", "unless"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
    )


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    query=st.recursive(
        st.sampled_from(["hits_total", "vector(time())", "up offset 1h", "up @ end()"]),
        costly,
        max_leaves=6,
    ),
    step=st.sampled_from(["0.001", "1", "60", "86400"]),
    span=st.sampled_from([0, 60, 10_999, 1e6, 1e9]),
)
def test_costly_questions_are_answered_or_refused_in_time(
    client: TestClient, query: str, step: str, span: float
) -> None:
    """However long its ranges, however small its steps: one second was allowed, not many pass."""
    asked = {"query": query, "start": AT - span, "end": AT, "step": step, "timeout": "1s"}
    began = time.monotonic()
    answer = client.post("/api/v1/query_range", data=asked)
    assert answer.status_code in (200, 400, 422, 503)
    assert time.monotonic() - began < 10


def test_strangers_are_not_answered(web: Web) -> None:
    """From elsewhere a token or a session is needed."""
    assert web.client("203.0.113.9").get("/api/v1/query?query=1").status_code == 401
    asking = web.client("203.0.113.9", headers={"authorization": "Bearer an api token for tests"})
    assert asking.get("/api/v1/query?query=1").status_code == 200


def test_where_a_prometheus_evaluates_questions_are_sent_there(sqlite_store: Store) -> None:
    """404 with a reason, in the API's own shape."""
    answer = Web(services(sqlite_store)).client().get("/api/v1/query?query=1")
    assert (answer.status_code, answer.json()["errorType"]) == (404, "not_found")


@pytest.fixture
def address(web: Web) -> Iterator[str]:
    """The application on a real port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(web.app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["instant", "{}", f"--time={AT}", 'up{job="shop"}'], 'up{job="shop"} => 0'),
        (["range", f"--start={AT - 30}", f"--end={AT}", "--step=30s", "{}", "sum(up)"], "1 @["),
        (["series", "{}", "--match=up"], '{__name__="up", job="monitor"}'),
        (["labels", "{}", "job"], "monitor"),
    ],
)
def test_promtool_can_ask_us(address: str, words: list[str], printed: str) -> None:
    """Prometheus's own client reads our answers."""
    command = ["promtool", "query", *[address if word == "{}" else word for word in words]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout
