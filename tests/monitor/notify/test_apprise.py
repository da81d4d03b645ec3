"""Services that Apprise knows, met through its generic JSON service."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from monitor.notify import apprise
from monitor.notify.message import NotifyError
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

# Apprise loads a service that still imports a module which Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")


def address(hook: HttpSink) -> apprise.Settings:
    return apprise.Settings(url=hook.url.replace("http://", "json://"))


def test_a_service_gets_title_text_type_and_id(hook: HttpSink) -> None:
    """The subject is the title, a critical opening is of type failure."""
    receipt = apprise.send(make_message(), address(hook), make_context())
    body = json.loads(hook.posts[0].body)
    assert (body["title"], body["type"]) == ("INC-7 Checkout fails at pay", "failure")
    assert body["message"].endswith("Notification incident-7.opened.oncall")
    assert receipt == "accepted by JSON"


def test_a_resolution_is_of_type_success(hook: HttpSink) -> None:
    """Chat services colour it as good news."""
    apprise.send(make_message(event="incident_resolved"), address(hook), make_context())
    assert json.loads(hook.posts[0].body)["type"] == "success"


def test_a_refusal_is_tried_again(hook: HttpSink) -> None:
    """Apprise does not say why, so nothing is given up early."""
    hook.answers = [Answer(500)]
    with pytest.raises(NotifyError, match="JSON did not accept it") as caught:
        apprise.send(make_message(), address(hook), make_context())
    assert caught.value.retryable


def test_an_address_of_no_known_service_is_final_and_not_shown() -> None:
    """The address may hold a token."""
    settings = apprise.Settings(url="nosuch://${secret:T}")
    with pytest.raises(NotifyError, match="does not understand") as caught:
        apprise.send(make_message(), settings, make_context(T="a-long-token"))
    assert "a-long-token" not in str(caught.value)
    assert not caught.value.retryable


def test_settings_refuse_what_is_no_address() -> None:
    """A bare word is a mistake found when the configuration is checked."""
    with pytest.raises(ValidationError, match="Apprise address"):
        apprise.Settings(url="slack")
