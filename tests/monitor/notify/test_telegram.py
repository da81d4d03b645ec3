"""Telegram through the bot API."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest

from monitor.notify import telegram
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

SETTINGS = telegram.Settings(token="${secret:TOKEN}", chat="-1001", topic=12)
ACCEPTED = Answer(200, {}, b'{"ok": true, "result": {"message_id": 4711}}')


def rendered(**given: Any) -> dict[str, Any]:
    return telegram.render(make_message(**given), SETTINGS, make_context())


def test_telegram_is_asked_to_send_and_its_message_id_is_kept(hook: HttpSink) -> None:
    """The id is what a later message replies to."""
    hook.answers = [ACCEPTED]
    settings = SETTINGS.model_copy(update={"api": hook.url.removesuffix("/hook")})
    receipt = telegram.send(make_message(), settings, make_context(TOKEN="123456:secret-token"))
    assert hook.posts[0].path == "/bot123456:secret-token/sendMessage"
    assert json.loads(hook.posts[0].body)["chat_id"] == "-1001"
    assert (receipt, receipt.reference) == ("Telegram took it as message 4711", "4711")


def test_what_follows_replies_to_the_opening_in_its_topic() -> None:
    """If somebody deleted the opening, the message is sent all the same."""
    document = rendered(event="incident_resolved", opening_reference="4711")
    assert document["message_thread_id"] == 12
    assert document["reply_parameters"] == {
        "message_id": 4711,
        "allow_sending_without_reply": True,
    }
    assert "reply_parameters" not in rendered()


def test_text_is_escaped_and_links_are_part_of_it() -> None:
    """Angle brackets of an error do not make Telegram refuse the message."""
    text = telegram.render_text(
        make_message(subject="<b>", body="a < b & c", acknowledge_url='https://m.example/a?x="y"')
    )
    assert text == (
        "🔴 <b>&lt;b&gt;</b>\n\na &lt; b &amp; c\n\n"
        '<a href="https://m.example/a?x=&quot;y&quot;">Acknowledge</a>'
    )


@pytest.mark.parametrize(
    ("event", "quiet"), [("incident_opened", False), ("incident_resolved", True)]
)
def test_only_trouble_makes_a_sound(event: str, quiet: bool) -> None:
    """The end of it arrives silently."""
    assert rendered(event=event)["disable_notification"] is quiet


def test_a_long_text_is_cut_before_it_is_escaped() -> None:
    """4,096 characters count after entities are read; half an entity would be refused."""
    text = telegram.render_text(make_message(body="<" * 9000))
    assert len(unescape(text).replace("<b>", "").replace("</b>", "")) <= 4096
    assert "&lt;…" in text
