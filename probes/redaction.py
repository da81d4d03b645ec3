"""Secrets' values taken out of text, in every form in which text can carry them.

Each character of a value is looked for as itself, percent-encoded (either case), as a JSON or HTML
escape, and a space also as `+`; so any mixture of encodings is found. The value in base64 is looked
for at its three alignments, in both alphabets, which also covers `user:password` in basic
authentication. Matching is RE2's, linear in the text.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import re2

MIN_LENGTH = 8
PLACEHOLDER = "[secret]"
_HTML_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "\xa0": "nbsp"}
_JSON_SHORT = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"} | {c: c for c in '"\\/'}
_PIECE = 200  # characters; a longer value is looked for in pieces, so that patterns stay small


class Redactor:
    """Takes the given values out of text and of JSON-like data."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """Look for every value that is not empty, longest first."""
        kept = {value for value in values if value}
        self._patterns = tuple(
            _pattern(piece)
            for value in sorted(kept, key=lambda value: (-len(value), value))
            for piece in _pieces(value)
        )

    def text(self, text: str) -> str:
        """Return the text with every value in it, in any form, replaced by `[secret]`."""
        for pattern in self._patterns:
            if pattern.search(text):
                text = pattern.sub(PLACEHOLDER, text)
        return text

    def data(self, data: Any) -> Any:
        """Return JSON-like data with every text in it redacted, keys included."""
        if not self._patterns:
            return data
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {self.data(key): self.data(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self.data(item) for item in data]
        return data


@lru_cache(maxsize=1024)
def _pattern(value: str) -> Any:
    """Return the compiled pattern of one value in all its forms."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    forms = dict.fromkeys(_base64_forms(value.encode("utf-8", "surrogatepass")))
    raw = _flexible(value)
    encoded = [_base64_pattern(form) for form in forms]
    return re2.compile("|".join([raw, *encoded]), options=options)


def _pieces(value: str) -> list[str]:
    """Return the value, or pieces of it none of which is short."""
    count = max(1, len(value) // _PIECE)
    size = -(-len(value) // count)
    return [value[at : at + size] for at in range(0, len(value), size)]


def _flexible(text: str) -> str:
    """Return a pattern for the text with each character in any encoding."""
    return "".join(_character(character) for character in text)


def _character(character: str) -> str:
    """Return a pattern for one character in any encoding."""
    forms = [
        re2.escape(character),
        _percent(character.encode("utf-8", "surrogatepass")),
        *_json(character),
    ]
    forms += list(_html(character))
    if ord(character) < 256:
        forms.append(_percent(character.encode("latin-1")))
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(dict.fromkeys(forms))})"


def _percent(raw: bytes) -> str:
    """Return a pattern for bytes as %XX, either case, also when encoded twice."""
    return "".join(f"%(?:25)?{_either_case(f'{byte:02x}')}" for byte in raw)


def _either_case(digits: str) -> str:
    """Return a pattern for hex digits of either case."""
    return "".join(f"[{d}{d.upper()}]" if d.isalpha() else d for d in digits)


def _json(character: str) -> Iterator[str]:
    """Yield patterns for the escapes JSON has for a character; the backslash may be doubled."""
    raw = character.encode("utf-16-be", "surrogatepass")
    units = [raw[at : at + 2].hex() for at in range(0, len(raw), 2)]
    yield "".join(rf"\\+u{_either_case(unit)}" for unit in units)
    if character in _JSON_SHORT:
        yield r"\\+" + str(re2.escape(_JSON_SHORT[character]))


def _html(character: str) -> Iterator[str]:
    """Yield patterns for the character references HTML has for a character."""
    code = ord(character)
    yield f"&#0*{code};?"
    yield f"&#[xX]0*{_either_case(f'{code:x}')};?"
    if character in _HTML_NAMES:
        yield f"&(?:amp;)?{_HTML_NAMES[character]};"


def _base64_pattern(text: str) -> str:
    """Return a pattern for base64, whose signs may be percent-encoded and `/` escaped."""
    signs = {sign: f"(?:{re2.escape(sign)}|{_percent(sign.encode())})" for sign in "+="}
    signs["/"] = rf"(?:\\*/|{_percent(b'/')})"
    return "".join(signs.get(character, str(re2.escape(character))) for character in text)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield what every base64 text that contains `raw` must contain, for each of three alignments.

    The first and last characters also depend on the neighbours and are left out.
    """
    for offset in range(3):
        padded = b"\0" * offset + raw
        whole = len(padded) // 3 * 4
        rest = {0: 0, 1: 1, 2: 2}[len(padded) % 3]
        start = {0: 0, 1: 2, 2: 3}[offset]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(padded).decode()[start : whole + rest]
