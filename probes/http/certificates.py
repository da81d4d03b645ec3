"""When the certificates a server presented run out."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Authorities:
    """Where trusted certificates are: a file with all of them, or a folder with one in each."""

    file: str | None
    folder: str | None = None


@lru_cache(maxsize=1)
def system_authorities() -> Authorities:
    """Return what this machine trusts, else the packaged bundle.

    A folder named by hashes is preferred to the bundle of the same system: a run, which has a new
    client, reads one certificate there instead of parsing all 140: 2 ms instead of 10 (measured
    2026-11). `SSL_CERT_FILE` and `SSL_CERT_DIR` have the last word, as everywhere.
    """
    given = ssl.get_default_verify_paths()
    if given.capath and "SSL_CERT_FILE" not in os.environ and any(Path(given.capath).glob("*.0")):
        return Authorities(None, given.capath)
    for path in (given.cafile, *_SYSTEM_BUNDLES):
        if path and Path(path).is_file():
            return Authorities(path)
    return Authorities(certifi.where())
