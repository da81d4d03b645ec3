"""The queries of a dashboard as Grafana would send them: variables filled in with "All"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

CHOSEN = {"$journey": ".*", "$location": ".*", "$component": ".*", "$__rate_interval": "1m"}


def queries_of(board: Mapping[str, Any], rate_interval: str = "1m") -> Iterator[str]:
    """Yield every expression of panels and annotations."""
    yield from panel_queries(board, rate_interval)
    for mark in board["annotations"]["list"]:
        if "expr" in mark:
            yield fill_in(mark["expr"], rate_interval)


def panel_queries(board: Mapping[str, Any], rate_interval: str = "1m") -> Iterator[str]:
    """Yield every expression of the panels."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield fill_in(target["expr"], rate_interval)


def fill_in(expression: str, rate_interval: str) -> str:
    """Return the expression with every variable replaced."""
    for name, value in {**CHOSEN, "$__rate_interval": rate_interval}.items():
        expression = expression.replace(name, value)
    return expression
