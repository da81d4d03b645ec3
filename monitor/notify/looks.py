"""How bad a message looks: its tone, and the colour and sign that chat services show for it."""

from __future__ import annotations

from enum import StrEnum

from monitor.notify.message import Message


class Tone(StrEnum):
    """What a message is at a glance; always beside the word, never instead of it."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    GOOD = "good"


COLOURS = {  # the console's own, light theme
    Tone.CRITICAL: "#b3261e",
    Tone.WARNING: "#b26a00",
    Tone.INFO: "#2a5db0",
    Tone.GOOD: "#1b7f4b",
}


def tone_of(message: Message) -> Tone:
    """Return good for an end, else the severity; info where it has none of the usual ones."""
    if message.is_over:
        return Tone.GOOD
    return Tone(message.severity) if message.severity in ("critical", "warning") else Tone.INFO


def cut(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, ending in an ellipsis where it was longer."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
