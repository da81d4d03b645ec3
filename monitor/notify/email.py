"""Notifications as e-mail over SMTP: plain text with a simple HTML alternative.

All mails of one incident share a thread, and all say that a machine wrote them, so that no
out-of-office reply comes back.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field

from monitor.notify.mail_text import is_address, render_mail
from monitor.notify.message import (
    Context,
    KindSettings,
    Message,
    NotifyError,
    Receipt,
    Words,
)
from probes.durations import Duration


class Settings(KindSettings):
    """An e-mail channel."""

    to: Words = ()
    """Addresses; a message that names its own recipient goes there instead."""
    smtp_url: str = ""
    """`smtp[s]://user:pass@host:port?starttls=1`; empty: `MONITOR_SMTP_URL`."""
    mail_from: str = ""
    """The sender's address; empty: `MONITOR_MAIL_FROM`."""
    deadline: Annotated[Duration, Field(ge=1, le=7 * 86400)] = 86_400.0
    """A day rather than an hour: mail is what people read later, and servers come back."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to hand in mail."""

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    user: str
    password: str

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """Return the server an address names; ports default to 25, or 465 for `smtps`.

        Raises:
            ValueError: it is no such address; the text never repeats it, for it holds a password.
        """
        expected = "expected smtp[s]://[user:password@]host[:port][?starttls=1]"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(expected) from error
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(expected)
        options = parse_qs(parts.query)
        if set(options) - {"starttls"}:
            raise ValueError(expected)
        return cls(
            host=parts.hostname,
            port=port or (465 if parts.scheme == "smtps" else 25),
            implicit_tls=parts.scheme == "smtps",
            starttls=options.get("starttls", ["0"])[-1] in ("1", "true", "yes"),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class _KeepsAnswer(smtplib.SMTP):
    """A connection that remembers what the server said to a whole mail; it names its queue id."""

    taken: tuple[int, bytes] = (250, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand in the mail's text and keep the answer."""
        self.taken = super().data(msg)
        return self.taken


class _KeepsAnswerTls(smtplib.SMTP_SSL, _KeepsAnswer):
    """The same over TLS from the start."""


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Return what the server said once it has accepted the mail for at least one recipient.

    The reference is the mail's own Message-ID.
    """
    server = _server(settings, context)
    sender = settings.mail_from or context.mail.mail_from
    if not is_address(sender):
        raise NotifyError("MONITOR_MAIL_FROM is not a mail address", retryable=False)
    to = _recipients(message, settings)
    mail = render_mail(message, sender=sender, to=to, context=context)
    with _speaking(server, settings.timeout) as smtp:
        refused = smtp.send_message(mail, from_addr=sender, to_addrs=to)
    taken = [address for address in to if address not in refused]
    words = f"{server.host} took it for {', '.join(taken)}: {_answer(*smtp.taken)}"
    words += "".join(f"; refused {a}: {_answer(*why)}" for a, why in sorted(refused.items()))
    return Receipt(words, str(mail["Message-ID"]))


def try_server(url: str, timeout_seconds: float) -> str:
    """Connect to a mail server, with TLS and login as its address asks for, and send nothing.

    Raises:
        NotifyError: the address is none, or the server cannot be used; says why.
    """
    try:
        server = SmtpServer.parse(url)
    except ValueError as error:
        raise NotifyError(f"MONITOR_SMTP_URL: {error}", retryable=False) from error
    with _speaking(server, timeout_seconds) as smtp:
        smtp.noop()
    secured = " over TLS" if server.implicit_tls or server.starttls else ""
    login = " and takes the login" if server.user else ""
    return f"{server.host}:{server.port} answers{secured}{login}"


def _recipients(message: Message, settings: Settings) -> list[str]:
    to = [message.recipient] if "@" in message.recipient else list(settings.to)
    if not to:
        raise NotifyError("the channel names no recipient", retryable=False)
    for address in to:
        if not is_address(address):
            raise NotifyError("the recipient is not a mail address", retryable=False)
    return to


def _server(settings: Settings, context: Context) -> SmtpServer:
    url = context.reveal(settings.smtp_url or context.mail.smtp_url)
    if not url:
        raise NotifyError("no mail server is set (MONITOR_SMTP_URL)", retryable=False)
    try:
        return SmtpServer.parse(url)
    except ValueError as error:
        raise NotifyError(f"MONITOR_SMTP_URL: {error}", retryable=False) from error


@contextmanager
def _speaking(server: SmtpServer, timeout_seconds: float) -> Iterator[_KeepsAnswer]:
    """Yield a connection ready for a mail; every refusal inside becomes a `NotifyError`."""
    smtp: _KeepsAnswer | None = None
    try:
        smtp = _connect(server, timeout_seconds)
        yield smtp
    except smtplib.SMTPException as error:
        raise _refusal(server.host, error) from error
    except ssl.SSLError as error:
        raise NotifyError(
            f"{server.host}: its certificate was not accepted", retryable=True
        ) from error
    except TimeoutError as error:
        raise NotifyError(f"{server.host}: no answer in time", retryable=True) from error
    except OSError as error:
        raise NotifyError(f"{server.host}: no connection", retryable=True) from error
    finally:
        if smtp is not None:
            with suppress(smtplib.SMTPException, OSError):  # the mail's fate is known by now
                smtp.quit()
            smtp.close()


def _connect(server: SmtpServer, timeout_seconds: float) -> _KeepsAnswer:
    if server.implicit_tls:
        tls = ssl.create_default_context()
        smtp: _KeepsAnswer = _KeepsAnswerTls(
            server.host, server.port, timeout=timeout_seconds, context=tls
        )
    else:
        smtp = _KeepsAnswer(server.host, server.port, timeout=timeout_seconds)
    try:
        if server.starttls:
            smtp.starttls(context=ssl.create_default_context())
        if server.user:
            smtp.login(server.user, server.password)
    except (smtplib.SMTPException, OSError):
        smtp.close()
        raise
    return smtp


def _refusal(host: str, error: smtplib.SMTPException) -> NotifyError:
    """Return what the server's answer means: 4yz may pass, 5yz is final (RFC 5321 §4.2.1).

    A refused login is tried again, for the password is ours and can be repaired meanwhile.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = list(error.recipients.values())
        may_pass = any(code < 500 for code, _ in answers)
        return NotifyError(f"{host}: {_answer(*answers[0])}", retryable=may_pass)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotifyError(f"{host}: the login was refused", retryable=True)
    if isinstance(error, smtplib.SMTPResponseException):
        words = _answer(error.smtp_code, error.smtp_error)
        return NotifyError(f"{host}: {words}", retryable=error.smtp_code < 500)
    final = isinstance(error, smtplib.SMTPNotSupportedError)
    words = "it lacks what this mail needs" if final else "it hung up, or said nothing in time"
    return NotifyError(f"{host}: {words}", retryable=not final)


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:200]}"
