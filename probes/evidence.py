"""What is kept of a step that did not pass, and the taking out of secrets from a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.http.message import Exchange, Headers, Request
from probes.page import Page
from probes.redaction import PLACEHOLDER, Redactor
from probes.result import Evidence, ProbeRun, run_from_json, to_json

MAX_EXCERPT = 64 * 1024  # characters
MAX_DETAIL = 1000
_MASKED = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
_IDENTITY = frozenset({"id", "journey", "location", "name", "failed_step", "started_at"})
COOKIE_WORTH_HIDING = 16  # characters; shorter cookie values are settings more often than sessions


def evidence_of(
    request: Request | None, exchange: Exchange | None, expectation: str, redactor: Redactor
) -> Evidence:
    """Return what was sent and received, as far as the step came.

    The body is redacted before it is cut, so that no cut can leave half a secret behind.
    """
    sent = exchange.request if exchange else request
    body = redactor.text(Page(exchange).text) if exchange and exchange.body else ""
    return Evidence(
        request=f"{sent.method} {sent.url}" if sent else "",
        request_headers=_masked(sent.headers) if sent else (),
        status=exchange.status if exchange else 0,
        response_headers=_masked(exchange.headers) if exchange else (),
        body_excerpt=body[:MAX_EXCERPT],
        final_url=sent.url if sent else "",
        expectation=redactor.text(expectation)[:MAX_DETAIL],
    )


def _masked(headers: Headers) -> Headers:
    """Return the headers without live credentials: their values are nobody's business."""
    return tuple((name, _masked_value(name.lower(), value)) for name, value in headers)


def _masked_value(name: str, value: str) -> str:
    """Return the value, or a placeholder for one that is a credential."""
    if name in _MASKED:
        return PLACEHOLDER
    if name == "set-cookie":
        pair, separator, rest = value.partition(";")
        return f"{pair.partition('=')[0]}={PLACEHOLDER}{separator}{rest}"
    return value


def redact_run(run: ProbeRun, redactor: Redactor) -> ProbeRun:
    """Return the run with every secret out of every text in it, and every text fit to be stored.

    It works on everything the run holds, so that a new field cannot be forgotten; only identities
    (names that come from configuration) are left as they are.
    """
    return run_from_json(_cleaned(to_json(run), redactor))


def _cleaned(data: Any, redactor: Redactor) -> Any:
    """Return JSON data with its texts redacted and without what databases refuse to store."""
    if isinstance(data, str):
        return redactor.text(storable(data))
    if isinstance(data, Mapping):
        return {
            key: value if key in _IDENTITY else _cleaned(value, redactor)
            for key, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [_cleaned(item, redactor) for item in data]
    return data


def storable(text: str) -> str:
    """Return the text without NUL and without halves of characters."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
