"""A server that is killed and reborn many times: alerts come in, notifications go out.

It is the real application, entrance and outbox over a real database, without journeys and rules.
All imports are done once; each life is a fork of that, so that one takes milliseconds rather than
seconds. The socket outlives the lives: a client that comes between two of them waits.

    python -m tests.real.reborn DATABASE_URL SINK_URL

Each line on the input starts a life, and each is answered with a line that holds its process id.
The first line on the output is the port.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from dataclasses import replace

import uvicorn

from monitor.clock import SystemClock
from monitor.config.model import Channel
from monitor.listening import listening_socket
from monitor.notify.worker import OutboxWorker
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.use_cases.entrance import Entrance
from monitor.web.app import create_app
from tests.monitor.use_cases.desk import configuration
from tests.monitor.web.builders import FakeHolder, services
from tests.notices import make_context

LEASE_SECONDS = 1.0  # how long a row stays with a worker that was killed


class Server:
    """All of it, built but not begun; it holds no connection yet."""

    def __init__(self, url: str, sink_url: str) -> None:
        channel = Channel(name="pager", kind="webhook", settings={"url": sink_url})
        holder = FakeHolder(replace(configuration(), channels=(channel,)))
        clock, store = SystemClock(), Store(open_engine(url))
        self.worker = OutboxWorker(
            store,
            lambda: holder.current.channels,
            make_context(clock=clock),
            lease_seconds=LEASE_SECONDS,
            poll_seconds=0.2,
        )
        store.subscribe(lambda topics: self.worker.wake() if "outbox" in topics else None)
        entrance = Entrance(store, lambda: holder.current, clock)
        self.app = create_app(services(store, configuration=holder, entrance=entrance, clock=clock))
        store.close()

    def live(self, listener: socket.socket) -> None:
        """Serve until killed."""
        self.worker.start()
        config = uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


def main(url: str, sink_url: str) -> None:
    """Begin a life for every line that is read."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    server, listener = Server(url, sink_url), listening_socket("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.live(listener)
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
