"""Addresses as pages and people write them, made fit for the wire."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

_KEPT = "!#$%&'()*+,/:;=?@[]~-._"


@lru_cache(maxsize=4096)
def tidy_url(url: str) -> str:
    """Return the address without line breaks and outer spaces, odd characters percent-encoded.

    https://url.spec.whatwg.org/#concept-basic-url-parser removes tabs and line breaks too.
    """
    joined = url.strip(" \t\r\n\f\0").translate({9: None, 10: None, 13: None})
    head, separator, rest = joined.partition("://")
    if not separator:
        return quote(joined, safe=_KEPT)
    authority, slash, path = rest.partition("/")
    try:
        authority = authority.encode("ascii").decode()
    except UnicodeEncodeError:
        authority = _international(authority)
    return f"{head}://{authority}{slash}{quote(path, safe=_KEPT)}"


def _international(authority: str) -> str:
    """Return the authority with an international host name in its ASCII form."""
    try:
        return authority.encode("idna").decode()
    except UnicodeError:
        return quote(authority, safe=_KEPT)


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return the address with the pairs added to its query."""
    added = urlencode(list(pairs))
    if not added:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit(parts._replace(query=query))


def replace_query(url: str, query: str) -> str:
    """Return the address with this query and no fragment, as a form sent by GET has it."""
    return urlunsplit(urlsplit(url)._replace(query=query, fragment=""))
