"""Slows down guessing without giving anybody the means to lock somebody else out.

Failures are counted for an account *from one client*, and for a client over all accounts. So
whoever guesses is delayed, and the account's owner, who comes from elsewhere, is not. Kept in
memory: a restart forgives, which costs a guesser more time than it saves.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

FREE_FOR_ACCOUNT = 3  # failures without a wait, for one account from one client
FREE_FOR_CLIENT = 15  # and for one client over all accounts: an office shares an address
LONGEST_WAIT = timedelta(minutes=5)
FORGOTTEN_AFTER = timedelta(hours=1)
MOST_KEPT = 10_000


@dataclass(frozen=True)
class Failures:
    """How often it went wrong, and when last."""

    count: int = 0
    last_at: datetime | None = None

    def wait(self, free: int, now: datetime) -> timedelta:
        """Return how long until the next try: 1 s after `free` failures, doubling up to 5 min."""
        if self.last_at is None or self.count < free:
            return timedelta(0)
        pause = timedelta(seconds=2 ** min(self.count - free, 12))
        return max(timedelta(0), self.last_at + min(pause, LONGEST_WAIT) - now)


class Throttle:
    """Remembers failures; bounded in size, the longest untouched is forgotten first."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], Failures] = OrderedDict()
        self._lock = Lock()

    def wait(self, account: str, client: str, now: datetime) -> timedelta:
        """Return how long this client has to wait before it may try this account."""
        network = client_network(client)
        with self._lock:
            one = self._seen((account.lower(), network), now).wait(FREE_FOR_ACCOUNT, now)
            all_ = self._seen(("", network), now).wait(FREE_FOR_CLIENT, now)
        return max(one, all_)

    def failed(self, account: str, client: str, now: datetime) -> None:
        """Count a failure."""
        network = client_network(client)
        with self._lock:
            for key in ((account.lower(), network), ("", network)):
                self._failures[key] = Failures(self._seen(key, now).count + 1, now)
                self._failures.move_to_end(key)
            while len(self._failures) > MOST_KEPT:
                self._failures.popitem(last=False)

    def succeeded(self, account: str, client: str) -> None:
        """Forget this client's failures with this account; those with others still count."""
        with self._lock:
            self._failures.pop((account.lower(), client_network(client)), None)

    def _seen(self, key: tuple[str, str], now: datetime) -> Failures:
        found = self._failures.get(key, Failures())
        if found.last_at is not None and now - found.last_at > FORGOTTEN_AFTER:
            return Failures()
        return found


def client_network(client: str) -> str:
    """Return what stands for a client: its IPv4 address, or its IPv6 network of 64 bits."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
