"""Tests of whole runs against a small server: what each expectation and each flag does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from probes.result import Outcome, Reason, run_from_json, to_json
from probes.run import RunOptions, errored_run
from tests.probes.journeys import journey_of, run_of, step_of
from tests.probes.server import Handler, ShopStub, running_stub

CART = """<h1>Cart</h1>
<ul><li class=line data-cents=1050>R 10.50<li class=line data-cents=200>R 2.00</ul>
<p>Total <b id=total>R 12.50</b></p>
<a class=go href=/next>Next</a><a class=go href=/other>x</a>
<meta name=csrf content=token-value>"""
LOGIN = '<form method=post action="/in"><input type=hidden name=t value=x><input name=u>'
JSON = '{"items": [{"sku": "a", "price": 5}, {"sku": "b", "price": 7.5}], "ok": true, "n": null}'


@pytest.fixture(scope="module")
def running() -> Iterator[ShopStub]:
    """One server for the module."""
    with running_stub() as stub:
        yield stub


@pytest.fixture
def stub(running: ShopStub) -> ShopStub:
    """The server with its usual pages and nothing seen yet."""
    running.answers.clear()
    running.seen.clear()
    running.page("/cart", CART, Set_Cookie="sid=abc; Path=/\nlang=en; Path=/")
    running.page("/items", JSON, Content_Type="application/json")
    running.redirect("/moved", "/cart?from=moved#top")
    running.page("/next", "<p>next</p>")
    running.page("/gone", "gone", status=404)
    running.answers["/late"] = lambda handler: handler.wait(0.05)
    return running


HOLDS: list[tuple[str, dict[str, Any]]] = [
    ("/cart", {"status": 200}),
    ("/cart", {"status": [404, "2xx"]}),
    ("/gone", {"status": "400-499"}),
    ("/cart", {"text": ["Total R 12.50", "Cart"]}),
    ("/cart", {"text": {"contains": "Cart", "not_contains": "empty"}}),
    ("/cart", {"text": {"matches": r"R \d+\.\d\d"}}),
    ("/cart", {"body": "data-cents=1050"}),
    ("/cart", {"css": "h1"}),
    ("/cart", {"css": {"select": ".line", "count": 2}}),
    ("/cart", {"css": {"select": ".line", "min": 1, "max": 2}}),
    ("/cart", {"css": {"select": ".none", "count": 0}}),
    ("/cart", {"css": {"select": ".line", "text": "2.00"}}),
    ("/cart", {"css": {"select": ".line", "attribute": "data-cents", "text": {"equals": 200}}}),
    ("/cart", {"headers": {"content-type": "text/html"}}),
    ("/cart", {"size": {"min": 10, "max": 10000}}),
    ("/cart", {"time": "5s"}),
    ("/cart", {"number": {"css": "#total", "sum_of": {"css": ".line"}}}),
    ("/cart", {"number": {"css": "#total", "equals": "R 12.50", "at_least": 12, "at_most": 13}}),
    ("/moved", {"url": "/cart"}),
    ("/moved", {"url": "/cart?from=moved"}),
    ("/moved", {"url": {"contains": "from=", "not_contains": "error", "matches": "/cart"}}),
    ("/items", {"json": "$.items"}),
    ("/items", {"json": {"path": "$.items[*]", "count": 2}}),
    ("/items", {"json": {"path": "$.ok", "equals": True, "type": "boolean"}}),
    ("/items", {"json": {"path": "$.n", "equals": None, "type": "null"}}),
    ("/items", {"json": {"path": "$.items[?@.sku == 'b'].price", "equals": 7.5}}),
    ("/items", {"json": {"path": "$.items[*].sku", "text": {"matches": "^[ab]$"}}}),
    ("/items", {"number": {"json": "$.items[1].price", "sum_of": [7, 0.5]}}),
]


@pytest.mark.parametrize(("path", "expect"), HOLDS)
def test_an_expectation_that_holds_passes(
    path: str, expect: dict[str, Any], stub: ShopStub
) -> None:
    """Each kind of expectation can be met."""
    run = run_of(journey_of({"get": stub.url + path, "expect": expect}))
    assert run.outcome is Outcome.PASSED, run.detail


FAILS: list[tuple[str, dict[str, Any], Reason]] = [
    ("/gone", {"text": "gone"}, Reason.STATUS),
    ("/cart", {"status": 201}, Reason.STATUS),
    ("/cart", {"text": "empty"}, Reason.CONTENT),
    ("/cart", {"text": {"not_contains": "Cart"}}, Reason.CONTENT),
    ("/cart", {"text": {"equals": "Cart"}}, Reason.CONTENT),
    ("/cart", {"text": {"matches": "^Total"}}, Reason.CONTENT),
    ("/cart", {"body": {"not_contains": "data-cents"}}, Reason.CONTENT),
    ("/cart", {"css": "h2"}, Reason.CONTENT),
    ("/cart", {"css": {"select": ".line", "count": 3}}, Reason.CONTENT),
    ("/cart", {"css": {"select": ".line", "max": 1}}, Reason.CONTENT),
    ("/cart", {"css": {"select": ".line", "text": "9.99"}}, Reason.CONTENT),
    ("/cart", {"headers": {"x-none": "a"}}, Reason.CONTENT),
    ("/cart", {"headers": {"content-type": "json"}}, Reason.CONTENT),
    ("/cart", {"size": {"min": 10000}}, Reason.CONTENT),
    ("/cart", {"size": {"max": 10}}, Reason.CONTENT),
    ("/late", {"time": "20ms"}, Reason.SLOW),
    ("/cart", {"certificate_days": 1}, Reason.TLS),
    ("/cart", {"url": "/other"}, Reason.CONTENT),
    ("/cart", {"url": {"matches": "/other"}}, Reason.CONTENT),
    ("/cart", {"number": {"css": "#total", "sum_of": {"css": ".none"}}}, Reason.CONTENT),
    ("/cart", {"number": {"css": ".line", "at_least": 1}}, Reason.CONTENT),
    ("/cart", {"number": {"css": "h1", "at_least": 1}}, Reason.CONTENT),
    (
        "/cart",
        {"number": {"css": "#total", "sum_of": {"css": ".line"}, "minus": "1"}},
        Reason.CONTENT,
    ),
    ("/cart", {"number": {"css": "#total", "equals": 12.49}}, Reason.CONTENT),
    ("/cart", {"number": {"css": "#total", "at_least": 13}}, Reason.CONTENT),
    ("/cart", {"number": {"css": "#total", "at_most": 12}}, Reason.CONTENT),
    ("/cart", {"json": "$"}, Reason.CONTENT),
    ("/items", {"json": "$.nothing"}, Reason.CONTENT),
    ("/items", {"json": {"path": "$.items[*]", "count": 1}}, Reason.CONTENT),
    ("/items", {"json": {"path": "$.ok", "equals": 1}}, Reason.CONTENT),
    ("/items", {"json": {"path": "$.ok", "type": "integer"}}, Reason.CONTENT),
    ("/items", {"json": {"path": "$.items[*].sku", "text": "a"}}, Reason.CONTENT),
]


@pytest.mark.parametrize(("path", "expect", "reason"), FAILS)
def test_a_failed_expectation_fails_the_run(
    path: str, expect: dict[str, Any], reason: Reason, stub: ShopStub
) -> None:
    """Each kind of expectation, failing, fails step and run for its reason, with evidence."""
    run = run_of(journey_of({"get": stub.url + path, "expect": expect}))
    assert (run.outcome, run.reason, run.failed_step) == (Outcome.FAILED, reason, "step 1")
    assert run.detail.startswith("expected ")
    assert run.failing is not None
    assert run.failing.evidence is not None


SAVES: list[tuple[str, dict[str, Any], str]] = [
    ("/cart", {"css": "meta[name=csrf]", "attribute": "content"}, "token-value"),
    ("/cart", {"css": "#total"}, "R 12.50"),
    ("/cart", {"css": ".line", "many": "first"}, "R 10.50"),
    ("/cart", {"css": ".line", "attribute": "data-cents", "many": "last"}, "200"),
    ("/cart", {"css": ".none", "missing": "empty"}, ""),
    ("/cart", {"regex": r"data-cents=(\d+)", "many": "first"}, "1050"),
    ("/cart", {"regex": r"(R) ([\d.]+)", "group": 2, "many": "first"}, "10.50"),
    ("/cart", {"header": "content-type"}, "text/html; charset=utf-8"),
    ("/cart", {"cookie": "sid"}, "abc"),
    ("/moved", {"url": "path"}, "/cart"),
    ("/moved", {"url": "query.from"}, "moved"),
    ("/moved", {"url": "fragment"}, "top"),
    ("/moved", {"url": "last"}, "cart"),
    ("/items", {"json": "$.items[0].sku"}, "a"),
    ("/items", {"json": "$.items[1].price"}, "7.5"),
]


@pytest.mark.parametrize(("path", "save", "value"), SAVES)
def test_a_value_is_saved_and_used(
    path: str, save: dict[str, Any], value: str, stub: ShopStub
) -> None:
    """What was found goes into the next step's request."""
    stub.page("/echo", "ok")
    first = {"get": stub.url + path, "save": {"found": save}, "expect": {"status": 200}}
    second = {"post": "/echo", "body": "[${found}]", "expect": {"status": 200}}
    run = run_of(journey_of(first, second))
    assert run.outcome is Outcome.PASSED, run.detail
    assert stub.last("/echo").body.decode() == f"[{value}]"


