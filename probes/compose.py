"""A step turned into the request a browser, or a client, would make."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborNode

from probes.context import Context
from probes.egress import EgressDenied, origin_of
from probes.failing import StepFailed
from probes.forms import FilledForm, fill_form
from probes.http.addresses import replace_query, tidy_url, with_query
from probes.http.bodies import URLENCODED, encode_entries
from probes.http.message import Request
from probes.page import Page
from probes.patterns import checked_selector, css_text
from probes.result import Reason
from probes.step import REPEATABLE_METHODS, Step
from probes.templates import fill_all

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
USER_AGENT = "Mozilla/5.0 (compatible; SayProMonitor/1.0)"
ACCEPT = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"


def build_request(step: Step, context: Context, *, user_agent: str = USER_AGENT) -> Request:
    """Return the request of the step's action.

    Raises:
        StepFailed: the page offers no such form, field or link, or a name has no value.
    """
    match step.action:
        case "submit":
            method, url, extra, body = _submission(step, context)
        case "follow":
            method, url, extra, body = "GET", _link(step, context), {}, None
        case verb:
            method, url, extra, body = _written(step, context, verb.upper())
    headers = _base_headers(context, user_agent) | extra
    for given in (context.journey.headers, step.headers):
        headers |= {name.lower(): context.fill(value) for name, value in given.items()}
    _refuse_line_breaks(headers)
    return Request(
        method=method,
        url=url,
        headers=tuple((_as_written(name), value) for name, value in headers.items()),
        body=body,
        repeatable=step.idempotent is True or step.carries_key or method in REPEATABLE_METHODS,
    )


_Parts = tuple[str, str, dict[str, str], bytes | None]


def _base_headers(context: Context, user_agent: str) -> dict[str, str]:
    """Return what every request carries: who we are, and which run this is."""
    mark = f"{context.journey.name}.{context.location}.{context.run_id}"
    trace = (context.run_id.replace("-", "") + "0" * 32)[:32]
    return {
        "user-agent": user_agent,
        "accept": ACCEPT,
        "accept-language": "en",
        "x-synthetic-run": mark,
        "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01",
    }


def _written(step: Step, context: Context, method: str) -> _Parts:
    """Return the request that the file itself spells out."""
    url = tidy_url(context.fill(step.target))
    if "://" not in url:
        url = urljoin(_page(context).url, url)
    pairs = [(context.fill(k), context.fill(v)) for k, vs in step.query.items() for v in vs]
    url = with_query(url, pairs)
    if step.form is not None:
        entries = [(context.fill(k), context.fill(v)) for k, vs in step.form.items() for v in vs]
        return method, url, {"content-type": URLENCODED}, urlencode(entries).encode()
    if step.has_json:
        data = fill_all(step.json_body, context.values)
        return method, url, {"content-type": "application/json"}, json.dumps(data).encode()
    body = None if step.body is None else context.fill(step.body).encode()
    return method, url, {}, body


def _submission(step: Step, context: Context) -> _Parts:
    """Return what the browser sends when the form is filled in and its button pressed."""
    page = _page(context)
    form = _form_of(_element(step, context, page, step.target, "form"), step)
    fields = {
        context.fill(name): value
        if isinstance(value, bool)
        else context.fill(value)
        if isinstance(value, str)
        else tuple(context.fill(each) for each in value)
        for name, value in step.fields.items()
    }
    filled = fill_form(page, form, fields, _button(step, context, form))
    url = _absolute(page, filled.action or page.url, "form's action")
    headers = _referer(page.url, url)
    if filled.method == "GET":
        return "GET", replace_query(url, urlencode(list(filled.entries))), headers, None
    return "POST", url, headers | _posted(page, filled), _body(filled)


def _posted(page: Page, filled: FilledForm) -> dict[str, str]:
    """Return the headers that a posted form adds."""
    kind = encode_entries((), filled.encoding, boundary=_boundary(filled))[1]
    return {"origin": str(origin_of(page.url)), "content-type": kind}


def _body(filled: FilledForm) -> bytes:
    """Return the entries of a posted form as bytes."""
    return encode_entries(
        filled.entries, filled.encoding, files=filled.files, boundary=_boundary(filled)
    )[0]


def _boundary(filled: FilledForm) -> str:
    """Return a boundary that is in none of the entries."""
    boundary = "----journey-form-boundary"
    while any(boundary in value for _, value in filled.entries):
        boundary += "-x"
    return boundary


def _link(step: Step, context: Context) -> str:
    """Return where the link leads."""
    page = _page(context)
    node = _element(step, context, page, step.target, "link")
    href = node.attributes.get("href")
    if href is None:
        raise StepFailed(
            Reason.EXTRACT, f"{step.target} is a <{node.tag}> without href", "a link with href"
        )
    parts = urlsplit(_absolute(page, href, "link"))
    return urlunsplit(parts._replace(fragment=""))


def _page(context: Context) -> Page:
    """Return the last page."""
    if context.page is None:
        raise StepFailed(Reason.EXTRACT, "no page has been answered yet", "a page before this step")
    return context.page


def _element(step: Step, context: Context, page: Page, selector: str, what: str) -> LexborNode:
    """Return the element a selector means; which of several is the step's `choose`."""
    selector = filled_selector(context, selector)
    found = page.find(selector)
    if not found:
        raise StepFailed(
            Reason.EXTRACT, f"no {what} matches {selector} on the page", f"a {what} {selector}"
        )
    if len(found) > 1 and step.choose == "only" and not _lead_alike(found):
        raise StepFailed(
            Reason.EXTRACT,
            f"{len(found)} elements match {selector}; only one may (or set choose: first)",
            f"one {what} {selector}",
        )
    return found[-1 if step.choose == "last" else 0]


