"""A real Alertmanager, and our own application behind a real socket, for tests that ask both."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import uvicorn
from fastapi import FastAPI

from tests.real.process import wait_for
from tests.servers import find_program, free_port

PROGRAM = find_program("prometheus-alertmanager") or find_program("alertmanager")
AMTOOL = find_program("amtool")
CONFIG = """
route: {receiver: ops}
receivers: [{name: ops}]
inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity=~"warning|info"]
  equal: [component]
"""


@contextmanager
def alertmanager(folder: Path, port: int = 0, config: str = CONFIG) -> Iterator[str]:
    """Run an Alertmanager and give its address; ended by its own process id."""
    assert PROGRAM is not None
    port = port or free_port()
    folder.mkdir(exist_ok=True)
    (folder / "alertmanager.yml").write_text(config)
    command = [
        str(PROGRAM),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (folder / "alertmanager.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_up(f"{url}/-/ready"), "Alertmanager")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application of this process on a real socket and give its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, "our own server", pause=0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def is_up(url: str) -> bool:
    """Tell whether an address answers well."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
