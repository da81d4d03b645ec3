"""Phones through ntfy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.notify import ntfy
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

SETTINGS = ntfy.Settings(topic="oncall")
PAGE = "https://m.example/console/incidents/7"


def rendered(**given: Any) -> dict[str, Any]:
    return ntfy.render(make_message(**given), SETTINGS, make_context())


def test_ntfy_gets_the_message_with_its_token_and_answers_with_an_id(hook: HttpSink) -> None:
    """The topic is part of the document, so it stands in no address."""
    hook.answers = [Answer(200, {}, b'{"id": "sPs71M8A2T", "event": "message"}')]
    settings = ntfy.Settings(
        server=hook.url.removesuffix("/hook"), topic="${secret:TOPIC}", token="${secret:TOKEN}"
    )
    receipt = ntfy.send(
        make_message(), settings, make_context(TOPIC="quiet-otter", TOKEN="tk_long1")
    )
    post = hook.posts[0]
    assert (post.path, post.headers["Authorization"]) == ("/", "Bearer tk_long1")
    assert json.loads(post.body)["topic"] == "quiet-otter"
    assert receipt.reference == "sPs71M8A2T"


@pytest.mark.parametrize(
    ("event", "severity", "priority", "tag"),
    [
        ("incident_opened", "critical", 5, "rotating_light"),
        ("incident_opened", "warning", 4, "warning"),
        ("incident_resolved", "critical", 3, "white_check_mark"),
    ],
)
def test_priority_and_tag_follow_the_severity(
    event: str, severity: str, priority: int, tag: str
) -> None:
    """Only 5 breaks through a phone's own silence."""
    document = rendered(event=event, severity=severity)
    assert (document["priority"], document["tags"]) == (priority, [tag])


def test_a_tap_opens_the_incident_and_a_button_takes_it() -> None:
    """The button posts by itself: no page has to be opened at night."""
    document = rendered(
        payload={"incident": {"url": PAGE}}, acknowledge_url="https://m.example/a/t"
    )
    assert document["click"] == PAGE
    assert [(a["action"], a["label"], a["url"]) for a in document["actions"]] == [
        ("http", "Acknowledge", "https://m.example/a/t"),
        ("view", "Open the incident", PAGE),
    ]
    assert document["actions"][0]["method"] == "POST"


def test_a_long_text_stays_a_message() -> None:
    """Beyond 4,096 bytes ntfy would make it a file."""
    assert len(rendered(body="☃" * 9000)["message"].encode()) < 4096
