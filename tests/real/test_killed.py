"""Killed at any instant under load: nothing accepted is lost or doubled, and all are told."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from monitor.storage.engine import open_engine
from monitor.storage.schema import alerts, incidents, outbox, timeline
from monitor.storage.store import Store
from tests.real.process import ROOT, clean_environment, wait_for
from tests.sinks import HttpSink, http_sink

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = int(os.environ.get("MONITOR_TEST_KILLS", "50"))  # of each database
SEED = int(os.environ.get("MONITOR_TEST_SEED", "20261122"))
LONGEST_LIFE_SECONDS = 0.3
SENDERS = 4
COMPONENTS = ("login", "search", "checkout", "back-office")


class Lives:
    """The server that is reborn for every kill."""

    def __init__(self, url: str, sink: HttpSink) -> None:
        command = [sys.executable, "-m", "tests.real.reborn", url, sink.url]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean_environment(),
        )
        self.port = int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def begin(self) -> int:
        """Begin a life and return its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self._line())

    def end(self) -> None:
        """End what starts the lives; they are ended one by one before."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Senders:
    """Post alerts without a pause, each batch until it is accepted; remember what was."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.accepted: set[str] = set()
        self.resolved: set[str] = set()
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self._send, args=(number, random.Random(seed + number)))
            for number in range(SENDERS)
        ]

    def _send(self, sender: int, dice: random.Random) -> None:
        count = 0
        while not self.stopping.is_set():
            names = [f"{sender}.{count + n}" for n in range(dice.randint(1, 6))]
            count += len(names)
            began = datetime.now(UTC)
            if self._post_until_accepted([alert(name, began) for name in names]):
                self.accepted.update(names)
            if dice.random() < 0.3 and not self.stopping.is_set():
                over = [alert(name, began, over=True) for name in names]
                if self._post_until_accepted(over):
                    self.resolved.update(names)

    def _post_until_accepted(self, batch: list[dict[str, object]]) -> bool:
        body = json.dumps(batch)
        while not self.stopping.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("POST", "/api/v2/alerts", body, JSON)
                if connection.getresponse().status == 200:
                    return True
            except (OSError, http.client.HTTPException):
                continue  # it was killed; nobody knows whether this was stored
            finally:
                connection.close()
        return False


JSON = {"content-type": "application/json"}


def alert(name: str, began: datetime, *, over: bool = False) -> dict[str, object]:
    """Return one alert of one of four components, critical as a page is."""
    number = int(name.split(".")[1])
    labels = {
        "alertname": "JourneyDown",
        "severity": "critical",
        "component": COMPONENTS[number % len(COMPONENTS)],
        "cause": f"c{number % 40}",
        "instance": name,
    }
    end = datetime.now(UTC) if over else began + timedelta(hours=1)
    return {"labels": labels, "startsAt": began.isoformat(), "endsAt": end.isoformat()}


@contextmanager
def load(port: int) -> Iterator[Senders]:
    """Post alerts all the while."""
    senders = Senders(port, SEED)
    for thread in senders.threads:
        thread.start()
    try:
        yield senders
    finally:
        senders.stopping.set()
        for thread in senders.threads:
            thread.join()


def check_stored(store: Store, senders: Senders) -> None:
    """Every accepted alert is there once, every incident once, each with its line and message."""
    accepted, resolved = set(senders.accepted), set(senders.resolved)
    with store.read() as connection:
        rows = connection.execute(
            select(alerts.c.labels, alerts.c.incident_id, alerts.c.open_marker)
        ).all()
        opened = connection.execute(select(incidents.c.id, incidents.c.key)).all()
        lines = set(connection.execute(select(timeline.c.incident_id)).scalars())
        about = set(connection.execute(select(outbox.c.incident_id)).scalars())
        keys = Counter(connection.execute(select(outbox.c.key)).scalars())
    stored = Counter(row.labels["instance"] for row in rows)
    assert accepted <= set(stored)
    assert max(stored.values(), default=1) == 1
    assert all(row.incident_id is not None for row in rows)
    assert not {row.labels["instance"] for row in rows if row.open_marker == 1} & resolved
    assert max(Counter(row.key for row in opened).values(), default=1) == 1
    assert {row.id for row in opened} == lines == about
    assert max(keys.values(), default=1) == 1


def states(store: Store) -> Counter[str]:
    """Return how many notifications stand how."""
    with store.read() as connection:
        return Counter(connection.execute(select(outbox.c.state)).scalars())


def check_told(store: Store, sink: HttpSink) -> None:
    """Every notification that counts as sent has arrived, at least once, under its one id."""
    with store.read() as connection:
        sent = set(
            connection.execute(select(outbox.c.key).where(outbox.c.state == "sent")).scalars()
        )
        known = set(connection.execute(select(outbox.c.key)).scalars())
    assert sent
    assert sent <= set(sink.ids()) <= known


def test_killed_at_any_instant_nothing_is_lost_or_doubled(database_url: str) -> None:
    """SIGKILL again and again under load, on one database; a last life tells what is left."""
    print(f"seed {SEED}, {KILLS} kills; MONITOR_TEST_SEED and MONITOR_TEST_KILLS change them")
    dice = random.Random(SEED)
    store = Store(open_engine(database_url))
    with http_sink() as sink:
        lives = Lives(database_url, sink)
        try:
            with load(lives.port) as senders:
                for number in range(KILLS):
                    life = lives.begin()
                    before = len(senders.accepted)
                    wait_for(lambda: len(senders.accepted) > before, "accepted alert", pause=0.005)  # noqa: B023 - called at once
                    time.sleep(dice.uniform(0, LONGEST_LIFE_SECONDS))
                    os.kill(life, signal.SIGKILL)
                    if number % 10 == 0:
                        check_stored(store, senders)
            life = lives.begin()
            wait_for(lambda: not {"queued", "sending"} & set(states(store)), "empty outbox")
            os.kill(life, signal.SIGKILL)
        finally:
            lives.end()
        check_stored(store, senders)
        check_told(store, sink)
        assert set(states(store)) <= {"sent", "dropped"}
    store.close()
