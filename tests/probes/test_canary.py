"""Planted secrets are searched for in everything a run leaves behind, for every way to fail."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from rich.console import Console

from probes.report import render_table
from probes.result import Outcome, ProbeRun, to_json
from tests.probes.journeys import journey_of, run_of
from tests.probes.server import Handler, ShopStub, running_stub

CANARIES = {
    "PASSWORD": 'cänary "quoted" pass/word+1&2<3>',
    "TOKEN": "canary-token-0123456789abcdef",
}
SESSION = "canary-session-cookie-5f1d"
CSRF = "canary-csrf-0a9b8c7d"


def forms_of(value: str) -> Iterator[str]:
    """Yield the value in every form in which it must not appear."""
    yield from (value, quote(value), quote(value, safe=""), quote(value, safe="").lower())
    yield from (quote_plus(value), html.escape(value), json.dumps(value)[1:-1])
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    for before in ("", "u", "us"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode((before + value).encode()).decode().rstrip("=")[4:-4]


def everything(run: ProbeRun) -> str:
    """Return all a run leaves: its record, once more escaped, its words and its table."""
    stored = json.dumps(to_json(run)) + json.dumps(to_json(run), ensure_ascii=False)
    out = io.StringIO()
    Console(file=out, width=400).print(render_table(run))
    return stored + json.dumps(stored) + repr(run) + out.getvalue()


def echo(status: int) -> Callable[[Handler], None]:
    """Answer with everything that was sent, in many encodings."""

    def answer(handler: Handler) -> None:
        seen = f"{handler.path} {handler.stub.seen[-1].body.decode()} {dict(handler.headers)}"
        said = "\n".join([*CANARIES.values(), SESSION, CSRF])
        lines = [seen, said, html.escape(said), json.dumps(said), quote(said), quote_plus(said)]
        lines += [
            base64.b64encode(b"x" * n + v.encode()).decode()
            for v in CANARIES.values()
            for n in (0, 1, 2)
        ]
        filler = "x" * (65_536 - 30)  # the excerpt is cut in the middle of the next canary
        body = "\n".join(lines) + filler + said
        handler.answer(
            status,
            body.encode(),
            {
                "Content-Type": "text/plain; charset=utf-8",
                "Set-Cookie": f"sid={SESSION}; Path=/",
                "X-Echo": quote(said),
            },
        )

    return answer


@pytest.fixture(scope="module")
def stub() -> Iterator[ShopStub]:
    """A server that repeats what it is told."""
    with running_stub() as running:
        token = f'<input type=hidden name=csrf value="{CSRF}">'
        page = f"<form method=post action=/echo>{token}<input name=p>"
        running.page("/form", page, Set_Cookie=f"sid={SESSION}; Path=/; HttpOnly")
        running.answers |= {"/echo": echo(200), "/refuse": echo(403)}
        running.answers["/leak"] = lambda handler: handler.answer(
            302, b"", {"Location": f"/refuse?t={CANARIES['TOKEN']}&p={quote(CANARIES['PASSWORD'])}"}
        )
        running.answers["/away"] = lambda handler: handler.answer(
            302, b"", {"Location": f"http://127.0.0.2:1/?t={CANARIES['TOKEN']}"}
        )
        running.answers["/cut"] = lambda handler: handler.cut(999, CANARIES["TOKEN"].encode())
        running.answers["/hang"] = lambda handler: handler.wait(2, CANARIES["TOKEN"].encode())
        yield running


FAILURES: dict[str, dict[str, Any]] = {
    "status": {"get": "/refuse", "expect": {"status": 200}},
    "status, credentials in the query": {
        "get": "/refuse",
        "query": {"p": "${secret:PASSWORD}"},
        "expect": {"status": 200},
    },
    "expected text with a secret": {"get": "/echo", "expect": {"text": "x${secret:PASSWORD}x"}},
    "unwanted text with a secret": {
        "get": "/echo",
        "expect": {"body": {"not_contains": "${secret:PASSWORD}"}},
    },
    "a secret in a pattern": {
        "get": "/echo",
        "expect": {"body": {"matches": "^${secret:PASSWORD}!$"}},
    },
    "a secret in a header": {
        "get": "/refuse",
        "headers": {"Authorization": "Bearer ${secret:TOKEN}"},
        "expect": {"status": 200},
    },
    "a header compared": {"get": "/echo", "expect": {"headers": {"x-echo": "nothing like it"}}},
    "a secret in a body": {
        "post": "/refuse",
        "json": {"p": "${secret:PASSWORD}"},
        "expect": {"status": 200},
    },
    "an unknown field": {
        "submit": "form",
        "fields": {"${secret:TOKEN}": "x"},
        "expect": {"status": 200},
    },
    "a form": {"submit": "form", "fields": {"p": "${secret:PASSWORD}"}, "expect": {"css": "h7"}},
    "a secret in a selector": {"get": "/form", "expect": {"css": "[a='${secret:PASSWORD}']"}},
    "a redirect that leaks": {"get": "/leak", "expect": {"status": 200}},
    "a redirect that is refused": {"get": "/away", "expect": {"status": 200}},
    "an address compared": {
        "get": "/echo",
        "query": {"t": "${secret:TOKEN}"},
        "expect": {"url": "/other"},
    },
    "nothing to save": {"get": "/echo", "save": {"x": {"css": "[a='${secret:TOKEN}']"}}},
    "a number compared": {
        "get": "/echo",
        "expect": {"number": {"regex": "(canary.*)", "at_least": 1}},
    },
    "not JSON": {"get": "/echo", "expect": {"json": "$"}},
    "truncated": {"get": "/cut", "expect": {"status": 200}},
    "too late": {"get": "/hang", "timeout": "200ms", "expect": {"status": 200}},
    "unreachable": {"get": "http://127.0.0.1:1/?t=${secret:TOKEN}", "expect": {"status": 200}},
    "a line break in a header": {
        "get": "/form",
        "headers": {"X-A": "${secret:TOKEN}\n"},
        "expect": {"status": 200},
    },
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_secret_is_left_behind_however_a_step_fails(failure: str, stub: ShopStub) -> None:
    """No canary is in the record, the words or the table, in any form."""
    step = FAILURES[failure]
    journey = journey_of(
        {
            "get": f"{stub.url}/form",
            "save": {"csrf": {"css": "[name=csrf]", "attribute": "value", "sensitive": True}},
        },
        step,
        variables={"token": "${secret:TOKEN}", "again": "${secret:PASSWORD}"},
    )
    run = run_of(journey, secrets=CANARIES)
    assert run.failed_step == "step 2", run
    left = everything(run)
    for value in (*CANARIES.values(), SESSION, CSRF):
        for form in forms_of(value):
            assert form not in left, (failure, form)


def test_a_passing_run_hides_secrets_in_its_addresses(stub: ShopStub) -> None:
    """Nothing failed, and the addresses still hold no secret."""
    step = {"get": f"{stub.url}/echo", "query": {"t": "${secret:TOKEN}"}, "expect": {"status": 200}}
    run = run_of(journey_of(step), secrets=CANARIES)
    assert run.outcome is Outcome.PASSED
    assert "canary" not in everything(run)


def test_a_secret_with_template_signs_is_sent_as_it_is(stub: ShopStub) -> None:
    """Quotes, line breaks and `${` in a secret reach the shop unchanged."""
    odd = "a\"b'c\n${d}$${e}\\"
    step = {"post": f"{stub.url}/echo", "body": "${secret:PASSWORD}", "expect": {"status": 200}}
    run_of(journey_of(step), secrets={"PASSWORD": odd})
    assert stub.last("/echo").body.decode() == odd


def test_a_sensitive_value_too_short_to_hide_is_refused(stub: ShopStub) -> None:
    """What cannot be taken out of records is not taken in."""
    stub.page("/short", "<b>abc</b>")
    step = {"get": f"{stub.url}/short", "save": {"x": {"css": "b", "sensitive": True}}}
    run = run_of(journey_of(step))
    assert (run.outcome, "only 3 characters" in run.detail) == (Outcome.FAILED, True)