@pytest.mark.parametrize(
    "save",
    [
        {"css": ".none"},
        {"css": ".line"},
        {"regex": "nowhere"},
        {"header": "x-none"},
        {"cookie": "none"},
        {"json": "$.a"},
        {"url": "query.none"},
        {"css": "meta", "attribute": "none"},
    ],
)
def test_a_value_that_is_missing_or_not_one_fails_at_once(
    save: dict[str, Any], stub: ShopStub
) -> None:
    """Nothing is silently empty, to fail three steps later for a wrong reason."""
    run = run_of(journey_of({"get": f"{stub.url}/cart", "save": {"found": save}}))
    wanted = Reason.CONTENT if "json" in save else Reason.EXTRACT
    assert (run.outcome, run.reason) == (Outcome.FAILED, wanted)


def test_cookies_reach_the_next_step_and_not_the_next_run(stub: ShopStub) -> None:
    """Two cookies set in one answer both come back; a new run starts with none."""
    journey = journey_of(
        {"get": f"{stub.url}/cart", "expect": {"status": 200}},
        {"get": f"{stub.url}/next", "expect": {"status": 200}},
    )
    run_of(journey)
    run_of(journey)
    cookies = [seen.headers.get("Cookie", "") for seen in stub.seen]
    assert [sorted(c.split("; ")) for c in cookies] == [[""], ["lang=en", "sid=abc"]] * 2


