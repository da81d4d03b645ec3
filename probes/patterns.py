"""Small languages inside a journey file, compiled: regular expressions, selectors, JSON paths.

Regular expressions are RE2's, so that none of them can run for longer than its input is long,
whatever a page contains. https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jsonpath_rfc9535
import re2
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_EMPTY = LexborHTMLParser("<p></p>")


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """Return the compiled regular expression.

    Raises:
        ValueError: it is not one; the message says what is wrong.
    """
    try:
        return re2.compile(pattern, options=_OPTIONS)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"a regular expression in RE2 syntax ({reason})") from error


@lru_cache(maxsize=4096)
def json_path(path: str) -> jsonpath_rfc9535.JSONPathQuery:
    """Return the compiled JSON path (RFC 9535).

    Raises:
        ValueError: it is not one; the message says what is wrong.
    """
    try:
        return jsonpath_rfc9535.compile(path)
    except (jsonpath_rfc9535.JSONPathError, RecursionError) as error:
        raise ValueError(f"a JSON path such as $.items[0].price ({error})") from error


@lru_cache(maxsize=4096)
def checked_selector(selector: str) -> str:
    """Return the CSS selector as it is, once it is known to be one.

    Raises:
        ValueError: it is not a selector.
    """
    try:
        _EMPTY.css(selector)
    except (SelectolaxError, ValueError) as error:
        raise ValueError("a CSS selector such as form#login or .price") from error
    if not selector.strip():
        raise ValueError("a CSS selector such as form#login or .price")
    return selector


def css_text(value: str) -> str:
    """Return `value` escaped for the inside of quotes in a selector."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    return "".join(f"\\{ord(c):x} " if ord(c) < 32 else c for c in escaped)


def regex_text(value: str) -> str:
    """Return `value` escaped so that a regular expression matches it literally."""
    return str(re2.escape(value))
