"""Cookies as libcurl lists them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cookie:
    """One cookie in the jar of a run."""

    domain: str
    path: str
    name: str
    value: str = field(repr=False)

    def goes_to(self, host: str) -> bool:
        """Whether the cookie belongs to the host."""
        domain = self.domain.lstrip(".").lower()
        return host == domain or (self.domain.startswith(".") and host.endswith("." + domain))


def parse_cookie(line: bytes) -> Cookie | None:
    """Return the cookie of a line in Netscape format, None where it is not one."""
    text = line.decode("utf-8", "replace")
    parts = text.removeprefix("#HttpOnly_").split("\t")
    if len(parts) != 7:
        return None
    return Cookie(domain=parts[0], path=parts[2], name=parts[5], value=parts[6])
