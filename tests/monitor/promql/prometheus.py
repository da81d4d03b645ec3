"""A real Prometheus of the tests' own: started empty, fed over remote write, asked over HTTP."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import free_port

Labels = tuple[tuple[str, str], ...]
SamplesBySeries = Mapping[Labels, Sequence[tuple[int, float]]]
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server; `pid` is its process."""

    url: str
    pid: int

    def write(self, series: SamplesBySeries) -> None:
        """Send samples; stale markers arrive as they are."""
        message = b"".join(field(1, time_series(labels, own)) for labels, own in series.items())
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        request = urllib.request.Request(
            f"{self.url}/api/v1/write", snappy(message), headers, method="POST"
        )
        urllib.request.urlopen(request, timeout=30).close()

    def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        """Return the server's answer, an error's too."""
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", body, timeout=30) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))


def varint(number: int) -> bytes:
    """Return a number as protobuf and snappy write it."""
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def field(number: int, payload: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def time_series(labels: Labels, samples: Sequence[tuple[int, float]]) -> bytes:
    """Return a TimeSeries message."""
    out = b"".join(field(1, field(1, n.encode()) + field(2, v.encode())) for n, v in sorted(labels))
    for at, value in samples:
        out += field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(at))
    return out


def snappy(data: bytes) -> bytes:
    """Return data as a snappy block of literals, not compressed."""
    out = bytearray(varint(len(data)))
    for start in range(0, len(data), 60_000):
        piece = data[start : start + 60_000]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)


@contextmanager
def prometheus_server(folder: Path) -> Iterator[Prometheus]:
    """Run an empty Prometheus that takes remote writes and scrapes nothing."""
    program = shutil.which("prometheus")
    assert program, "prometheus is not installed"
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n", "utf-8")
    port = free_port()
    arguments = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--enable-feature=promql-negative-offset,promql-at-modifier",
        "--log.level=error",
    ]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process)
        yield Prometheus(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(30)
        if process.stderr:
            process.stderr.close()


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return once the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("prometheus did not start")