def test_steps_after_a_failure_are_skipped(stub: ShopStub) -> None:
    """Nothing is sent after a failure, and skipped steps have no time of their own."""
    bad = {"get": f"{stub.url}/gone", "expect": {"status": 200}}
    run = run_of(journey_of(bad, {"get": "/cart", "expect": {"status": 200}}))
    assert [step.outcome for step in run.steps] == [Outcome.FAILED, Outcome.SKIPPED]
    assert stub.paths() == ["/gone"]


def test_a_soft_step_is_recorded_and_does_not_fail_the_run(stub: ShopStub) -> None:
    """The run passes, degraded, and the step's own series moves."""
    soft = {"get": f"{stub.url}/gone", "expect": {"status": 200}, "soft": True}
    run = run_of(journey_of(soft, {"get": f"{stub.url}/cart", "expect": {"css": "h1"}}))
    assert (run.outcome, run.degraded) == (Outcome.PASSED, True)
    assert step_of(run, "step 1").outcome is Outcome.FAILED


def test_a_slow_step_degrades(stub: ShopStub) -> None:
    """Slow is not down."""
    step = {"get": f"{stub.url}/late", "expect": {"text": "late"}, "slow": "20ms"}
    run = run_of(journey_of(step))
    assert (run.outcome, run.degraded, run.steps[0].slow) == (Outcome.PASSED, True, True)


