"""Signed JSON posts, and how each answer of the receiver is judged."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.notify import webhook
from monitor.notify.http import retry_after
from monitor.notify.message import NotifyError
from tests.notices import NOW, make_context, make_message
from tests.sinks import Answer, HttpSink

SECRET_URL = "http://127.0.0.1:1/services/${secret:PATH}"


def settings(**given: Any) -> webhook.Settings:
    return webhook.Settings.model_validate({"timeout": "2s", **given})


def test_a_receiver_gets_the_whole_notification_as_json(hook: HttpSink) -> None:
    """Id, event, severity, text and data travel in the body, the id in a header too."""
    message = make_message(payload={"incident": {"number": 7}})
    assert webhook.send(message, settings(url=hook.url), make_context()) == "127.0.0.1 answered 204"
    body = json.loads(hook.posts[0].body)
    assert body["id"] == hook.posts[0].headers["X-Notification-Id"] == "incident-7.opened.oncall"
    assert (body["event"], body["severity"]) == ("incident_opened", "critical")
    assert (body["subject"], body["data"]["incident"]["number"]) == (message.subject, 7)


def test_the_signature_proves_time_and_body_to_whoever_knows_the_key(hook: HttpSink) -> None:
    """HMAC-SHA256 over timestamp, a dot and the raw body, as docs/notifications.md says."""
    webhook.send(
        make_message(),
        settings(url=hook.url, secret="${secret:KEY}"),
        make_context(KEY="a-signing-key"),
    )
    post = hook.posts[0]
    signed = post.headers["X-Monitor-Timestamp"].encode() + b"." + post.body
    expected = hmac.new(b"a-signing-key", signed, hashlib.sha256).hexdigest()
    assert post.headers["X-Monitor-Signature"] == f"sha256={expected}"


def documented_check() -> Callable[..., bool]:
    """Return the function that docs/notifications.md gives to receivers."""
    text = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text("utf-8")
    snippet = next(part for part in text.split("```python\n")[1:] if "is_genuine" in part)
    names: dict[str, Any] = {}
    exec(snippet.split("```")[0], names)
    check: Callable[..., bool] = names["is_genuine"]
    return check


@pytest.mark.parametrize(
    ("key", "later_seconds", "change", "genuine"),
    [
        (b"a-signing-key", 0, b"", True),
        (b"a-signing-key", 299, b"", True),
        (b"a-signing-key", 300, b"", False),
        (b"another-key", 0, b"", False),
        (b"a-signing-key", 0, b" ", False),
    ],
)
def test_the_documented_check_knows_what_is_genuine(
    hook: HttpSink, key: bytes, later_seconds: int, change: bytes, genuine: bool
) -> None:
    """Five minutes old, another key or one byte more: refused."""
    given = settings(url=hook.url, secret="${secret:KEY}")
    webhook.send(make_message(), given, make_context(KEY="a-signing-key"))
    post = hook.posts[0]
    now = NOW.timestamp() + later_seconds
    assert documented_check()(key, post.headers, post.body + change, now) is genuine


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (199, True),
        (300, False),
        (302, False),
        (400, False),
        (401, False),
        (404, False),
        (408, True),
        (410, False),
        (425, True),
        (429, True),
        (500, True),
        (503, True),
    ],
)
def test_only_answers_that_may_change_are_tried_again(
    hook: HttpSink, status: int, retryable: bool
) -> None:
    """5xx, 408, 425 and 429 may pass; every other refusal is final."""
    hook.answers = [Answer(status, {"Location": hook.url})]
    with pytest.raises(NotifyError) as caught:
        webhook.send(make_message(), settings(url=hook.url), make_context())
    assert (caught.value.retryable, len(hook.posts)) == (retryable, 1)


def test_a_receiver_that_hangs_is_given_up_after_the_timeout(hook: HttpSink) -> None:
    """A slow receiver costs at most the channel's timeout, and may be tried again."""
    release = threading.Event()
    hook.answers = [Answer(wait=release)]
    with pytest.raises(NotifyError, match=r"127\.0\.0\.1: no answer in time") as caught:
        webhook.send(make_message(), settings(url=hook.url, timeout="100ms"), make_context())
    release.set()
    assert caught.value.retryable


def test_a_failure_names_the_host_but_never_the_secret_in_the_address() -> None:
    """What goes on the timeline holds no secret."""
    with pytest.raises(NotifyError) as caught:
        webhook.send(make_message(), settings(url=SECRET_URL), make_context(PATH="s3cr3t-path"))
    assert str(caught.value) == "127.0.0.1: no connection"


def test_a_missing_secret_is_named_and_may_be_supplied_later() -> None:
    """The message waits for the operator rather than being lost."""
    with pytest.raises(NotifyError, match="secret PATH is not set") as caught:
        webhook.send(make_message(), settings(url=SECRET_URL), make_context())
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("3599", 3599),
        ("99999", 3600),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("Sun, 22 Nov 2026 09:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 08:00:00 GMT", 0),
        ("٣", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(value: str, seconds: float | None) -> None:
    """Seconds or a date, never more than an hour, nothing where it makes no sense."""
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "bad", [{"url": "ftp://x"}, {"url": "x"}, {"url": "http://x", "secret": "plain"}]
)
def test_settings_refuse_other_schemes_and_secrets_by_value(bad: dict[str, str]) -> None:
    """A secret stands in the configuration by reference alone."""
    with pytest.raises(ValidationError, match="expected"):
        settings(**bad)


def test_the_authorization_header_may_hold_a_secret(hook: HttpSink) -> None:
    """A bearer token is filled in when sending."""
    given = settings(url=hook.url, authorization="Bearer ${secret:TOKEN}")
    webhook.send(make_message(), given, make_context(TOKEN="a-long-token"))
    assert hook.posts[0].headers["Authorization"] == "Bearer a-long-token"