def _lead_alike(found: list[LexborNode]) -> bool:
    """Whether several elements are links to the same place."""
    return len({node.attributes.get("href") or str(node.mem_id) for node in found}) == 1


def filled_selector(context: Context, selector: str) -> str:
    """Return the selector with its variables in it.

    Raises:
        StepFailed: it is no selector any more.
    """
    if "${" not in selector:
        return selector
    filled = context.fill(selector, escape=css_text)
    try:
        return checked_selector(filled)
    except ValueError as error:
        raise StepFailed(Reason.CONFIG, f"{filled!r} is not a CSS selector") from error


def _form_of(node: LexborNode, step: Step) -> LexborNode:
    """Return the form that an element is, or is in."""
    at: LexborNode | None = node
    while at is not None and at.tag != "form":
        at = at.parent
    if at is None:
        raise StepFailed(Reason.EXTRACT, f"{step.target} is no form and in none", "a form")
    return at


def _button(step: Step, context: Context, form: LexborNode) -> LexborNode | None:
    """Return the button to press, None for the form's own first one."""
    if step.button is None:
        return None
    selector = filled_selector(context, step.button)
    found = form.css(selector)
    if len(found) != 1:
        raise StepFailed(
            Reason.EXTRACT,
            f"{len(found) or 'no'} elements in the form match {selector}; one must",
            f"one button {selector}",
        )
    return found[0]


def _absolute(page: Page, reference: str, what: str) -> str:
    """Return an address the page gives, which must be one that needs no browser to follow."""
    try:
        url = page.absolute(reference)
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise StepFailed(Reason.CONTENT, f"the {what} is not an address: {reference!r}") from error
    if scheme not in ("http", "https"):
        raise StepFailed(
            Reason.CONTENT, f"the {what} is a {scheme}: address, which only a browser can follow"
        )
    return url


def _referer(page_url: str, target: str) -> dict[str, str]:
    """Return the referer a browser sends by default: all of it to the same origin, else its origin.

    Shops that check it against forgery (Django over HTTPS) refuse a form without it.
    https://www.w3.org/TR/referrer-policy/#referrer-policy-strict-origin-when-cross-origin
    """
    try:
        here, there = origin_of(page_url), origin_of(target)
    except EgressDenied:
        return {}
    if here == there:
        return {"referer": urlunsplit(urlsplit(page_url)._replace(fragment=""))}
    if here.scheme == "https" and there.scheme == "http":
        return {}
    return {"referer": f"{here}/"}


def _refuse_line_breaks(headers: Mapping[str, str]) -> None:
    """Refuse headers in which a value could smuggle in another one."""
    for name, value in headers.items():
        if _CONTROL.search(name) or _CONTROL.search(value) or not name.isascii():
            raise StepFailed(Reason.CONFIG, f"header {name!r} holds a control character")


@lru_cache(maxsize=256)
def _as_written(name: str) -> str:
    """Return a header's name in the usual capitals."""
    return "-".join(part.capitalize() for part in name.split("-"))