def test_cleanup_runs_after_a_failure_and_reports_by_itself(stub: ShopStub) -> None:
    """Its failure is on record and does not change the verdict."""
    journey = journey_of(
        {"get": f"{stub.url}/cart", "expect": {"css": "h1"}},
        cleanup=({"get": f"{stub.url}/gone", "expect": {"status": 200}},),
    )
    run = run_of(journey)
    assert (run.outcome, run.cleanup_failed) == (Outcome.PASSED, True)
    assert step_of(run, "cleanup 1").outcome is Outcome.FAILED


def test_a_cleanup_that_must_work_fails_the_run(stub: ShopStub) -> None:
    """`fail_on_cleanup` is for shops where a left order costs money."""
    journey = journey_of(
        {"get": f"{stub.url}/cart", "expect": {"css": "h1"}},
        cleanup=({"get": f"{stub.url}/gone", "expect": {"status": 200}},),
        fail_on_cleanup=True,
    )
    assert run_of(journey).failed_step == "cleanup 1"


@pytest.mark.parametrize(("path", "outcome"), [("/gone", "skipped"), ("/cart", "pass")])
def test_cleanup_without_its_value_is_skipped(path: str, outcome: str, stub: ShopStub) -> None:
    """An order that was never placed is not cancelled, one that was placed is."""
    save = {"total": {"css": "#total"}}
    journey = journey_of(
        {"get": stub.url + path, "save": save},
        cleanup=({"post": f"{stub.url}/next", "body": "${total}", "expect": {"status": 200}},),
    )
    assert step_of(run_of(journey), "cleanup 1").outcome == outcome


def test_what_a_wrong_page_says_is_still_saved_for_cleanup(stub: ShopStub) -> None:
    """An order whose confirmation is wrong is an order all the same."""
    step = {"get": f"{stub.url}/cart", "expect": {"css": "h2"}, "save": {"t": {"css": "#total"}}}
    sweep = {"post": f"{stub.url}/next", "body": "${t}", "expect": {"status": 200}}
    run = run_of(journey_of(step, cleanup=(sweep,)))
    assert step_of(run, "cleanup 1").outcome is Outcome.PASSED


def test_a_cleanup_form_is_skipped_where_its_page_never_came(stub: ShopStub) -> None:
    """It does not try its luck on another page."""
    journey = journey_of(
        {"get": f"{stub.url}/gone", "save": {"order": {"css": "#total"}}},
        cleanup=(
            {"get": f"{stub.url}/order/${{order}}", "expect": {"status": 200}},
            {"submit": "form", "expect": {"status": 200}},
        ),
    )
    run = run_of(journey)
    assert step_of(run, "cleanup 2").outcome is Outcome.SKIPPED
    assert not run.cleanup_failed


def test_the_deadline_ends_the_run_and_sends_nothing_more(stub: ShopStub) -> None:
    """A hung shop costs its deadline, and no step after it is sent."""
    stub.answers["/hang"] = lambda handler: handler.wait(3)
    journey = journey_of(
        {"get": f"{stub.url}/hang", "expect": {"status": 200}, "soft": True},
        {"get": f"{stub.url}/cart", "expect": {"status": 200}},
        deadline="300ms",
    )
    started = time.monotonic()
    run = run_of(journey)
    assert time.monotonic() - started < 1.5
    assert (run.failed_step, run.reason) == ("step 2", Reason.TIMEOUT)
    assert stub.paths() == ["/hang"]


def test_think_time_is_waited_and_not_counted(stub: ShopStub) -> None:
    """A person pauses; the shop is not blamed for it."""
    waited: list[float] = []
    step = {"get": f"{stub.url}/cart", "expect": {"status": 200}, "think": "4s"}
    run = run_of(journey_of(step), options=RunOptions(sleep=waited.append))
    assert waited == [4.0]
    assert run.duration_seconds < 2


def test_the_request_says_who_we_are(stub: ShopStub) -> None:
    """The shop can leave us out of its statistics and find us in its log."""
    run = run_of(journey_of({"get": f"{stub.url}/cart", "expect": {"status": 200}}))
    headers = stub.seen[0].headers
    assert headers["X-Synthetic-Run"] == f"shop.local.{run.id}"
    assert headers["Traceparent"].startswith(f"00-{run.id}-")
    assert "SayProMonitor" in headers["User-Agent"]


