"""Methods of times in templates, `Format` with Go's reference layout among them."""

from __future__ import annotations

import re
from collections.abc import Callable

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.values import Moment, kind_of

# Go's layouts are written as the reference time Mon Jan 2 15:04:05 MST 2006.
_LAYOUT = {
    "2006": "%Y", "January": "%B", "Monday": "%A", "Jan": "%b", "Mon": "%a", "MST": "UTC",
    "01": "%m", "02": "%d", "15": "%H", "03": "%I", "04": "%M", "05": "%S", "06": "%y",
    "PM": "%p", "Z07:00": "Z", "-07:00": "+00:00", "-0700": "+0000",
}  # fmt: skip
_PIECES = re.compile(
    r"\.0+|\.9+|" + "|".join(re.escape(piece) for piece in sorted(_LAYOUT, key=len, reverse=True))
    + r"|(?<!\d)[12345](?!\d)"
)  # fmt: skip


def _format(moment: Moment, layout: object) -> str:
    if not isinstance(layout, str):
        raise TemplateError(f"wrong type for value; expected string; got {kind_of(layout)}")
    instant = moment.instant()
    short = {
        "1": instant.month,
        "2": instant.day,
        "3": (instant.hour - 1) % 12 + 1,
        "4": instant.minute,
        "5": instant.second,
    }

    def piece(found: re.Match[str]) -> str:
        text = found[0]
        if text[0] == ".":
            digits = f"{instant.microsecond:06d}".ljust(9, "0")[: len(text) - 1]
            return f".{digits}" if text[1] == "0" else f".{digits}".rstrip("0").rstrip(".")
        if text in short:
            return str(short[text])
        if text == "2006":
            return f"{instant.year:04d}"
        return instant.strftime(_LAYOUT[text])

    return _PIECES.sub(piece, layout)


METHODS: dict[str, tuple[int, Callable[..., object]]] = {  # name: number of arguments, method
    "Format": (1, _format),
    "Unix": (0, lambda moment: moment.milliseconds // 1000),
    "UTC": (0, lambda moment: moment),
    "String": (0, str),
    "Year": (0, lambda moment: moment.instant().year),
    "Day": (0, lambda moment: moment.instant().day),
    "Hour": (0, lambda moment: moment.instant().hour),
    "Minute": (0, lambda moment: moment.instant().minute),
    "Second": (0, lambda moment: moment.instant().second),
    "Month": (0, lambda moment: moment.instant().strftime("%B")),
    "Weekday": (0, lambda moment: moment.instant().strftime("%A")),
}


def call_method(moment: Moment, name: str, arguments: tuple[object, ...]) -> object:
    """Return what the method gives.

    Raises:
        TemplateError: no such method, or another number of arguments.
    """
    if name not in METHODS:
        raise TemplateError(f"can't evaluate field {name} in type *time.Time")
    wanted, method = METHODS[name]
    if len(arguments) != wanted:
        raise TemplateError(f"wrong number of args for {name}: want {wanted} got {len(arguments)}")
    return method(moment, *arguments)
