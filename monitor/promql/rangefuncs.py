"""Functions of a range vector: every series of one window at once.

Each takes a window and its scalar arguments and returns the values of all series, and which series
have a result. Formulas are those of Prometheus 3 (promql/functions.go), checked against its test
scripts and, where 2.42 agrees, against that server.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.promql.errors import PromqlError
from monitor.promql.labels import Flags
from monitor.promql.selection import Window
from monitor.promql.source import Floats
from monitor.promql.sums import exact_sum

EXTRAPOLATION_FACTOR = 1.1  # a gap to the edge below this many mean spacings is bridged

Answer = tuple[Floats, Flags]
RangeFunction = Callable[..., Answer]


def filled(window: Window, fill: float) -> Floats:
    """Return the window's values with `fill` where a series has no sample."""
    valid = window.valid
    return window.values if valid is None else np.where(valid, window.values, fill)


def with_any(window: Window, values: Floats) -> Answer:
    """Return these values for every series that has a sample."""
    return values, window.count() > 0


def extrapolated(window: Window, *, counter: bool, per_second: bool) -> Answer:
    """Return the change of every series over the window, stretched to the window's edges."""
    count = window.count()
    enough = count > 1
    if window.rows < 2:
        return np.zeros(count.size), enough
    first, first_time = window.values[0], window.times[0]
    last, last_time = window.last()
    change = last - first
    if counter:
        change = change + resets_total(window)
    sampled = (last_time - first_time) / 1000.0
    spacing = sampled / np.maximum(count - 1, 1)
    to_start = (first_time - window.start_ms) / 1000.0
    to_end = (window.end_ms - last_time) / 1000.0
    threshold = spacing * EXTRAPOLATION_FACTOR
    to_start = np.where(to_start >= threshold, spacing / 2, to_start)
    if counter:
        to_zero = np.where((change > 0) & (first >= 0), sampled * (first / change), np.inf)
        to_start = np.minimum(to_start, to_zero)
    to_end = np.where(to_end >= threshold, spacing / 2, to_end)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor = factor / ((window.end_ms - window.start_ms) / 1000.0)
    return change * factor, enough


def resets_total(window: Window) -> Floats:
    """Return what each counter had reached whenever it was reset, added up."""
    before, after = window.values[:-1], window.values[1:]
    fell = after < before
    valid = window.valid
    if valid is not None:
        fell &= valid[1:]
    if not fell.any():
        return np.zeros(window.values.shape[1])
    return np.asarray(np.where(fell, before, 0.0).sum(axis=0))


def last_two(window: Window, *, counter: bool, per_second: bool) -> Answer:
    """Return the change between the last two samples; a fallen counter starts from zero."""
    enough = window.count() > 1
    if window.rows < 2:
        return np.zeros(enough.size), enough
    last, last_time = window.last()
    before, before_time = window.last(back=1)
    change = last - before
    if counter:
        change = np.where(last < before, last, change)
    elapsed = last_time - before_time
    if not per_second:
        return change, enough
    return change / (np.maximum(elapsed, 1) / 1000.0), enough & (elapsed > 0)


def count_pairs(window: Window, differs: Callable[[Floats, Floats], Flags]) -> Answer:
    """Return how many neighbouring samples satisfy `differs(before, after)`."""
    if window.rows < 2:
        return with_any(window, np.zeros(window.values.shape[1]))
    found = differs(window.values[:-1], window.values[1:])
    valid = window.valid
    if valid is not None:
        found = found & valid[1:]
    return with_any(window, found.sum(axis=0).astype(np.float64))


def changed(before: Floats, after: Floats) -> Flags:
    """Whether a sample differs from the one before it; NaN equals NaN here."""
    return np.asarray((before != after) & ~(np.isnan(before) & np.isnan(after)))


