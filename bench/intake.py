"""Alerts taken in, committed to disk, beside an Alertmanager, which keeps them in memory.

Needs prometheus-alertmanager; PostgreSQL is measured where it is installed. All get the same
bodies from the same client over 32 kept connections: warnings of 20 components with 7 labels and
3 annotations (510 bytes), as a Prometheus posts them. New alerts join one of 20 incidents,
repeated ones move their end. What counts is the processor time of the server, all of its threads,
until it has answered everything: the median of five rounds, in which all servers are measured one
after the other. PostgreSQL's own processes are not counted. SQLite is on disk with
`synchronous=FULL`, as shipped; PostgreSQL runs with `fsync=off`, which only spares it waiting.
Listing and waiting are wall time.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import psutil

from bench.peers import Sink, free_port, needs, running, wait_for
from tests.servers import postgres_program, postgres_server

CONNECTIONS = 32
COMPONENTS = 20
SINGLE, BATCHED = 2_000, 12_800  # alerts a round
ROUNDS = 5  # in which all are measured one after the other: a machine's speed changes
CURVE_BATCHES = (1, 4, 16, 64, 256)
CURVE_OPEN = (1_000, 10_000, 50_000)
NOTIFIED = 300
NOTIFIED_EVERY_SECONDS = 0.1
TIMEOUT_SECONDS = 120
SETTLE_SECONDS = 3
START_SECONDS = 120  # on a busy machine


def alert(number: int, *, minute: int = 0, kind: str = "a") -> dict[str, object]:
    """Return an alert as told in a given minute of its life."""
    now = datetime.now(UTC).replace(microsecond=0)
    component = f"part-{number % COMPONENTS}"
    text = f"{now:%Y-%m-%d}T"
    return {
        "labels": {
            "alertname": "LatencyHigh",
            "severity": "warning",
            "component": component,
            "instance": f"web-{kind}-{number:06}.eu.example:9100",
            "job": "shop",
            "region": "eu-west-1",
            "team": "payments",
        },
        "annotations": {
            "summary": f"Latency of {component} is high",
            "description": f"p99 of web-{number:06} is over 2 s for ten minutes",
            "runbook_url": "https://runbooks.example/LatencyHigh",
        },
        "startsAt": f"{text}00:00:00.123Z",
        "endsAt": f"{now + timedelta(minutes=30 + minute):%Y-%m-%dT%H:%M:%S}.123Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=latency",
    }


def requests(alerts: Sequence[dict[str, object]], size: int) -> list[bytes]:
    """Return whole HTTP requests of `size` alerts each."""
    found = []
    for start in range(0, len(alerts), size):
        body = json.dumps(alerts[start : start + size], separators=(",", ":")).encode()
        head = (
            "POST /api/v2/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Prometheus/2.42.0\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n"
        )
        found.append(head.encode() + body)
    return found


def post_all(port: int, messages: Sequence[bytes], connections: int = CONNECTIONS) -> None:
    """Send every message over a few kept connections, each waiting for its answers."""
    waiting = iter(messages)
    lock = threading.Lock()
    faults: list[str] = []

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    message = next(waiting, None)
                if message is None or faults:
                    return
                connection.sendall(message)
                answer = b""
                while b"\r\n\r\n" not in answer:
                    answer += connection.recv(65_536)
                if not answer.startswith(b"HTTP/1.1 200"):
                    faults.append(answer.decode("latin-1"))

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(faults[0])


@dataclass
class Server:
    """A server that takes alerts, and what was measured of it: rates by kind and batch size."""

    name: str
    port: int
    process: psutil.Process
    rates: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    def used(self) -> float:
        """Return processor seconds of the server alone."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def measure(self, kind: str, size: int, alerts: Sequence[dict[str, object]]) -> float:
        """Post alerts in batches of `size`; return alerts per core-second."""
        messages = requests(alerts, size)
        before = self.used()
        post_all(self.port, messages)
        rate = len(alerts) / max(0.01, self.used() - before)
        self.rates.setdefault((kind, size), []).append(rate)
        return rate


@contextmanager
def alertmanager(folder: Path, sink: str) -> Iterator[Server]:
    """Run an Alertmanager that groups by component, with its usual waits."""
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(
        "route: {receiver: sink, group_by: [component]}\n"
        f"receivers: [{{name: sink, webhook_configs: [{{url: '{sink}'}}]}}]\n"
    )
    port, mesh = free_port(), free_port()
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--cluster.listen-address=127.0.0.1:{mesh}",
    ]
    with running(command, folder / "log") as process:
        wait_for(f"http://127.0.0.1:{port}/-/ready", START_SECONDS)
        yield Server("Alertmanager", port, psutil.Process(process.pid))


@contextmanager
def ours(folder: Path, sink: str, database: str = "") -> Iterator[Server]:
    """Run `monitor serve` as it is shipped, with one webhook channel and nothing to probe."""
    (folder / "journeys").mkdir(parents=True)
    parts = "".join(f"  - {{id: part-{n}, name: Part {n}}}\n" for n in range(COMPONENTS))
    (folder / "monitor.yml").write_text(
        f"site: {{name: Bench, url: 'http://shop.example'}}\ncomponents:\n{parts}"
        f"channels: [{{name: sink, kind: webhook, settings: {{url: '{sink}'}}}}]\n"
    )
    (folder / "journeys" / "sink.yml").write_text(
        f"name: sink\ncomponent: part-0\ninterval: 1h\nsteps:\n"
        f"  - {{name: look, get: '{sink}', expect: {{status: 501}}}}\n"
    )
    port = free_port()
    command = [sys.executable, "-m", "monitor", "serve", "--config", str(folder)]
    command += ["--data", str(folder / "data"), "--port", str(port)]
    environ = {**os.environ, "MONITOR_DATABASE_URL": database, "MONITOR_LOG_LEVEL": "warning"}
    with running(command, folder / "log", env=environ) as process:
        wait_for(f"http://127.0.0.1:{port}/-/ready", START_SECONDS)
        yield Server("SQLite", port, psutil.Process(process.pid))


