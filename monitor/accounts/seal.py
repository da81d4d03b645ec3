"""The key of this installation: what is sealed with it cannot be read from the database alone.

The key is never in the database: it is `MONITOR_SEAL_KEY`, or a file in the data folder that is
made at the first start. Processes that share a database have to share the key. AES-256-GCM with a
random nonce; the purpose is authenticated too, so that nothing sealed for one thing or person
opens as another.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from monitor.settings import Settings
from probes.faults import Fault, FaultyInput

FILE = "seal.key"
NONCE_BYTES = 12  # NIST SP 800-38D § 8.2.2: random nonces of 96 bits


class BrokenSeal(Exception):  # noqa: N818 - says what happened
    """It was sealed with another key, for another purpose, or has been changed."""


class Seal:
    """Seals texts, and derives secrets that need not be stored."""

    def __init__(self, key: str) -> None:
        self._cipher = AESGCM(_derived(key.encode(), "seal"))
        self._mac = _derived(key.encode(), "derive")

    def close(self, text: str, purpose: str) -> str:
        """Return the text sealed for one purpose."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """Return the text again.

        Raises:
            BrokenSeal: it was not sealed here for this purpose.
        """
        try:
            raw = base64.urlsafe_b64decode(sealed.encode())
            nonce, body = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
            return self._cipher.decrypt(nonce, body, purpose.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise BrokenSeal(purpose) from error

    def derive(self, purpose: str, name: str) -> str:
        """Return the secret (256 bits) that belongs to a name; always the same one."""
        raw = hmac.new(self._mac, f"{purpose}\0{name}".encode(), sha256).digest()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def open_seal(settings: Settings) -> Seal:
    """Return the installation's seal; its key file is made where there is none yet.

    Raises:
        FaultyInput: the file can be neither read nor made.
    """
    if settings.seal_key is not None:
        return Seal(settings.seal_key)
    path = settings.data / FILE
    try:
        if not path.exists():
            _make(path)
        return Seal(path.read_text("ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        expected = f"a readable key file, or MONITOR_SEAL_KEY instead of it ({error})"
        raise FaultyInput([Fault("environment", None, FILE, str(path), expected)]) from error


def _make(path: Path) -> None:
    """Write a new key whole or not at all; another process's key is left in place."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".seal-", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")  # readable for its owner alone
        file.flush()
        os.fsync(file.fileno())
        try:
            path.hardlink_to(file.name)
        except FileExistsError:
            return


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, f"monitor\0{purpose}".encode(), sha256).digest()
