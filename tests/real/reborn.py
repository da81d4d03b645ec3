"""A server that is killed and reborn many times: alerts come in, escalate, notifications go out.

It is the real application, entrance, escalation and outbox over a real database, without journeys
and rules.
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
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import uvicorn

from monitor.clock import SystemClock
from monitor.config.model import Channel, Configuration
from monitor.listening import listening_socket
from monitor.notify.worker import OutboxWorker
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.use_cases.entrance import Entrance
from monitor.use_cases.escalating import advance_escalations
from monitor.use_cases.policy import AlertPolicy
from monitor.web.app import create_app
from tests.monitor.use_cases.desk import configuration
from tests.monitor.use_cases.duty import on_call
from tests.monitor.web.builders import FakeHolder, services
from tests.notices import make_context

LEASE_SECONDS = 1.0  # how long a row stays with a worker that was killed
STEP_SECONDS = 0.5  # until the next step of an escalation
LOOK_SECONDS = 0.02  # between two looks for steps that are due
STEPS = ("ann", "ben")  # told one after the other, then everybody


def impatient(sink_url: str) -> Configuration:
    """Return the marketplace with people whose turn comes after half a second."""
    made = on_call(
        people=[{"name": name, "channels": [f"{name}-phone"]} for name in STEPS],
        escalation=[
            {
                "name": "shop",
                "steps": [{"tell": [{"person": name}]} for name in STEPS],
                "last_resort": [{"channel": "everybody"}],
            }
        ],
    )
    (policy,) = made.policies
    steps = tuple(replace(s, wait=timedelta(seconds=STEP_SECONDS)) for s in policy.steps)
    said: dict[str, Any] = {"kind": "webhook", "settings": {"url": sink_url}}
    channels = (
        Channel(name="pager", **said),
        Channel(name="everybody", severities=frozenset(), **said),
        *(Channel(name=f"{name}-phone", audience="person", **said) for name in STEPS),
    )
    return configuration(
        channels=channels,
        oncall=replace(made, policies=(replace(policy, steps=steps),)),
    )


class Server:
    """All of it, built but not begun; it holds no connection yet."""

    def __init__(self, url: str, sink_url: str) -> None:
        self.holder = holder = FakeHolder(impatient(sink_url))
        self.clock = clock = SystemClock()
        self.store = store = Store(open_engine(url))
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
        threading.Thread(target=self.escalate, daemon=True).start()
        config = uvicorn.Config(self.app, log_config=None, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])

    def escalate(self) -> None:
        """Take every step that is due, until killed."""
        while True:
            advance_escalations(self.store, self.holder.current, self.clock.now(), AlertPolicy())
            time.sleep(LOOK_SECONDS)


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
