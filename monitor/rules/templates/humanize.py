"""Numbers as people read them; the forms are Prometheus's.

Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/#numbers,
compared with promtool 2.42 in the tests.
"""

from __future__ import annotations

import math
import re

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.formatting import rounded
from monitor.rules.templates.values import Moment, Span, kind_of

LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")
BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
MAXIMUM_MILLISECONDS = 9_223_372_036_854  # what Go's nanosecond clock holds
_DURATION = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")


def number(value: object) -> float:
    """Return a number given as number, duration or text.

    Raises:
        TemplateError: it is none.
    """
    if isinstance(value, Span):
        return value.seconds
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError as error:
            raise TemplateError(f"not a number: {value!r}") from error
    raise TemplateError(f"can't convert {kind_of(value)} to float")


def humanize(value: object) -> str:
    """Return the number with a metric prefix: 1234567 is `1.235M`."""
    amount = number(value)
    if amount == 0 or not math.isfinite(amount):
        return rounded(amount)
    if abs(amount) >= 1:
        return _scaled(amount, LARGE, 1000)
    return _fraction(amount)


def humanize1024(value: object) -> str:
    """Return the number with a binary prefix: 2048 is `2ki`."""
    amount = number(value)
    if abs(amount) <= 1 or not math.isfinite(amount):
        return rounded(amount)
    return _scaled(amount, BINARY, 1024)


def humanize_percentage(value: object) -> str:
    """Return a ratio as per cent: 0.125 is `12.5%`."""
    return f"{rounded(number(value) * 100)}%"


def humanize_duration(value: object) -> str:
    """Return seconds as days, hours, minutes and seconds: 3700 is `1h 1m 40s`."""
    amount = number(value)
    if not math.isfinite(amount):
        return rounded(amount)
    if amount == 0:
        return f"{rounded(amount)}s"
    if abs(amount) < 1:
        return f"{_fraction(amount)}s"
    sign, whole = ("-" if amount < 0 else ""), int(abs(amount))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{rounded(abs(amount))}s"


def humanize_timestamp(value: object) -> str:
    """Return a Unix time as a date and time in UTC."""
    amount = number(value)
    return str(to_time(amount)) if math.isfinite(amount) else rounded(amount)


def to_time(value: object) -> Moment:
    """Return the instant of a Unix time.

    Raises:
        TemplateError: not a finite number that a clock of nanoseconds can hold.
    """
    amount = number(value)
    if not math.isfinite(amount) or abs(amount) * 1000 > MAXIMUM_MILLISECONDS:
        raise TemplateError(f"{amount:g} cannot be represented as a timestamp")
    return Moment(int(amount * 1e9 / 1e6))  # by way of nanoseconds and cut off, as Prometheus does


def to_duration(value: object) -> Span:
    """Return seconds as a duration."""
    return Span(number(value))


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as `1h30m`.

    Raises:
        TemplateError: it is none.
    """
    if text == "0":
        return 0.0
    if not text or not _DURATION.fullmatch(text):
        raise TemplateError(f"not a valid duration string: {text!r}")
    parts = re.findall(r"(\d+)(ms|[ywdhms])", text)
    return float(sum(int(count) * UNITS[unit] for count, unit in parts))


def _scaled(amount: float, prefixes: tuple[str, ...], base: int) -> str:
    prefix = ""
    for larger in prefixes:
        if abs(amount) < base:
            break
        prefix, amount = larger, amount / base
    return rounded(amount) + prefix


def _fraction(amount: float) -> str:
    prefix = ""
    for smaller in SMALL:
        if abs(amount) >= 1:
            break
        prefix, amount = smaller, amount * 1000
    return rounded(amount) + prefix
