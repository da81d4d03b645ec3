"""The socket this process listens on, taken early so that a taken address is told at once."""

from __future__ import annotations

import socket

from probes.faults import Fault, FaultyInput

BACKLOG = 2048  # connections that may wait, at the start above all


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port`; who comes early waits for an answer.

    Raises:
        FaultyInput: the address cannot be taken; says what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named: 4 ms, not 48
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        expected = f"a free address ({error.strerror}); choose another with --port or MONITOR_PORT"
        fault = Fault("command line", None, "host and port", f"{host}:{port}", expected)
        raise FaultyInput([fault]) from error
    return listener


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """Return `preferred` where nothing listens on it, else a port that is free now."""
    for port in (preferred, 0):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((host, port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise OSError(f"no free port on {host}")
