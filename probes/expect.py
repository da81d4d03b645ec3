"""An answer held against what its step expects.

Every expectation yields findings: a reason, what was expected and what was found. None means all
is well. A status other than expected is told alone, for the rest follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from probes.compose import filled_selector
from probes.context import Context
from probes.durations import format_duration
from probes.expectations import CssCheck, Expect, JsonCheck, SizeCheck, TextCheck, UrlCheck
from probes.extract import filled_regex, json_text, json_values, regex_texts
from probes.failing import StepFailed
from probes.numbers import number_findings
from probes.page import Page, text_of, texts_of
from probes.patterns import compiled
from probes.result import Reason
from probes.templates import fill_all


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation that does not hold."""

    reason: Reason
    expected: str
    found: str

    @property
    def detail(self) -> str:
        """The finding as a sentence."""
        return f"expected {self.expected}; found {self.found}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an answer besides the page: how long it took, and its certificate."""

    duration_seconds: float
    certificate_expires_at: datetime | None
    now: datetime
    redirects_followed: bool = True


def findings(expect: Expect | None, page: Page, facts: Facts, context: Context) -> list[Finding]:
    """Return every expectation that does not hold, in the order in which to tell them."""
    status = _status(expect, page, facts)
    if status:
        return [status]
    if expect is None:
        return []
    try:
        return [
            *_url(expect.url, page, context),
            *_headers(expect, page, context),
            *_texts(expect, page, context),
            *(f for check in expect.css for f in _css(check, page, context)),
            *(f for check in expect.json_at for f in _json(check, page, context)),
            *(_content(*pair) for pair in number_findings(expect.number, page, context)),
            *_size(expect.size, page),
            *_certificate(expect.certificate_days, facts),
            *_time(expect.time, facts),
        ]
    except StepFailed as failed:
        return [Finding(failed.reason, failed.expectation or "an answer to read", failed.detail)]


def _content(expected: str, found: str) -> Finding:
    """Return a finding about what the answer says."""
    return Finding(Reason.CONTENT, expected, found)


def status_fits(status: int, patterns: tuple[str, ...]) -> bool:
    """Whether the status is one of the patterns': `200`, `2xx` or `200-299`."""
    for pattern in patterns:
        low, _, high = pattern.partition("-")
        if pattern.endswith("xx"):
            low, high = f"{pattern[0]}00", f"{pattern[0]}99"
        if int(low) <= status <= int(high or low):
            return True
    return False


def _status(expect: Expect | None, page: Page, facts: Facts) -> Finding | None:
    """Return the finding about the status; 2xx is expected where nothing is said."""
    default = ("2xx",) if facts.redirects_followed else ("2xx", "3xx")
    wanted = (expect.status if expect else ()) or default
    if status_fits(page.status, wanted):
        return None
    return Finding(Reason.STATUS, f"status {' or '.join(wanted)}", f"status {page.status}")


def _url(check: UrlCheck | None, page: Page, context: Context) -> Iterator[Finding]:
    """Yield findings about the final address; an expected path is compared without the query."""
    if check is None:
        return
    url = page.url
    if check.equals is not None:
        wanted = context.fill(check.equals)
        parts = urlsplit(url)
        here = url
        if wanted.startswith("/"):
            here = f"{parts.path}?{parts.query}" if "?" in wanted else parts.path
        if here != wanted:
            yield _content(f"final address {wanted}", context.show(url))
    rest = TextCheck.model_construct(
        contains=check.contains, not_contains=check.not_contains, matches=check.matches
    )
    yield from text_findings(rest, (url,), "the final address", context)


def _headers(expect: Expect, page: Page, context: Context) -> Iterator[Finding]:
    """Yield findings about headers."""
    for name, check in expect.headers.items():
        value = page.header(name)
        if value is None:
            yield _content(f"a header {name}", "none")
        else:
            yield from text_findings(check, (value,), f"header {name}", context)


def _texts(expect: Expect, page: Page, context: Context) -> Iterator[Finding]:
    """Yield findings about the text a reader sees, and about the body as it came."""
    if expect.text is not None:
        yield from text_findings(expect.text, page.seen_texts, "the page's text", context)
    if expect.body is not None:
        yield from text_findings(expect.body, (page.text,), "the body", context)


