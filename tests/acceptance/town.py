"""The whole service beside the demo shop, with time given: nothing here waits or sleeps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from monitor.clock import FakeClock
from monitor.config.load import load_configuration
from monitor.demo import RunningShop, running_shop
from monitor.demo_run import write_demo_folder
from monitor.service import Service
from monitor.settings import load_settings
from probes.host import HostFacts
from probes.secrets import EnvironmentSecrets
from tests.acceptance.visitor import Visitor
from tests.sinks import HttpSink, http_sink

PASSWORD = "a-password-only-for-probes"
STEP_SECONDS = 5
QUIET_HOST = HostFacts(
    cpu_ratio=0.1,
    load_per_cpu=0.1,
    memory_ratio=0.2,
    memory_available_bytes=10**10,
    swap_ratio=0.0,
    disk_ratio=0.3,
    disk_free_bytes=10**11,
    process_cpu_ratio=0.1,
    process_memory_bytes=10**8,
    process_open_files=50,
    process_open_files_ratio=0.05,
    process_threads=20,
    booted_at_timestamp_seconds=0.0,
)


class Town:
    """A shop, the service that watches it, and the channel where the engineer on call listens."""

    def __init__(self, folder: Path, shop: RunningShop, sink: HttpSink) -> None:
        self.shop, self.sink, self.clock = shop, sink, FakeClock()
        config = folder / "config"
        write_demo_folder(config, shop.url)
        monitor_yml = config / "monitor.yml"
        said = monitor_yml.read_text("utf-8").replace("kind: console", "kind: webhook")
        said = said.replace("audience: oncall", f'settings: {{url: "{sink.url}"}}')
        monitor_yml.write_text(said, "utf-8")
        self._config, self._data = config, folder / "data"
        self._open()

    def _open(self) -> None:
        environ = {"MONITOR_SECRET_SHOP_PASSWORD": PASSWORD}
        settings = load_settings(environ, config=self._config, data=self._data)
        settings = settings.model_copy(update={"allowed_hosts": ("testserver",)})
        self.service = Service(
            settings.listening_on(8080),
            load_configuration(self._config),
            EnvironmentSecrets(environ),
            clock=self.clock,
            read_host=lambda: QUIET_HOST,
        )
        self.service.prepare()
        self.visitor = Visitor(TestClient(self.service.app))

    def restart(self) -> None:
        """End the service as a kill may: without the last samples; start another."""
        self.service.stop()
        shutil.rmtree(self._data / "samples")
        self._open()

    def pass_time(self, seconds: int, *, step: int = STEP_SECONDS) -> None:
        """Let time go by: every journey runs once a step, then every duty is done."""
        for _ in range(0, seconds, step):
            self.clock.advance(step)
            for journey in self.service.holder.current.journeys:
                self.service.pipeline.tick(journey, lambda: False)
            for _, duty in self.service.duties().values():
                duty()
            self.service.worker.deliver_due(self.clock.now())

    def metrics(self) -> str:
        """Return what a scrape would read."""
        return self.service.metrics.render().decode()

    def told(self) -> list[tuple[str, str]]:
        """Return (event, subject) of everything the engineer on call was told, in order."""
        bodies: list[dict[str, Any]] = [json.loads(post.body) for post in self.sink.posts]
        return [(body["event"], body["subject"]) for body in bodies]

    def events(self) -> list[str]:
        """Return the events the engineer on call was told of, in order."""
        return [event for event, _ in self.told()]


@contextmanager
def running_town(folder: Path) -> Iterator[Town]:
    """Give a town in which everything works and every journey has passed a few times."""
    with running_shop(probe_password=PASSWORD) as shop, http_sink() as sink:
        town = Town(folder, shop, sink)
        try:
            town.pass_time(15)
            yield town
        finally:
            town.service.stop()
