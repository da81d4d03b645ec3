"""Runs the service as a process: socket, signals, web server, first password, orderly end.

SIGTERM and SIGINT end it in good order, SIGHUP reads the configuration again.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Mapping

import uvicorn

from monitor.accounts.people import ensure_first_administrator
from monitor.config.load import load_configuration
from monitor.connections import Patience, bounded_http, room_for_connections
from monitor.listening import BACKLOG, listening_socket
from monitor.log import configure_logging
from monitor.redaction import process_redactor
from monitor.service import Service
from monitor.settings import Settings
from monitor.startup import settled
from monitor.web.events import Events
from probes.secrets import EnvironmentSecrets

KEEP_ALIVE_SECONDS = 15


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
        server = WebServer(_uvicorn(service, settings), service.events)
        service.answers_at(settings.own_host, settings.port)
        service.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Before the web server listens to these itself; it raises them again at its end.
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=service.reload).start())
        (ready or print_doors)(settings, password)
        settled()
        try:
            server.run(sockets=[bound])
        finally:
            service.stop()


class WebServer(uvicorn.Server):
    """A web server whose end no open page holds up."""

    def __init__(self, config: uvicorn.Config, events: Events) -> None:
        super().__init__(config)
        self.events = events

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams that would go on for ever, then what is in flight."""
        self.events.close()
        await super().shutdown(sockets)


def _uvicorn(service: Service, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        service.app,
        http=bounded_http(Patience(connections=room_for_connections())),
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
