"""How Go prints values: `print`, `println` and the verbs of `printf`.

Source: https://pkg.go.dev/fmt. The tests compare it with promtool 2.42 on this machine.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.values import Root, Sample, kind_of

MAXIMUM_WIDTH = 10_000  # characters of padding or precision; Go allows a million
_DIRECTIVE = re.compile(r"%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(.|$)", re.DOTALL)


def shown(value: object) -> str:
    """Return `value` as `%v` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return shortest(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "[" + " ".join(shown(one) for one in value) + "]"
    if isinstance(value, Sample):
        return f"&{{{shown(value.labels)} {shown(value.value)}}}"
    if isinstance(value, Root):
        return "{" + " ".join(shown(one) for one in value.fields.values()) + "}"
    return str(value)


def shortest(value: float) -> str:
    """Return the shortest text that reads back as `value`; very small or large with exponent.

    Large is 1e6, because Go's `%v` of a float is `%g`, whose shortest form has that limit
    (ran in promtool: 1000000 prints as 1e+06).
    """
    if not math.isfinite(value):
        return _not_finite(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    power = len(digits) + int(exponent) - 1
    if value == 0 or -4 <= power < 6:
        return _without_point(repr(value))
    text = "".join(map(str, digits))
    mantissa = text[0] + ("." + text[1:] if text[1:] else "")
    return f"{'-' if sign else ''}{mantissa}e{power:+03d}"


def _without_point(text: str) -> str:
    return text[:-2] if text.endswith(".0") else text


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def rounded(value: float, precision: int = 4) -> str:
    """Return `value` as `%.4g` prints it, the form of all the humanize functions."""
    return f"{value:.{precision}g}" if math.isfinite(value) else _not_finite(value)


def joined(values: Sequence[object]) -> str:
    """Return the values as `print` joins them: a blank where neither neighbour is a string."""
    text = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            text += " "
        text += shown(value)
    return text


def formatted(pattern: str, arguments: Sequence[object]) -> str:
    """Return what `printf` prints; a verb that does not fit its value is shown as Go shows it.

    Raises:
        TemplateError: a width or precision above MAXIMUM_WIDTH.
    """
    rest = list(arguments)

    def directive(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        if not verb:
            return "%!(NOVERB)"
        width = _number(width, rest)
        precision = _number("0" if precision == "" else precision, rest)
        if not rest:
            return f"%!{verb}(MISSING)"
        return _padded(_verb(verb, rest.pop(0), flags, precision), flags, width, verb)

    text = _DIRECTIVE.sub(directive, pattern)
    if rest:
        extra = ", ".join(f"{kind_of(one)}={shown(one)}" for one in rest)
        text += f"%!(EXTRA {extra})"
    return text


def _number(text: str | None, rest: list[object]) -> str | None:
    """Return a width or precision, taken from the arguments where it is `*`."""
    if text == "*":
        value = rest.pop(0) if rest else 0
        text = str(value) if isinstance(value, int) else "0"
    if text is not None and abs(int(text)) > MAXIMUM_WIDTH:
        raise TemplateError(f"width or precision above {MAXIMUM_WIDTH} in printf")
    return text


def _padded(text: str, flags: str, width: str | None, verb: str) -> str:
    if width is None:
        return text
    size = abs(int(width))
    if "-" in flags or width.startswith("-"):
        return text.ljust(size)
    numeric = verb in "dfFeEgGxXob" and text[-1:].isalnum() and "Inf" not in text
    if "0" in flags and numeric:
        sign = text[0] if text[:1] in "+-" else ""
        return sign + text[len(sign) :].rjust(size - len(sign), "0")
    return text.rjust(size)


def _verb(verb: str, value: object, flags: str, precision: str | None) -> str:
    """Return one value under one verb, or Go's note that they do not fit."""
    if verb == "T":
        return kind_of(value)
    if verb == "v":
        return shown(value)
    if isinstance(value, float):
        text = _float(verb, value, precision)
    elif isinstance(value, bool):
        text = shown(value) if verb == "t" else None
    elif isinstance(value, int):
        text = _integer(verb, value)
    elif isinstance(value, str):
        text = _string(verb, value, precision)
    else:
        text = shown(value) if verb == "s" else None
    if text is None:
        return f"%!{verb}({kind_of(value)}={shown(value)})"
    positive = "+" in flags and verb not in "sqt" and text[:1] not in "+-"
    return f"+{text}" if positive else text


def _float(verb: str, value: float, precision: str | None) -> str | None:
    if verb not in "eEfFgG":
        return None
    if not math.isfinite(value):
        return _not_finite(value)
    if precision is None and verb in "gG":
        text = shortest(value)
        return text.upper() if verb == "G" else text
    return f"{value:.{precision or 6}{verb}}"


def _integer(verb: str, value: int) -> str | None:
    if verb in "dxXob":
        return format(value, verb)
    if verb in "cq" and 0 <= value <= 0x10FFFF:
        return chr(value) if verb == "c" else f"'{chr(value)}'"
    return f"U+{value:04X}" if verb == "U" and value >= 0 else None


def _string(verb: str, value: str, precision: str | None) -> str | None:
    if precision is not None and verb in "sq":
        value = value[: int(precision)]
    if verb == "s":
        return value
    if verb == "q":
        return json.dumps(value, ensure_ascii=False)
    if verb in "xX":
        digits = value.encode().hex()
        return digits.upper() if verb == "X" else digits
    return None
