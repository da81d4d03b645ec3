"""Text messages through a provider."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import pytest

from monitor.notify import sms
from monitor.notify.message import NotifyError
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

NUMBERS = "+27821234567, +4917612345678"


def twilio(hook: HttpSink, **given: Any) -> sms.Settings:
    base = hook.url.removesuffix("/hook")
    usual = {
        "url": base,
        "account": "${secret:SID}",
        "token": "${secret:TOKEN}",
        "sender": "+15005550006",
    }
    return sms.Settings.model_validate({**usual, "to": NUMBERS, **given})


def test_twilio_is_asked_once_a_number_and_its_ids_are_kept(hook: HttpSink) -> None:
    """Account and token are the login; the text is the subject with its link."""
    hook.answers = [Answer(201, {}, b'{"sid": "SM1"}'), Answer(201, {}, b'{"sid": "SM2"}')]
    context = make_context(SID="ACx-the-account", TOKEN="long-token")
    message = make_message(acknowledge_url="https://m.example/a/t")
    receipt = sms.send(message, twilio(hook), context)
    asked = [parse_qs(post.body.decode()) for post in hook.posts]
    assert hook.posts[0].path == "/2010-04-01/Accounts/ACx-the-account/Messages.json"
    login = b64decode(hook.posts[0].headers["Authorization"].removeprefix("Basic "))
    assert login == b"ACx-the-account:long-token"
    assert [one["To"][0] for one in asked] == NUMBERS.split(", ")
    assert asked[0]["Body"] == ["INC-7 Checkout fails at pay https://m.example/a/t"]
    assert receipt == "127.0.0.1 answered 201 for 2 numbers: SM1, SM2"


def test_a_message_with_its_own_number_goes_there_alone(hook: HttpSink) -> None:
    """The person on call is texted, not everybody."""
    context = make_context(SID="ACx-the-account", TOKEN="long-token")
    sms.send(make_message(recipient="+33612345678"), twilio(hook), context)
    assert [parse_qs(post.body.decode())["To"] for post in hook.posts] == [["+33612345678"]]


@pytest.mark.parametrize("encoding", ["json", "form"])
def test_another_provider_gets_the_fields_it_wants(hook: HttpSink, encoding: str) -> None:
    """Names, shape and the place of the id are configured."""
    hook.answers = [Answer(200, {}, b'{"messages": [{"id": 9}]}')]
    settings = sms.Settings.model_validate(
        {
            "provider": "generic",
            "url": hook.url,
            "token": "${secret:TOKEN}",
            "sender": "Shop",
            "to": "+27821234567",
            "encoding": encoding,
            "fields": {"dest": "tel:{to}", "msg": "{sender}: {text}"},
            "id_field": "messages.0.id",
        }
    )
    receipt = sms.send(make_message(), settings, make_context(TOKEN="long-token"))
    post = hook.posts[0]
    fields = (
        json.loads(post.body)
        if encoding == "json"
        else {name: values[0] for name, values in parse_qs(post.body.decode()).items()}
    )
    assert fields == {"dest": "tel:+27821234567", "msg": "Shop: INC-7 Checkout fails at pay"}
    assert (post.headers["Authorization"], receipt.reference) == ("Bearer long-token", "9")


def test_braces_in_a_message_are_text(hook: HttpSink) -> None:
    """A summary that says {to} is not filled in."""
    settings = sms.Settings.model_validate(
        {"provider": "generic", "url": hook.url, "to": "+27821234567"}
    )
    sms.send(make_message(subject="broken: {to} {x}"), settings, make_context())
    assert json.loads(hook.posts[0].body)["text"] == "broken: {to} {x}"


def test_without_a_number_nothing_is_sent() -> None:
    """The refusal is final and says what is missing."""
    settings = sms.Settings(provider="generic", url="http://127.0.0.1:1/")
    with pytest.raises(NotifyError, match="names no number") as caught:
        sms.send(make_message(), settings, make_context())
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"provider": "twilio"}, "expected account, token, sender for provider twilio"),
        ({"provider": "generic"}, "expected url for provider generic"),
        ({"provider": "generic", "url": "https://x.example", "to": "0821234567"}, r"\+27821234567"),
    ],
)
def test_settings_say_what_is_missing(given: dict[str, str], expected: str) -> None:
    """Found when the configuration is checked, not at night."""
    with pytest.raises(ValueError, match=expected):
        sms.Settings.model_validate(given)
