"""PromQL over columns: an expression and a source of samples in; a vector, scalar or matrix out.

    expr = parse('sum by (job) (rate(http_requests_total[5m])) > 3')
    for labels, timestamp, value in evaluate_instant(expr, source, at=1_700_000_000.0): ...

The language is Prometheus 3's over floats and classic histograms; what is left out is refused by
`parse`. Nothing here knows files, the network, a database or a clock of ours.
"""

from monitor.promql.ast import (
    Aggregate,
    Anchor,
    Binary,
    Call,
    Cardinality,
    Expr,
    Matcher,
    Matching,
    MatrixSelector,
    Negation,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    ValueType,
    VectorSelector,
)
from monitor.promql.engine import evaluate_instant, evaluate_range
from monitor.promql.errors import PromqlError, PromqlSyntaxError, QueryLimitError, UnsupportedError
from monitor.promql.inspect import max_range_seconds, metric_names_of, selectors_of
from monitor.promql.labels import LabelBlock
from monitor.promql.memory import MemorySource
from monitor.promql.notation import parse_selector_labels, parse_series_values
from monitor.promql.options import Options
from monitor.promql.parser import parse
from monitor.promql.result import Matrix, Remarks, Result, Sample, Scalar, Series, String, Vector
from monitor.promql.source import MISSING, STALE, Frame, Part, Source

__all__ = [
    "MISSING",
    "STALE",
    "Aggregate",
    "Anchor",
    "Binary",
    "Call",
    "Cardinality",
    "Expr",
    "Frame",
    "LabelBlock",
    "Matcher",
    "Matching",
    "Matrix",
    "MatrixSelector",
    "MemorySource",
    "Negation",
    "NumberLiteral",
    "Options",
    "Paren",
    "Part",
    "PromqlError",
    "PromqlSyntaxError",
    "QueryLimitError",
    "Remarks",
    "Result",
    "Sample",
    "Scalar",
    "Series",
    "Source",
    "String",
    "StringLiteral",
    "Subquery",
    "UnsupportedError",
    "ValueType",
    "Vector",
    "VectorSelector",
    "evaluate_instant",
    "evaluate_range",
    "max_range_seconds",
    "metric_names_of",
    "parse",
    "parse_selector_labels",
    "parse_series_values",
    "selectors_of",
]
