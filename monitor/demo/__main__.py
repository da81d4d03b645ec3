"""Answers for `python -m monitor.demo`: reads the command line, runs the demo, ends when told to.

Written with argparse rather than Typer: this process should stay small beside the monitor.
"""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from monitor.demo.faults import FAULT_KINDS
from monitor.demo.running import Demo, DemoSettings

PASSWORD_VARIABLE = "MONITOR_DEMO_SHOP_PASSWORD"
PARENT_CHECK_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT or the parent's end; return the exit code."""
    asked = parse_arguments(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.ERROR if asked.quiet else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        demo = Demo(demo_settings(asked))
    except OSError as error:
        print(f"the demo shop cannot start: {error}", file=sys.stderr)
        return 1
    asyncio.run(_serve(demo, asked.with_parent))
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line; a wrong one ends the process with an explanation."""
    parser = argparse.ArgumentParser(
        "python -m monitor.demo", description="A small marketplace that can be broken on purpose."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to bind to (default: this machine only)")
    add("--port", type=int, default=8800, help="the shop's port; 0 takes a free one")
    add("--gateway-port", type=int, default=8801, help="the payment gateway's port")
    add("--monitor-url", help="where the monitor runs: adds its banner and links to every page")
    add("--tls", action="store_true", help="serve TLS as well, with an authority made at start")
    add("--tls-port", type=int, default=8843, help="the port of the TLS listener")
    add("--tls-ca-file", type=Path, help="write the authority's certificate (PEM) here")
    add("--customers-per-minute", type=float, default=30, help="simulated visits; 0 for none")
    add("--gateway-timeout", type=float, default=5, help="seconds the shop waits for the gateway")
    add(
        "--probe-password",
        help=f"of the probe's account (default: ${PASSWORD_VARIABLE}, or random)",
    )
    add("--fault", action="append", default=[], choices=list(FAULT_KINDS), help="on from the start")
    add("--with-parent", type=int, metavar="PID", help="end when this process ends")
    add("--quiet", action="store_true", help="log errors only")
    return parser.parse_args(arguments)


def demo_settings(asked: argparse.Namespace) -> DemoSettings:
    """Return the settings a command line asks for."""
    password = asked.probe_password or os.environ.get(PASSWORD_VARIABLE)
    return DemoSettings(
        host=asked.host,
        port=asked.port,
        gateway_port=asked.gateway_port,
        tls=asked.tls,
        tls_port=asked.tls_port,
        tls_authority_file=asked.tls_ca_file,
        monitor_url=asked.monitor_url,
        customers_per_minute=asked.customers_per_minute,
        gateway_timeout_seconds=asked.gateway_timeout,
        probe_password=password or secrets.token_urlsafe(12),
        faults=tuple(asked.fault),
        access_log=not asked.quiet,
    )


async def _serve(demo: Demo, parent: int | None) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, demo.stop)
    watching = asyncio.create_task(_end_with(parent, demo)) if parent else None
    await demo.run(lambda: print(f"shop ready {demo.url}", flush=True))
    if watching:
        watching.cancel()


async def _end_with(parent: int, demo: Demo) -> None:
    """Stop the demo once the parent is gone, also if its number is used again by another."""
    try:
        process = psutil.Process(parent)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(PARENT_CHECK_SECONDS)
    except psutil.NoSuchProcess:
        pass  # gone before we looked
    demo.stop()


if __name__ == "__main__":
    sys.exit(main())
