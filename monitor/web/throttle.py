"""Slows down guessing without giving anybody the means to lock somebody else out.

Failures are counted in three places. For an account *from one client*, and for a client over all
accounts: whoever guesses is delayed, and the owner, who comes from elsewhere, is not. And for an
account over *all strangers* together, so that guessing from many addresses at once is slow too;
the first few failures of each address count, so that one address alone never gets there. A
browser that has signed in to the account before is no stranger: it shows so by a signed cookie, is
counted on its own, and never waits for what others did. So the last brake, which anybody can pull,
holds nobody up who has been here; a newcomer waits at most a minute (or comes in by a mailed link).
A try that was refused unheard counts nowhere: it makes no wait longer.

Device cookies: https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
Kept in memory: a restart forgives, which costs a guesser more time than it saves.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

FREE_FOR_ACCOUNT = 3  # failures without a wait, for one account from one client
FREE_FOR_CLIENT = 15  # and for one client over all accounts: an office shares an address
FREE_FOR_STRANGERS = 30  # and for one account over all clients that it does not know
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_BRAKE = timedelta(minutes=1)  # as long as a stranger waits for other strangers
FORGOTTEN_AFTER = timedelta(hours=1)
MOST_KEPT = 10_000


@dataclass(frozen=True)
class Failures:
    """How often it went wrong, and when last."""

    count: int = 0
    last_at: datetime | None = None

    def wait(self, free: int, now: datetime, longest: timedelta = LONGEST_WAIT) -> timedelta:
        """Return how long until the next try: 1 s after `free` failures, then doubling."""
        if self.last_at is None or self.count < free:
            return timedelta(0)
        pause = timedelta(seconds=2 ** min(self.count - free, 12))
        since = min(self.last_at, now)  # a clock that was put back makes nobody wait for longer
        return max(timedelta(0), since + min(pause, longest) - now)


class Memory:
    """Failures by key; bounded in size, the longest untouched is forgotten first."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], Failures] = OrderedDict()

    def of(self, key: tuple[str, str], now: datetime) -> Failures:
        """Return what is remembered; nothing after an hour of peace."""
        found = self._failures.get(key, Failures())
        if found.last_at is not None and now - found.last_at > FORGOTTEN_AFTER:
            return Failures()
        return found

    def add(self, key: tuple[str, str], now: datetime) -> None:
        """Count a failure."""
        self._failures[key] = Failures(self.of(key, now).count + 1, now)
        self._failures.move_to_end(key)
        while len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)

    def forget(self, key: tuple[str, str]) -> None:
        """Count from nothing again."""
        self._failures.pop(key, None)


class Throttle:
    """Remembers failures; a flood of addresses cannot push out what is known of accounts."""

    def __init__(self) -> None:
        self._clients, self._devices, self._accounts = Memory(), Memory(), Memory()
        self._lock = Lock()

    def wait(self, account: str, client: str, now: datetime, *, device: str = "") -> timedelta:
        """Return how long this client has to wait before it may try this account.

        `device` names a browser that the account knows; empty for a stranger.
        """
        account, network = account.lower(), client_network(client)
        with self._lock:
            if device:
                return self._devices.of((account, device), now).wait(FREE_FOR_ACCOUNT, now)
            return max(
                self._clients.of((account, network), now).wait(FREE_FOR_ACCOUNT, now),
                self._clients.of(("", network), now).wait(FREE_FOR_CLIENT, now),
                self._accounts.of((account, ""), now).wait(FREE_FOR_STRANGERS, now, LONGEST_BRAKE),
            )

    def failed(self, account: str, client: str, now: datetime, *, device: str = "") -> None:
        """Count a failure."""
        account, network = account.lower(), client_network(client)
        with self._lock:
            if device:
                self._devices.add((account, device), now)
                return
            self._clients.add((account, network), now)
            self._clients.add(("", network), now)
            if self._clients.of((account, network), now).count <= FREE_FOR_ACCOUNT:
                self._accounts.add((account, ""), now)

    def succeeded(self, account: str, client: str, *, device: str = "") -> None:
        """Forget this client's failures with this account; all others still count."""
        account = account.lower()
        with self._lock:
            self._clients.forget((account, client_network(client)))
            self._devices.forget((account, device))


def client_network(client: str) -> str:
    """Return what stands for a client: its IPv4 address, or its IPv6 network of 64 bits."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
