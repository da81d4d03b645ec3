"""`monitor serve` beside the demo shop and a webhook, for tests that meet the real process."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor.demo import RunningShop, running_shop
from monitor.demo_run import write_demo_folder
from tests.real.process import Terminal, monitor, wait_for
from tests.sinks import HttpSink, http_sink

SHOP_PASSWORD = "a-password-only-for-probes"
ADMIN_TOKEN = "a-token-for-the-tests-alone"


class Town:
    """A shop that can be broken, an engineer who hears of it, and a service to start and kill."""

    def __init__(self, folder: Path, shop: RunningShop, sink: HttpSink, database: str = "") -> None:
        self.shop, self.sink, self.database = shop, sink, database
        self.config, self.data = folder / "config", folder / "data"
        write_demo_folder(self.config, shop.url)
        said = self.monitor_yml.read_text("utf-8").replace("kind: console", "kind: webhook")
        said = said.replace("audience: oncall", f'settings: {{url: "{sink.url}"}}')
        self.monitor_yml.write_text(said, "utf-8")
        checkout = self.config / "journeys" / "checkout.yml"  # silent only after 30 s: no restart
        text = checkout.read_text("utf-8").replace("interval: 5s", "interval: 10s")
        checkout.write_text(text, "utf-8")

    @property
    def monitor_yml(self) -> Path:
        """The main file of the configuration."""
        return self.config / "monitor.yml"

    @contextmanager
    def service(self, replica: str = "") -> Iterator[Served]:
        """Run the service on this town's folders; each replica has data of its own."""
        data = self.data / replica
        command = ("serve", "--config", self.config, "--data", data, "--port", "0")
        environ = {
            "MONITOR_SECRET_SHOP_PASSWORD": SHOP_PASSWORD,
            "MONITOR_DATABASE_URL": self.database,
            "MONITOR_API_TOKEN": ADMIN_TOKEN,
        }
        with monitor(*command, environ=environ) as terminal:
            yield Served(terminal)

    def told(self) -> list[tuple[str, str]]:
        """Return (event, id) of what arrived, each once, in order of first arrival."""
        with self.sink.arrived:
            posts = list(self.sink.posts)
        arrived = [
            (json.loads(post.body)["event"], post.headers["X-Notification-Id"]) for post in posts
        ]
        return list(dict.fromkeys(arrived))

    def wait_until_told(self, event: str) -> str:
        """Return the id of the first notification of that event."""

        def found() -> str:
            return next((key for name, key in self.told() if name == event), "")

        return wait_for(found, f"notification {event}", seconds=60)


class Served:
    """A running `monitor serve`: its terminal and its public doors."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        said = terminal.line(r"Console +http")
        self.url = re.findall(r"(http://\S+)/console", said)[0]

    def get(self, path: str) -> str:
        """Return what a path answers."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def summary(self) -> dict[str, Any]:
        """Return the public state of everything."""
        answer: dict[str, Any] = json.loads(self.get("/api/v2/summary.json"))
        return answer

    def incidents(self) -> list[str]:
        """Return the public ids of the open incidents."""
        return [one["id"] for one in self.summary()["incidents"]]

    def verdict(self, journey: str) -> float | None:
        """Return the last published verdict of a journey: 1 up, 0 down, None for none."""
        return self.metric(f'probe_up{{journey="{journey}",location="local"}}')

    def metric(self, series: str) -> float | None:
        """Return the value of a series of our own metrics."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.get("/metrics"), re.MULTILINE)
        return float(found[1]) if found else None

    def wait_until_all_is_well(self) -> None:
        """Return once every component is operational."""

        def well() -> bool:
            return all(one["status"] == "operational" for one in self.summary()["components"])

        wait_for(well, "operational shop", seconds=45)

    def kill(self) -> None:
        """End it without a word."""
        self.terminal.end(signal.SIGKILL)


@contextmanager
def town(folder: Path, database: str = "") -> Iterator[Town]:
    """Give a town whose shop works."""
    with running_shop(probe_password=SHOP_PASSWORD) as shop, http_sink() as sink:
        yield Town(folder, shop, sink, database)
