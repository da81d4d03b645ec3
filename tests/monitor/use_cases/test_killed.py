"""A process killed at any instant has lost nothing it accepted, and doubled nothing."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.storage.engine import migrate, open_engine
from monitor.storage.schema import alerts, incidents, outbox, timeline
from monitor.storage.store import Store

KILLS = 10  # of each database
ROOT = Path(__file__).parents[3]


def receive_until_killed(url: str, first: int, seconds: float) -> list[int]:
    """Run the receiver, kill it `seconds` after its first alert; returns what it accepted."""
    command = [sys.executable, "-m", "tests.monitor.use_cases.alert_sender", url, str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    accepted = [int(process.stdout.readline())]
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    accepted += [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait()
    timer.join()
    process.stdout.close()
    return accepted


def check(store: Store, accepted: list[int]) -> None:
    """Every accepted alert is there once, on an incident with its line and its notification."""
    with store.read() as connection:
        rows = connection.execute(select(alerts.c.labels, alerts.c.incident_id)).all()
        opened = connection.execute(select(incidents)).mappings().all()
        lines = set(connection.execute(select(timeline.c.incident_id)).scalars())
        told = Counter(connection.execute(select(outbox.c.key)).scalars())
        about = set(connection.execute(select(outbox.c.incident_id)).scalars())
    stored = Counter(int(row.labels["instance"]) for row in rows)
    assert set(accepted) <= set(stored)
    assert max(stored.values()) == 1
    assert all(row.incident_id is not None for row in rows)
    keys = Counter(row["key"] for row in opened if row["open_marker"] == 1)
    assert max(keys.values(), default=1) == 1
    assert {row["id"] for row in opened} == lines == about
    assert max(told.values()) == 1


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_accepted_is_lost_and_nothing_doubled(database_url: str) -> None:
    """SIGKILL at random instants, then a restart, again and again on the same database."""
    dice = random.Random(20261122)
    accepted: list[int] = []
    for _ in range(KILLS):
        first = accepted[-1] + 2 if accepted else 0
        accepted += receive_until_killed(database_url, first, dice.uniform(0.0, 0.3))
        engine = open_engine(database_url)
        migrate(engine)
        check(Store(engine), accepted)
        engine.dispose()
