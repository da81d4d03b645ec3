"""When the certificates a server presented run out."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import certifi

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


def earliest_expiry(chain: Iterable[Iterable[tuple[bytes, bytes]]]) -> datetime | None:
    """Return when the first certificate of libcurl's certificate info expires, None for none."""
    texts = (
        value.decode("ascii", "replace")
        for fields in chain
        for key, value in fields
        if key == b"Expire date"
    )
    times = [time for text in texts if (time := _parse_time(text)) is not None]
    return min(times, default=None)


def _parse_time(text: str) -> datetime | None:
    """Return the time OpenSSL printed, None where it is not one."""
    try:
        return datetime.strptime(" ".join(text.split()), "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def system_bundle() -> str:
    """Return the file of authorities that this machine trusts, else the packaged one."""
    given = ssl.get_default_verify_paths().cafile
    for path in (given, *_SYSTEM_BUNDLES):
        if path and Path(path).is_file():
            return path
    return certifi.where()
