"""From a fault in the shop to the notification: this service beside the usual chain.

Needs prometheus, prometheus-alertmanager and prometheus-blackbox-exporter. Both watch the same
small target every 5 s and post to the same kind of webhook sink. The chain's rule has no `for`
and its Alertmanager does not wait; ours confirms each failure by a second run before it pages.
How long after a scrape Prometheus evaluates depends on chance (a hash of names and ports), so
three chains run. Faults begin at evenly spread moments of the interval, in any order, so that no
one's rhythm is favoured. Takes about five minutes (`ROUNDS` faults, each with its recovery).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.peers import Sink, free_port, needs, running, wait_for

ROUNDS = 9
INTERVAL_SECONDS = 5
QUIET_SECONDS = 25  # for both to see the recovery before the next fault
PATIENCE_SECONDS = 60
CHAINS = ("chain 1", "chain 2", "chain 3")
WORDS = {
    "ours": (b"incident_opened", b"incident_reopened"),  # soon after the last: the same one
    **dict.fromkeys(CHAINS, (b'"status":"firing"',)),
}


class Target:
    """A page that works or answers 500, and remembers who asked while it was broken."""

    def __init__(self) -> None:
        self.broken = False
        self.first_refused: dict[str, float] = {}
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if target.broken:
                    who = self.headers.get("X-Chain", "ours")
                    target.first_refused.setdefault(who, time.monotonic())
                body = b"broken" if target.broken else b"<h1>shop</h1>"
                self.send_response(500 if target.broken else 200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@dataclass(frozen=True)
class Chain:
    """The usual chain as it runs."""

    prometheus: str
    processes: list[subprocess.Popen[bytes]]


@contextmanager
def chain(folder: Path, target: str, sink: str, name: str = CHAINS[0]) -> Iterator[Chain]:
    """Run blackbox exporter, Prometheus and Alertmanager, as quick as they can be set.

    Its requests carry its name.
    """
    blackbox, prometheus, alertmanager, mesh = (free_port() for _ in range(4))
    every = f"{INTERVAL_SECONDS}s"
    (folder / "blackbox.yml").write_text(
        "modules: {page: {prober: http, timeout: 4s, http: "
        f"{{headers: {{X-Chain: {name}}}, preferred_ip_protocol: ip4}}}}}}\n"
    )
    (folder / "rules.yml").write_text(
        "groups: [{name: page, rules: [{alert: PageDown, expr: probe_success == 0}]}]\n"
    )
    (folder / "alertmanager.yml").write_text(
        "route: {receiver: sink, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
        f"receivers: [{{name: sink, webhook_configs: [{{url: '{sink}'}}]}}]\n"
    )
    (folder / "prometheus.yml").write_text(
        f"""global: {{scrape_interval: {every}, evaluation_interval: {every}}}
rule_files: [{folder}/rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
scrape_configs:
  - job_name: page
    metrics_path: /probe
    params: {{module: [page], target: ['{target}']}}
    static_configs: [{{targets: ['127.0.0.1:{blackbox}']}}]
"""
    )
    commands = {
        f"http://127.0.0.1:{blackbox}/-/healthy": [
            "prometheus-blackbox-exporter",
            f"--config.file={folder}/blackbox.yml",
            f"--web.listen-address=127.0.0.1:{blackbox}",
        ],
        f"http://127.0.0.1:{alertmanager}/-/ready": [
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/am",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
            f"--cluster.listen-address=127.0.0.1:{mesh}",
        ],
        f"http://127.0.0.1:{prometheus}/-/ready": [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{prometheus}",
        ],
    }
    with ExitStack() as stack:
        processes = [
            stack.enter_context(running(command, folder / f"chain-{index}.log"))
            for index, command in enumerate(commands.values())
        ]
        for ready in commands:
            wait_for(ready)
        yield Chain(f"http://127.0.0.1:{prometheus}", processes)


@contextmanager
def ours(folder: Path, target: str, sink: str) -> Iterator[None]:
    """Run `monitor serve` on a folder with one journey and one webhook channel."""
    (folder / "journeys").mkdir(parents=True)
    (folder / "monitor.yml").write_text(
        f"""site: {{name: Bench, url: "{target}"}}
components: [{{id: page, name: Page}}]
channels: [{{name: sink, kind: webhook, settings: {{url: "{sink}"}}}}]
"""
    )
    (folder / "journeys" / "page.yml").write_text(
        f"""name: page
component: page
interval: {INTERVAL_SECONDS}s
deadline: {INTERVAL_SECONDS}s
steps:
  - name: open
    get: {target}
    expect: {{status: 200}}
"""
    )
    port = free_port()
    command = [sys.executable, "-m", "monitor", "serve", "--config", str(folder)]
    command += ["--data", str(folder / "data"), "--port", str(port)]
    with running(command, folder / "ours.log"):
        wait_for(f"http://127.0.0.1:{port}/-/ready")
        yield


def rounds(target: Target, sinks: dict[str, Sink]) -> dict[str, list[tuple[float, float]]]:
    """Break and repair the target; return (from the fault, from the first failing run) in s."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in sinks}
    phases = [INTERVAL_SECONDS * number / ROUNDS for number in range(ROUNDS)]
    random.Random(7).shuffle(phases)
    for number, phase in enumerate(phases, 1):
        time.sleep(QUIET_SECONDS)
        time.sleep((phase - time.monotonic()) % INTERVAL_SECONDS)
        target.first_refused.clear()
        fault = time.monotonic()
        target.broken = True
        for name, sink in sinks.items():
            at = sink.wait(WORDS[name], fault, PATIENCE_SECONDS)
            seen[name].append((at - fault, at - target.first_refused[name]))
        target.broken = False
        print(f"round {number}/{ROUNDS}", file=sys.stderr, flush=True)
    return seen


def measured() -> dict[str, list[tuple[float, float]]]:
    """Return the figures of ours, and of all the chains together."""
    target, sinks = Target(), {name: Sink() for name in WORDS}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        for who in CHAINS:
            (folder / who).mkdir()
            stack.enter_context(chain(folder / who, target.url, sinks[who].url, who))
        stack.enter_context(ours(folder / "ours", target.url, sinks["ours"].url))
        seen = rounds(target, sinks)
    return {"ours": seen["ours"], "chain": [pair for name in CHAINS for pair in seen[name]]}


def main() -> None:
    """Measure, print the table and the ratios."""
    needs("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter")
    seen = measured()
    print(f"{ROUNDS} faults, both probing every {INTERVAL_SECONDS} s; seconds, median (max)")
    print(f"{'':8} {'fault to notification':>24} {'first failing run to it':>26}")
    medians = {}
    for who, pairs in seen.items():
        whole, own = ([pair[i] for pair in pairs] for i in (0, 1))
        medians[who] = (statistics.median(whole), statistics.median(own))
        print(
            f"{who:8} {medians[who][0]:15.2f} ({max(whole):.2f}) {medians[who][1]:18.2f} "
            f"({max(own):.2f})"
        )
    ratios = {
        "fault_to_notification_of_chain": round(medians["ours"][0] / medians["chain"][0], 3),
        "failing_run_to_notification_of_chain": round(medians["ours"][1] / medians["chain"][1], 3),
        "failing_run_to_notification_seconds": round(medians["ours"][1], 2),
    }
    print(json.dumps(ratios))


if __name__ == "__main__":
    os.environ.setdefault("MONITOR_LOG_LEVEL", "warning")
    main()
