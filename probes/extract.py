"""Values taken out of an answer, to be used by later steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import parse_qs, unquote, urlsplit

import jsonpath_rfc9535

from probes.compose import filled_selector
from probes.context import Context
from probes.failing import StepFailed
from probes.http.cookies import Cookie
from probes.page import Page, text_of
from probes.patterns import compiled, json_path, regex_text
from probes.result import Reason
from probes.step import Save

MAX_VALUE = 16_384  # characters; a "token" longer than this is the wrong element


def extract(name: str, save: Save, page: Page, context: Context, cookies: Sequence[Cookie]) -> str:
    """Return the value to keep under `name`.

    Raises:
        StepFailed: nothing was found, or more than one thing, and the file does not allow it.
    """
    found = [value for value in _found(save, page, context, cookies) if value.strip()]
    what = f"{name} from {_source(save)}"
    if not found:
        if save.missing == "empty":
            return ""
        raise StepFailed(Reason.EXTRACT, f"nothing found for {what}", what)
    distinct = list(dict.fromkeys(found))
    if len(distinct) > 1 and save.many == "fail":
        raise StepFailed(
            Reason.EXTRACT,
            f"{len(distinct)} different values found for {what}; set many: first to take one",
            what,
        )
    value = found[-1 if save.many == "last" else 0]
    if len(value) > MAX_VALUE:
        raise StepFailed(Reason.EXTRACT, f"{len(value)} characters found for {what}", what)
    return value


def _source(save: Save) -> str:
    """Return where the value was looked for, as the file says it."""
    pairs = save.model_dump(by_alias=True, exclude_defaults=True, exclude={"sensitive", "missing"})
    return ", ".join(f"{key} {value}" for key, value in pairs.items())


def _found(save: Save, page: Page, context: Context, cookies: Sequence[Cookie]) -> list[str]:
    """Return everything found at the source."""
    if save.css is not None:
        return css_texts(page, filled_selector(context, save.css), save.attribute)
    if save.regex is not None:
        return regex_texts(page.text, filled_regex(context, save.regex), save.group)
    if save.json_at is not None:
        return [json_text(value) for value in json_values(page, save.json_at)]
    if save.header is not None:
        value = page.header(save.header)
        return [] if value is None else [value]
    if save.cookie is not None:
        host = urlsplit(page.url).hostname or ""
        return [c.value for c in cookies if c.name == save.cookie and c.goes_to(host)]
    return url_part(page.url, save.url or "whole")


def filled_regex(context: Context, pattern: str) -> str:
    """Return the pattern with its variables' values in it, matched literally."""
    return context.fill(pattern, escape=regex_text)


def css_texts(page: Page, selector: str, attribute: str | None) -> list[str]:
    """Return what each element found says, or its attribute; an element without it is left out."""
    texts = (text_of(node, attribute) for node in page.find(selector))
    return [text for text in texts if text is not None]


def regex_texts(text: str, pattern: str, group: int | None) -> list[str]:
    """Return the group of each match: the first one by default, the whole match where none is.

    Raises:
        StepFailed: the pattern is none, or has no such group.
    """
    try:
        expression = compiled(pattern)
    except ValueError as error:
        raise StepFailed(Reason.CONFIG, f"{pattern!r} is not a regular expression") from error
    number = min(1, expression.groups) if group is None else group
    if number > expression.groups:
        raise StepFailed(Reason.CONFIG, f"{pattern!r} has {expression.groups} groups, not {number}")
    return [match.group(number) or "" for match in expression.finditer(text)]


def json_values(page: Page, path: str) -> list[object]:
    """Return every value a JSON path finds.

    Raises:
        StepFailed: the body is not JSON.
    """
    try:
        data = page.json
    except ValueError as error:
        raise StepFailed(Reason.CONTENT, f"the body is not JSON: {error}", "a JSON body") from error
    try:
        return [node.value for node in json_path(path).find(data)]
    except (jsonpath_rfc9535.JSONPathError, RecursionError) as error:
        raise StepFailed(Reason.CONTENT, f"{path} cannot be followed: {error}", path) from error


def json_text(value: object) -> str:
    """Return a JSON value as text: a string as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()  # JSON can hold halves of characters


def url_part(url: str, part: str) -> list[str]:
    """Return the named part of an address: `last` is the last piece of its path."""
    parts = urlsplit(url)
    if part.startswith("query."):
        return parse_qs(parts.query, keep_blank_values=True).get(part.removeprefix("query."), [])
    pieces = [unquote(piece) for piece in parts.path.split("/") if piece]
    return [
        {
            "whole": url,
            "host": parts.netloc,
            "path": parts.path,
            "fragment": parts.fragment,
            "last": pieces[-1] if pieces else "",
        }[part]
    ]
