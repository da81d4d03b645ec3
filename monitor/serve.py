"""Runs the service as a process: socket, signals, web server, first password, orderly end.

SIGTERM and SIGINT end it in good order, SIGHUP reads the configuration again.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from monitor.config.load import load_configuration
from monitor.demo_run import (
    doors,
    free_port,
    running_shop,
    shop_password,
    write_demo_folder,
)
from monitor.log import configure_logging
from monitor.redaction import process_redactor
from monitor.service import Service
from monitor.settings import Settings, load_settings
from monitor.web.accounts import ensure_first_administrator
from probes.faults import Fault, FaultyInput
from probes.secrets import EnvironmentSecrets

KEEP_ALIVE_SECONDS = 15
BACKLOG = 2048


def serve(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    listener: socket.socket | None = None,
    ready: Callable[[Settings, str | None], None] | None = None,
) -> None:
    """Run the service until it is told to end; `ready` is called once it answers.

    Raises:
        FaultyInput: the configuration folder has faults; nothing was started.
    """
    configuration = load_configuration(settings.config)
    secrets = EnvironmentSecrets(environ)
    configure_logging(
        style=settings.log_format,
        level=settings.log_level,
        redact=process_redactor(settings, environ).text,
    )
    with listener or listening_socket(settings.host, settings.port) as bound:
        settings = settings.listening_on(bound.getsockname()[1])
        service = Service(settings, configuration, secrets)
        password = ensure_first_administrator(service.store, service.clock.now())
        server = uvicorn.Server(_uvicorn(service, settings))
        service.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            # the web server ends on these, then raises them again: by then they have been heeded
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=service.reload).start())
        (ready or print_doors)(settings, password)
        try:
            server.run(sockets=[bound])
        finally:
            service.stop()


def _uvicorn(service: Service, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        service.app,
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,  # the application believes only the proxies it is told of
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.shutdown_grace),
        backlog=BACKLOG,
    )


def print_doors(settings: Settings, password: str | None) -> None:
    """Say where the service answers and, at the very first start, how to sign in."""
    print(f"Status page  {settings.public_url}/\nConsole      {settings.public_url}/console")
    if password is not None:
        print(f"First sign-in: admin, one-time password {password}")
    print(flush=True, end="")


def serve_with_demo(
    *, host: str | None, port: int | None, data: Path | None, shop_port: int
) -> None:
    """Run the service beside the demo marketplace; both end together."""
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
        shop = stack.enter_context(
            running_shop(free_port(shop_port), settings.public_url, password)
        )
        write_demo_folder(folder, shop.url)
        serve(
            settings,
            {**os.environ, "MONITOR_SECRET_SHOP_PASSWORD": password},
            listener=listener,
            ready=lambda s, first: print(doors(shop.url, s.public_url, first), flush=True),
        )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`, ready to listen on.

    Raises:
        FaultyInput: the address cannot be taken; says what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named: 4 ms, not 48
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        expected = f"a free address ({error.strerror}); choose another with --port or MONITOR_PORT"
        fault = Fault("command line", None, "host and port", f"{host}:{port}", expected)
        raise FaultyInput([fault]) from error
    return listener
