"""The programs we measure beside: found, started on free ports, stopped by their process id."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def needs(*programs: str) -> None:
    """Say what is missing and end the bench (exit code 3) unless all `programs` are installed."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        print(f"needs {', '.join(missing)}: run `make servers` where packages may be installed")
        sys.exit(3)


def free_port() -> int:
    """Return a port of the loopback address on which nothing listens now."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        return int(candidate.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], log: Path, *, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with its output in `log`, and stop it at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, seconds: float = 30.0) -> None:
    """Return once `url` answers below 500.

    Raises:
        TimeoutError: it did not within `seconds`.
    """
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {seconds:g} s")


class Sink:
    """Takes webhooks and notes when each arrived (monotonic seconds) and what it said."""

    def __init__(self) -> None:
        self.arrived: list[tuple[float, bytes]] = []
        self._news = threading.Condition()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at = time.monotonic()
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with sink._news:
                    sink.arrived.append((at, body))
                    sink._news.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def wait(self, words: tuple[bytes, ...], after: float, seconds: float) -> float:
        """Return when a webhook holding one of `words` arrived, the first one after `after`.

        Raises:
            TimeoutError: none came within `seconds`.
        """

        def found() -> float | None:
            fitting = (at for at, body in self.arrived if any(word in body for word in words))
            return next((at for at in fitting if at >= after), None)

        with self._news:
            if not self._news.wait_for(lambda: found() is not None, timeout=seconds):
                raise TimeoutError(f"no webhook with any of {words!r} within {seconds:g} s")
            at = found()
        assert at is not None
        return at

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
