"""Further targets scraped for samples, as Prometheus would."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from monitor.clock import FakeClock
from monitor.config.model import Target
from monitor.notify.message import Context
from monitor.promql import evaluate_instant, parse
from monitor.samples import SampleStore
from monitor.scraping import Scraper
from probes.secrets import EnvironmentSecrets

GOOD = '# TYPE orders_total counter\norders_total 3\nstock{article="mug"} 7\n'
SECRETS = EnvironmentSecrets({"MONITOR_SECRET_SCRAPE": "a-token-for-scrapes"})


@dataclass
class Exporter:
    """A target that answers as the test says."""

    status: int = 200
    body: str = GOOD
    kind: str = "text/plain; version=0.0.4"
    pause: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def exporter() -> Iterator[tuple[Exporter, str]]:
    """A running exporter and its address."""
    facts = Exporter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            facts.asked.append(dict(self.headers))
            self.send_response(facts.status)
            self.send_header("Content-Type", facts.kind)
            self.end_headers()
            half = len(facts.body) // 2
            try:
                self.wfile.write(facts.body[:half].encode())
                time.sleep(facts.pause)
                self.wfile.write(facts.body[half:].encode())
            except BrokenPipeError:
                return  # the scraper gave up, which is what the test is about

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield facts, f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()


class Bench:
    """A scraper of one target, and what its samples say."""

    def __init__(self, url: str, **facts: Any) -> None:
        self.store, self.clock = SampleStore(), FakeClock()
        self.target = Target.model_validate({"name": "shop", "url": url, **facts})
        self.scraper = Scraper(self.store, Context(SECRETS), self.clock)
        self.scraper.keep_only([self.target])

    def scrape(self) -> None:
        """Scrape once, some seconds after the last time."""
        self.clock.advance(15)
        self.scraper.scrape("shop")

    def value(self, query: str) -> list[float]:
        """Return the values a query gives now."""
        found = evaluate_instant(parse(query), self.store, self.clock.now().timestamp())
        return [sample.value for sample in found]  # type: ignore[union-attr]


def test_a_scrape_brings_the_samples_and_says_that_it_did(exporter: tuple[Exporter, str]) -> None:
    """Job and instance are added; the three metrics about the scrape are there."""
    bench = Bench(exporter[1], labels={"team": "shop"})
    bench.scrape()
    assert bench.value('orders_total{job="shop", team="shop"}') == [3]
    assert bench.value('up{job="shop"}') == [1]
    assert bench.value("scrape_samples_scraped") == [2]


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"status": 500}, "answered 500"),
        ({"body": "orders_total{ 3\n"}, "line 1"),
        ({"kind": "application/openmetrics-text"}, "# EOF"),
        ({"pause": 1.5}, "took longer"),
    ],
)
def test_a_scrape_that_fails_ends_the_series_and_says_why(
    exporter: tuple[Exporter, str], facts: dict[str, Any], error: str
) -> None:
    """Old values are not taken for new ones."""
    bench = Bench(exporter[1], timeout="1s")
    bench.scrape()
    for name, value in facts.items():
        setattr(exporter[0], name, value)
    bench.scrape()
    assert (bench.value("up"), bench.value("orders_total")) == ([0], [])
    assert error in bench.scraper.standings()[0].error


def test_nobody_listening_is_a_target_that_is_down() -> None:
    """A refused connection is a finding."""
    bench = Bench("http://127.0.0.1:1/metrics")
    bench.scrape()
    assert bench.value("up") == [0]


def test_more_samples_than_allowed_are_refused(exporter: tuple[Exporter, str]) -> None:
    """One exporter gone wild does not fill the store."""
    bench = Bench(exporter[1], sample_limit=1)
    bench.scrape()
    assert bench.value("up") == [0]


def test_a_token_comes_from_the_secrets(exporter: tuple[Exporter, str]) -> None:
    """The configuration names it, and only the target sees it."""
    bench = Bench(exporter[1], bearer="${secret:SCRAPE}")
    bench.scrape()
    assert exporter[0].asked[0]["Authorization"] == "Bearer a-token-for-scrapes"


def test_a_proxy_of_the_machine_is_passed_by(
    exporter: tuple[Exporter, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody between hears the token: the request goes to the configured address itself."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    bench = Bench(exporter[1])
    bench.scrape()
    assert bench.value("up") == [1]


def test_a_missing_secret_fails_the_scrape_by_name(exporter: tuple[Exporter, str]) -> None:
    """Nothing is sent without it."""
    bench = Bench(exporter[1], bearer="${secret:LOST}")
    bench.scrape()
    assert exporter[0].asked == []
    assert "LOST" in bench.scraper.standings()[0].error


def test_a_target_that_is_removed_takes_its_series_along(exporter: tuple[Exporter, str]) -> None:
    """They end at once rather than five minutes later."""
    bench = Bench(exporter[1])
    bench.scrape()
    bench.clock.advance(1)
    bench.scraper.keep_only([])
    assert (bench.value("up"), bench.value("orders_total")) == ([], [])
