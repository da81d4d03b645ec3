"""Functions that change or order labels: label_replace, label_join, sort_by_label, absent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from monitor.promql.ast import Expr, Matcher, MatrixSelector, VectorSelector
from monitor.promql.errors import PromqlError
from monitor.promql.labels import LabelBlock
from monitor.promql.matchers import compile_regex
from monitor.promql.strings import is_label_name, printed

REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)
NATURAL = re.compile(r"(\d+)")


def check_label_name(name: str, role: str, function: str) -> None:
    """Raise PromqlError where `name` cannot be the name of a label."""
    if not is_label_name(name):
        raise PromqlError(f"invalid {role} label name in {function}(): {printed(name)}")


def replaced(
    block: LabelBlock, target: str, template: str, source: str, pattern: str
) -> LabelBlock:
    """Return the block after `label_replace`: `target` is `template` where `pattern` matches."""
    check_label_name(target, "destination", "label_replace")
    expand = replacement(template, pattern)

    def compute() -> LabelBlock:
        new = {value: expand(value) for value in set(block.values_of(source))}
        pairs = zip(block.values_of(source), block.values_of(target), strict=True)
        results = [old if (made := new[value]) is None else made for value, old in pairs]
        return block.replacing(target, results)

    return block.cached(("replace", target, template, source, pattern), compute)


def replacement(template: str, pattern: str) -> Callable[[str], str | None]:
    """Return what a source value is replaced by: the filled template, or None without a match."""
    try:
        regex = compile_regex(pattern)
    except PromqlError as error:
        message = f"invalid regular expression in label_replace(): {pattern}"
        raise PromqlError(message) from error

    def expand(value: str) -> str | None:
        found = regex.fullmatch(value)
        if found is None:
            return None
        named = found.groupdict()
        numbered = (value, *found.groups())

        def fill(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name is None:
                return "$"
            if name.isdigit():
                return (numbered[int(name)] or "") if int(name) < len(numbered) else ""
            return named.get(name) or ""

        return REFERENCE.sub(fill, template)

    return expand


def joined(block: LabelBlock, target: str, separator: str, sources: Sequence[str]) -> LabelBlock:
    """Return the block after `label_join`: `target` is the sources' values with a separator."""
    for name in sources:
        check_label_name(name, "source", "label_join")
    check_label_name(target, "destination", "label_join")

    def compute() -> LabelBlock:
        columns = [block.values_of(name) for name in sources]
        rows = zip(*columns, strict=True) if columns else (() for _ in range(block.size))
        return block.replacing(target, [separator.join(row) for row in rows])

    return block.cached(("join", target, separator, tuple(sources)), compute)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts the numbers within texts by their value."""
    return tuple(
        (0, int(piece), "") if piece.isdecimal() else (1, 0, piece)
        for piece in NATURAL.split(text)
        if piece
    )


def label_order(block: LabelBlock, names: Sequence[str], *, reverse: bool) -> list[int]:
    """Return the series sorted by these labels in natural order, then by all their labels."""
    columns = [block.values_of(name) for name in names]

    def key(index: int) -> tuple[object, ...]:
        own = tuple(natural(column[index]) for column in columns)
        return own, tuple(block.all_labels[index].items())

    return sorted(range(block.size), key=key, reverse=reverse)


def absent_labels(argument: Expr) -> dict[str, str]:
    """Return the labels of `absent`'s result: those that unique equality matchers determine."""
    if isinstance(argument, MatrixSelector):
        argument = argument.selector
    if not isinstance(argument, VectorSelector):
        return {}
    by_name: dict[str, list[Matcher]] = {}
    for matcher in argument.matchers:
        if matcher.name != "__name__":
            by_name.setdefault(matcher.name, []).append(matcher)
    return {
        name: found[0].value
        for name, found in by_name.items()
        if len(found) == 1 and found[0].op == "=" and found[0].value
    }
