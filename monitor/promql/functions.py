"""The functions: which there are, and how each applies to vectors, ranges and numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.promql.ast import (
    Call,
    VectorSelector,
)
from monitor.promql.calls import (
    evaluate_string,
    place_of,
    remark_quantiles,
    renamed,
    unwrap,
    vector_of,
)
from monitor.promql.context import Context, RemarkList
from monitor.promql.errors import PromqlError
from monitor.promql.grid import Grid, merge_same_labels
from monitor.promql.histogramfuncs import (
    histogram_fraction,
    histogram_quantile,
    histogram_quantiles,
)
from monitor.promql.labelfuncs import absent_labels, joined, label_order, replaced, replacement
from monitor.promql.labels import METRIC_NAME, LabelBlock
from monitor.promql.mathfuncs import CALENDAR_FUNCTIONS, NUMBER_FUNCTIONS, rounded
from monitor.promql.rangefuncs import KEEPS_NAME, RANGE_FUNCTIONS
from monitor.promql.selection import Ranges
from monitor.promql.selectors import select_instant
from monitor.promql.source import Floats

COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")
PARAMETER_FIRST = frozenset({"quantile_over_time"})  # its number comes before its range


def vector_function(call: Call, context: Context) -> Grid:
    """Return a function that gives a vector."""
    name = call.function
    if name in RANGE_FUNCTIONS:
        return over_ranges(call, context)
    if name in NUMBER_FUNCTIONS:
        return elementwise(call, context, NUMBER_FUNCTIONS[name])
    if name in CALENDAR_FUNCTIONS:
        return of_calendar(call, context)
    if name in VECTOR_FUNCTIONS:
        return VECTOR_FUNCTIONS[name](call, context)
    raise PromqlError(f"{name}() is not supported")


def elementwise(call: Call, context: Context, apply: Callable[[Floats], Floats]) -> Grid:
    """Return a function of every single value."""
    grid = context.vector(call.args[0])
    return renamed(Grid(grid.block, apply(grid.values), grid.mask, grid.nameless), context)


def of_calendar(call: Call, context: Context) -> Grid:
    """Return a part of the date of every value, or of the evaluation time."""
    apply = CALENDAR_FUNCTIONS[call.function]
    if call.args:
        return elementwise(call, context, apply)
    return vector_of(apply(context.times / 1000.0))


def over_ranges(call: Call, context: Context) -> Grid:
    """Return a function of every step's window."""
    args = [unwrap(arg) for arg in call.args]
    place = 1 if call.function in PARAMETER_FIRST else 0
    ranges = context.ranges(args[place])
    numbers = [context.scalar(arg) for index, arg in enumerate(args) if index != place]
    if call.function == "quantile_over_time":
        remark_quantiles(numbers[0], context.remarks, place_of(call, 0))
    grid = apply_windows(call.function, ranges, numbers, context)
    if call.function in ("rate", "increase"):
        remark_names(grid, context.remarks, place_of(call, 0))
    if call.function in KEEPS_NAME:
        return grid
    return renamed(grid, context)


def apply_windows(name: str, ranges: Ranges, numbers: list[Floats], context: Context) -> Grid:
    """Return a range function at every step; a window that never changes is computed once."""
    apply = RANGE_FUNCTIONS[name]
    size = ranges.block.size
    values, mask = np.zeros((context.steps, size)), np.zeros((context.steps, size), np.bool_)
    if not size:
        return Grid(ranges.block, values, mask, ranges.nameless)
    fixed = ranges.is_constant and name != "predict_linear"
    fixed = fixed and all((number == number[0]).all() for number in numbers)
    for step in range(1 if fixed else context.steps):
        window = ranges.window(step)
        context.budget.spend(window.rows if step else 0)
        values[step], mask[step] = apply(window, *(float(number[step]) for number in numbers))
    if fixed:
        values, mask = (
            np.repeat(values[:1], context.steps, 0),
            np.repeat(mask[:1], context.steps, 0),
        )
    return Grid(ranges.block, values, mask, ranges.nameless)


def remark_names(grid: Grid, remarks: RemarkList, place: str) -> None:
    """Note metrics under a counter function that are not named like counters."""
    column = grid.block.columns.get(METRIC_NAME)
    if column is None:
        return
    odd = {
        code: name
        for code, name in enumerate(column.values)
        if name and not name.endswith(COUNTER_SUFFIXES)
    }
    if odd:
        present = set(column.codes[grid.mask.any(axis=0)].tolist())
        for name in (name for code, name in odd.items() if code in present):
            remarks.inform(
                "metric might not be a counter, name does not end in "
                f'_total/_sum/_count/_bucket: "{name}"{place}'
            )


def clamp(call: Call, context: Context) -> Grid:
    """Return values kept between two bounds; nothing where the bounds cross."""
    grid = context.vector(call.args[0])
    low, high = (context.scalar(arg)[:, None] for arg in call.args[1:])
    values = np.maximum(low, np.minimum(high, grid.values))
    return renamed(Grid(grid.block, values, grid.mask & ~(high < low), grid.nameless), context)


def clamp_side(call: Call, context: Context, pick: np.ufunc) -> Grid:
    """Return values kept on one side of a bound."""
    bound = context.scalar(call.args[1])[:, None]
    return elementwise(call, context, lambda values: np.asarray(pick(bound, values)))


def round_(call: Call, context: Context) -> Grid:
    """Return values rounded to a multiple of a number, 1 unless given."""
    nearest = context.scalar(call.args[1])[:, None] if len(call.args) > 1 else 1.0
    return elementwise(call, context, lambda values: rounded(values, nearest))


