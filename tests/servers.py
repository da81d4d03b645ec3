"""Real servers that tests meet: started here, stopped by their own process id."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

START_SECONDS = 30.0


def free_port() -> int:
    """Return a port that nobody listens on, and that is nobody's own end of a connection either.

    Those are taken from 32768 up: whoever asks for a server there while it is away may be given
    its very port, and the server cannot come back.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("of a hundred ports none is free")


def find_program(name: str, *folders: str) -> Path | None:
    """Return where a program is: on the path, or in one of the folders (patterns from /)."""
    if found := shutil.which(name):
        return Path(found)
    for folder in folders:
        for candidate in sorted(Path("/").glob(f"{folder.lstrip('/')}/{name}"), reverse=True):
            return candidate
    return None


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server of the tests' own, reached over a socket in its folder."""

    folder: Path
    pid: int

    def url(self, database: str) -> str:
        """Return the address of a database, as the service takes it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> None:
        """Execute one statement outside a transaction."""
        with psycopg.connect(
            f"host={self.folder} user=postgres dbname={database}", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def postgres_program() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None where it is not installed."""
    program = find_program("initdb", "/usr/lib/postgresql/*/bin")
    return program.parent if program else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[Postgres]:
    """Run a PostgreSQL server with an empty cluster; it promises nothing about power failures."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        user = "postgres"
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
        check=True,
        capture_output=True,
        user=user,
        cwd=folder,
    )
    try:
        with running_cluster(programs, folder, user) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_cluster(programs: Path, folder: Path, user: str | None = None) -> Iterator[Postgres]:
    """Run a server on a cluster that is in `folder` already, for as long as the block lasts."""
    settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *options],
            stdout=log,
            stderr=log,
            user=user,
            cwd=folder,
        )
    server = Postgres(folder, process.pid)
    try:
        _wait_until_it_answers(server, process)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # fast shutdown
        process.wait(timeout=START_SECONDS)


def _wait_until_it_answers(server: Postgres, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return server.run("SELECT 1")
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (server.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start: {log[-2000:]}") from error
            time.sleep(0.05)
