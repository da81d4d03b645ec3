"""How a token is written: `spm_`, 43 characters of secret, 6 of checksum.

The prefix lets people and secret scanners recognise one; the checksum tells a mistyped or cut one
without asking the database. Only the SHA-256 is kept: with 256 random bits there is nothing to
guess, so a slow hash would protect nothing.
"""

from __future__ import annotations

import hmac
import secrets
import string
import zlib
from hashlib import sha256

PREFIX = "spm_"
ALPHABET = string.digits + string.ascii_letters
SECRET_BYTES = 32
SECRET_LENGTH = 43  # characters of base 62 that hold 256 bits
CHECKSUM_LENGTH = 6  # and 32 bits
LENGTH = len(PREFIX) + SECRET_LENGTH + CHECKSUM_LENGTH
HINT_LENGTH = 8  # characters by which its owner knows a token again


def new_token() -> str:
    """Return a new token of 256 random bits."""
    secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_LENGTH)
    return PREFIX + secret + _checksum(secret)


def is_token(text: str) -> bool:
    """Return whether the text has a token's form and its checksum is right."""
    if len(text) != LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return False
    body = text.removeprefix(PREFIX)
    shown = body[SECRET_LENGTH:].encode()
    return hmac.compare_digest(shown, _checksum(body[:SECRET_LENGTH]).encode())


def token_hash(token: str) -> str:
    """Return what a token is kept as."""
    return sha256(token.encode()).hexdigest()


def hint_of(token: str) -> str:
    """Return the beginning of a token, which says nothing of the rest."""
    return token[:HINT_LENGTH]


def _checksum(secret: str) -> str:
    return _base62(zlib.crc32(secret.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
