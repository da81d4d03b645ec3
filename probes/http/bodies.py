"""Form entries as bytes on the wire."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from urllib.parse import urlencode

Entry = tuple[str, str]

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
PLAIN = "text/plain"


def encode_entries(
    entries: Sequence[Entry],
    encoding: str,
    *,
    files: Collection[str] = (),
    boundary: str | None = None,
) -> tuple[bytes, str]:
    """Return the body and its content type, in one of the three encodings forms have."""
    lines = [(_crlf(name), _crlf(value)) for name, value in entries]
    if encoding == MULTIPART:
        boundary = boundary or f"----form{secrets.token_hex(16)}"
        return _multipart(lines, files, boundary), f"{MULTIPART}; boundary={boundary}"
    if encoding == PLAIN:
        return "".join(f"{name}={value}\r\n" for name, value in lines).encode(), PLAIN
    return urlencode(lines).encode(), URLENCODED


def _multipart(entries: Sequence[Entry], files: Collection[str], boundary: str) -> bytes:
    """Return the entries as parts (RFC 7578); a file control sends an empty, nameless file."""
    parts = []
    for name, value in entries:
        head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
        if name in files and not value:
            head += '; filename=""\r\nContent-Type: application/octet-stream'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n")
    return ("".join(parts) + f"--{boundary}--\r\n").encode("utf-8", "replace")


def _quoted(name: str) -> str:
    """Return a name as browsers put it between quotes."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _crlf(text: str) -> str:
    """Return the text with the line ends forms use."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
