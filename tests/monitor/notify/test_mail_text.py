"""The mail itself: headers, thread, text and HTML."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.mail_text import is_address, one_line, render_html, render_mail
from tests.notices import make_context, make_message


def mail(**given_: Any) -> EmailMessage:
    return render_mail(
        make_message(**given_), sender="m@shop.example", to=["a@b.example"], context=make_context()
    )


def test_a_machine_wrote_it_and_says_so() -> None:
    """No out-of-office reply answers (RFC 3834)."""
    assert mail()["Auto-Submitted"] == "auto-generated"
    assert mail()["X-Auto-Response-Suppress"] == "All"


def test_mails_of_one_incident_share_a_thread_and_others_do_not() -> None:
    """References lead to one root for each incident; every mail has its own id."""
    first, second = mail(key="a"), mail(key="b")
    assert first["References"] == second["References"] != mail(thread="incident-8")["References"]
    assert first["Message-ID"] != second["Message-ID"]


def test_the_same_notification_sent_twice_has_the_same_message_id() -> None:
    """Receivers drop a mail they have already."""
    assert mail(attempt=1)["Message-ID"] == mail(attempt=2)["Message-ID"]


@given(st.text(max_size=300))
def test_no_subject_can_add_a_header_or_a_recipient(text: str) -> None:
    """Whatever the subject holds, the mail that is read back has exactly the headers we set."""
    raw = mail(subject=text + "\r\nBcc: evil@x.example").as_bytes()
    headers = message_from_bytes(raw, policy=default)
    assert headers.keys() == mail().keys()
    assert headers["To"] == "a@b.example"


@given(st.text(max_size=300))
def test_html_shows_the_text_and_never_runs_it(text: str) -> None:
    """Every angle bracket of the text is escaped: only our own tags remain."""
    page = render_html(text)
    body = page[page.index("<p>") : page.rindex("</p>") + 4] if "<p>" in page else ""
    for tag in ("<p>", "</p>", "<br>", "</a>"):
        body = body.replace(tag, "")
    assert body.count("<") == body.count('<a href="http')


def test_addresses_in_the_text_become_links() -> None:
    """The console is one click away; the full stop after it is not part of it."""
    assert '<a href="https://c.example/1?a=b&amp;c">https://c.example/1?a=b&amp;c</a>.' in (
        render_html("See https://c.example/1?a=b&c.")
    )


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a@b", True),
        ("a.b+c@d-e.example", True),
        ("ü@d.example", True),
        ("a@@b", False),
        ("a", False),
        ("@b", False),
        ("a@", False),
        ("a b@c", False),
        ("a@b\n", False),
        ("<a@b>", False),
        ("a@b,c@d", False),
        ('"a"@b', False),
        ("a" * 254 + "@b", False),
    ],
)
def test_an_address_is_one_bare_address(text: str, good: bool) -> None:
    """Names, lists, quotes and control characters are no address."""
    assert is_address(text) is good


@given(st.text())
def test_one_line_is_printable_and_has_no_double_spaces(text: str) -> None:
    """What is left fits a header and a terminal."""
    line = one_line(text)
    assert line.isprintable()
    assert "  " not in line
