"""Functions of single numbers: arithmetic, trigonometry and the calendar, on whole matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.promql.source import Floats

Numbers = NDArray[Any]  # whole seconds, or numpy dates

SECONDS_PER_DAY = 86_400
MAX_CALENDAR_SECONDS = 1e14  # three million years; beyond it a calendar says nothing


def rounded(values: Floats, to_nearest: Floats | float = 1.0) -> Floats:
    """Return values rounded to a multiple of `to_nearest`; halves go up."""
    inverse = 1.0 / np.asarray(to_nearest, np.float64)
    return np.asarray(np.floor(values * inverse + 0.5) / inverse)


NUMBER_FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": np.sign,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "deg": lambda values: values * (180.0 / np.pi),
    "rad": lambda values: values * (np.pi / 180.0),
}


def calendar(field: Callable[[Numbers], Numbers]) -> Callable[[Floats], Floats]:
    """Return a function of Unix seconds in UTC; times outside any calendar give NaN."""

    def compute(values: Floats) -> Floats:
        known = np.abs(values) <= MAX_CALENDAR_SECONDS
        seconds = np.trunc(np.where(known, values, 0.0)).astype(np.int64)
        return np.where(known, field(seconds).astype(np.float64), np.nan)

    return compute


def days(seconds: Numbers) -> Numbers:
    """Return the days since 1970 as numpy dates."""
    return (seconds // SECONDS_PER_DAY).astype("datetime64[D]")


def months(seconds: Numbers) -> Numbers:
    """Return the months since 1970 as numpy dates."""
    return days(seconds).astype("datetime64[M]")


def month_length(seconds: Numbers) -> Numbers:
    """Return the number of days of the month."""
    first = months(seconds)
    length = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
    return np.asarray(length.astype(np.int64))


def since(start: Numbers, seconds: Numbers) -> Numbers:
    """Return how many days have passed since `start`, plus one."""
    return np.asarray((days(seconds) - start.astype("datetime64[D]")).astype(np.int64) + 1)


CALENDAR_FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "minute": calendar(lambda s: s // 60 % 60),
    "hour": calendar(lambda s: s // 3600 % 24),
    "day_of_week": calendar(lambda s: (s // SECONDS_PER_DAY + 4) % 7),
    "day_of_month": calendar(lambda s: since(months(s), s)),
    "day_of_year": calendar(lambda s: since(days(s).astype("datetime64[Y]"), s)),
    "days_in_month": calendar(month_length),
    "month": calendar(lambda s: months(s).astype(np.int64) % 12 + 1),
    "year": calendar(lambda s: days(s).astype("datetime64[Y]").astype(np.int64) + 1970),
}
