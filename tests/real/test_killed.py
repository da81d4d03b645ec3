"""Killed at any instant under load: nothing accepted is lost or doubled, and all are told.

Fifty instants on each database, and some more with two replicas on one PostgreSQL. Each second of
them opens incidents whose escalations run on over many deaths.
"""

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
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from monitor.storage.engine import open_engine
from monitor.storage.schema import (
    alerts,
    escalation_steps,
    escalations,
    incidents,
    outbox,
    timeline,
)
from monitor.storage.store import Store
from tests.real import reborn
from tests.real.process import ROOT, clean_environment, wait_for
from tests.sinks import HttpSink, http_sink

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = int(os.environ.get("MONITOR_TEST_KILLS", "50"))  # of each database
REPLICA_KILLS = 10  # in turn, of either
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
        "cause": f"{began:%M:%S}",  # so that incidents open all the while
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


def check_escalated(store: Store) -> None:
    """No step was skipped, taken twice or taken too soon, and each has messages of its own."""
    with store.read() as connection:
        columns = (escalations.c.incident_id, escalations.c.sequence)
        known = {row[0]: row[1] for row in connection.execute(select(*columns))}
        order = (escalation_steps.c.incident_id, escalation_steps.c.sequence)
        taken = connection.execute(select(escalation_steps).order_by(*order)).all()
        messages = set(connection.execute(select(outbox.c.key)).scalars())
    keys = Counter(key for step in taken for key in step.message_keys)
    assert set(keys) <= messages
    assert max(keys.values(), default=1) == 1
    assert all(step.message_keys for step in taken)
    wait = timedelta(seconds=reborn.STEP_SECONDS)
    for incident_id, sequence in known.items():
        steps = [step for step in taken if step.incident_id == incident_id]
        assert [step.sequence for step in steps] == list(range(1, sequence + 1))
        for before, after in pairwise(steps):
            if after.why == "waited":
                assert after.position == before.position + 1
                assert after.at - before.at >= wait


def escalated(store: Store) -> bool:
    """Tell whether every escalation has come to its end, with a step that had to be waited for."""
    with store.read() as connection:
        left = set(connection.execute(select(escalations.c.state)).scalars())
        last = select(escalation_steps.c.id).where(escalation_steps.c.position == len(reborn.STEPS))
        return left <= {"exhausted", "ended"} and connection.execute(last).first() is not None


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


def is_done(store: Store) -> bool:
    """Tell whether everything that had to be told was given to its channel."""
    return escalated(store) and not {"queued", "sending"} & set(states(store))


def check_everything(store: Store, senders: Senders, sink: HttpSink) -> None:
    """What holds at the end."""
    check_stored(store, senders)
    check_escalated(store)
    check_told(store, sink)
    assert set(states(store)) <= {"sent", "dropped"}


def test_killed_at_any_instant_nothing_is_lost_or_doubled(database_url: str) -> None:
    """SIGKILL again and again under load, on one database; a last life tells what is left."""
    print(f"seed {SEED}, {KILLS} kills; MONITOR_TEST_SEED and MONITOR_TEST_KILLS change them")
    dice = random.Random(SEED)
    with closing(Store(open_engine(database_url))) as store, http_sink() as sink:
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
                        check_escalated(store)
            life = lives.begin()
            wait_for(lambda: is_done(store), "end of every escalation, empty outbox", seconds=120)
            os.kill(life, signal.SIGKILL)
        finally:
            lives.end()
        check_everything(store, senders, sink)


def test_two_replicas_that_are_killed_in_turn_escalate_as_one(postgres_url: str) -> None:
    """Both look for due steps all the time, either may die at any: each step is taken once."""
    print(f"seed {SEED}; MONITOR_TEST_SEED changes it")
    dice = random.Random(SEED)
    with closing(Store(open_engine(postgres_url))) as store, http_sink() as sink:
        replicas = [Lives(postgres_url, sink) for _ in range(2)]
        try:
            lives = [one.begin() for one in replicas]
            with load(replicas[0].port) as senders:
                for _ in range(REPLICA_KILLS):
                    time.sleep(dice.uniform(0, 2 * LONGEST_LIFE_SECONDS))
                    doomed = dice.randrange(2)
                    os.kill(lives[doomed], signal.SIGKILL)
                    lives[doomed] = replicas[doomed].begin()
                wait_for(lambda: senders.accepted, "accepted alert")
            wait_for(lambda: is_done(store), "end of every escalation, empty outbox", seconds=120)
            for life in lives:
                os.kill(life, signal.SIGKILL)
        finally:
            for one in replicas:
                one.end()
        check_everything(store, senders, sink)
