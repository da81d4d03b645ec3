"""Browsers that have signed in to an account before, known by a signed cookie.

It opens nothing: it only means that the browser need not wait for what strangers did (see
`monitor.web.throttle`). One cookie for each account, named after a hash of the account's name.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from fastapi import Request
from fastapi.responses import Response

from monitor.web.cookies import put_cookie, read_cookie

KNOWN_FOR = timedelta(days=365)


def known_device(request: Request, key: bytes, account: str, public_url: str, now: datetime) -> str:
    """Return the name of the browser as this account knows it; empty if it is a stranger."""
    value = read_cookie(request, _cookie(account), public_url)
    device, _, signature = value.rpartition(".")
    if not hmac.compare_digest(_sign(key, account, device).encode(), signature.encode()):
        return ""
    since = datetime.fromtimestamp(int(device.partition(".")[0]), tz=now.tzinfo)
    return device if now - since < KNOWN_FOR else ""


def remember_device(
    response: Response, key: bytes, account: str, public_url: str, now: datetime
) -> None:
    """Have this browser known to the account from now on."""
    device = f"{int(now.timestamp())}.{secrets.token_urlsafe(16)}"
    value = f"{device}.{_sign(key, account, device)}"
    put_cookie(response, _cookie(account), value, public_url, KNOWN_FOR)


def _cookie(account: str) -> str:
    return f"monitor_device_{sha256(account.lower().encode()).hexdigest()[:12]}"


def _sign(key: bytes, account: str, device: str) -> str:
    return hmac.new(key, f"device\0{account.lower()}\0{device}".encode(), sha256).hexdigest()
