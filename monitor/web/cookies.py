"""Cookies of ours: out of reach of scripts, and not carried by other sites' posts."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request
from fastapi.responses import Response


def full_name(name: str, public_url: str) -> str:
    """Return the cookie's name; over HTTPS with the prefix that browsers hold to our host.

    `__Host-` means: Secure, set by our host itself, for path `/`.
    """
    return f"__Host-{name}" if public_url.startswith("https:") else name


def read_cookie(request: Request, name: str, public_url: str) -> str:
    """Return a cookie's value, empty where the browser has none."""
    return request.cookies.get(full_name(name, public_url), "")


def put_cookie(
    response: Response, name: str, value: str, public_url: str, lasts: timedelta
) -> None:
    """Put a cookie into the browser."""
    response.set_cookie(
        full_name(name, public_url),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=public_url.startswith("https:"),
        httponly=True,
        samesite="lax",  # a provider leads back to us by a link
    )


def drop_cookie(response: Response, name: str, public_url: str) -> None:
    """Remove a cookie from the browser."""
    secure = public_url.startswith("https:")
    response.delete_cookie(
        full_name(name, public_url), path="/", secure=secure, httponly=True, samesite="lax"
    )
