"""String literals whose escapes are bytes, as Go reads them: `"\\xc3\\xbf"` is `ÿ`.

The parser takes each such escape for a character of its own. So these literals are rewritten
before it sees them. A byte that is no UTF-8 becomes a private character (U+F780 to U+F7FF): as a
label's value it matches nothing, as a label's name it is refused.
"""

from __future__ import annotations

import re

from monitor.promql.ast import quote
from monitor.promql.guard import TOKEN

HIGH_BYTE = re.compile(r"\\x[89a-fA-F][0-9a-fA-F]|\\[23][0-7]{2}")
ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
STRAY_BYTES = range(0x80, 0x100)
TO_PRIVATE = {0xDC00 + byte: chr(0xF700 + byte) for byte in STRAY_BYTES}
TO_BYTE = {0xF700 + byte: f"\\x{byte:02x}" for byte in STRAY_BYTES}
PLAIN = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def with_plain_strings(text: str) -> str:
    """Return an expression with every literal that has bytes above 127 written out."""
    if not HIGH_BYTE.search(text):
        return text
    return TOKEN.sub(lambda token: rewritten(token[0]) if token["string"] else token[0], text)


def rewritten(literal: str) -> str:
    """Return one literal with its bytes put together."""
    if literal.startswith("`") or not HIGH_BYTE.search(literal):
        return literal
    out, place = bytearray(), 1
    for escape in ESCAPE.finditer(literal, 1, len(literal) - 1):
        out += literal[place : escape.start()].encode() + bytes_of(escape)
        place = escape.end()
    out += literal[place:-1].encode()
    return quote(out.decode("utf-8", "surrogateescape").translate(TO_PRIVATE))


def is_label_name(name: str) -> bool:
    """Whether a label may be called so: any text but the empty one."""
    return bool(name) and not any(code in TO_BYTE for code in map(ord, name))


def printed(name: str) -> str:
    """Return a text as messages show it, stray bytes as escapes."""
    return name.translate(TO_BYTE)


def bytes_of(escape: re.Match[str]) -> bytes:
    """Return what an escape stands for."""
    byte, octal, short, long, other = escape.groups()
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8) & 0xFF])
    if short or long:
        code = int(short or long, 16)
        return chr(code).encode("utf-8", "replace") if code <= 0x10FFFF else b"\xff"
    return bytes([PLAIN[other]]) if other in PLAIN else other.encode()