def timestamp(call: Call, context: Context) -> Grid:
    """Return the time of each sample in seconds; of anything but a selector, the evaluation's."""
    argument = unwrap(call.args[0])
    if isinstance(argument, VectorSelector):
        grid, times = select_instant(context, argument)
        seconds = times / 1000.0
    else:
        grid = context.vector(argument)
        seconds = np.repeat(context.times[:, None] / 1000.0, grid.block.size, axis=1)
    return renamed(Grid(grid.block, seconds, grid.mask, grid.nameless), context)


def to_vector(call: Call, context: Context) -> Grid:
    """Return a number as a series without labels."""
    return vector_of(context.scalar(call.args[0]))


def sort(call: Call, context: Context, *, reverse: bool) -> Grid:
    """Return an instant vector in the order of its values, NaN last."""
    grid = context.vector(call.args[0])
    if grid.steps != 1:
        return grid
    found = np.flatnonzero(grid.mask[0])
    values = grid.values[0, found]
    order = found[np.lexsort((-values if reverse else values, np.isnan(values)))]
    return Grid(grid.block, grid.values, grid.mask, grid.nameless, order)


def sort_by_label(call: Call, context: Context, *, reverse: bool) -> Grid:
    """Return an instant vector in the natural order of its labels."""
    grid = context.vector(call.args[0])
    if grid.steps != 1:
        return grid
    names = [evaluate_string(arg) for arg in call.args[1:]]
    order = [i for i in label_order(grid.block, names, reverse=reverse) if grid.mask[0, i]]
    return Grid(grid.block, grid.values, grid.mask, grid.nameless, np.array(order, np.intp))


def relabelled(
    grid: Grid, block: LabelBlock, target: str, is_set: Callable[[], list[bool]]
) -> Grid:
    """Return the vector under a new block; a metric name that was set, to whatever, is kept."""
    nameless = grid.nameless
    if target == METRIC_NAME and nameless is not None:
        nameless = nameless & ~np.array(is_set(), np.bool_)
    return merge_same_labels(Grid(block, grid.values, grid.mask, nameless, grid.order))


def label_replace(call: Call, context: Context) -> Grid:
    """Return the vector with one label set from another by a regex."""
    grid = context.vector(call.args[0])
    target, template, source, pattern = (evaluate_string(arg) for arg in call.args[1:])
    block = replaced(grid.block, target, template, source, pattern)

    def is_set() -> list[bool]:
        expand = replacement(template, pattern)
        return [expand(value) is not None for value in grid.block.values_of(source)]

    return relabelled(grid, block, target, is_set)


def label_join(call: Call, context: Context) -> Grid:
    """Return the vector with one label set from several others."""
    grid = context.vector(call.args[0])
    target, separator, *sources = (evaluate_string(arg) for arg in call.args[1:])
    block = joined(grid.block, target, separator, sources)
    return relabelled(grid, block, target, lambda: [True] * block.size)


def absent(call: Call, context: Context) -> Grid:
    """Return 1 at the steps where a vector is empty."""
    argument = unwrap(call.args[0])
    if call.function == "absent":
        held = context.vector(argument).mask
    else:
        ranges = context.ranges(argument)
        held = apply_windows("present_over_time", ranges, [], context).mask
    block = LabelBlock.of([absent_labels(argument)])
    return Grid(block, np.ones((context.steps, 1)), np.logical_not(held.any(axis=1, keepdims=True)))


VECTOR_FUNCTIONS: dict[str, Callable[[Call, Context], Grid]] = {
    "absent": absent,
    "absent_over_time": absent,
    "clamp": clamp,
    "clamp_max": lambda call, context: clamp_side(call, context, np.minimum),
    "clamp_min": lambda call, context: clamp_side(call, context, np.maximum),
    "histogram_fraction": histogram_fraction,
    "histogram_quantile": histogram_quantile,
    "histogram_quantiles": histogram_quantiles,
    "label_join": label_join,
    "label_replace": label_replace,
    "round": round_,
    "sort": lambda call, context: sort(call, context, reverse=False),
    "sort_desc": lambda call, context: sort(call, context, reverse=True),
    "sort_by_label": lambda call, context: sort_by_label(call, context, reverse=False),
    "sort_by_label_desc": lambda call, context: sort_by_label(call, context, reverse=True),
    "timestamp": timestamp,
    "vector": to_vector,
}


def scalar(call: Call, context: Context) -> Floats:
    """Return the value of the only series of a vector, NaN where there is not exactly one."""
    grid = context.vector(call.args[0])
    only = grid.mask.sum(axis=1) == 1
    if not grid.block.size:
        return np.full(context.steps, np.nan)
    found = grid.values[np.arange(grid.steps), grid.mask.argmax(axis=1)]
    return np.where(only, found, np.nan)


def pick_of(call: Call, context: Context, pick: np.ufunc) -> Floats:
    """Return the larger or smaller of several numbers."""
    return np.asarray(pick.reduce([context.scalar(arg) for arg in call.args]))


def constant(value: Callable[[Context], float]) -> Callable[[Call, Context], Floats]:
    """Return a function without arguments that has one value for the whole query."""
    return lambda _, context: np.full(context.steps, value(context))


SCALAR_FUNCTIONS: dict[str, Callable[[Call, Context], Floats]] = {
    "time": lambda _, context: context.times / 1000.0,
    "pi": constant(lambda _: np.pi),
    "scalar": scalar,
    "max_of": lambda call, context: pick_of(call, context, np.maximum),
    "min_of": lambda call, context: pick_of(call, context, np.minimum),
    "start": constant(lambda context: context.start_ms / 1000),
    "end": constant(lambda context: context.end_ms / 1000),
    "step": constant(lambda context: context.step_ms / 1000),
    "range": constant(lambda context: (context.end_ms - context.start_ms) / 1000),
}
