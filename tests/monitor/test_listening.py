"""The socket that is taken before anything else."""

from __future__ import annotations

import socket

import pytest

from monitor.listening import listening_socket
from probes.faults import FaultyInput


def test_who_comes_before_the_web_server_runs_waits_instead_of_being_refused() -> None:
    """The doors may be told before somebody stands behind them."""
    with listening_socket("127.0.0.1", 0) as listener:
        early = socket.create_connection(listener.getsockname(), timeout=2)
        early.close()


def test_a_taken_address_is_told_with_what_to_do() -> None:
    """Also where the other has not begun to serve."""
    with listening_socket("127.0.0.1", 0) as taken, pytest.raises(FaultyInput, match="--port"):
        listening_socket("127.0.0.1", taken.getsockname()[1])
