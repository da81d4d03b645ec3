"""A sign-in through a provider: what it is held together by, and how it is told that it failed.

Going there and checking what comes back is `monitor.accounts.openid_provider`'s, which is loaded
only where a provider is configured.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


class OpenIdError(Exception):
    """Signing in through the provider did not work.

    `str()` is for the person; `detail` is for the log, and names no token.
    """

    def __init__(self, message: str, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


@dataclass(frozen=True)
class Trip:
    """What one trip to the provider and back is held together by."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
