"""Answers for running the demo: shop, gateway, TLS and customers, in one event loop.

`running_shop` runs it in a thread, for tests; `python -m monitor.demo` runs it as a process.
"""

import asyncio
import secrets
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from monitor.demo.accounts import PROBE_EMAIL
from monitor.demo.app import shop_app
from monitor.demo.customers import Customers
from monitor.demo.faults import FaultPanel
from monitor.demo.gateway import gateway_app
from monitor.demo.shop import Shop, ShopSettings

REFILL_SECONDS = 300
GRACE_SECONDS = 2  # what a running request gets when the shop is told to stop
READY_SECONDS = 20
BACKLOG = 256


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """How a demo is run; port 0 is any free one, the TLS listener starts only with `tls`."""

    host: str = "127.0.0.1"
    port: int = 0
    gateway_port: int = 0
    tls: bool = False
    tls_port: int = 0
    tls_authority_file: Path | None = None
    monitor_url: str | None = None
    customers_per_minute: float = 0
    gateway_timeout_seconds: float = 5.0
    probe_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    faults: tuple[str, ...] = ()
    access_log: bool = False


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Demo:
    """A demo with its sockets bound; `run` serves until `stop`."""

    def __init__(self, settings: DemoSettings) -> None:
        self.settings = settings
        self._resources = ExitStack()
        self._shop_socket = self._bind(settings.port)
        self._gateway_socket = self._bind(settings.gateway_port)
        self.url = _address("http", self._shop_socket)
        self.gateway_url = _address("http", self._gateway_socket)
        self.tls_url: str | None = None
        self.authority_file: Path | None = None
        self.faults = FaultPanel()
        key = secrets.token_urlsafe(24)
        self.shop = Shop(self._shop_settings(key), self.faults)
        app = shop_app(self.shop)
        self._servers = [
            (self._server(app), self._shop_socket),
            (self._server(gateway_app(self.faults, key)), self._gateway_socket),
        ]
        if settings.tls:
            self._add_tls(app)
        for name in settings.faults:
            self.faults.set(name)

    @property
    def probe_email(self) -> str:
        """Give the log-in of the account that probes use."""
        return PROBE_EMAIL

    async def run(self, when_ready: Callable[[], None]) -> None:
        """Serve until `stop` is called, then finish what is under way and give everything back."""
        serving = [
            asyncio.create_task(server.serve(sockets=[listener]))
            for server, listener in self._servers
        ]
        customers = Customers(self.url, self.settings.customers_per_minute)
        try:
            while not all(server.started for server, _ in self._servers):
                await asyncio.sleep(0.01)
            when_ready()
            duties = [
                asyncio.create_task(customers.shop_for_ever()),
                asyncio.create_task(self._refill()),
            ]
            await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
            for duty in duties:
                duty.cancel()
        finally:
            self.stop()
            customers.stop()
            await asyncio.gather(*serving)
            self.shop.payments.close()
            self.faults.clear()
            self._resources.close()

    def stop(self) -> None:
        """Ask every server to end; may be called from any thread, and twice."""
        for server, _ in self._servers:
            server.should_exit = True

    def _shop_settings(self, gateway_key: str) -> ShopSettings:
        monitor_url = self.settings.monitor_url
        return ShopSettings(
            gateway_url=self.gateway_url,
            gateway_key=gateway_key,
            probe_password=self.settings.probe_password,
            gateway_timeout_seconds=self.settings.gateway_timeout_seconds,
            monitor_url=monitor_url.rstrip("/") if monitor_url else None,
        )

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET
        # Named TCP: asyncio sends without delay only where that is said (else 40 ms an answer).
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener = self._resources.enter_context(made)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.settings.host, port))
        listener.listen(BACKLOG)
        return listener

    def _server(self, app: ASGIApp, **tls: Path) -> _Server:
        return _Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=self.settings.access_log,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_certfile=tls.get("certificate"),
                ssl_keyfile=tls.get("key"),
            )
        )

    def _add_tls(self, app: ASGIApp) -> None:
        from monitor.demo.tls import (  # costs memory only where TLS is wanted
            make_certificates,
            present,
        )

        hosts = tuple(dict.fromkeys(("localhost", "127.0.0.1", "::1", self.settings.host)))
        folder = Path(
            self._resources.enter_context(tempfile.TemporaryDirectory(prefix="shop-tls-"))
        )
        files = make_certificates(folder, hosts, datetime.now(UTC))
        self.authority_file = files.authority
        if self.settings.tls_authority_file:
            self.settings.tls_authority_file.write_bytes(files.authority.read_bytes())
            self.authority_file = self.settings.tls_authority_file
        listener = self._bind(self.settings.tls_port)
        server = self._server(app, certificate=files.valid, key=files.key)
        server.config.load()
        context: ssl.SSLContext | None = server.config.ssl
        if context is None:
            raise RuntimeError("the TLS listener has no TLS context")
        context.options |= ssl.OP_NO_TICKET  # each connection sees the certificate of its moment
        context.num_tickets = 0

        def show_certificate() -> None:
            present(context, files, expired=self.faults.is_on("certificate_expired"))

        self.faults.listeners.append(show_certificate)
        self._servers.append((server, listener))
        self.tls_url = _address("https", listener)

    async def _refill(self) -> None:
        while True:
            await asyncio.sleep(REFILL_SECONDS)
            self.shop.inventory.refill()