def listing_seconds(server: Server) -> tuple[int, float]:
    """Return how many alerts are listed and the wall time of the answer, the best of three."""
    url = f"http://127.0.0.1:{server.port}/api/v2/alerts"
    times = []
    for _ in range(3):
        began = time.perf_counter()
        with urllib.request.urlopen(url, timeout=120) as answer:
            body = answer.read()
        times.append(time.perf_counter() - began)
    return len(json.loads(body)), min(times)


def rates(servers: Sequence[Server]) -> None:
    """Measure new and repeated alerts, one at a time and 64 at a time, in rounds of all servers."""
    for size, count in ((1, SINGLE), (64, BATCHED)):
        for server in servers:
            server.measure("warm-up", size, [alert(n, kind=f"w{size}") for n in range(size * 64)])
        time.sleep(SETTLE_SECONDS)  # notifications of the incidents it opened are another matter
        for kind, minute in (("new", 0), ("repeated", 1)):
            for first in range(0, ROUNDS * count, count):
                numbers = range(first, first + count)
                some = [alert(n, kind=f"r{size}", minute=minute) for n in numbers]
                for server in servers:
                    server.measure(kind, size, some)


def curve(server: Server) -> list[tuple[int, dict[int, float]]]:
    """Return (open alerts, rate by batch size) of repeated alerts, with ever more of them open."""
    found, opened = [], 0
    for goal in CURVE_OPEN:
        server.measure("filled", 256, [alert(n, kind="c") for n in range(opened, goal)])
        opened = goal
        by_size = {}
        for size in CURVE_BATCHES:
            some = random.Random(size).sample(range(goal), min(goal, 500 * min(size, 8)))
            again = [alert(n, kind="c", minute=size) for n in some]
            by_size[size] = server.measure("repeated", size, again)
        found.append((goal, by_size))
    return found


def waits(server: Server, sink: Sink, count: int = NOTIFIED) -> list[float]:
    """Return the seconds from each POST's first byte to its notification's arrival."""
    found = []
    for number in range(count + 1):  # the first is not counted: much is done for the first time
        one = alert(number, kind="n")
        word = f"Waited{number}."
        labels = {"alertname": word.rstrip("."), "severity": "critical"}
        one |= {"labels": labels, "annotations": {"summary": word}}
        message = requests([one], 1)
        began = time.monotonic()
        post_all(server.port, message, connections=1)
        arrived = sink.wait((word.encode(),), began, 30)
        found.append(arrived - began)
        time.sleep(NOTIFIED_EVERY_SECONDS)
    return sorted(found[1:])


def table(servers: Sequence[Server]) -> dict[str, float]:
    """Print the median rates, and return our median shares of Alertmanager's in each round."""
    peer = servers[-1]
    print("alerts accepted per core-second        one at a time      64 at a time")
    shares = {}
    for kind in ("new", "repeated"):
        for server in servers:
            values = [median(server.rates[kind, size]) for size in (1, 64)]
            print(f"{kind:9} {server.name:24}" + "".join(f"{value:18,.0f}" for value in values))
            for size in (1, 64) if server is not peer else ():
                rounds = zip(server.rates[kind, size], peer.rates[kind, size], strict=True)
                key = f"{server.name} {kind} {size}".replace(" ", "_").lower()
                share = median(ours / theirs for ours, theirs in rounds)
                shares[f"{key}_of_alertmanager"] = round(share, 3)
    return shares


def main() -> None:
    """Measure, print the tables and the ratios."""
    needs("prometheus-alertmanager")
    programs = postgres_program()
    sink, quick = Sink(), Sink()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = [stack.enter_context(ours(folder / "sqlite", quick.url))]
        if programs is not None:
            database = stack.enter_context(postgres_server(programs))
            database.run("CREATE DATABASE monitor")
            server = stack.enter_context(
                ours(folder / "postgres", sink.url, database.url("monitor"))
            )
            server.name = "PostgreSQL"
            servers.append(server)
        servers.append(stack.enter_context(alertmanager(folder / "am", sink.url)))
        time.sleep(SETTLE_SECONDS)
        waited = waits(servers[0], quick)
        rates(servers)
        shares = table(servers)
        fresh = stack.enter_context(ours(folder / "curve", quick.url))
        bent = curve(fresh)
        count, seconds = listing_seconds(fresh)
        memory = fresh.process.memory_info().rss / 1e6
    p50, p99 = (waited[int(len(waited) * share)] * 1000 for share in (0.5, 0.99))
    print("\nSQLite, repeated alerts per core-second, by alerts open and batch size")
    print(f"{'':>8}" + "".join(f"{size:9}" for size in CURVE_BATCHES))
    for goal, by_size in bent:
        print(f"{goal:8,}" + "".join(f"{by_size[size]:9,.0f}" for size in CURVE_BATCHES))
    print(f"\nPOST to notification, new incident each: median {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"{count:,} open alerts listed in {seconds:.2f} s; resident {memory:.0f} MB")
    shares |= {"notification_p99_ms": round(p99), "listed_seconds": round(seconds, 2)}
    print(json.dumps(shares))


if __name__ == "__main__":
    os.environ.setdefault("MONITOR_LOG_LEVEL", "warning")
    main()
