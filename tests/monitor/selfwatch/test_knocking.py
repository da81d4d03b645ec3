"""A canary at our own door for alerts, served for real on a free port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from sqlalchemy import select

from incidents.alerts.model import Alert
from monitor.selfwatch.canary import manner
from monitor.selfwatch.knocking import through_the_door
from monitor.storage.schema import incidents, outbox
from monitor.storage.store import Store
from monitor.use_cases.entrance import Entrance
from monitor.use_cases.policy import AlertPolicy
from tests.builders import NOW
from tests.monitor.web.builders import FakeSettings, Web, configuration, services

ALERT = Alert({"alertname": "Canary", "severity": "critical"}, starts_at=NOW)


@contextmanager
def served(web: Web) -> Iterator[int]:
    """Serve a monitor on a free port and give the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(web.app, log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def web(sqlite_store: Store) -> Web:
    """A monitor whose alert sources have a token, and who sends canaries."""
    made = services(sqlite_store, settings=FakeSettings(alerts_token="known-to-senders"))
    current = configuration()
    entrance = Entrance(
        sqlite_store,
        lambda: current,
        made.clock,
        canaries=lambda: manner(current, AlertPolicy()),
    )
    return Web(services(sqlite_store, settings=made.settings, entrance=entrance))


def test_a_canary_comes_in_by_the_door_and_is_nobodys_incident(web: Web) -> None:
    """Past the token of the senders, under a number below zero, told to its own channel alone."""
    key = web.services.entrance.canary_key
    with served(web) as port:
        assert through_the_door("127.0.0.1", port, key)(ALERT) == ""
    with web.services.store.read() as connection:
        assert connection.execute(select(incidents.c.number)).scalars().all() == [-1]
        assert connection.execute(select(outbox.c.channel)).scalars().all() == ["canary"]
    assert web.services.entrance.stats.alerts == {"canary": 1}


def test_nobody_else_comes_in_as_a_canary(web: Web) -> None:
    """A guessed key is none."""
    with served(web) as port:
        said = through_the_door("127.0.0.1", port, "guessed")(ALERT)
    assert said == "the door for alerts answered 401"
    with web.services.store.read() as connection:
        assert connection.execute(select(incidents.c.id)).all() == []


def test_a_web_server_that_is_not_there_or_stands_still_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that nobody takes up is given up in time."""
    monkeypatch.setattr("monitor.selfwatch.knocking.PATIENCE_SECONDS", 0.1)
    assert "does not answer" in through_the_door("127.0.0.1", 1, "key")(ALERT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = through_the_door("127.0.0.1", port, "key")(ALERT)
    assert said == "the door for alerts does not answer: timed out"