@dataclass(frozen=True, slots=True)
class RunningShop:
    """A demo that serves in a thread of this process."""

    demo: Demo

    @property
    def url(self) -> str:
        """Give the shop's address, without a slash at the end."""
        return self.demo.url

    @property
    def gateway_url(self) -> str:
        """Give the payment gateway's address."""
        return self.demo.gateway_url

    @property
    def tls_url(self) -> str | None:
        """Give the address of the TLS listener, if there is one."""
        return self.demo.tls_url

    @property
    def authority_file(self) -> Path | None:
        """Give the PEM file of the authority that signed the shop's certificate."""
        return self.demo.authority_file

    @property
    def probe_email(self) -> str:
        """Give the log-in of the account that probes use."""
        return self.demo.probe_email

    @property
    def probe_password(self) -> str:
        """Give the password of the account that probes use."""
        return self.demo.settings.probe_password

    @property
    def shop(self) -> Shop:
        """Give the shop's state, to look into."""
        return self.demo.shop

    def set_fault(self, name: str, on: bool = True, value: float | None = None) -> None:
        """Switch a fault on or off (`UnknownFault`, `FaultValueRefused`)."""
        self.demo.faults.set(name, on, value)

    def clear_faults(self) -> None:
        """Repair everything."""
        self.demo.faults.clear()


@contextmanager
def running_shop(
    *,
    tls: bool = False,
    customers_per_minute: float = 0,
    gateway_timeout_seconds: float = 5.0,
    monitor_url: str | None = None,
    probe_password: str | None = None,
    faults: Iterable[str] = (),
) -> Iterator[RunningShop]:
    """Serve a fresh shop on free ports of 127.0.0.1 while the block runs."""
    settings = DemoSettings(
        tls=tls,
        customers_per_minute=customers_per_minute,
        gateway_timeout_seconds=gateway_timeout_seconds,
        monitor_url=monitor_url,
        probe_password=probe_password or secrets.token_urlsafe(12),
        faults=tuple(faults),
    )
    demo, ready = Demo(settings), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(demo.run(ready.set)), name="demo-shop")
    thread.start()
    try:
        if not ready.wait(READY_SECONDS):
            raise TimeoutError(f"the demo shop was not ready within {READY_SECONDS} s")
        yield RunningShop(demo)
    finally:
        demo.stop()
        thread.join()


def _address(scheme: str, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # bound to every address: this machine reaches it by its own name
        host = "localhost"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