def regression(window: Window, origin_ms: Floats | int) -> tuple[Floats, Floats]:
    """Return slope per second and value at `origin_ms` of the least-squares line of each series."""
    count = window.count().astype(np.float64)
    valid = window.valid
    seconds = (window.times - origin_ms) / 1000.0
    x: Floats = np.broadcast_to(seconds, window.values.shape)
    y = window.values
    if valid is not None:
        x, y = np.where(valid, x, 0.0), np.where(valid, y, 0.0)
    sum_x, sum_y = exact_sum(x), exact_sum(y)
    covariance = exact_sum(x * y) - sum_x * sum_y / count
    variance = exact_sum(x * x) - sum_x * sum_x / count
    slope = covariance / variance
    intercept = sum_y / count - slope * sum_x / count
    first = window.values[0]
    flat = y == first
    constant = (flat if valid is None else flat | ~valid).all(axis=0)
    infinite = np.isinf(first)
    slope = np.where(constant, np.where(infinite, np.nan, 0.0), slope)
    return slope, np.where(constant, np.where(infinite, np.nan, first), intercept)


def deriv(window: Window) -> Answer:
    """Return the slope per second of every series."""
    enough = window.count() > 1
    if window.rows < 2:
        return np.zeros(enough.size), enough
    return regression(window, window.times[0])[0], enough


def predict_linear(window: Window, seconds: float) -> Answer:
    """Return where the line through every series will be, `seconds` after the evaluation time."""
    enough = window.count() > 1
    if window.rows < 2:
        return np.zeros(enough.size), enough
    slope, intercept = regression(window, window.at_ms)
    return slope * seconds + intercept, enough


def mean(window: Window) -> Floats:
    """Return the mean of every series; it does not overflow where the sum would."""
    values, count = filled(window, 0.0), window.count()
    total = exact_sum(values)
    plain = total / count
    over = np.isinf(total)
    if not over.any():
        return plain
    return np.where(over, exact_sum(values / count), plain)


def variance(window: Window) -> Floats:
    """Return the population variance of every series."""
    shift = window.values[0] if window.rows else np.zeros(window.values.shape[1])
    count = window.count()
    centred = window.values - shift
    valid = window.valid
    if valid is not None:
        centred = np.where(valid, centred, 0.0)
    centre = exact_sum(centred) / count
    deviation = centred - centre
    if valid is not None:
        deviation = np.where(valid, deviation, 0.0)
    return exact_sum(deviation * deviation) / count


def extreme(window: Window, reduce: np.ufunc) -> Floats:
    """Return the largest or smallest sample of every series; NaN counts only if all are NaN."""
    if not window.rows:
        return np.zeros(window.values.shape[1])
    values = window.values
    valid = window.valid
    if valid is not None:
        values = np.where(valid, values, np.nan)
    return np.asarray(reduce.reduce(values, axis=0))


def quantiles(values: Floats, counts: Floats, q: float) -> Floats:
    """Return the q-quantile of every column's first `counts` cells; NaN is the smallest value.

    The other cells must be NaN. q outside 0 to 1 gives an infinity, q NaN gives NaN.
    """
    if np.isnan(q) or not values.shape[0]:
        return np.full(values.shape[1:], np.nan)
    if not 0 <= q <= 1:
        return np.full(values.shape[1:], -np.inf if q < 0 else np.inf)
    ordered = np.sort(values, axis=0)  # NaN and padding last
    numbers = np.sum(~np.isnan(values), axis=0)
    unknown = counts - numbers
    rank = q * (counts - 1)
    low = np.maximum(np.floor(rank), 0.0)
    high = np.minimum(low + 1, counts - 1)
    share = rank - np.floor(rank)

    def pick(index: Floats) -> Floats:
        place = np.clip(index - unknown, 0, values.shape[0] - 1).astype(np.intp)
        found = np.take_along_axis(ordered, place[None], axis=0)[0]
        return np.where(index < unknown, np.nan, found)

    return np.where(counts > 0, pick(low) * (1 - share) + pick(high) * share, np.nan)


def quantile_over_time(window: Window, q: float) -> Answer:
    """Return the q-quantile of every series."""
    count = window.count().astype(np.float64)
    return with_any(window, quantiles(filled(window, np.nan), count, q))


def mad_over_time(window: Window) -> Answer:
    """Return the median distance from the median of every series."""
    count = window.count().astype(np.float64)
    values = filled(window, np.nan)
    distance = np.abs(values - quantiles(values, count, 0.5))
    return with_any(window, quantiles(distance, count, 0.5))


