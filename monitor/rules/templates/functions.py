"""The functions that templates may call: Go's own and Prometheus's.

Every function declares what its arguments must be, because Go checks that before it calls: a
number where a text is wanted is an error there, and so it is here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, quote_plus, urlsplit

import re2

from monitor.rules.templates import humanize
from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.formatting import formatted, joined, shown
from monitor.rules.templates.values import Moment, Sample, is_true, kind_of

Query = Callable[[str], Sequence[Sample]]
ANY: tuple[type, ...] = (object,)
TEXT: tuple[type, ...] = (str,)
VECTOR: tuple[type, ...] = (tuple,)
SAMPLE: tuple[type, ...] = (Sample,)


@dataclass(frozen=True, slots=True)
class Function:
    """A callable, the types of its arguments, and the type of any further ones."""

    call: Callable[..., object]
    parameters: tuple[tuple[type, ...], ...]
    rest: tuple[type, ...] | None = None

    def apply(self, name: str, arguments: Sequence[object]) -> object:
        """Return the result.

        Raises:
            TemplateError: another number or type of arguments, or the function refuses them.
        """
        wanted, got = len(self.parameters), len(arguments)
        if got < wanted or (got > wanted and self.rest is None):
            raise TemplateError(f"wrong number of args for {name}: want {wanted} got {got}")
        types = (*self.parameters, *[self.rest or ANY] * (got - wanted))
        for value, allowed in zip(arguments, types, strict=True):
            if not isinstance(value, allowed):
                raise TemplateError(f"wrong type for value in {name}: {kind_of(value)}")
        return self.call(*arguments)


# Comparisons ------------------------------------------------------------------------------------


def _basic(value: object) -> type:
    """Return what a value is compared as.

    Raises:
        TemplateError: Go cannot compare it.
    """
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return kind
    raise TemplateError(f"invalid type for comparison: {kind_of(value)}")


def _comparable(left: object, right: object) -> None:
    if _basic(left) is not _basic(right):
        raise TemplateError(
            f"incompatible types for comparison: {kind_of(left)} and {kind_of(right)}"
            " (write 5.0 to compare with a value)"
        )


def _equal(left: object, *others: object) -> bool:
    for other in others:
        if left is None or other is None:
            if left is other:
                return True
            continue
        _comparable(left, other)
        if left == other:
            return True
    return False


def _less(left: object, right: object) -> bool:
    _comparable(left, right)
    if isinstance(left, bool):
        raise TemplateError("invalid type for comparison: bool")
    return bool(left < right)  # type: ignore[operator]  # both are str, int or float


# Lists, maps and texts --------------------------------------------------------------------------


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | Sequence):
        return len(value)
    raise TemplateError(f"len of type {kind_of(value)}")


def _index(value: object, *keys: object) -> object:
    for key in keys:
        if isinstance(value, Mapping):
            if not isinstance(key, str):
                raise TemplateError(f"value has type {kind_of(key)}; should be string")
            value = value.get(key, "")
        elif isinstance(value, Sequence):
            position = _position(key, len(value) - 1)
            value = value.encode()[position] if isinstance(value, str) else value[position]
        else:
            raise TemplateError(f"can't index item of type {kind_of(value)}")
    return value


def _position(key: object, last: int) -> int:
    if not isinstance(key, int) or isinstance(key, bool):
        raise TemplateError(f"cannot index slice/array with type {kind_of(key)}")
    if not 0 <= key <= last:
        raise TemplateError(f"index out of range: {key}")
    return key


def _slice(value: object, *bounds: object) -> object:
    if not isinstance(value, str | tuple):
        raise TemplateError(f"can't slice item of type {kind_of(value)}")
    items = value.encode() if isinstance(value, str) else value
    numbers = [_position(bound, len(items)) for bound in bounds[:2]]
    start, end = (numbers + [0, len(items)][len(numbers) :])[:2]
    if start > end:
        raise TemplateError(f"invalid slice index: {start} > {end}")
    part = items[start:end]
    return part.decode(errors="replace") if isinstance(part, bytes) else part


def _title(text: str) -> str:
    return re.sub(r"(?<!\w)[^\W\d_]", lambda found: found[0].upper(), text)


def _pattern(text: str) -> re2._Regexp[str]:
    try:
        return re2.compile(text, _OPTIONS)
    except re2.error as error:
        raise TemplateError(f"invalid regular expression {text!r}: {error}") from error


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def _replace_all(pattern: str, replacement: str, text: str) -> str:
    """Replace every match; `$1` and `${name}` in the replacement are groups, as in Go."""

    def group(found: re.Match[str], reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return found[int(name) if name.isdigit() else name] or ""
        except (IndexError, KeyError, re2.error):
            return ""  # a group that is not there is empty, as in Go

    def one(found: re.Match[str]) -> str:
        return _REFERENCE.sub(partial(group, found), replacement)

    return str(_pattern(pattern).sub(one, text))


def _strip_port(address: str) -> str:
    """Return `host` of `host:port`; anything else comes back as it is."""
    found = re.fullmatch(r"\[([^\[\]]*)\]:[^:\[\]]*|([^:\[\]]*):[^:\[\]]*", address)
    return address if found is None else found[1] or found[2] or ""


def _strip_domain(address: str) -> str:
    """Return the first part of a host name; an IP address stays whole, a port is kept."""
    host = _strip_port(address)
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+|.*:.*", host):
        return address
    port = address[len(host) :] if host != address else ""
    return host.partition(".")[0] + port


# Query results ----------------------------------------------------------------------------------


def _first(vector: tuple[Sample, ...]) -> Sample:
    if not vector:
        raise TemplateError("first() called on vector with no elements")
    return vector[0]


def _sort_by_label(label: str, vector: tuple[Sample, ...]) -> tuple[Sample, ...]:
    return tuple(sorted(vector, key=lambda sample: sample.labels.get(label, "")))


def expression_link(expression: str, *, tab: int) -> str:
    """Return the address, below the external URL, at which Prometheus shows an expression."""
    return f"/graph?g0.expr={quote_plus(expression)}&g0.tab={tab}"


def _javascript(*values: object) -> str:
    text = json.dumps(joined(values), ensure_ascii=False)[1:-1]
    return text.translate(_SCRIPT)


_HTML = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&#34;"})
_SCRIPT = str.maketrans({"'": "\\'", **{one: f"\\u{ord(one):04X}" for one in "<>&="}})


PURE: dict[str, Function] = {
    "not": Function(lambda value: not is_true(value), (ANY,)),
    "len": Function(_length, (ANY,)),
    "index": Function(_index, (ANY,), ANY),
    "slice": Function(_slice, (ANY,), ANY),
    "print": Function(lambda *values: joined(values), (), ANY),
    "println": Function(lambda *values: " ".join(map(shown, values)) + "\n", (), ANY),
    "printf": Function(lambda pattern, *values: formatted(pattern, values), (TEXT,), ANY),
    "html": Function(lambda *values: joined(values).translate(_HTML), (), ANY),
    "js": Function(_javascript, (), ANY),
    "urlquery": Function(lambda *values: quote_plus(joined(values)), (), ANY),
    "eq": Function(_equal, (ANY, ANY), ANY),
    "ne": Function(lambda left, right: not _equal(left, right), (ANY, ANY)),
    "lt": Function(_less, (ANY, ANY)),
    "le": Function(lambda left, right: _less(left, right) or left == right, (ANY, ANY)),
    "gt": Function(lambda left, right: _less(right, left), (ANY, ANY)),
    "ge": Function(lambda left, right: _less(right, left) or left == right, (ANY, ANY)),
    "humanize": Function(humanize.humanize, (ANY,)),
    "humanize1024": Function(humanize.humanize1024, (ANY,)),
    "humanizePercentage": Function(humanize.humanize_percentage, (ANY,)),
    "humanizeDuration": Function(humanize.humanize_duration, (ANY,)),
    "humanizeTimestamp": Function(humanize.humanize_timestamp, (ANY,)),
    "toTime": Function(humanize.to_time, (ANY,)),
    "toDuration": Function(humanize.to_duration, (ANY,)),
    "parseDuration": Function(humanize.parse_duration, (TEXT,)),
    "title": Function(_title, (TEXT,)),
    "toUpper": Function(str.upper, (TEXT,)),
    "toLower": Function(str.lower, (TEXT,)),
    "match": Function(
        lambda pattern, text: _pattern(pattern).search(text) is not None, (TEXT, TEXT)
    ),
    "reReplaceAll": Function(_replace_all, (TEXT, TEXT, TEXT)),
    "stripPort": Function(_strip_port, (TEXT,)),
    "stripDomain": Function(_strip_domain, (TEXT,)),
    "urlQueryEscape": Function(quote_plus, (TEXT,)),
    "first": Function(_first, (VECTOR,)),
    "label": Function(lambda name, sample: sample.labels.get(name, ""), (TEXT, SAMPLE)),
    "value": Function(lambda sample: sample.value, (SAMPLE,)),
    "strvalue": Function(lambda sample: sample.labels.get("__value__", ""), (SAMPLE,)),
    "sortByLabel": Function(_sort_by_label, (TEXT, VECTOR)),
    "args": Function(lambda *values: {f"arg{i}": one for i, one in enumerate(values)}, (), ANY),
    "safeHtml": Function(lambda text: text, (TEXT,)),
    "tableLink": Function(partial(expression_link, tab=1), (TEXT,)),
    "graphLink": Function(partial(expression_link, tab=0), (TEXT,)),
}
LAZY = frozenset({"and", "or"})  # evaluated argument by argument
BOUND = frozenset({"query", "externalURL", "pathPrefix", "now"})  # depend on where they run
NAMES = frozenset(PURE) | LAZY | BOUND


def bound_functions(query: Query, external_url: str, now: float) -> dict[str, Function]:
    """Return all functions as seen from one evaluation."""
    path = quote(urlsplit(external_url).path.rstrip("/"), safe="/%")
    moment = Moment(math.floor(now * 1000))
    return {
        **PURE,
        "query": Function(lambda text: tuple(query(text)), (TEXT,)),
        "externalURL": Function(lambda: external_url, ()),
        "pathPrefix": Function(lambda: path, ()),
        "now": Function(lambda: moment, ()),
    }
