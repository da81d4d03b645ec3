"""Thousands of alerts at once: right incidents, bounded memory, and doors that still answer."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from sqlalchemy import func, select

from monitor.storage.engine import open_engine
from monitor.storage.schema import alerts, incidents
from tests.real.process import wait_for
from tests.real.test_killed import JSON, Lives
from tests.sinks import http_sink

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

MANY = int(os.environ.get("MONITOR_TEST_CAUSES", "2000"))  # each of them an incident of its own
BATCH = 64  # as Prometheus sends them
SENDERS = 16
MOST_MORE_BYTES = 300e6


def ask(port: int, method: str, path: str, body: str = "") -> int:
    """Return the status of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body, JSON)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def bodies(count: int, causes: int) -> list[str]:
    """Return requests that hold `count` alerts of so many causes."""
    start = datetime.now(UTC)
    end = start + timedelta(hours=1)
    found = [
        {
            "labels": {
                "alertname": f"Storm{number % causes}",
                "severity": "warning",
                "instance": str(number),
            },
            "annotations": {"description": "x" * 300},
            "startsAt": start.isoformat(),
            "endsAt": end.isoformat(),
        }
        for number in range(count)
    ]
    return [json.dumps(found[at : at + BATCH]) for at in range(0, count, BATCH)]


def post_all(port: int, waiting: list[str]) -> None:
    """Post every body, again where the door says to come again."""

    def work() -> None:
        while waiting:
            try:
                body = waiting.pop()
            except IndexError:
                return  # another one took the last
            if ask(port, "POST", "/api/v2/alerts", body) == 503:
                waiting.append(body)

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(("count", "causes"), [(10_000, 1), (MANY, MANY)])
def test_a_storm_becomes_the_right_incidents(sqlite_url: str, count: int, causes: int) -> None:
    """All alerts are stored, each cause is one incident, and the status page answers meanwhile."""
    engine = open_engine(sqlite_url)
    with http_sink() as sink:
        lives = Lives(sqlite_url, sink)
        life = lives.begin()
        wait_for(lambda: ask(lives.port, "GET", "/-/healthy") == 200, "answer")
        before = psutil.Process(life).memory_info().rss
        storm = threading.Thread(target=post_all, args=(lives.port, bodies(count, causes)))
        storm.start()
        seen = [ask(lives.port, "GET", "/")]
        while storm.is_alive():
            seen.append(ask(lives.port, "GET", "/"))
            storm.join(0.2)
        grown = psutil.Process(life).memory_info().rss - before
        os.kill(life, signal.SIGKILL)
        lives.end()
    with engine.connect() as connection:
        stored = connection.execute(select(func.count()).select_from(alerts)).scalar_one()
        opened = connection.execute(select(func.count()).select_from(incidents)).scalar_one()
    engine.dispose()
    assert (stored, opened, set(seen)) == (count, causes, {200})
    assert grown < MOST_MORE_BYTES
