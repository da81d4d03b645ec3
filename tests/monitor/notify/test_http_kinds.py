"""What every kind that speaks HTTP has in common when its receiver is bad, and its secrets."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from monitor.notify.kinds import KINDS
from monitor.notify.message import NotifyError, Receipt
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

SECRET = "s3cr3t-of-this-channel"
REFERENCE = "${secret:KEY}"


def settings_of(kind: str, url: str) -> dict[str, Any]:
    """Return settings that send to `url` and use the secret."""
    base = url.rsplit("/", 1)[0]
    return {
        "ntfy": {"server": base, "topic": "oncall", "token": REFERENCE},
        "pagerduty": {"url": url, "routing_key": REFERENCE},
        "slack": {"url": f"{url}/{REFERENCE}"},
        "sms": {
            "url": base,
            "account": "AC1",
            "token": REFERENCE,
            "sender": "+15005550006",
            "to": "+27821234567",
        },
        "teams": {"url": f"{url}/{REFERENCE}"},
        "telegram": {"api": base, "token": REFERENCE, "chat": "-100"},
        "webhook": {"url": f"{url}/{REFERENCE}"},
    }[kind]


HTTP_KINDS = ("ntfy", "pagerduty", "slack", "sms", "teams", "telegram", "webhook")


def send(kind: str, url: str, **given: Any) -> Receipt:
    chosen = KINDS[kind]
    settings = {**settings_of(kind, url), "timeout": "2s", **given}
    made = chosen.settings.model_validate(settings)
    return chosen.send(make_message(), made, make_context(KEY=SECRET))


@pytest.mark.parametrize("kind", HTTP_KINDS)
@pytest.mark.parametrize(
    ("status", "retryable"), [(302, False), (400, False), (404, False), (429, True), (503, True)]
)
def test_a_refusal_is_judged_alike_and_tells_no_secret(
    hook: HttpSink, kind: str, status: int, retryable: bool
) -> None:
    """429 and 5xx may pass, the rest is final; not even a receiver that repeats it tells it on."""
    hook.answers = [Answer(status, {"Location": hook.url}, SECRET.encode())]
    with pytest.raises(NotifyError) as caught:
        send(kind, hook.url)
    assert (caught.value.retryable, len(hook.posts)) == (retryable, 1)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_a_receivers_wish_to_wait_is_heard(hook: HttpSink, kind: str) -> None:
    """`Retry-After` of a 429 comes through every kind."""
    hook.answers = [Answer(429, {"Retry-After": "37"})]
    with pytest.raises(NotifyError) as caught:
        send(kind, hook.url)
    assert caught.value.retry_after_seconds == 37


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_a_receiver_that_hangs_costs_no_more_than_the_timeout(hook: HttpSink, kind: str) -> None:
    """And the message may be tried again."""
    release = threading.Event()
    hook.answers = [Answer(wait=release)]
    with pytest.raises(NotifyError, match="no answer in time") as caught:
        send(kind, hook.url, timeout="100ms")
    release.set()
    assert caught.value.retryable


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_nobody_there_is_told_by_the_hosts_name_alone(kind: str) -> None:
    """A refused connection names the host, never the path or the query."""
    with pytest.raises(NotifyError) as caught:
        send(kind, "http://127.0.0.1:1/x/hook")
    assert str(caught.value) == "127.0.0.1: no connection"


@pytest.mark.parametrize("kind", HTTP_KINDS)
def test_an_answer_that_is_no_json_is_still_an_acceptance(hook: HttpSink, kind: str) -> None:
    """The status counts; a provider's new page does not have people told twice."""
    hook.answers = [Answer(200, {}, b"<html>ok</html>")]
    assert send(kind, hook.url).reference in ("", "status.shop.example/incident-7")


@pytest.mark.parametrize("kind", ["pagerduty", "sms", "telegram", "ntfy"])
def test_a_secret_is_given_by_name_only(kind: str) -> None:
    """Its value in the configuration is a fault that the check names without repeating it."""
    given = settings_of(kind, "https://x.example/y")
    name = "routing_key" if kind == "pagerduty" else "token"
    with pytest.raises(ValueError, match="expected a reference"):
        KINDS[kind].settings.model_validate({**given, name: "hunter2-hunter2"})
