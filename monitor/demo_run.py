"""`monitor run`: the service on its embedded default, beside the bundled demo marketplace.

Answers for the demo's folder, the shop's process and the words on the terminal. The shop is a
process of its own, as a real one would be; it ends with us, whatever ends us.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.listening import free_port, listening_socket
from monitor.settings import load_settings

STARTER = Path(__file__).parent / "demo" / "config"
SHIPPED_JOURNEYS = Path(__file__).parents[1] / "probes" / "journeys"
SHOP_IN_FILES = "http://127.0.0.1:8800"  # what the shipped files say; replaced where it differs
SHOP_STARTS_WITHIN_SECONDS = 20.0


@dataclass(frozen=True)
class StartingShop:
    """The demo marketplace's process, which may not answer yet."""

    process: subprocess.Popen[str]

    def ready_address(self) -> str:
        """Wait until the shop answers and return its address.

        Raises:
            RuntimeError: it did not start; the message says what to do.
        """
        timer = threading.Timer(SHOP_STARTS_WITHIN_SECONDS, self.process.kill)
        timer.start()
        try:
            assert self.process.stdout is not None
            for line in self.process.stdout:
                found = re.match(r"shop ready (\S+)", line)
                if found:
                    return found[1]
        finally:
            timer.cancel()
        raise RuntimeError(
            "the demo shop did not start: run `python -m monitor.demo` alone to see why"
        )


def serve_with_demo(
    *, host: str | None, port: int | None, data: Path | None, shop_port: int
) -> None:
    """Run the service beside the demo marketplace; both end together.

    The shop is started first, so that it comes up while this process loads its own parts.
    """
    wanted = load_settings(os.environ, host=host, port=port, data=data)
    port_chosen = port is not None or "MONITOR_PORT" in os.environ
    taken = wanted.port if port_chosen else free_port(wanted.port, wanted.host)
    folder = wanted.data / "demo-config"
    password = shop_password(wanted.data)
    with ExitStack() as stack:
        listener = stack.enter_context(listening_socket(wanted.host, taken))
        settings = wanted.model_copy(update={"config": folder}).listening_on(
            listener.getsockname()[1]
        )
        starting = stack.enter_context(
            starting_shop(free_port(shop_port), settings.public_url, password)
        )
        from monitor.serve import serve  # takes a second or two: the shop starts meanwhile

        shop = starting.ready_address()
        write_demo_folder(folder, shop)
        serve(
            settings,
            {**os.environ, "MONITOR_SECRET_SHOP_PASSWORD": password},
            listener=listener,
            ready=lambda s, first: print(doors(shop, s.public_url, first), flush=True),
        )


def write_demo_folder(folder: Path, shop_url: str) -> None:
    """Have a configuration folder for the demo in `folder`; what is there already is kept.

    Only the shop's address is brought up to date, for its port may differ from last time.
    """
    journeys = folder / "journeys"
    journeys.mkdir(parents=True, exist_ok=True)
    for source, target in (
        *((path, folder / path.name) for path in sorted(STARTER.glob("*.yml"))),
        *((path, journeys / path.name) for path in sorted(SHIPPED_JOURNEYS.glob("*.yml"))),
    ):
        if not target.exists():
            shutil.copyfile(source, target)
        text = target.read_text("utf-8")
        current = re.sub(r"http://127\.0\.0\.1:\d+(?=[/\"'\s]|$)", shop_url, text)
        if current != text and SHOP_IN_FILES in source.read_text("utf-8"):
            target.write_text(current, "utf-8")


def shop_password(folder: Path) -> str:
    """Return the password of the probe's shop account, made once and kept in `folder`."""
    path = folder / "shop-password"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(18), "utf-8")
    return path.read_text("utf-8")


@contextmanager
def starting_shop(port: int, monitor_url: str, password: str) -> Iterator[StartingShop]:
    """Start the demo marketplace without waiting for it, and stop it at the end."""
    command = [sys.executable, "-m", "monitor.demo", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--gateway-port", "0", "--monitor-url", monitor_url, "--quiet"]
    command += ["--with-parent", str(os.getpid())]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MONITOR_DEMO_SHOP_PASSWORD": password},
        start_new_session=True,  # Ctrl-C is for the monitor, which then ends the shop
    )
    try:
        yield StartingShop(process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def doors(shop: str, monitor: str, first_password: str | None) -> str:
    """Return what a person needs to know once everything is up."""
    sign_in = (
        f"sign in as admin with the one-time password  {first_password}"
        if first_password
        else "sign in as admin with the password you chose"
    )
    lines = (
        ("Shop", f"{shop}/", f"break it at {shop}/faults"),
        ("Status page", f"{monitor}/", "report a problem at /report"),
        ("Console", f"{monitor}/console", sign_in),
        ("Metrics", f"{monitor}/metrics", "Prometheus text format"),
    )
    rows = [f"  {name:<12} {url:<36} {note}" for name, url, note in lines]
    return "\n".join(["", "SayPro Monitor is running.", "", *rows, "", "  Stop with Ctrl-C.", ""])
