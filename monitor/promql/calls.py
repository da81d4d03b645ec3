"""What functions of every kind need: their arguments read, their results named, remarks made."""

from __future__ import annotations

import numpy as np

from monitor.promql.ast import Aggregate, Call, Expr, Paren, StringLiteral, format_number
from monitor.promql.context import Context, RemarkList
from monitor.promql.errors import PromqlError
from monitor.promql.grid import Grid, drop_names
from monitor.promql.labels import LabelBlock
from monitor.promql.source import Floats

NO_LABELS = LabelBlock.of([{}])


def unwrap(expr: Expr) -> Expr:
    """Return an expression without the parentheses around it."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def vector_of(numbers: Floats) -> Grid:
    """Return one series without labels that has these values."""
    return Grid(NO_LABELS, numbers[:, None], np.ones((numbers.size, 1), np.bool_))


def evaluate_string(expr: Expr) -> str:
    """Return the value of a string expression.

    Raises:
        PromqlError: it is none.
    """
    expr = unwrap(expr)
    if not isinstance(expr, StringLiteral):
        raise PromqlError(f"{expr} is no string")
    return expr.value


def renamed(grid: Grid, context: Context) -> Grid:
    """Return the vector without its metric names."""
    return drop_names(grid, delayed=context.options.delayed_name_removal)


def remark_quantiles(values: Floats, remarks: RemarkList, place: str = "") -> None:
    """Warn of quantiles outside 0 to 1."""
    for value in values[~((values >= 0) & (values <= 1))].tolist():
        text = f"quantile value should be between 0 and 1, got {go_number(value)}"
        remarks.warn(text + place)


def place_of(node: Call | Aggregate, argument: int) -> str:
    """Return where an argument stands, as messages end: ` (1:25)`."""
    return f" ({node.places[argument]})" if argument < len(node.places) else ""


def go_number(value: float) -> str:
    """Return a number as Prometheus's messages print it."""
    text = format_number(value)
    return f"+{text}" if text == "Inf" else text
