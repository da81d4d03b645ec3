"""Processor time of a probe and of a three-step journey, over HTTP and HTTPS, beside peers.

Needs prometheus-blackbox-exporter, the peer for single probes (its HTTP interface included, as it
is always asked that way). For journeys the peer is the same three steps written with requests: a
session each, its certificate authority loaded for every connection, as it does. Every probe and
every journey makes a new connection and asserts the same things of the bundled demo shop; only the
prober's own processor time is counted. Takes about two minutes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from selectolax.lexbor import LexborHTMLParser

from bench.peers import free_port, needs, running, wait_for
from monitor.clock import SystemClock
from monitor.log import configure_logging
from monitor.pipeline import Pipeline
from monitor.probe_metrics import ProbeMetrics
from monitor.storage.engine import migrate, open_engine
from monitor.storage.store import Store
from probes.journey import Journey, parse_journey
from probes.result import Outcome, ProbeRun
from probes.run import RunOptions, run_journey
from probes.secrets import EnvironmentSecrets

ROUNDS = 5
COUNT = 100  # in each round
WORD = "Kijani Market"
MICROSECONDS = 1e6

PROBE = """name: probe
component: shop
interval: 5s
steps:
  - {name: Open, get: "$shop/", expect: {status: 200, text: Kijani Market}}
"""
JOURNEY = """name: journey
component: shop
interval: 5s
steps:
  - {name: Open, get: "$shop/", expect: {status: 200, css: "form#site-search"}}
  - name: Search
    get: "$shop/search?q=mug"
    expect: {status: 200, css: ".product-card[data-sku=KM-1001]"}
  - name: Product
    get: "$shop/products/KM-1001"
    expect: {status: 200, css: "#product-name"}
"""
STEPS = (
    ("/", "form#site-search"),
    ("/search?q=mug", ".product-card[data-sku=KM-1001]"),
    ("/products/KM-1001", "#product-name"),
)


@dataclass(frozen=True)
class Shop:
    """The demo shop as it runs."""

    http: str
    https: str
    authority: Path


@dataclass(frozen=True)
class Contender:
    """Something that probes once when called; `busy` reads its processor seconds so far."""

    probe: Callable[[], None]
    busy: Callable[[], float] = time.process_time


class NoRules:
    """Sees results and evaluates nothing, as where a Prometheus does it."""

    def result_arrived(self, journey: str, location: str) -> None:
        """Do nothing."""


@contextmanager
def demo_shop(folder: Path) -> Iterator[Shop]:
    """Run the demo shop without customers, in a process of its own."""
    port, tls_port, authority = free_port(), free_port(), folder / "authority.pem"
    command = [sys.executable, "-m", "monitor.demo", "--port", str(port), "--gateway-port", "0"]
    command += ["--tls", "--tls-port", str(tls_port), "--tls-ca-file", str(authority), "--quiet"]
    command += ["--customers-per-minute", "0", "--with-parent", str(os.getpid())]
    with running(command, folder / "shop.log"):
        wait_for(f"http://127.0.0.1:{port}/")
        yield Shop(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", authority)


@contextmanager
def blackbox(folder: Path, authority: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the exporter with a module that asserts what our probe asserts."""
    port = free_port()
    (folder / "blackbox.yml").write_text(
        f"""modules:
  page:
    prober: http
    timeout: 5s
    http:
      valid_status_codes: [200]
      fail_if_body_not_matches_regexp: ["{WORD}"]
      preferred_ip_protocol: ip4
      tls_config: {{ca_file: {authority}}}
"""
    )
    command = [
        "prometheus-blackbox-exporter",
        f"--config.file={folder}/blackbox.yml",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, folder / "blackbox.log") as process:
        wait_for(f"http://127.0.0.1:{port}/-/healthy")
        yield f"http://127.0.0.1:{port}", process


def journeys(shop: str) -> dict[str, Journey]:
    """Return the probe and the journey for one address, as a user would have written them."""
    found = (parse_journey(text.replace("$shop", shop)) for text in (PROBE, JOURNEY))
    return {journey.name: journey for journey in found}


def our_run(journey: Journey, shop: Shop) -> ProbeRun:
    """Return a run that passed; anything else ends the bench."""
    options = RunOptions(ca_file=str(shop.authority))
    run = run_journey(journey, secrets=EnvironmentSecrets({}), location="bench", options=options)
    if run.outcome is not Outcome.PASSED:
        raise AssertionError(f"{run.journey}: {run.detail}")
    return run


