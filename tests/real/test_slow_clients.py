"""Ten thousand clients that hold connections open; everybody else goes on as before."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.real.process import wait_for
from tests.real.served import Served, town

pytestmark = [pytest.mark.real, pytest.mark.slow]
CLIENTS = 10_000
HEAD = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "


@contextmanager
def many_files() -> Iterator[int]:
    """Let this process have that many connections, as far as the system allows."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = before[1]
    wanted = CLIENTS + 500
    soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, before[0]), hard))
    try:
        yield min(CLIENTS, soft - 500)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def is_closed(client: socket.socket) -> bool:
    """Return whether the other side has ended the connection."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def passed_runs(service: Served) -> float:
    """Return how often search has passed."""
    series = 'probe_runs_total{journey="search",location="local",outcome="pass"}'
    return service.metric(series) or 0.0


def test_pages_and_probes_go_on_beside_ten_thousand_slow_clients(tmp_path: Path) -> None:
    """The page answers, journeys pass, and in the end the slow ones are let go of."""
    with town(tmp_path) as place, place.service() as service, many_files() as count:
        service.wait_until_all_is_well()
        address = urlsplit(service.url)
        with ExitStack() as held:
            slow = []
            for _ in range(count):
                client = socket.create_connection((address.hostname or "", address.port or 0), 30)
                slow.append(held.enter_context(client))
                client.sendall(HEAD)
            assert "Kijani Market" in service.get("/")
            assert {one["status"] for one in service.summary()["components"]} == {"operational"}
            runs = passed_runs(service)
            wait_for(lambda: passed_runs(service) > runs, "further run of a journey")
            wait_for(lambda: all(map(is_closed, slow)), "end of every slow connection", pause=1)
        assert "Kijani Market" in service.get("/")
        assert service.terminal.complaints() == []
