"""A notification as one text message: short enough for a single part, its link always whole.

A part holds 160 characters of the GSM 03.38 alphabet (those of its extension count twice), or 70
UTF-16 units where anything lies outside of it (3GPP TS 23.038). So what has a plain stand-in gets
it: one curly quote would cost more than half of the message.
"""

from __future__ import annotations

import unicodedata

GSM_UNITS = 160
UCS2_UNITS = 70
GSM_PARTS_UNITS = 153  # of one part among several, which carries a header
UCS2_PARTS_UNITS = 67
LEAST_TEXT = 20  # a link that leaves less room than this is left out

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_STAND_INS = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'",
        "–": "-", "—": "-", "−": "-", "‑": "-", "…": "...", "•": "*", "·": "-", "→": "->",
        "×": "x", "\u00a0": " ", "\u202f": " ", "\t": " ", "`": "'",
    }
)  # fmt: skip


def render_sms(text: str, link: str = "", *, parts: int = 1) -> str:
    """Return `text`, cut where it must be, and the whole link within `parts` text messages.

    A link that would leave no room for words is left out.
    """
    plain = simplified(text)
    gsm = is_gsm(plain)
    room = capacity(parts, gsm=gsm and is_gsm(link))
    tail = f" {link}" if link else ""
    if tail and room - units(tail, gsm=gsm) < LEAST_TEXT:
        tail, room = "", capacity(parts, gsm=gsm)
    return _cut(plain, room - units(tail, gsm=gsm), gsm=gsm) + tail


def simplified(text: str) -> str:
    """Return `text` on one line, with stand-ins for what the GSM alphabet lacks.

    Letters of other scripts have none and stay as they are.
    """
    words = " ".join(text.translate(_STAND_INS).split())
    out = []
    for letter in words:
        if letter in _BASIC or letter in _EXTENSION:
            out.append(letter)
            continue
        bare = unicodedata.normalize("NFKD", letter)
        base = "".join(part for part in bare if not unicodedata.combining(part))
        out.append(base if base and is_gsm(base) else letter)
    return "".join(out)


def is_gsm(text: str) -> bool:
    """Return whether every character is in the GSM alphabet or its extension."""
    return all(letter in _BASIC or letter in _EXTENSION for letter in text)


def units(text: str, *, gsm: bool) -> int:
    """Return how much of a part's room a text takes."""
    if gsm:
        return sum(2 if letter in _EXTENSION else 1 for letter in text)
    return len(text.encode("utf-16-le")) // 2


def capacity(parts: int, *, gsm: bool) -> int:
    """Return the room of so many text messages, in units."""
    if parts == 1:
        return GSM_UNITS if gsm else UCS2_UNITS
    return parts * (GSM_PARTS_UNITS if gsm else UCS2_PARTS_UNITS)


def _cut(text: str, room: int, *, gsm: bool) -> str:
    if units(text, gsm=gsm) <= room:
        return text
    while text and units(text, gsm=gsm) > room - 3:
        text = text[:-1]
    return text.rstrip() + "..."
