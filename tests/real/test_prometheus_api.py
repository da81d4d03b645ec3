"""A monitor and a real Prometheus scrape the same exporter; clients cannot tell them apart."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.real.process import wait_for
from tests.real.served import town
from tests.servers import free_port

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed"),
    pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed"),
]
EXPORTED = """# HELP orders_total Orders.
# TYPE orders_total counter
orders_total{shop="north",path="/käse \\"x\\"\\\\"} 3
orders_total{shop="south",path="/"} 12345678.5
# TYPE stock gauge
stock{article="mug"} 7
stock{article="hat"} -0.00025
stock{article="odd"} NaN
stock{article="endless"} +Inf
stock{article="gone"} -Inf
stock{article="huge"} 1e21
# TYPE basket_seconds histogram
basket_seconds_bucket{le="0.5"} 4
basket_seconds_bucket{le="2"} 9
basket_seconds_bucket{le="+Inf"} 10
basket_seconds_sum 11.5
basket_seconds_count 10
"""
SCRAPED = '{job="exporter"}'
ALIKE = '{job="exporter", __name__!~"scrape_samples_post.*|scrape_series_added"}'  # 2 we have not


@dataclass(frozen=True)
class Both:
    """The addresses of a monitor and a Prometheus that know the same."""

    monitor: str
    prometheus: str

    def ask(self, path: str, *pairs: tuple[str, object], post: bool = False) -> list[Any]:
        """Return status and answer of the monitor, then of Prometheus."""
        return [ask(url, path, pairs, post=post) for url in (self.monitor, self.prometheus)]


def ask(url: str, path: str, pairs: tuple[tuple[str, object], ...], *, post: bool) -> Any:
    """Return the status and the answer of one server, an error's too."""
    asked = urllib.parse.urlencode(pairs)
    address = f"{url}/api/v1/{path}"
    request = (
        urllib.request.Request(address, asked.encode())
        if post
        else urllib.request.Request(f"{address}?{asked}")
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@contextmanager
def exporter() -> Iterator[int]:
    """Serve the metrics on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(EXPORTED.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def scraping_prometheus(folder: Path, target: int) -> Iterator[str]:
    """Run a Prometheus that scrapes the exporter every second."""
    scrape = {
        "job_name": "exporter",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}), "utf-8")
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    process = subprocess.Popen(command)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def scraping_monitor(folder: Path, target: int) -> Iterator[str]:
    """Run a monitor that scrapes the exporter every second."""
    with town(folder) as place:
        said = place.monitor_yml.read_text("utf-8")
        url = f"http://127.0.0.1:{target}/metrics"
        wanted = f"targets:\n  - {{name: exporter, url: '{url}', interval: 1s, timeout: 1s}}\n"
        place.monitor_yml.write_text(said.replace("targets:\n", wanted), "utf-8")
        with place.service() as served:
            yield served.url


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both, once each has scraped for some seconds."""
    folder = tmp_path_factory.mktemp("both")
    with ExitStack() as stack:
        target = stack.enter_context(exporter())
        prometheus = stack.enter_context(scraping_prometheus(folder, target))
        monitor = stack.enter_context(scraping_monitor(folder, target))
        for url in (prometheus, monitor):
            wait_for(scraped(url), f"samples at {url}")
        yield Both(monitor, prometheus)


def scraped(url: str) -> Callable[[], bool]:
    """Return whether a server has some seconds of samples by now."""
    query = ("query", "count_over_time(stock{article='mug'}[1m]) > 5")

    def found() -> bool:
        try:
            status, answer = ask(url, "query", (query,), post=False)
        except OSError:
            return False
        return status == 200 and bool(answer["data"]["result"])

    return found


def timeless(data: Any) -> Any:
    """Return an answer's data without its times; of a range, which values it has."""
    if data["resultType"] in ("scalar", "string"):
        return data["resultType"], data["result"][1]
    found = [
        (sorted(one["metric"].items()), list(dict.fromkeys(v for _, v in one["values"])))
        if "values" in one
        else (sorted(one["metric"].items()), one["value"][1])
        for one in data["result"]
    ]
    return data["resultType"], sorted(found)


QUERIES = [
    "orders_total",
    "stock",
    "stock + 0.1",
    "up" + SCRAPED,
    "scrape_samples_scraped" + SCRAPED,
    "1e21 * 3",
    "1e-7",
    "-1 / 0",
    "0 / 0",
    '"a \\"text\\""',
    "rate(orders_total[1m])",
    "sum by (shop) (orders_total) / 7",
    "histogram_quantile(0.9, basket_seconds_bucket)",
    "sort_desc(stock)",
    "absent(nothing{a='b'})",
    "count_values('v', stock)",
    "label_replace(stock, 'first', '$1', 'article', '(.).*')",
    "topk(1, stock)",
    "vector(1) == 2",
    "stock{article=~'m.*'} or on () vector(3)",
]


@pytest.mark.parametrize("post", [False, True], ids=["get", "post"])
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_what_prometheus_gives(query: str, post: bool, both: Both) -> None:
    """Type, labels and values, to the last digit and letter."""
    (status, ours), (_, theirs) = both.ask("query", ("query", query), post=post)
    assert (status, ours["status"]) == (200, "success")
    assert timeless(ours["data"]) == timeless(theirs["data"])


@pytest.mark.parametrize("query", [query for query in QUERIES if not query.startswith('"')])
def test_a_dashboard_gets_the_points_it_gets_from_prometheus(query: str, both: Both) -> None:
    """As Grafana asks: a form, sent by POST, with times in seconds and parts of them."""
    now = time.time()
    form = (("query", query), ("start", now - 1.5), ("end", now), ("step", 0.5))
    (status, ours), (_, theirs) = both.ask("query_range", *form, post=True)
    assert (status, ours["status"]) == (200, "success")
    assert timeless(ours["data"]) == timeless(theirs["data"])


def test_the_points_of_a_range_lie_where_prometheus_lays_them(both: Both) -> None:
    """At start and every step after it, up to the end, in the same notation."""
    now = 1_700_000_000.0625
    form = (("query", "time()"), ("start", now), ("end", now + 10), ("step", "3s"))
    (_, ours), (_, theirs) = both.ask("query_range", *form)
    assert ours["data"] == theirs["data"]


@pytest.mark.parametrize(
    ("path", "pairs"),
    [
        ("series", [("match[]", "stock"), ("match[]", 'orders_total{shop="north"}')]),
        ("series", [("match[]", ALIKE)]),
        ("series", [("match[]", "nothing")]),
        ("labels", [("match[]", ALIKE)]),
        ("labels", [("match[]", "orders_total")]),
        ("label/article/values", []),
        ("label/shop/values", [("match[]", "orders_total")]),
        ("label/nothing/values", []),
        ("label/__name__/values", [("match[]", ALIKE)]),
    ],
)
@pytest.mark.parametrize("post", [False, True], ids=["get", "post"])
def test_what_there_is_is_listed_as_prometheus_lists_it(
    path: str, pairs: list[tuple[str, object]], post: bool, both: Both
) -> None:
    """The same series, names and values; the values of a label are only ever asked by GET."""
    (status, ours), (_, theirs) = both.ask(path, *pairs, post=post and "label/" not in path)
    assert status == 200
    assert in_order(ours["data"]) == in_order(theirs["data"])


def in_order(found: list[Any]) -> list[str]:
    """Return names, values or label sets in an order of their own."""
    return sorted(json.dumps(one, sort_keys=True) for one in found)


@pytest.mark.parametrize(
    ("path", "pairs"),
    [
        ("query", [("query", "sum(stock")]),
        ("query", [("query", "")]),
        ("query", [("query", "stock + on () stock")]),
        ("query", [("query", "rate(stock)")]),
        ("query", [("query", "stock"), ("time", "soon")]),
        ("query", [("query", "stock"), ("timeout", "soon")]),
        ("query_range", [("query", "stock"), ("start", 10), ("end", 0), ("step", 1)]),
        ("query_range", [("query", "stock"), ("start", 0), ("end", 1), ("step", 0)]),
        ("query_range", [("query", "stock"), ("start", 0), ("end", 100_000), ("step", 1)]),
        ("query_range", [("query", "stock"), ("start", 0), ("end", 1)]),
        ("query_range", [("query", "stock[5m]"), ("start", 0), ("end", 1), ("step", 1)]),
        ("series", []),
        ("series", [("match[]", "sum(stock)")]),
        ("series", [("match[]", "{}")]),
    ],
)
def test_a_refusal_is_prometheus_s(path: str, pairs: list[tuple[str, object]], both: Both) -> None:
    """The same status and kind of error; the words may differ."""
    (status, ours), (wanted, theirs) = both.ask(path, *pairs)
    assert (status, ours["status"], ours["errorType"]) == (wanted, "error", theirs["errorType"])


@pytest.mark.parametrize(
    "words",
    [
        "instant {url} stock",
        "instant {url} rate(orders_total[1m])*2",
        "range --start={before} --end={now} --step=1s {url} sum(orders_total)",
        "series {url} --match=stock --match=orders_total",
        "labels {url} article",
    ],
)
def test_promtool_prints_the_same_of_both(words: str, both: Both) -> None:
    """Line for line, once times are left out."""
    now = time.time()
    printed = []
    for url in (both.monitor, both.prometheus):
        asked = words.format(url=url, now=f"{now:.3f}", before=f"{now - 1:.3f}").split()
        command = ["promtool", "query", *asked]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        printed.append(sorted(re.sub(r"@\[[\d.]+\]", "@", done.stdout).splitlines()))
    assert printed[0] == printed[1] != []
