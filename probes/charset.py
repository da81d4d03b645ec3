"""Bytes of a page as text, in the order of trust that browsers use."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAME = r"charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]{1,40})"
_HEADER = re.compile(_NAME, re.IGNORECASE)
_META = re.compile(b"<meta[^>]{0,200}?" + _NAME.encode(), re.IGNORECASE)
_META_WITHIN = 1024  # bytes; https://html.spec.whatwg.org/#determining-the-character-encoding
_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "unicode-escape"})
_SAME = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "iso8859-1": "cp1252"}


def decode(body: bytes, content_type: str) -> str:
    """Return the body as text: by its mark, its header, its `meta`, else as UTF-8.

    Bytes that do not fit become replacement characters; nothing raises.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    return body.decode(charset_of(body, content_type), "replace")


def charset_of(body: bytes, content_type: str) -> str:
    """Return the codec for a body; UTF-8 where none is named, or one we do not have."""
    named = _HEADER.search(content_type)
    found = named[1] if named else None
    if found is None and "json" not in content_type.lower():
        meta = _META.search(body[:_META_WITHIN])
        found = meta[1].decode("ascii") if meta else None
    return _codec(found) if found else "utf-8"


def _codec(name: str) -> str:
    """Return the text codec of a name, UTF-8 for an unknown one or one that is not for text."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return "utf-8"
    is_text = getattr(info, "_is_text_encoding", True)
    if not is_text or info.name in _NO_CHARSETS or info.name.startswith("raw"):
        return "utf-8"
    return _SAME.get(info.name, info.name)
