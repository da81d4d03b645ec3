"""Receivers of notifications that tests meet: an HTTP sink and an SMTP server, as bad as asked."""

from __future__ import annotations

import threading
from asyncio import Server
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Answer:
    """What the HTTP sink does with one request."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait: threading.Event | None = None
    """Answer only once this is set; a sink that hangs."""


@dataclass(frozen=True)
class Post:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class HttpSink:
    """An HTTP server that keeps what it gets; answers come from `answers`, then are all 204."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answers: list[Answer] = []
        self.arrived = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """The address of the sink."""
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def ids(self) -> list[str]:
        """Return the notification ids in order of arrival."""
        with self.arrived:
            return [post.headers["X-Notification-Id"] for post in self.posts]

    def wait_for(self, count: int, timeout_seconds: float = 10) -> None:
        """Return once `count` requests have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.posts) >= count, timeout_seconds), (
                f"{len(self.posts)} of {count} arrived"
            )

    def receive(self, post: Post) -> Answer:
        """Keep a request and return what to do with it."""
        with self.arrived:
            self.posts.append(post)
            self.arrived.notify_all()
            return self.answers.pop(0) if self.answers else Answer()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = sink.receive(Post(self.path, dict(self.headers), body))
                if answer.wait is not None:
                    answer.wait.wait(20)
                try:
                    self.send_response(answer.status)
                    length = str(len(answer.body))
                    for name, value in {"Content-Length": length, **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except ConnectionError:
                    return  # the client gave up waiting, which is what the test is about

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    """Run an HTTP sink on a free port."""
    sink = HttpSink()
    thread = threading.Thread(target=sink.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield sink
    sink.server.shutdown()
    sink.server.server_close()
    thread.join()


class MailSink:
    """An SMTP server that keeps the mails it accepts; refusals are answered once each, in order."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refusals: list[str] = []
        self.refused_recipients: dict[str, str] = {}
        self.logins: list[str] = []
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: object, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Refuse the recipients that are to be refused."""
        if address in self.refused_recipients:
            return self.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: object, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail, or answer with the next refusal."""
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 kept"

    def check_login(self, *arguments: Any) -> AuthResult:
        """Accept the password `open sesame` alone."""
        data = arguments[-1]
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == b"open sesame", handled=False)


@contextmanager
def mail_sink(**options: Any) -> Iterator[MailSink]:
    """Run an SMTP server on a free port; `options` are those of aiosmtpd's `SMTP`."""
    sink = MailSink()
    authenticator: Callable[..., AuthResult] = sink.check_login
    controller = FreePort(sink, authenticator=authenticator, auth_require_tls=False, **options)
    controller.start()
    sink.port = controller.port
    yield sink
    controller.stop()


class FreePort(Controller):
    """aiosmtpd's server on a port of the system's choice."""

    def __init__(self, handler: object, **options: Any) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=0, **options)

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # the library's own
