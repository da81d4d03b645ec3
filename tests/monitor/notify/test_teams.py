"""Microsoft Teams through a Workflows webhook."""

from __future__ import annotations

import json
from typing import Any

from monitor.notify import teams
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink


def card_of(**given: Any) -> dict[str, Any]:
    document = teams.render(make_message(**given), make_context())
    card: dict[str, Any] = document["attachments"][0]["content"]
    return card


def test_teams_gets_one_adaptive_card(hook: HttpSink) -> None:
    """The workflow answers 202 and no id."""
    hook.answers = [Answer(202)]
    receipt = teams.send(make_message(), teams.Settings(url=hook.url), make_context())
    document = json.loads(hook.posts[0].body)
    assert document["type"] == "message"
    kind = document["attachments"][0]["contentType"]
    assert kind == "application/vnd.microsoft.card.adaptive"
    assert receipt == "Teams (127.0.0.1) took it: 202"


def test_a_card_shows_title_paragraphs_and_actions() -> None:
    """Critical is `attention`, each paragraph a block, each link a button."""
    card = card_of(body="one\ntwo\n\nthree", acknowledge_url="https://m.example/a/t")
    assert card["body"][0]["style"] == "attention"
    assert [block["text"] for block in card["body"][1:3]] == ["one\n\ntwo", "three"]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Acknowledge", "url": "https://m.example/a/t"}
    ]


def test_markdown_in_a_message_is_shown_as_it_is() -> None:
    """A step called pay_now does not turn italic, nor a summary into a link."""
    card = card_of(subject="pay_now [x](http://evil.example)")
    assert card["body"][0]["items"][0]["text"] == r"pay\_now \[x\]\(http://evil.example\)"


def test_an_end_is_green_and_a_long_text_stays_below_what_teams_takes() -> None:
    """28 KB is the limit of the whole post, in bytes."""
    document = teams.render(
        make_message(event="incident_resolved", body="☃" * 20_000), make_context()
    )
    assert document["attachments"][0]["content"]["body"][0]["style"] == "good"
    assert len(json.dumps(document, ensure_ascii=False).encode()) < 28_000
