"""The monitor as a process of its own, as a person starts it: its terminal, its doors, its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
T = TypeVar("T")


def wait_for(
    condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS, pause: float = 0.1
) -> T:
    """Return the first true answer of `condition`; fail with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"within {seconds:g} s there was no {what}"
        time.sleep(pause)
    return answer


class Terminal:
    """A running command and every line it has written."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def line(self, pattern: str, since: int = 0, seconds: float = PATIENCE_SECONDS) -> str:
        """Return the first line from number `since` on in which `pattern` is found."""

        def found() -> str:
            ended = self.process.poll()
            line = next((one for one in self.lines[since:] if re.search(pattern, one)), "")
            assert line or ended is None, f"ended with {ended}:\n" + "\n".join(self.lines)
            return line

        return wait_for(found, f"line {pattern!r}", seconds)

    def pages(self, since: int = 0) -> list[str]:
        """Return the notifications that woke somebody, from line `since` on."""
        return [one for one in self.lines[since:] if re.search(r"NOTIFY (CRITICAL|WARNING)", one)]

    def complaints(self) -> list[str]:
        """Return the lines that tell of an error of ours."""
        return [one for one in self.lines if re.search(r"Z \[(error|critical) *\]|Traceback", one)]

    def end(self, number: int, seconds: float = PATIENCE_SECONDS) -> int:
        """Send a signal; return the exit code once the command has ended."""
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.close()
        return code

    def close(self) -> None:
        """Give back what reading took; the command has ended."""
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def monitor(*arguments: str | Path, environ: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run `monitor` with these arguments; whatever is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**clean_environment(), **(environ or {})},
    )
    terminal = Terminal(process)
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        terminal.close()


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
