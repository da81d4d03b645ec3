"""Numbers as pages print them, and sums that must come out: a total is the sum of its lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from probes.compose import filled_selector
from probes.context import Context
from probes.expectations import NumberCheck, NumberSource
from probes.extract import css_texts, filled_regex, json_text, json_values, regex_texts
from probes.failing import StepFailed
from probes.page import Page
from probes.result import Reason

_DASHES = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2010": "-"})
_SPACED = re.compile(r"(?<=\d)[\s'\u2019_](?=\d{3}(?!\d))")
_NUMBERS = {
    sign: re.compile(rf"\d+(?:{re.escape(group)}\d{{3}})*(?:{re.escape(sign)}\d+)?", re.ASCII)
    for sign, group in ((".", ","), (",", "."))
}
_MINUS_BEFORE = re.compile(r"-\s?[^\d\s-]{0,3}\s?$")


def parse_number(text: str, decimal: str = ".") -> Decimal:
    """Return the one number in a printed amount: `R 1,234.50`, `1.234,50 €`, `(5.00)`, `−5`.

    `decimal` is the decimal sign; the other of `.` and `,` groups digits by three, as do spaces
    and apostrophes. A number in parentheses is negative, as accounts print it.

    Raises:
        ValueError: there is no number in the text, or more than one.
    """
    cleaned = _SPACED.sub("", text.translate(_DASHES))
    found = list(_NUMBERS[decimal].finditer(cleaned))
    if len(found) != 1:
        raise ValueError(f"{len(found)} numbers in {text!r}")
    before, after = cleaned[: found[0].start()], cleaned[found[0].end() :]
    other = "," if decimal == "." else "."
    value = Decimal(found[0][0].replace(other, "").replace(decimal, "."))
    in_parentheses = before.rstrip().endswith("(") and after.lstrip().startswith(")")
    return -value if in_parentheses or _MINUS_BEFORE.search(before) else value


def number_findings(
    checks: Iterable[NumberCheck], page: Page, context: Context
) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) for every number that is not what it must be."""
    for check in checks:
        value = _single(check, page, context, check.decimal)
        what = _describe(check)
        if check.sum_of:
            wanted = sum(_all(check.sum_of, page, context, check.decimal), Decimal(0))
            wanted -= sum(_all(check.minus, page, context, check.decimal), Decimal(0))
            if abs(value - wanted) > check.tolerance:
                yield f"{what} to be {wanted}, {_formula(check)}", str(value)
        if check.equals is not None:
            wanted = _single(check.equals, page, context, check.decimal)
            if abs(value - wanted) > check.tolerance:
                yield f"{what} to be {wanted}, as {_describe(check.equals)}", str(value)
        if check.at_least is not None and value < check.at_least:
            yield f"{what} to be at least {check.at_least}", str(value)
        if check.at_most is not None and value > check.at_most:
            yield f"{what} to be at most {check.at_most}", str(value)


def _formula(check: NumberCheck) -> str:
    """Return the sum in words."""
    plus = " + ".join(_describe(source) for source in check.sum_of)
    minus = "".join(f" − {_describe(source)}" for source in check.minus)
    return f"the sum of {plus}{minus}"


def _describe(source: NumberSource) -> str:
    """Return where a number comes from."""
    return source.css or source.json_at or source.regex or source.value or ""


def _single(source: NumberSource, page: Page, context: Context, decimal: str) -> Decimal:
    """Return the one number of a source."""
    found = _all((source,), page, context, decimal)
    if len(set(found)) != 1:
        raise StepFailed(
            Reason.CONTENT, f"{len(found)} numbers at {_describe(source)}; one was expected"
        )
    return found[0]


def _all(
    sources: Iterable[NumberSource], page: Page, context: Context, decimal: str
) -> list[Decimal]:
    """Return every number of the sources; a source that finds nothing is a failure."""
    numbers = []
    for source in sources:
        texts = _texts(source, page, context)
        if not texts:
            raise StepFailed(Reason.CONTENT, "nothing there", f"a number at {_describe(source)}")
        numbers += [_parsed(text, source, context, decimal) for text in texts]
    return numbers


def _parsed(text: str, source: NumberSource, context: Context, decimal: str) -> Decimal:
    """Return the number a text prints; JSON numbers always have a decimal point."""
    try:
        return _json_number(text) if source.json_at else parse_number(text, decimal)
    except ValueError as error:
        shown = context.show(text)
        wanted = f"a number at {_describe(source)}"
        raise StepFailed(Reason.CONTENT, repr(shown), wanted) from error


def _json_number(text: str) -> Decimal:
    """Return the number JSON holds, or the one printed in a string."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return parse_number(text)


def _texts(source: NumberSource, page: Page, context: Context) -> list[str]:
    """Return the printed numbers of a source."""
    if source.css is not None:
        return css_texts(page, filled_selector(context, source.css), source.attribute)
    if source.json_at is not None:
        return [json_text(value) for value in json_values(page, source.json_at)]
    if source.regex is not None:
        return regex_texts(page.text, filled_regex(context, source.regex), None)
    return [context.fill(source.value or "")]
