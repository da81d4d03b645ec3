"""Every kind of node, evaluated: dispatch and the nodes without a module of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.promql import aggregate as aggregation
from monitor.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Negation,
    NumberLiteral,
    Paren,
    Subquery,
    ValueType,
    VectorSelector,
)
from monitor.promql.binary import COMPARISON, VectorOperation, scalars
from monitor.promql.calls import evaluate_string, place_of, remark_quantiles, unwrap
from monitor.promql.context import Context
from monitor.promql.errors import PromqlError
from monitor.promql.functions import SCALAR_FUNCTIONS, vector_function
from monitor.promql.grid import Grid, drop_names
from monitor.promql.selection import Ranges
from monitor.promql.selectors import select_instant, select_range, subquery_ranges
from monitor.promql.setops import set_operation
from monitor.promql.source import Floats
from monitor.promql.strings import is_label_name, printed

SET_OPERATORS = frozenset({"and", "or", "unless"})


def evaluate_scalar(expr: Expr, context: Context) -> Floats:
    """Return the value of a scalar expression at every step."""
    expr = unwrap(expr)
    if isinstance(expr, NumberLiteral):
        return np.full(context.steps, expr.value)
    if isinstance(expr, Negation):
        return -context.scalar(expr.expr)
    if isinstance(expr, Binary):
        lhs, rhs = context.scalar(expr.lhs), context.scalar(expr.rhs)
        return scalars(expr.op, lhs, rhs)
    if isinstance(expr, Call):
        return SCALAR_FUNCTIONS[expr.function](expr, context)
    raise PromqlError(f"{expr} is no scalar")


def evaluate_paren(expr: Paren, context: Context) -> Grid:
    """Return the value of what is in the parentheses."""
    return context.vector(expr.expr)


def evaluate_selector(expr: VectorSelector, context: Context) -> Grid:
    """Return the current sample of every selected series."""
    return select_instant(context, expr)[0]


def evaluate_negation(expr: Negation, context: Context) -> Grid:
    """Return the vector negated, its metric names dropped."""
    grid = context.vector(expr.expr)
    negated = Grid(grid.block, -grid.values, grid.mask, grid.nameless)
    return drop_names(negated, delayed=context.options.delayed_name_removal)


def evaluate_binary(expr: Binary, context: Context) -> Grid:
    """Return an operation of which at least one side is a vector."""
    delayed = context.options.delayed_name_removal
    if expr.matching is None:
        return mixed(expr, context)
    lhs, rhs = context.vector(expr.lhs), context.vector(expr.rhs)
    if expr.op in SET_OPERATORS:
        return set_operation(expr.op, lhs, rhs, expr.matching)
    operation = VectorOperation(
        expr.op, expr.matching, bool_modifier=expr.bool_modifier, delayed=delayed
    )
    return operation.apply(lhs, rhs)


def mixed(expr: Binary, context: Context) -> Grid:
    """Return an operation between a vector and a scalar."""
    scalar_first = expr.lhs.type is ValueType.SCALAR
    number, vector = (expr.lhs, expr.rhs) if scalar_first else (expr.rhs, expr.lhs)
    grid, numbers = context.vector(vector), context.scalar(number)[:, None]
    left, right = (numbers, grid.values) if scalar_first else (grid.values, numbers)
    if expr.op in COMPARISON and not expr.bool_modifier:
        mask = grid.mask & COMPARISON[expr.op](left, right)
        return Grid(grid.block, grid.values, mask, grid.nameless)
    values = scalars(expr.op, left, right)
    result = Grid(grid.block, values, grid.mask, grid.nameless)
    return drop_names(result, delayed=context.options.delayed_name_removal)


def evaluate_aggregate(expr: Aggregate, context: Context) -> Grid:
    """Return an aggregation."""
    grid = context.vector(expr.expr)
    if expr.op == "count_values":
        return counted_values(expr, grid, context)
    param = None if expr.param is None else context.scalar(expr.param)
    grouping = grid.block.grouping(expr.grouping, without=expr.without)
    if param is None:
        return aggregation.reduced(expr.op, grouping, grid)
    if expr.op == "quantile":
        remark_quantiles(param, context.remarks, place_of(expr, 0))
        return aggregation.quantile(grouping, grid, param)
    limit = aggregation.limit_of(param)
    return aggregation.top(grouping, grid, limit, largest=expr.op == "topk")


def counted_values(expr: Aggregate, grid: Grid, context: Context) -> Grid:
    """Return `count_values`.

    Raises:
        PromqlError: its label name cannot be one.
    """
    label = evaluate_string(expr.param) if expr.param is not None else ""
    if not is_label_name(label):
        raise PromqlError(f'invalid label name "{printed(label)}"')
    return aggregation.count_values(
        grid, label, expr.grouping, without=expr.without, check=context.budget.check
    )


def evaluate_call(expr: Call, context: Context) -> Grid:
    """Return a function of vectors."""
    return vector_function(expr, context)


EVALUATORS: dict[type[Expr], Callable[..., Grid]] = {
    Paren: evaluate_paren,
    VectorSelector: evaluate_selector,
    Negation: evaluate_negation,
    Binary: evaluate_binary,
    Aggregate: evaluate_aggregate,
    Call: evaluate_call,
}


class TreeWalker:
    """Evaluates any node; the context's walker."""

    def vector(self, expr: Expr, context: Context) -> Grid:
        """Return an instant vector at every step, counted against the query's bounds."""
        found = EVALUATORS[type(expr)](expr, context)
        context.budget.spend(found.values.size)
        return found

    def scalar(self, expr: Expr, context: Context) -> Floats:
        """Return a number at every step."""
        return evaluate_scalar(expr, context)

    def ranges(self, expr: Expr, context: Context) -> Ranges:
        """Return the windows of a range vector at every step."""
        expr = unwrap(expr)
        if isinstance(expr, MatrixSelector):
            return select_range(context, expr)
        if isinstance(expr, Subquery):
            return subquery_ranges(expr, context)
        raise PromqlError(f"{expr} is no range vector")
