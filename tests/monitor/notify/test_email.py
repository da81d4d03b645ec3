"""Mail through a real SMTP server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from monitor.notify import email
from monitor.notify.email import SmtpServer
from monitor.notify.message import MailAccount, NotifyError
from tests.notices import make_context, make_message
from tests.sinks import MailSink, mail_sink

TO = email.Settings.model_validate({"to": "ann@shop.example, bo@shop.example", "timeout": "2s"})


def send(mailbox: MailSink, settings: email.Settings = TO, **given: Any) -> str:
    return email.send(make_message(**given), settings, make_context(mailbox.port))


def test_everyone_on_the_channel_gets_the_mail_with_subject_text_and_id(mailbox: MailSink) -> None:
    """Both addresses receive what, since when and where, under the notification's id."""
    receipt = send(mailbox)
    mail = mailbox.mails[0]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Step: pay (status)" in body.get_content()
    assert mailbox.recipients == [["ann@shop.example", "bo@shop.example"]]
    assert mail["X-Notification-Id"] == "incident-7.opened.oncall"
    assert receipt == "127.0.0.1 took it for ann@shop.example, bo@shop.example: 250 kept"


def test_the_receipt_keeps_the_mails_own_id(mailbox: MailSink) -> None:
    """Whoever looks for a mail in a server's log finds it by its Message-ID."""
    receipt = email.send(make_message(), TO, make_context(mailbox.port))
    assert receipt.reference == mailbox.mails[0]["Message-ID"]


def test_a_page_carries_its_link_and_the_headers_of_its_channel(mailbox: MailSink) -> None:
    """Filters find the channel by List-Id; the link stands in the text and in the HTML."""
    send(mailbox, channel="oncall-mail", acknowledge_url="https://m.example/a/t0ken")
    mail = mailbox.mails[0]
    texts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    assert all(text and "https://m.example/a/t0ken" in text.get_content() for text in texts)
    assert mail["List-Id"] == "Demo Shop <oncall-mail.notifications.shop.example>"
    assert mail["List-Archive"] == "<https://status.shop.example/console/notifications>"


def test_a_users_mail_belongs_to_no_list(mailbox: MailSink) -> None:
    """What goes to somebody who reported a problem is a letter."""
    send(mailbox, recipient="user@mail.example")
    assert mailbox.mails[0]["List-Id"] is None


def test_a_message_with_its_own_recipient_goes_there_alone(mailbox: MailSink) -> None:
    """A reporter's answer is not copied to the channel's addresses."""
    send(mailbox, recipient="user@mail.example")
    assert mailbox.recipients == [["user@mail.example"]]


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        ("421 try later", True),
        ("451 greylisted", True),
        ("452 full", True),
        ("550 no such user", False),
        ("552 too big", False),
        ("554 refused", False),
    ],
)
def test_a_temporary_refusal_may_pass_and_a_permanent_one_is_final(
    mailbox: MailSink, answer: str, retryable: bool
) -> None:
    """4yz is tried again, 5yz is not; the server's words are kept."""
    mailbox.refusals = [answer]
    with pytest.raises(NotifyError, match=answer) as caught:
        send(mailbox)
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(("answer", "retryable"), [("450 later", True), ("550 unknown", False)])
def test_a_refusal_of_every_recipient_is_judged_by_its_code(
    mailbox: MailSink, answer: str, retryable: bool
) -> None:
    """With nobody left to deliver to, the mail failed."""
    mailbox.refused_recipients = dict.fromkeys(TO.to, answer)
    with pytest.raises(NotifyError, match=answer) as caught:
        send(mailbox)
    assert caught.value.retryable is retryable


def test_one_refused_recipient_of_two_is_named_in_the_receipt(mailbox: MailSink) -> None:
    """The timeline tells who did not get the mail, and why."""
    mailbox.refused_recipients = {"bo@shop.example": "550 unknown"}
    receipt = send(mailbox)
    took = "127.0.0.1 took it for ann@shop.example: 250 kept"
    assert receipt == f"{took}; refused bo@shop.example: 550 unknown"


# aiosmtpd warns of a login in the clear, which is what these tests want.
LOGIN_IN_THE_CLEAR = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")