def edge_over_time(window: Window, *, newest: bool, of_time: bool) -> Answer:
    """Return the first or last sample of every series, or its time in seconds."""
    if not window.rows:
        return with_any(window, np.zeros(window.values.shape[1]))
    value, at = window.last() if newest else (window.values[0], window.times[0])
    seconds = np.broadcast_to(at / 1000.0, value.shape)
    return with_any(window, seconds if of_time else value)


def extreme_time(window: Window, reduce: np.ufunc) -> Answer:
    """Return when every series last was at its largest or smallest, in seconds."""
    if not window.rows:
        return with_any(window, np.zeros(window.values.shape[1]))
    best = extreme(window, reduce)
    hit = (window.values == best) | np.isnan(best)
    valid = window.valid
    if valid is not None:
        hit &= valid
    row = window.rows - 1 - np.argmax(hit[::-1], axis=0)
    times = np.broadcast_to(window.times, window.values.shape)
    return with_any(window, times[row, np.arange(row.size)] / 1000.0)


def smoothing(window: Window, level_share: float, trend_share: float) -> Answer:
    """Return Holt's double exponential smoothing of every series at its last sample."""
    for name, share in (("smoothing", level_share), ("trend", trend_share)):
        if share <= 0 or share >= 1:
            raise PromqlError(
                f"invalid {name} factor. Expected: 0 < {name[0]}f < 1, got: {share:f}"
            )
    count = window.count()
    if window.rows < 2:
        return np.zeros(count.size), count > 1
    values = filled(window, 0.0)
    level, trend = values[0], values[1] - values[0]
    before = level
    for row in range(1, window.rows):
        here = row < count
        if row > 1:
            steeper = trend_share * (level - before) + (1 - trend_share) * trend
            trend = np.where(here, steeper, trend)
        before = level
        step = level_share * values[row] + (1 - level_share) * (level + trend)
        level = np.where(here, step, level)
    return level, count > 1


def ones(window: Window) -> Answer:
    """Return 1 for every series that has a sample."""
    return with_any(window, np.ones(window.values.shape[1]))


RANGE_FUNCTIONS: dict[str, RangeFunction] = {
    "rate": lambda w: extrapolated(w, counter=True, per_second=True),
    "increase": lambda w: extrapolated(w, counter=True, per_second=False),
    "delta": lambda w: extrapolated(w, counter=False, per_second=False),
    "irate": lambda w: last_two(w, counter=True, per_second=True),
    "idelta": lambda w: last_two(w, counter=False, per_second=False),
    "changes": lambda w: count_pairs(w, changed),
    "resets": lambda w: count_pairs(w, lambda before, after: np.asarray(after < before)),
    "deriv": deriv,
    "predict_linear": predict_linear,
    "sum_over_time": lambda w: with_any(w, exact_sum(filled(w, 0.0))),
    "avg_over_time": lambda w: with_any(w, mean(w)),
    "count_over_time": lambda w: with_any(w, w.count().astype(np.float64)),
    "min_over_time": lambda w: with_any(w, extreme(w, np.fmin)),
    "max_over_time": lambda w: with_any(w, extreme(w, np.fmax)),
    "stddev_over_time": lambda w: with_any(w, np.sqrt(variance(w))),
    "stdvar_over_time": lambda w: with_any(w, variance(w)),
    "last_over_time": lambda w: edge_over_time(w, newest=True, of_time=False),
    "first_over_time": lambda w: edge_over_time(w, newest=False, of_time=False),
    "present_over_time": ones,
    "quantile_over_time": quantile_over_time,
    "mad_over_time": mad_over_time,
    "ts_of_first_over_time": lambda w: edge_over_time(w, newest=False, of_time=True),
    "ts_of_last_over_time": lambda w: edge_over_time(w, newest=True, of_time=True),
    "ts_of_max_over_time": lambda w: extreme_time(w, np.fmax),
    "ts_of_min_over_time": lambda w: extreme_time(w, np.fmin),
    "double_exponential_smoothing": smoothing,
}
KEEPS_NAME = frozenset({"last_over_time", "first_over_time"})
