"""Mail servers, hosts and certificates that are dead, wrong or old."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.config.init import write_starter
from monitor.demo.tls import make_certificates, present
from monitor.doctor import network
from monitor.doctor.finding import Finding, Level
from monitor.doctor.network import (
    examine_channel_mail,
    examine_hosts,
    examine_mail,
    examine_public_url,
)
from monitor.doctor.origins import mail_servers_of, origins_of
from probes.secrets import EnvironmentSecrets
from tests.sinks import mail_sink

NOW = datetime.now(UTC)
NOBODY = "127.0.0.1:1"  # port 1: nothing listens there


def real_now() -> datetime:
    """Return the present: the servers here have no other."""
    return datetime.now(UTC)


class Answers(BaseHTTPRequestHandler):
    """Answers 404 to everything, with a date."""

    def do_HEAD(self) -> None:
        """Say that there is nothing."""
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def server(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Give the host and port of a web server."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    if context is not None:
        http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


@contextmanager
def tls_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, expired: bool, trusted: bool = True
) -> Iterator[str]:
    """The same with a certificate, whose authority is trusted or not."""
    made = make_certificates(folder, ("127.0.0.1",), NOW)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    present(context, made, expired=expired)
    with server(context) as host:
        yield host


def levels(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(f.area, f.level.value) for f in findings]


def test_a_mail_server_that_answers_and_takes_the_login_is_well() -> None:
    """Nothing is sent."""
    with mail_sink() as sink:
        url = f"smtp://ann:open%20sesame@127.0.0.1:{sink.port}"
        (found,) = examine_mail(url)
        assert found.level is Level.OK
        assert "takes the login" in found.text
        assert sink.mails == []


def test_a_mail_server_that_refuses_the_login_fails_without_telling_the_password() -> None:
    """The text and the advice hold neither."""
    with mail_sink() as sink:
        (found,) = examine_mail(f"smtp://ann:wrong-horse@127.0.0.1:{sink.port}")
    assert found.level is Level.FAIL
    assert "login was refused" in found.text
    assert "wrong-horse" not in found.text + found.advice


@pytest.mark.parametrize(
    ("url", "level"),
    [
        (None, "warn"),
        (f"smtp://{NOBODY}", "fail"),
        ("http://mail.test", "fail"),
        ("smtp://no-such-host.invalid", "fail"),
    ],
)
def test_a_mail_server_that_is_not_there_is_told(url: str | None, level: str) -> None:
    """None at all is a choice, a dead one is a failure."""
    assert levels(examine_mail(url)) == [("mail", level)]


def test_mail_servers_of_channels_are_looked_at_with_their_secrets(tmp_path: Path) -> None:
    """One is well, one is dead, one lacks its secret; channels without one of their own are not."""
    with mail_sink() as sink:
        list(write_starter("https://shop.test", tmp_path))
        file = tmp_path / "monitor.yml"
        mail = [
            mail_channel("well", f"smtp://ann:${{secret:MAIL}}@127.0.0.1:{sink.port}"),
            mail_channel("dead", f"smtp://{NOBODY}"),
            mail_channel("lacking", "smtp://ann:${secret:NONE}@127.0.0.1"),
            "  - {name: plain, kind: email, settings: {to: ann@shop.test}}\n",
        ]
        given = file.read_text("utf-8").replace("\nchannels:\n", f"\nchannels:\n{''.join(mail)}")
        file.write_text(given, "utf-8")
        secrets = EnvironmentSecrets({"MONITOR_SECRET_MAIL": "open sesame"})
        found = list(examine_channel_mail(mail_servers_of(tmp_path), secrets))
    assert levels(iter(found)) == [
        ("mail of dead", "fail"),
        ("mail of lacking", "fail"),
        ("mail of well", "ok"),
    ]
    assert not [one for one in found if "sesame" in one.text + one.advice]
    assert "smtp_url of the channel dead" in found[0].advice


def mail_channel(name: str, url: str) -> str:
    """Return a channel with a mail server of its own."""
    return f'  - {{name: {name}, kind: email, settings: {{to: a@shop.test, smtp_url: "{url}"}}}}\n'


def test_starttls_that_the_server_does_not_offer_fails() -> None:
    """A password would go over the wire for all to read."""
    with mail_sink() as sink:
        assert levels(examine_mail(f"smtp://127.0.0.1:{sink.port}?starttls=1")) == [
            ("mail", "fail")
        ]


def test_a_host_that_answers_anything_is_reached_and_lends_its_clock() -> None:
    """404 is an answer; its date is a second opinion."""
    with server() as host:
        found = list(examine_hosts([f"http://{host}"], real_now))
        wrong = list(examine_hosts([f"http://{host}"], lambda: real_now() + timedelta(hours=2)))
    assert levels(iter(found)) == [("outbound", "ok"), ("clock", "ok")]
    assert levels(iter(wrong)) == [("outbound", "ok"), ("clock", "fail")]


@pytest.mark.parametrize("host", [NOBODY, "no-such-host.invalid"])
def test_a_host_that_cannot_be_reached_fails(host: str) -> None:
    """Refused or unknown."""
    assert levels(examine_hosts([f"http://{host}"], real_now)) == [("outbound", "fail")]


def test_an_expired_certificate_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says that this is why."""
    with tls_server(tmp_path, monkeypatch, expired=True) as host:
        (found,) = examine_public_url(f"https://{host}", real_now)
    assert found.level is Level.FAIL
    assert "expired" in found.text


def test_a_certificate_nobody_vouches_for_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every browser would say."""
    with tls_server(tmp_path, monkeypatch, expired=False, trusted=False) as host:
        (found,) = examine_public_url(f"https://{host}", real_now)
    assert "certificate is not accepted" in found.text


@pytest.mark.parametrize(("days", "level"), [(0, "ok"), (75, "ok"), (77, "warn")])
def test_a_certificate_that_ends_soon_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, level: str
) -> None:
    """Fourteen days before it does: this one lives for ninety."""
    with tls_server(tmp_path, monkeypatch, expired=False) as host:
        found = levels(examine_public_url(f"https://{host}", lambda: NOW + timedelta(days=days)))
    assert found == [("public address", "ok"), ("public address", level)]


def test_a_public_address_without_tls_or_none_at_all_is_warned_of() -> None:
    """Passwords would be read on the way; links would lead nowhere."""
    assert levels(examine_public_url("", real_now)) == [("public address", "warn")]
    with server() as host:
        found = levels(examine_public_url(f"http://{host}", real_now))
    assert found == [("public address", "ok"), ("public address", "warn")]


def test_a_host_that_accepts_and_stays_silent_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a bounded time."""
    import socket

    monkeypatch.setattr(network, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (found,) = examine_hosts([host], real_now)
    assert "no answer in 0.2 s" in found.text


def test_every_host_of_the_files_is_known_and_nothing_of_paths_or_passwords(
    tmp_path: Path,
) -> None:
    """Secrets are filled in, and only the host of what they hold is told."""
    list(write_starter("https://shop.test:8443", tmp_path))
    with (tmp_path / "monitor.yml").open("a") as file:
        file.write(
            "\nchannels:\n  - {name: hook, kind: webhook, settings: {url: '${secret:HOOK}'}}\n"
        )
    environ = {"MONITOR_SECRET_HOOK": "https://ann:pass@hooks.test/services/T0/very-secret"}
    found = set(origins_of(tmp_path, environ))
    assert found >= {"https://shop.test:8443", "https://hooks.test"}
    assert not [one for one in found if "secret" in one or "pass" in one]
