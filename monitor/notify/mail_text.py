"""A notification as a mail: headers that no text can break out of, text, and simple HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from monitor.notify.message import Context, Message, digest

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
_LONGEST_SUBJECT = 200


def is_address(text: str) -> bool:
    """Return whether `text` is one bare mail address that may stand in a header."""
    return len(text) <= 254 and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def render_mail(
    message: Message, *, sender: str, to: Sequence[str], context: Context
) -> EmailMessage:
    """Return the mail; all mails with the same `message.thread` refer to one thread.

    The Message-ID is made from the notification's id: a mail sent twice after a crash is dropped
    by receivers that know it already. The automatic headers are those of RFC 3834 §5.
    """
    host = sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = one_line(message.subject)[:_LONGEST_SUBJECT]
    mail["From"] = Address(one_line(context.site_name), addr_spec=sender)
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(context.clock.now())
    mail["Message-ID"] = f"<{digest(message.key)}@{host}>"
    if message.thread:
        root = f"<{digest('thread:' + message.thread)}@{host}>"
        mail["In-Reply-To"] = root
        mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Notification-Id"] = message.id
    if message.channel:  # RFC 2919, RFC 2369: one filter for all mails of a channel
        mail["List-Id"] = f"{one_line(context.site_name)} <{message.channel}.notifications.{host}>"
        if context.site_url:
            mail["List-Archive"] = f"<{context.site_url}/console/notifications>"
    body = message.body.rstrip()
    if message.acknowledge_url:
        body += f"\n\nTake it, without signing in:\n{message.acknowledge_url}"
    text = f"{body}\n\n-- \n{context.site_name} · notification {message.id}\n"
    mail.set_content(text)
    mail.add_alternative(render_html(text), subtype="html")
    return mail


def render_html(text: str) -> str:
    """Return `text` as an HTML page: paragraphs, line breaks and links, nothing else."""
    paragraphs = [p for p in re.split(r"\n\s*\n", text.strip()) if p]
    body = "\n".join(f"<p>{_linked(p)}</p>" for p in paragraphs)
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>'
        '<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">\n'
        f"{body}\n</body></html>\n"
    )


def _linked(paragraph: str) -> str:
    out, at = [], 0
    for link in _LINK.finditer(paragraph):
        url = escape(link[0], quote=True)
        out += [escape(paragraph[at : link.start()]), f'<a href="{url}">{url}</a>']
        at = link.end()
    out.append(escape(paragraph[at:]))
    return "".join(out).replace("\n", "<br>\n")


def one_line(text: str) -> str:
    """Return `text` without line breaks or control characters, words parted by one space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
