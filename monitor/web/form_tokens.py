"""Signed tokens for forms that strangers fill: proof that we gave the form out, and when.

A token is `<unix seconds>.<hex HMAC-SHA256 of purpose and time>`. It needs no cookie and no
storage; a form sent back sooner than a person can type, or after a day, is refused.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256

VALID_FOR = timedelta(hours=24)


def issue_form_token(key: bytes, purpose: str, now: datetime) -> str:
    """Return a token for one purpose (the form's name), valid for a day."""
    stamp = str(int(now.timestamp()))
    return f"{stamp}.{_sign(key, purpose, stamp)}"


def form_token_age(key: bytes, purpose: str, token: str, now: datetime) -> timedelta | None:
    """Return how old a valid token is; None if it is forged, for another purpose or too old."""
    stamp, _, signature = token.partition(".")
    if not hmac.compare_digest(_sign(key, purpose, stamp).encode(), signature.encode()):
        return None
    if not (stamp.isascii() and stamp.isdigit()):
        return None
    age = timedelta(seconds=int(now.timestamp()) - int(stamp))
    return age if timedelta(0) <= age <= VALID_FOR else None


def _sign(key: bytes, purpose: str, stamp: str) -> str:
    return hmac.new(key, f"form\0{purpose}\0{stamp}".encode(), sha256).hexdigest()