@pytest.mark.parametrize(
    ("step", "method", "body", "content_type"),
    [
        ({"post": "/x", "form": {"a": "1 2", "b": ["x", "y"]}}, "POST", b"a=1+2&b=x&b=y", "x-www"),
        (
            {"put": "/x", "json": {"run": "${journey}", "n": 1}},
            "PUT",
            b'{"run": "shop", "n": 1}',
            "js",
        ),
        ({"patch": "/x", "body": "raw"}, "PATCH", b"raw", ""),
        ({"delete": "/x"}, "DELETE", b"", ""),
        ({"head": "/x"}, "HEAD", b"", ""),
        ({"post": "/x"}, "POST", b"", ""),
    ],
)
def test_each_method_and_body_is_sent_as_written(
    step: dict[str, Any], method: str, body: bytes, content_type: str, stub: ShopStub
) -> None:
    """What the file says is what the shop gets."""
    stub.page("/x", "ok")
    url = {key: stub.url + value if value == "/x" else value for key, value in step.items()}
    run = run_of(journey_of({**url, "query": {"q": "a b"}, "expect": {"status": 200}}))
    seen = stub.last("/x")
    assert run.outcome is Outcome.PASSED, run.detail
    assert (seen.method, seen.body, seen.path) == (method, body, "/x?q=a+b")
    assert content_type in seen.headers.get("Content-Type", "")


def test_a_form_is_sent_like_a_browser_sends_it(stub: ShopStub) -> None:
    """Hidden inputs, referer and origin go along: what forgery checks ask for."""
    stub.page(
        "/login", '<form method=post action="/in"><input type=hidden name=t value=x><input name=u>'
    )
    stub.page("/in", "in")
    journey = journey_of(
        {"get": f"{stub.url}/login", "expect": {"css": "form"}},
        {"submit": "form", "fields": {"u": "ann"}, "expect": {"text": "in"}},
    )
    assert run_of(journey).outcome is Outcome.PASSED
    seen = stub.last("/in")
    assert seen.form == {"t": ["x"], "u": ["ann"]}
    assert (seen.headers["Referer"], seen.headers["Origin"]) == (f"{stub.url}/login", stub.url)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"submit": "form"}, Reason.EXTRACT),
        ({"submit": "h1"}, Reason.EXTRACT),
        ({"follow": "a.none"}, Reason.EXTRACT),
        ({"follow": "a.go"}, Reason.EXTRACT),
        ({"follow": "h1"}, Reason.EXTRACT),
    ],
)
def test_what_is_not_on_the_page_cannot_be_used(
    step: dict[str, Any], reason: Reason, stub: ShopStub
) -> None:
    """A form or link that is missing, or not the only one, fails as extract."""
    first = {"get": f"{stub.url}/cart", "expect": {"css": "h1"}}
    run = run_of(journey_of(first, {**step, "expect": {"status": 200}}))
    assert (run.failed_step, run.reason) == ("step 2", reason), run.detail


def test_one_of_several_links_may_be_chosen(stub: ShopStub) -> None:
    """`choose: first` says that any will do."""
    first = {"get": f"{stub.url}/cart", "expect": {"css": "h1"}}
    second = {"follow": "a.go", "choose": "first", "expect": {"url": "/next"}}
    assert run_of(journey_of(first, second)).outcome is Outcome.PASSED


@pytest.mark.parametrize("secrets", [{}, {"PW": "short"}])
def test_a_secret_that_is_not_there_is_our_fault(secrets: dict[str, str], stub: ShopStub) -> None:
    """The run errors before anything is sent; the shop is not accused."""
    step = {"get": f"{stub.url}/cart", "query": {"a": "${secret:PW}"}, "expect": {"status": 200}}
    run = run_of(journey_of(step), secrets=secrets)
    assert (run.outcome, run.reason, stub.seen) == (Outcome.ERRORED, Reason.CONFIG, [])
    assert [s.outcome for s in run.steps] == [Outcome.SKIPPED]


