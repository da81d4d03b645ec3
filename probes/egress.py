"""Where a run may connect to: hosts the journey names, at addresses that fit them.

A host is allowed when the journey's own addresses or `allow_hosts` name it. A host that is named
exactly may stand on a private or loopback address; one that only a `*.` entry covers may not.
Link-local addresses (where clouds keep credentials), multicast and unspecified ones are refused
unless the very address is named. The address is checked after name resolution, when the socket is
about to be opened, so that no second answer of a name server can slip by.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_PORTS = {"http": 80, "https": 443}
WEB_PORTS = frozenset(DEFAULT_PORTS.values())
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_BROADCAST = ipaddress.ip_address("255.255.255.255")
_METADATA = frozenset(
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)


class EgressDenied(Exception):  # noqa: N818 - says what happened
    """A connection the guard refused; the message says what would be allowed."""


@dataclass(frozen=True)
class Origin:
    """Scheme, host (lower case, no brackets) and port of an address."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return the origin as a browser writes it in the `Origin` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = DEFAULT_PORTS[self.scheme] == self.port
        return f"{self.scheme}://{host}" if default else f"{self.scheme}://{host}:{self.port}"


@lru_cache(maxsize=4096)
def origin_of(url: str) -> Origin:
    """Return the origin of an http or https address.

    Raises:
        EgressDenied: another scheme, user info, no host, or no valid port.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EgressDenied(f"{url!r} is not a valid address") from error
    _refuse_odd(parts)
    host = (parts.hostname or "").rstrip(".")
    return Origin(parts.scheme, host, DEFAULT_PORTS[parts.scheme] if port is None else port)


def _refuse_odd(parts: SplitResult) -> None:
    """Refuse addresses that no journey needs."""
    if parts.scheme not in DEFAULT_PORTS:
        raise EgressDenied(f"scheme {parts.scheme or 'none'!r} is not allowed; http and https are")
    if "@" in parts.netloc:
        raise EgressDenied("user info in an address is not allowed; use an Authorization header")
    if not parts.hostname or "\\" in parts.netloc:
        raise EgressDenied("an address needs a host")


@dataclass(frozen=True)
class _Entry:
    """One allowed host; ports None means the two web ports."""

    host: str
    port: int | None
    wildcard: bool = False

    def covers(self, origin: Origin) -> bool:
        """Whether the origin is this entry's."""
        if origin.port not in (WEB_PORTS if self.port is None else (self.port,)):
            return False
        return origin.host.endswith("." + self.host) if self.wildcard else origin.host == self.host


class Guard:
    """Decides for one journey which hosts and which addresses may be connected to."""

    def __init__(self, urls: Iterable[str], allow_hosts: Iterable[str] = ()) -> None:
        """Allow the hosts of `urls` and the listed ones."""
        self._entries = frozenset(
            [*(_entry_of_url(url) for url in urls), *(_entry_of_text(text) for text in allow_hosts)]
        )

    def check_url(self, url: str) -> Origin:
        """Return the address's origin, once it is known to be allowed.

        Raises:
            EgressDenied: the journey does not name its host and port.
        """
        origin = origin_of(url)
        if not any(entry.covers(origin) for entry in self._entries):
            raise EgressDenied(
                f"{origin} is not a host this journey names; add "
                f"{origin.host}:{origin.port} to allow_hosts to let it go there"
            )
        return origin

    def check_address(self, origin: Origin, address: str) -> None:
        """Let a connection for `origin` to `address` pass, or refuse it.

        Raises:
            EgressDenied: the address is of a kind that the origin's entry does not open.
        """
        ip = _real_address(address)
        named = not all(e.wildcard for e in self._entries if e.covers(origin))
        if named and _literal(origin.host) == ip and not (ip.is_unspecified or ip.is_multicast):
            return
        kind = _forbidden_kind(ip, private_allowed=named)
        if kind:
            raise EgressDenied(f"{origin.host} resolves to {ip}, a {kind} address")


def _entry_of_url(url: str) -> _Entry:
    """Return the entry an address of the journey makes; default ports open both web ports."""
    origin = origin_of(url)
    standard = origin.port == DEFAULT_PORTS[origin.scheme]
    return _Entry(origin.host, None if standard else origin.port)


def _entry_of_text(text: str) -> _Entry:
    """Return the entry of `host`, `host:port`, `*.host` or `[v6]:port`."""
    origin = origin_of(f"http://{text.removeprefix('*.')}".lower())
    has_port = urlsplit(f"http://{text}").port is not None
    return _Entry(origin.host, origin.port if has_port else None, text.startswith("*."))


def _literal(host: str) -> Address | None:
    """Return the address a host name spells, None where it is a name."""
    try:
        return ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _real_address(text: str) -> Address:
    """Return the address traffic really goes to: IPv4 behind mapped and NAT64 forms."""
    ip = ipaddress.ip_address(text.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


@lru_cache(maxsize=4096)
def _forbidden_kind(ip: Address, *, private_allowed: bool) -> str:
    """Return what is wrong with the address, empty where nothing is."""
    if ip in _METADATA or ip.is_link_local:
        return "link-local or metadata"
    if ip.is_multicast or ip.is_unspecified or ip == _BROADCAST:
        return "multicast, broadcast or unspecified"
    if private_allowed and (ip.is_private or ip.is_loopback):
        return ""
    return "" if ip.is_global else "private"
