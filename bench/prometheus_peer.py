"""Servers that benches measure beside us: started here, stopped by their own process id."""

from __future__ import annotations

import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import yaml

from monitor.promql.source import Floats

START_SECONDS = 30.0
SERIES_A_REQUEST = 500


@dataclass(frozen=True, slots=True)
class PrometheusPeer:
    """A running Prometheus with one group of rules."""

    url: str
    process: psutil.Process

    def iterations(self) -> int:
        """Return how often the group was evaluated; missed slots are scheduled but do not count."""
        text = urllib.request.urlopen(f"{self.url}/metrics", timeout=30).read().decode()
        pattern = r"^prometheus_rule_group_iterations_(missed_)?total\{.*\} (\S+)$"
        found = dict(re.findall(pattern, text, re.M))
        return int(float(found.get("", 0))) - int(float(found.get("missed_", 0)))

    def processor_seconds(self) -> float:
        """Return the processor time the server has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def seconds_per_iteration(self, duration: float) -> float:
        """Return the processor time of one evaluation of the group, over `duration` at least."""
        count = reached = self.wait_for(self.iterations() + 1)
        used, deadline = self.processor_seconds(), time.monotonic() + duration
        while reached == count or time.monotonic() < deadline:
            reached = self.wait_for(reached + 1)
        return (self.processor_seconds() - used) / (reached - count)

    def wait_for(self, count: int) -> int:
        """Return once the group was evaluated so often."""
        while (reached := self.iterations()) < count:
            time.sleep(0.05)
        return reached


def varint(number: int) -> bytes:
    """Return a number as protobuf and snappy write it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def field(number: int, payload: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def snappy(data: bytes) -> bytes:
    """Return data as a snappy block of literals, not compressed."""
    out = bytearray(varint(len(data)))
    for start in range(0, len(data), 60_000):
        piece = data[start : start + 60_000]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)


def remote_write(
    peer: PrometheusPeer,
    series: Sequence[dict[str, str]],
    values: Floats,
    start: float,
    interval: float,
) -> None:
    """Send samples: one column of values a series, one row every interval from `start` on."""
    times = [round((start + row * interval) * 1000) for row in range(values.shape[0])]
    rows = [b"\x12\x10\x09" + bytes(8) + b"\x10" + varint(t) for t in times]
    frame = np.array([np.frombuffer(row, np.uint8) for row in rows])
    for first in range(0, len(series), SERIES_A_REQUEST):
        message = b"".join(
            field(1, labels_of(series[column]) + samples_of(frame, values[:, column]))
            for column in range(first, min(first + SERIES_A_REQUEST, len(series)))
        )
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        url = f"{peer.url}/api/v1/write"
        request = urllib.request.Request(url, snappy(message), headers, method="POST")
        urllib.request.urlopen(request, timeout=120).close()


def labels_of(labels: dict[str, str]) -> bytes:
    """Return labels as protobuf."""
    pairs = sorted(labels.items())
    return b"".join(field(1, field(1, n.encode()) + field(2, v.encode())) for n, v in pairs)


def samples_of(frame: np.ndarray, values: Floats) -> bytes:
    """Return samples as protobuf: the frame with the values' bytes in their place."""
    filled = frame.copy()
    filled[:, 3:11] = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8)
    return filled.tobytes()


@contextmanager
def prometheus_peer(expressions: Sequence[str]) -> Iterator[PrometheusPeer]:
    """Run an empty Prometheus that evaluates these expressions as alert rules every second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alerts = [{"alert": f"A{k}", "expr": e} for k, e in enumerate(expressions)]
        groups = {"groups": [{"name": "bench", "interval": "1s", "rules": alerts}]}
        (folder / "rules.yml").write_text(yaml.safe_dump(groups), "utf-8")
        config = {"global": {"evaluation_interval": "1s"}, "rule_files": ["rules.yml"]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        process = subprocess.Popen(
            [
                shutil.which("prometheus") or "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--web.enable-remote-write-receiver",
                "--log.level=error",
            ]
        )
        try:
            wait_until_ready(f"http://{address}")
            yield PrometheusPeer(f"http://{address}", psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(60)


def wait_until_ready(url: str) -> None:
    """Return once the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("prometheus did not start")
