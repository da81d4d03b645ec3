"""Whether the prober itself can reach anything, asked of places that are not the shop."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing

TIMEOUT_SECONDS = 2.0


def is_online(targets: Sequence[str], timeout_seconds: float = TIMEOUT_SECONDS) -> bool:
    """Whether any `host:port` of the targets accepts a connection."""
    return any(_answers(target, timeout_seconds) for target in targets)


def _answers(target: str, timeout_seconds: float) -> bool:
    """Whether one target accepts a connection in time."""
    host, _, port = target.rpartition(":")
    try:
        address = (host.strip("[]"), int(port))
        with closing(socket.create_connection(address, timeout=timeout_seconds)):
            return True
    except (OSError, ValueError):
        return False