def test_a_browser_journey_without_a_browser_is_never_green(stub: ShopStub) -> None:
    """What cannot be run is an error, not a success."""
    run = run_of(journey_of({"get": f"{stub.url}/cart", "expect": {"css": "h1"}}, engine="browser"))
    assert (run.outcome, run.reason) == (Outcome.ERRORED, Reason.CONFIG)


def test_an_address_from_a_page_leads_nowhere_else(stub: ShopStub) -> None:
    """A saved value cannot send us to a host the file does not name."""
    stub.page("/evil", "<a href=http://127.0.0.2:9/>x</a>")
    first = {"get": f"{stub.url}/evil", "save": {"to": {"css": "a", "attribute": "href"}}}
    run = run_of(journey_of(first, {"get": "${to}", "expect": {"status": 200}}))
    assert (run.outcome, run.reason) == (Outcome.ERRORED, Reason.EGRESS_DENIED)
    assert "allow_hosts" in run.detail


@pytest.mark.parametrize(("online", "outcome"), [(False, Outcome.ERRORED), (True, Outcome.FAILED)])
def test_an_offline_prober_does_not_accuse_the_shop(
    online: bool, outcome: Outcome, stub: ShopStub
) -> None:
    """Where the control target is unreachable too, the fault is ours."""
    host = stub.url.removeprefix("http://")
    options = RunOptions(control_targets=(host if online else "127.0.0.1:1",))
    journey = journey_of({"get": "http://127.0.0.1:1/", "expect": {"status": 200}})
    run = run_of(journey, options=options)
    assert run.outcome is outcome
    assert run.reason is (Reason.CONNECT if online else Reason.SELF_NETWORK)


@pytest.mark.parametrize(
    ("accepted", "reason"), [("other", Reason.CREDENTIALS), ("nobody", Reason.CONTENT)]
)
def test_a_locked_account_is_told_from_a_broken_login(
    accepted: str, reason: Reason, stub: ShopStub
) -> None:
    """If a second account logs in, the first one is ours to repair; if none does, the shop's."""

    def login(handler: Handler) -> None:
        user = stub.seen[-1].form["user"][0]
        handler.answer(200, b"welcome" if user == accepted else b"refused", {})

    stub.answers["/login"] = login
    step = {"post": f"{stub.url}/login", "form": {"user": "${user}"}, "login": True}
    journey = journey_of(
        {**step, "expect": {"text": "welcome"}},
        variables={"user": "first"},
        second_account={"user": "other"},
    )
    run = run_of(journey)
    assert (run.reason, run.outcome) == (reason, reason.outcome)


def test_runs_of_many_threads_do_not_meet(stub: ShopStub) -> None:
    """Each run has its own jar, values and connections."""

    def login(handler: Handler) -> None:
        name = handler.path.partition("=")[2]
        handler.answer(200, name.encode(), {"Set-Cookie": f"who={name}; Path=/"})

    def who(handler: Handler) -> None:
        handler.answer(200, handler.headers["Cookie"].encode(), {})

    stub.answers |= {"/in": login, "/who": who}
    journeys = [
        journey_of(
            {"get": f"{stub.url}/in?name=n{n}", "expect": {"status": 200}},
            {"get": f"{stub.url}/who", "expect": {"text": {"equals": f"who=n{n}"}}},
        )
        for n in range(8)
    ]
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda j=j: outcomes.append(run_of(j).outcome)) for j in journeys
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.PASSED] * 8


def test_a_run_comes_back_from_its_json(stub: ShopStub) -> None:
    """What is stored is what was found."""
    good = {"get": f"{stub.url}/cart", "expect": {"css": "h1"}}
    run = run_of(journey_of(good, {"get": f"{stub.url}/gone", "expect": {"status": 200}}))
    assert run_from_json(to_json(run)) == run


def test_a_run_that_could_not_be_made_skips_every_step(stub: ShopStub) -> None:
    """No worker free: the record says so, and no step counts as done."""
    journey = journey_of({"get": f"{stub.url}/cart", "expect": {"css": "h1"}})
    at = run_of(journey).started_at
    run = errored_run(
        journey, location="local", reason=Reason.OVERLOAD, detail="no worker", started_at=at
    )
    assert (run.outcome, [s.outcome for s in run.steps]) == (Outcome.ERRORED, [Outcome.SKIPPED])
