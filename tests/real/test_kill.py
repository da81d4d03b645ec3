"""A process that dies in the middle of a delivery."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from monitor.notify.worker import OutboxWorker
from monitor.storage.store import Store
from tests.notices import GivenChannel, later, make_context, put_incident, put_row, states
from tests.sinks import Answer, HttpSink, http_sink

DOOMED = """
import sys
from monitor.clock import FakeClock
from monitor.notify.worker import OutboxWorker
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from tests.notices import GivenChannel, NOW, make_context

channel = GivenChannel("oncall", "webhook", {"url": sys.argv[2], "timeout": "30s"})
worker = OutboxWorker(Store(open_engine(sys.argv[1])), lambda: [channel], make_context())
worker.deliver_due(NOW)
"""


@pytest.mark.real
def test_killed_while_a_receiver_answers_the_message_goes_out_again_under_its_id(
    database_url: str, store: Store
) -> None:
    """SIGKILL after the message arrived and before it is marked: the next worker repeats it."""
    key = put_row(store, put_incident(store))
    with http_sink() as hook:
        hook.answers = [Answer(wait=threading.Event())]
        kill_during_delivery(database_url, hook)
        assert states(store) == {key: "sending"}
        channel = GivenChannel("oncall", "webhook", {"url": hook.url})
        heir = OutboxWorker(store, lambda: [channel], make_context())
        assert [heir.deliver_due(later(seconds)) for seconds in (179, 180)] == [0, 1]
        assert (hook.ids(), states(store)) == ([key, key], {key: "sent"})


def kill_during_delivery(database_url: str, hook: HttpSink) -> None:
    command = [sys.executable, "-c", DOOMED, database_url, hook.url]
    process = subprocess.Popen(command)
    try:
        hook.wait_for(1, timeout_seconds=30)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
