"""One team's servers on this machine, from the very files that docker-compose.yml mounts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from monitor.demo import RunningShop, running_shop
from monitor.demo_run import write_demo_folder
from tests.deploy.compose import ROOT, place
from tests.servers import find_program, free_port
from tests.sinks import HttpSink, http_sink

PASSWORD = "a-password-only-for-probes"
DEPLOY = ROOT / "docs" / "deploy"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Team:
    """Where each server is reached."""

    shop: RunningShop
    sink: HttpSink
    monitor: str
    prometheus: str
    alertmanager: str

    def query(self, expression: str) -> list[Any]:
        """Return what Prometheus answers to an instant query."""
        answer = requests.get(
            f"{self.prometheus}/api/v1/query", params={"query": expression}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["data"]["result"]
        return found

    def incidents(self) -> list[dict[str, Any]]:
        """Return the incidents that the public status page tells of."""
        answer = requests.get(f"{self.monitor}/api/v2/summary.json", timeout=10)
        found: list[dict[str, Any]] = answer.json()["incidents"]
        return found


@contextmanager
def running_team(folder: Path, database_url: str) -> Iterator[Team]:
    """Run shop, monitor, Prometheus and Alertmanager; skipped by the caller where not installed."""
    subprocess.run(["sh", DEPLOY / "make-secrets.sh", folder], check=True, capture_output=True)
    monitor, prometheus, alertmanager = (free_port() for _ in range(3))
    here = {
        "monitor:8080": f"127.0.0.1:{monitor}",
        "alertmanager:9093": f"127.0.0.1:{alertmanager}",
        "localhost:9090": f"127.0.0.1:{prometheus}",
        "/run/secrets": str(folder / "secrets"),
    }
    with ExitStack() as stack:
        shop = stack.enter_context(running_shop(probe_password=PASSWORD))
        sink = stack.enter_context(http_sink())
        stack.enter_context(_monitor(folder, shop, sink, database_url, monitor))
        stack.enter_context(_alertmanager(folder, alertmanager))
        stack.enter_context(_prometheus(folder, here, prometheus))
        urls = (f"http://127.0.0.1:{port}" for port in (monitor, prometheus, alertmanager))
        yield Team(shop, sink, *urls)


def wait_for(condition: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Return once the condition holds; a server that does not answer yet does not fulfil it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except requests.ConnectionError:
            pass  # not up yet
        time.sleep(0.2)
    raise AssertionError(f"it did not come about in {seconds} s")


@contextmanager
def _monitor(
    folder: Path, shop: RunningShop, sink: HttpSink, database_url: str, port: int
) -> Iterator[None]:
    config = folder / "config"
    write_demo_folder(config, shop.url)
    file = config / "monitor.yml"
    said = file.read_text("utf-8").replace("kind: console", "kind: webhook")
    said = said.replace("audience: oncall", f'settings: {{url: "{sink.url}"}}')
    file.write_text(said, "utf-8")
    environ = {
        "MONITOR_RULES": "prometheus",
        "MONITOR_DATABASE_URL": database_url,
        "MONITOR_ALERTS_TOKEN_FILE": str(folder / "secrets" / "alerts_token"),
        "MONITOR_METRICS_TOKEN_FILE": str(folder / "secrets" / "metrics_token"),
        "MONITOR_SECRET_SHOP_PASSWORD": PASSWORD,
    }
    data = folder / "data"
    options = ["--config", config, "--data", data, "--port", str(port)]
    command = [sys.executable, "-m", "monitor", "serve", *options]
    ready = f"http://127.0.0.1:{port}/-/ready"
    with _running(command, folder / "monitor.log", ready, environ):
        yield


@contextmanager
def _prometheus(folder: Path, here: Mapping[str, str], port: int) -> Iterator[None]:
    program = find_program("prometheus")
    assert program is not None
    file = folder / "prometheus.yml"
    file.write_text(place("prometheus", (DEPLOY / "prometheus.yml").read_text(), dict(here)))
    options = [
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    ready = f"http://127.0.0.1:{port}/-/ready"
    with _running([program, *options], folder / "prometheus.log", ready):
        yield


@contextmanager
def _alertmanager(folder: Path, port: int) -> Iterator[None]:
    program = find_program("prometheus-alertmanager") or find_program("alertmanager")
    assert program is not None
    options = [
        f"--config.file={DEPLOY / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    ready = f"http://127.0.0.1:{port}/-/ready"
    with _running([program, *options], folder / "alertmanager.log", ready):
        yield


@contextmanager
def _running(
    command: list[Any], log: Path, ready: str, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a server until the end; its log is shown when it does not become ready."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=out,
            stderr=out,
            env={**os.environ, **(environ or {})},
        )
    try:
        wait_for(lambda: _is_ready(process, ready, log))
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _is_ready(process: subprocess.Popen[bytes], ready: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text(errors="replace")[-3000:]
    return requests.get(ready, timeout=5).status_code == 200
