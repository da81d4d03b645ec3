"""A shop's exporter, the real Prometheus that watches it, and our whole service beside them."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import uvicorn
from sqlalchemy import func, select

from monitor.config.load import load_configuration
from monitor.service import Service
from monitor.settings import load_settings
from monitor.storage import incidents as rows
from monitor.storage.facts import read_fact
from monitor.storage.incidents import Incident
from monitor.storage.schema import alerts
from probes.secrets import EnvironmentSecrets
from tests.monitor.use_cases.desk import timeline_of
from tests.real.alertmanager import is_up
from tests.real.process import wait_for
from tests.servers import find_program, free_port
from tests.sinks import HttpSink, http_sink

PROMETHEUS = find_program("prometheus")
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s,
  external_labels: {{environment: test}}}}
rule_files: [rules.yml]
scrape_configs:
- job_name: shop
  static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]
alerting:
  alertmanagers:
  - static_configs: [{{targets: ['127.0.0.1:{receiver}']}}]
"""
RULES = """
groups:
- name: shop
  rules:
  - alert: Down
    expr: shop_ok == 0
    for: {hold}
    labels: {{severity: critical}}
"""
MONITOR = """
site: {{name: Shop, url: 'http://127.0.0.1/'}}
components:
- {{id: checkout, name: Checkout}}
- {{id: search, name: Search}}
channels:
- {{name: pager, kind: webhook, settings: {{url: '{sink}'}}}}
reconcile:
- {{name: them, kind: {kind}, url: '{url}', interval: {every}, settle: 6s}}
"""


JOURNEY = """
name: home
component: search
interval: 1h
steps:
- {{name: open, get: '{url}', expect: {{status: 200}}}}
"""


TO_US = """
route: {{receiver: us, group_by: [component], group_wait: 0s, group_interval: 1s,
  repeat_interval: 1h}}
receivers:
- name: us
  webhook_configs: [{{url: 'http://127.0.0.1:{port}/api/v1/alertmanager'}}]
"""


class Exporter:
    """What a shop says of itself: which parts of it are broken."""

    def __init__(self) -> None:
        self.series: dict[str, int] = {}
        exporter = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{name} {v}\n" for name, v in exporter.series.items()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):  # a scraper that gave up
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = int(self.server.server_address[1])
        self.all_well("checkout", "search")

    def all_well(self, *components: str, count: int = 1, first: int = 0) -> None:
        """Have parts of these components that work, `count` of each, numbered from `first` on."""
        self.set(1, *components, count=count, first=first)

    def broken(self, *components: str, count: int = 1) -> None:
        """Have them broken."""
        self.set(0, *components, count=count)

    def set(self, value: int, *components: str, count: int = 1, first: int = 0) -> None:
        """Let the parts of these components say so."""
        for component in components:
            for n in range(first, first + count):
                self.series[f'shop_ok{{component="{component}",part="{n}"}}'] = value


