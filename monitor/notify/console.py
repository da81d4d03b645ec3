"""Notifications as one readable line on standard output."""

from __future__ import annotations

import sys
from typing import Literal

from monitor.notify.mail_text import one_line
from monitor.notify.message import Context, KindSettings, Message, Receipt


class Settings(KindSettings):
    """A console channel."""

    stream: Literal["stdout", "stderr"] = "stdout"
    """Where the line goes."""


def send(message: Message, settings: Settings, context: Context) -> Receipt:
    """Write the message as one line and return what became of it."""
    out = sys.stderr if settings.stream == "stderr" else sys.stdout
    out.write(render_line(message, context) + "\n")
    out.flush()
    return Receipt(f"written to {settings.stream}")


def render_line(message: Message, context: Context) -> str:
    """Return time, severity, subject, the body's first lines and the id, without line breaks."""
    at = context.clock.now().strftime("%H:%M:%SZ")
    lines = (line.strip() for line in message.body.splitlines())
    first = [line for line in lines if line and line not in message.subject][:2]
    parts = [message.severity.upper(), message.subject, *first, f"[{message.id}]"]
    return f"{at} NOTIFY " + " · ".join(one_line(part) for part in parts if part)