@pytest.fixture
def guarded() -> Iterator[MailSink]:
    """A mail server that asks for a login."""
    with mail_sink(auth_required=True) as sink:
        yield sink


@LOGIN_IN_THE_CLEAR
def test_a_login_from_the_address_is_used_without_starttls_where_none_is_asked(
    guarded: MailSink,
) -> None:
    """User and password of the address, percent-decoded, let us in."""
    url = f"smtp://mo%40shop:${{secret:MAIL}}@127.0.0.1:{guarded.port}"
    context = replace(make_context(MAIL="open%20sesame"), mail=MailAccount(url, "m@shop.example"))
    email.send(make_message(), TO, context)
    assert (guarded.logins, len(guarded.mails)) == (["mo@shop"], 1)


@LOGIN_IN_THE_CLEAR
def test_a_refused_login_may_pass_and_never_shows_the_password(guarded: MailSink) -> None:
    """The password is ours to repair, so the message waits."""
    url = f"smtp://mo:wrong-pw@127.0.0.1:{guarded.port}"
    context = replace(make_context(), mail=MailAccount(url, "m@shop.example"))
    with pytest.raises(NotifyError) as caught:
        email.send(make_message(), TO, context)
    assert (str(caught.value), caught.value.retryable) == ("127.0.0.1: the login was refused", True)


def test_starttls_that_the_server_does_not_offer_is_never_silently_skipped(
    mailbox: MailSink,
) -> None:
    """Asked for encryption, nothing is sent in the clear."""
    context = make_context(mailbox.port)
    account = replace(context.mail, smtp_url=context.mail.smtp_url + "?starttls=1")
    with pytest.raises(NotifyError):
        email.send(make_message(), TO, replace(context, mail=account))
    assert not mailbox.mails


def test_a_server_that_is_not_there_may_come_back() -> None:
    """A refused connection is tried again."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(NotifyError, match="no connection") as caught:
        email.send(make_message(), TO, make_context(port))
    assert caught.value.retryable


def test_a_server_that_says_nothing_is_given_up_after_the_timeout() -> None:
    """A silent server costs at most the channel's timeout."""
    quick = TO.model_copy(update={"timeout": 0.1})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(NotifyError, match="said nothing in time") as caught:
            email.send(make_message(), quick, make_context(silent.getsockname()[1]))
        assert caught.value.retryable


@pytest.mark.parametrize("recipient", ["a@b\r\nBcc: c@d", "a@b,c@d", "A <a@b>"])
def test_an_address_that_is_more_than_one_address_is_refused(
    mailbox: MailSink, recipient: str
) -> None:
    """A reporter cannot make us write to others."""
    with pytest.raises(NotifyError, match="recipient") as caught:
        send(mailbox, recipient=recipient)
    assert not mailbox.mails
    assert not caught.value.retryable


def test_without_a_mail_server_or_recipient_the_failure_says_what_to_set() -> None:
    """The operator reads which variable is missing."""
    with pytest.raises(NotifyError, match="MONITOR_SMTP_URL"):
        email.send(make_message(), TO, make_context())
    with pytest.raises(NotifyError, match="names no recipient"):
        email.send(make_message(), email.Settings(), make_context(25))


@pytest.mark.parametrize(
    ("url", "port", "starttls", "implicit"),
    [
        ("smtp://h", 25, False, False),
        ("smtps://h", 465, False, True),
        ("smtp://u:p@h:587?starttls=1", 587, True, False),
        ("smtp://[::1]:26", 26, False, False),
    ],
)
def test_an_address_says_where_and_how(url: str, port: int, starttls: bool, implicit: bool) -> None:
    """Scheme, port and option decide about encryption."""
    server = SmtpServer.parse(url)
    assert (server.port, server.starttls, server.implicit_tls) == (port, starttls, implicit)


@pytest.mark.parametrize(
    "url", ["", "h:25", "http://h", "smtp://", "smtp://h:99999", "smtp://h/x", "smtp://h?tls=1"]
)
def test_anything_else_is_refused_without_repeating_the_address(url: str) -> None:
    """An address may hold a password, so an error never shows it."""
    with pytest.raises(ValueError, match=r"^expected smtp\[s\]://"):
        SmtpServer.parse(url)