@dataclass
class World:
    """Everything but our service, and the means to start and stop each of it."""

    folder: Path
    exporter: Exporter
    sink: HttpSink
    hold: str = "2s"
    resend: str = "1s"
    every: str = "1s"  # how often we ask
    port: int = field(default_factory=free_port)  # where our service is reached
    prometheus_port: int = field(default_factory=free_port)
    receiver: int = 0  # whom Prometheus tells: us, unless set
    kind: str = "prometheus"
    server_url: str = ""

    @property
    def prometheus_url(self) -> str:
        """The address of Prometheus."""
        return f"http://127.0.0.1:{self.prometheus_port}"

    @contextmanager
    def prometheus(self) -> Iterator[str]:
        """Run Prometheus on its folder; starting it again continues."""
        assert PROMETHEUS is not None
        home = self.folder / "prometheus"
        home.mkdir(exist_ok=True)
        receiver = self.receiver or self.port
        said = CONFIG.format(exporter=self.exporter.port, receiver=receiver)
        (home / "prometheus.yml").write_text(said)
        (home / "rules.yml").write_text(RULES.format(hold=self.hold))
        command = [
            str(PROMETHEUS),
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
            f"--rules.alert.resend-delay={self.resend}",
        ]
        with (home / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(lambda: is_up(f"{self.prometheus_url}/-/ready"), "Prometheus")
            yield self.prometheus_url
        finally:
            process.terminate()
            process.wait(timeout=30)

    def firing(self) -> int:
        """Return how many alerts Prometheus says fire."""
        answer = requests.get(f"{self.prometheus_url}/api/v1/alerts", timeout=10).json()
        return sum(alert["state"] == "firing" for alert in answer["data"]["alerts"])

    def until_firing(self, count: int) -> None:
        """Return once exactly so many alerts fire."""
        wait_for(lambda: self.firing() == count, f"{count} firing alerts", seconds=60)

    @contextmanager
    def us(self) -> Iterator[Us]:
        """Run our whole service on its folder; starting it again continues."""
        config = self.folder / "config"
        config.mkdir(exist_ok=True)
        url = self.server_url or self.prometheus_url
        said = MONITOR.format(sink=self.sink.url, kind=self.kind, url=url, every=self.every)
        (config / "monitor.yml").write_text(said)
        (config / "alert_rules").mkdir(exist_ok=True)
        (config / "journeys").mkdir(exist_ok=True)
        journey = JOURNEY.format(url=f"http://127.0.0.1:{self.exporter.port}/")
        (config / "journeys" / "home.yml").write_text(journey)
        settings = load_settings({}, config=config, data=self.folder / "data")
        changed = {"rules": "prometheus", "allowed_hosts": ("127.0.0.1",)}
        settings = settings.model_copy(update=changed)
        service = Service(
            settings.listening_on(self.port), load_configuration(config), EnvironmentSecrets({})
        )
        options = uvicorn.Config(service.app, port=self.port, log_config=None, lifespan="off")
        server = uvicorn.Server(options)
        thread = threading.Thread(target=server.run)
        service.start()
        thread.start()
        try:
            wait_for(lambda: server.started, "our own server", pause=0.02)
            yield Us(service)
        finally:
            server.should_exit = True
            thread.join()
            service.stop()

    def events(self) -> list[str]:
        """Return the events the pager was told of, in order."""
        with self.sink.arrived:
            bodies: list[dict[str, Any]] = [json.loads(post.body) for post in self.sink.posts]
        return [body["event"] for body in bodies]


@dataclass(frozen=True)
class Us:
    """Our service while it runs."""

    service: Service

    def incidents(self) -> list[Incident]:
        """Return all incidents, oldest first."""
        with self.service.store.read() as connection:
            return rows.list_incidents(connection, rows.IncidentFilter())[::-1]

    def lines(self, incident: Incident) -> list[str]:
        """Return the kinds of an incident's lines."""
        with self.service.store.read() as connection:
            return [row["kind"] for row in timeline_of(connection, incident.id)]

    def alerts(self) -> dict[str, int]:
        """Return how many alerts are in which state; each is counted once."""
        statement = select(alerts.c.state, func.count(alerts.c.fingerprint.distinct()))
        with self.service.store.read() as connection:
            counts = connection.execute(statement.group_by(alerts.c.state))
            return {row.state: row[1] for row in counts}

    def until_alerts(self, expected: dict[str, int], seconds: float) -> None:
        """Return once exactly so many alerts are in these states."""
        wait_for(lambda: self.alerts() == expected, f"alerts {expected}", seconds)

    def until(self, condition: Callable[[list[Incident]], object], what: str) -> list[Incident]:
        """Return the incidents once they fulfil a condition."""
        wait_for(lambda: condition(self.incidents()), what, seconds=60)
        return self.incidents()

    def until_asked(self) -> None:
        """Return once the other server has been asked anew, twice."""
        for _ in range(2):
            self._until_asked_since(self._asked())

    def _until_asked_since(self, seen: object) -> None:
        wait_for(lambda: self._asked() not in (None, seen), "look at the server", seconds=90)

    def _asked(self) -> object:
        with self.service.store.read() as connection:
            return read_fact(connection, "reconciled:them")


@contextmanager
def world(folder: Path, **changes: Any) -> Iterator[World]:
    """Give a shop that works, watched by nobody yet."""
    exporter = Exporter()
    thread = threading.Thread(target=exporter.server.serve_forever)
    thread.start()
    try:
        with http_sink() as sink:
            yield World(folder, exporter, sink, **changes)
    finally:
        exporter.server.shutdown()
        thread.join()
        exporter.server.server_close()


def breathe(seconds: float) -> None:
    """Let real servers live through some of their intervals."""
    time.sleep(seconds)
