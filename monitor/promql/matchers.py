"""Label matchers as predicates; regexes are RE2's, anchored, and linear in their input."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2

from monitor.promql.ast import Matcher
from monitor.promql.errors import PromqlSyntaxError

MAX_REGEX_MEMORY_BYTES = 8 << 20


def regex_options() -> re2.Options:
    """Return how Prometheus 3 reads regexes: `.` matches newlines too; nothing is printed."""
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = MAX_REGEX_MEMORY_BYTES
    return options


@lru_cache(maxsize=2048)
def compile_regex(pattern: str) -> re2._Regexp:
    """Return a compiled RE2 pattern; use its `fullmatch`.

    Raises:
        PromqlSyntaxError: the pattern is not RE2 syntax, or is too large.
    """
    try:
        return re2.compile(pattern, regex_options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise PromqlSyntaxError(f"illegal regex {pattern!r}: {reason}") from error


@lru_cache(maxsize=4096)
def compile_matcher(matcher: Matcher) -> Callable[[str], bool]:
    """Return whether a label value satisfies a matcher; an absent label is the empty value.

    Raises:
        PromqlSyntaxError: its regex does not compile.
    """
    wanted = matcher.value
    if matcher.op == "=":
        return lambda value: value == wanted
    if matcher.op == "!=":
        return lambda value: value != wanted
    regex = compile_regex(wanted)
    if matcher.op == "=~":
        return lambda value: regex.fullmatch(value) is not None
    return lambda value: regex.fullmatch(value) is None
