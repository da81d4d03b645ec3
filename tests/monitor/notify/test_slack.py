"""Slack through an incoming webhook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.notify import slack
from monitor.notify.looks import COLOURS, Tone
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

SETTINGS = slack.Settings(url="https://hooks.slack.example/x", mention="<!here>")
LINKS = {"incident": {"url": "https://m.example/console/incidents/7", "runbook_url": ""}}


def rendered(**given: Any) -> dict[str, Any]:
    return slack.render(make_message(**given), SETTINGS, make_context())


def test_slack_gets_header_text_buttons_and_id(hook: HttpSink) -> None:
    """The post is what an incoming webhook takes; `ok` is its whole answer."""
    hook.answers = [Answer(200, {}, b"ok")]
    receipt = slack.send(
        make_message(payload=LINKS, acknowledge_url="https://m.example/a/t"),
        slack.Settings(url=hook.url),
        make_context(),
    )
    blocks = json.loads(hook.posts[0].body)["attachments"][0]["blocks"]
    assert [block["type"] for block in blocks] == ["header", "section", "actions", "context"]
    assert [button["text"]["text"] for button in blocks[2]["elements"]] == [
        "Acknowledge",
        "Open the incident",
    ]
    assert blocks[3]["elements"][0]["text"] == "Demo Shop · incident-7.opened.oncall"
    assert receipt == "Slack (127.0.0.1) took it"


@pytest.mark.parametrize(
    ("event", "severity", "tone"),
    [
        ("incident_opened", "critical", Tone.CRITICAL),
        ("incident_opened", "warning", Tone.WARNING),
        ("maintenance_announced", "info", Tone.INFO),
        ("incident_resolved", "critical", Tone.GOOD),
    ],
)
def test_the_colour_follows_the_severity_until_it_is_over(
    event: str, severity: str, tone: Tone
) -> None:
    """The bar is beside the word, never instead of it."""
    document = rendered(event=event, severity=severity)
    assert document["attachments"][0]["color"] == COLOURS[tone]


def test_only_a_critical_opening_calls_people() -> None:
    """Updates and ends do not ring."""
    texts = [rendered(event=e)["text"] for e in ("incident_opened", "incident_resolved")]
    assert ["<!here>" in text for text in texts] == [True, False]


def test_what_a_rule_says_calls_nobody_and_links_nowhere() -> None:
    """A summary is text, whatever it contains."""
    document = rendered(subject="<!channel> & <http://x|y>", body="<!everyone>")
    assert "&lt;!channel&gt; &amp;" in document["text"]
    assert document["attachments"][0]["blocks"][1]["text"]["text"] == "&lt;!everyone&gt;"


def test_long_texts_are_cut_to_what_slack_takes() -> None:
    """150 characters of header, 3,000 of text: a longer message would be refused whole."""
    header, section = rendered(subject="x" * 400, body="&" * 4000)["attachments"][0]["blocks"][:2]
    assert (len(header["text"]["text"]), len(section["text"]["text"])) == (150, 3000)