def with_record(folder: Path, journey: Journey, shop: Shop) -> Callable[[], None]:
    """Return a probe whose result is counted in the metrics and committed to a database."""
    engine = open_engine(f"sqlite:///{folder / 'runs.db'}")
    migrate(engine)
    metrics = ProbeMetrics()
    metrics.keep_only([journey], "bench", 1)
    pipeline = Pipeline(
        store=Store(engine),
        clock=SystemClock(),
        metrics=metrics,
        evaluator=NoRules(),
        run_journey=lambda journey, _: our_run(journey, shop),
        location="bench",
    )
    return lambda: pipeline.tick(journey, lambda: False)


def ask_exporter(exporter: str, target: str) -> None:
    """Have the exporter probe once; a probe that does not pass ends the bench."""
    query = urllib.parse.urlencode({"module": "page", "target": f"{target}/"})
    with urllib.request.urlopen(f"{exporter}/probe?{query}", timeout=10) as answer:
        if b"probe_success 1" not in answer.read():
            raise AssertionError(f"the exporter's probe of {target} failed")


def with_requests(shop: str, authority: Path) -> None:
    """Do the journey's three steps and assertions with requests."""
    with requests.Session() as session:
        for path, selector in STEPS:
            # said per request: REQUESTS_CA_BUNDLE would win over the session's own
            answer = session.get(f"{shop}{path}", timeout=5, verify=str(authority))
            if answer.status_code != 200 or not LexborHTMLParser(answer.text).css(selector):
                raise AssertionError(f"{path} failed")


def seconds_each(contenders: dict[str, Contender]) -> dict[str, float]:
    """Return the median processor seconds of one probe, all contenders taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(ROUNDS + 1):
        for name, contender in contenders.items():
            before = contender.busy()
            for _ in range(COUNT):
                contender.probe()
            if turn:  # the first one fills caches
                taken[name].append((contender.busy() - before) / COUNT)
    return {name: statistics.median(times) for name, times in taken.items()}


def processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time a program has used."""
    return float(sum(psutil.Process(process.pid).cpu_times()[:2]))


def measure(folder: Path, scheme: str, shop: Shop) -> dict[str, float]:
    """Return the seconds of every contender over one scheme."""
    url = shop.https if scheme == "https" else shop.http
    ours = journeys(url)
    (folder / scheme).mkdir()
    with blackbox(folder, shop.authority) as (exporter, process):
        return seconds_each(
            {
                "probe": Contender(lambda: void(our_run(ours["probe"], shop))),
                "probe, recorded": Contender(with_record(folder / scheme, ours["probe"], shop)),
                "blackbox exporter": Contender(
                    lambda: ask_exporter(exporter, url), lambda: processor_seconds(process)
                ),
                "journey": Contender(lambda: void(our_run(ours["journey"], shop))),
                "with requests": Contender(lambda: with_requests(url, shop.authority)),
            }
        )


def void(_: object) -> None:
    """Drop a result."""


def main() -> None:
    """Measure, print the table and the ratios."""
    needs("prometheus-blackbox-exporter")
    configure_logging(style="human", level="warning")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with demo_shop(folder) as shop:
            found = {scheme: measure(folder, scheme, shop) for scheme in ("http", "https")}
    print("processor time each, and how many a core can do in a second")
    print(f"{'':26} {'HTTP':>10} {'':>8} {'HTTPS':>11} {'':>8}")
    for name in found["http"]:
        columns = [
            f"{found[scheme][name] * MICROSECONDS:9,.0f} µs {1 / found[scheme][name]:7,.0f}"
            for scheme in found
        ]
        print(f"{name:26} {'  '.join(columns)}")
    print(json.dumps(ratios(found)))


def ratios(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return how many times as many of ours a core can do as of the peers'."""
    return {
        f"{name}_{scheme}": round(each[peer] / each[ours], 2)
        for scheme, each in found.items()
        for name, ours, peer in (
            ("probes_of_blackbox", "probe", "blackbox exporter"),
            ("recorded_probes_of_blackbox", "probe, recorded", "blackbox exporter"),
            ("journeys_of_requests", "journey", "with requests"),
        )
    }


if __name__ == "__main__":
    main()
