"""Passwords: how they are kept, compared, judged and made. Argon2 lives here alone."""

from __future__ import annotations

import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# 19 MiB, two passes, one lane: OWASP Password Storage Cheat Sheet's first choice for Argon2id.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_AT_ONCE = BoundedSemaphore(4)  # so that a flood of sign-ins cannot take the machine's memory

MIN_LENGTH = 12
MAX_LENGTH = 256
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # 31 characters nobody confuses
GROUPS, GROUP_LENGTH = 4, 5  # 20 characters: 99 bits


def hash_password(password: str) -> str:
    """Return the salted hash to store."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Return whether the password is the stored one; as slow when there is no account."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored or _nobody(), password[:MAX_LENGTH]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    """Return the hash that is compared with when there is no such account."""
    return _HASHER.hash(secrets.token_hex(16))


def one_time_password(groups: int = GROUPS) -> str:
    """Return a password to be typed once, such as `k7mwp-3xq9d-…`."""
    letters = [secrets.choice(ALPHABET) for _ in range(groups * GROUP_LENGTH)]
    parts = range(0, len(letters), GROUP_LENGTH)
    return "-".join("".join(letters[at : at + GROUP_LENGTH]) for at in parts)


def password_fault(password: str, repeated: str, *, name: str, old: str) -> str | None:
    """Return why a new password is refused, in words for its owner; None if it is good."""
    if len(password) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters; a few unrelated words do well."
    if len(password) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    if password != repeated:
        return "The two entries differ."
    if password == old:
        return "Choose a password that differs from the present one."
    if name.lower() in password.lower() or len(set(password)) < 5:
        return "That is easy to guess: leave out your name and use more varied characters."
    return None