def text_findings(
    check: TextCheck, texts: tuple[str, ...], what: str, context: Context
) -> Iterator[Finding]:
    """Yield what does not hold of a text, given in one or more spacings."""
    shown = context.show(texts[0])
    if check.equals is not None:
        wanted = context.fill(check.equals)
        if wanted not in texts:
            yield _content(f"{what} to be {wanted!r}", repr(shown))
    for part in check.contains:
        wanted = context.fill(part)
        if not any(wanted in text for text in texts):
            yield _content(f"{what} to contain {wanted!r}", repr(shown) if shown else "nothing")
    for part in check.not_contains:
        unwanted = context.fill(part)
        if any(unwanted in text for text in texts):
            yield _content(f"{what} not to contain {unwanted!r}", f"{unwanted!r} in it")
    if check.matches is not None:
        pattern = filled_regex(context, check.matches)
        if not any(regex_texts(text, pattern, 0) for text in texts):
            yield _content(f"{what} to match {pattern}", repr(shown))


def _bounds(count: int | None, low: int | None, high: int | None) -> tuple[int, int | None, str]:
    """Return the least and greatest number allowed, and both in words."""
    if count is not None:
        return count, count, str(count) if count else "no"
    least = low if low is not None else (0 if high is not None else 1)
    words = f"at least {least}" if high is None else f"{least} to {high}"
    return least, high, words


def _css(check: CssCheck, page: Page, context: Context) -> Iterator[Finding]:
    """Yield findings about the elements a selector finds."""
    selector = filled_selector(context, check.select)
    nodes = page.find(selector)
    least, most, words = _bounds(check.count, check.min, check.max)
    if len(nodes) < least or (most is not None and len(nodes) > most):
        yield _content(f"{words} {selector}", str(len(nodes) or "none"))
        return
    if check.text is None or not nodes:
        return
    for node in nodes:
        if check.attribute is not None:
            texts: tuple[str, ...] = (text_of(node, check.attribute) or "",)
        else:
            texts = texts_of(node)
        missing = list(text_findings(check.text, texts, selector, context))
        if not missing:
            return
    yield missing[0]


_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}


def _json(check: JsonCheck, page: Page, context: Context) -> Iterator[Finding]:
    """Yield findings about what a JSON path finds."""
    values = json_values(page, check.path)
    least, most, words = _bounds(check.count, check.min, check.max)
    if len(values) < least or (most is not None and len(values) > most):
        yield _content(f"{words} values at {check.path}", str(len(values) or "none"))
        return
    for value in values:
        shown = context.show(json_text(value))
        if check.type is not None and not _is_type(value, check.type):
            yield _content(f"{check.path} to be of type {check.type}", shown)
        if check.has_value and not _same(value, fill_all(check.equals, context.values)):
            yield _content(f"{check.path} to be {json_text(check.equals)}", shown)
        if check.text is not None:
            yield from text_findings(check.text, (json_text(value),), check.path, context)


def _is_type(value: object, name: str) -> bool:
    """Whether a JSON value is of a type; true is no number, and 2.0 is an integer."""
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _JSON_TYPES[name])


def _same(value: object, wanted: object) -> bool:
    """Whether two JSON values are equal; true is not 1."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(_same(value[k], wanted[k]) for k in value)
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(map(_same, value, wanted))
    return value == wanted


def _size(check: SizeCheck | None, page: Page) -> Iterator[Finding]:
    """Yield findings about the size of the decoded body."""
    if check is None:
        return
    if check.min is not None and len(page.body) < check.min:
        yield _content(f"a body of at least {check.min} bytes", f"{len(page.body)} bytes")
    if check.max is not None and len(page.body) > check.max:
        yield _content(f"a body of at most {check.max} bytes", f"{len(page.body)} bytes")


def _certificate(days: int | None, facts: Facts) -> Iterator[Finding]:
    """Yield a finding where the certificate runs out too soon, or there is none."""
    if days is None:
        return
    wanted = f"a certificate valid for at least {days} days"
    if facts.certificate_expires_at is None:
        yield Finding(Reason.TLS, wanted, "no certificate")
        return
    left = (facts.certificate_expires_at - facts.now).total_seconds() / 86_400
    if left < days:
        when = facts.certificate_expires_at.isoformat()
        yield Finding(Reason.TLS, wanted, f"{left:.1f} days left (until {when})")


def _time(limit: float | None, facts: Facts) -> Iterator[Finding]:
    """Yield a finding where the step took longer than it may."""
    if limit is not None and facts.duration_seconds > limit:
        took = f"{facts.duration_seconds:.3f} s"
        yield Finding(Reason.SLOW, f"an answer within {format_duration(limit)}", took)


__all__ = ["Facts", "Finding", "compiled", "findings", "status_fits", "text_findings"]
