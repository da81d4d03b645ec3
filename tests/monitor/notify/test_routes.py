"""Channels turned into routes, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.notify.kinds import ACCOUNT, ACCOUNT_NOTICE, CANARY, KINDS, REPORTER
from monitor.notify.message import NotifyError
from monitor.notify.routes import find_faults, make_routes
from monitor.notify.trial import send_test
from tests.notices import NOW, GivenChannel, make_context
from tests.sinks import HttpSink

PAGE = Path(__file__).parents[3] / "docs" / "notifications.md"


@pytest.mark.parametrize(
    ("kind", "settings", "places"),
    [
        ("console", {}, []),
        ("email", {"to": "a@b.example"}, []),
        ("webhook", {"url": "https://x.example", "deadline": "15m"}, []),
        ("pigeon", {}, ["kind"]),
        ("webhook", {}, ["settings.url"]),
        ("console", {"colour": "red", "deadline": "0s"}, ["settings.deadline", "settings.colour"]),
    ],
)
def test_every_fault_of_a_channel_is_named_with_its_place(
    kind: str, settings: dict[str, str], places: list[str]
) -> None:
    """The configuration check lists them all at once."""
    assert [place for place, _ in find_faults(kind, settings)] == places


def test_a_fault_never_repeats_the_value() -> None:
    """A secret written where a reference belongs is not shown."""
    faults = find_faults("webhook", {"url": "https://x.example", "secret": "hunter2"})
    assert "hunter2" not in str(faults)


def test_single_people_have_a_route_and_invalid_channels_have_none() -> None:
    """A fault that slipped through the check costs one channel, not the delivery."""
    channels = [GivenChannel("a", "console"), GivenChannel("b", "pigeon")]
    own = {"person", REPORTER, ACCOUNT, ACCOUNT_NOTICE, CANARY}
    assert set(make_routes(channels)) == {"a", *own}


def test_no_configured_channel_gets_the_mail_about_accounts() -> None:
    """A link that sets somebody's password is never sent to a chat room."""
    routes = make_routes([GivenChannel(ACCOUNT, "console"), GivenChannel("account", "console")])
    assert routes[ACCOUNT].kind is KINDS["email"]


def test_a_test_message_goes_out_over_the_channel_that_was_named(hook: HttpSink) -> None:
    """`monitor notify-test oncall` tells what the receiver answered."""
    channel = GivenChannel("oncall", "webhook", {"url": hook.url})
    assert send_test([channel], "oncall", make_context()) == "127.0.0.1 answered 204"
    assert hook.posts[0].headers["X-Monitor-Event"] == "test"


def test_a_test_message_to_an_unknown_channel_lists_the_known_ones() -> None:
    """The refusal says what could be asked for."""
    with pytest.raises(LookupError, match=r"'pager' \(known: oncall\)"):
        send_test([GivenChannel("oncall", "console")], "pager", make_context())


def test_a_test_mail_to_a_reporter_needs_a_server() -> None:
    """The operator learns that reporters cannot be told yet."""
    with pytest.raises(NotifyError, match="MONITOR_SMTP_URL"):
        send_test([], "reporter", make_context(), recipient="me@shop.example")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_documented(kind: str) -> None:
    """Each kind and each of its settings has its place in docs/notifications.md."""

    text = PAGE.read_text("utf-8")
    assert f"`{kind}`" in text
    for name in KINDS[kind].settings.model_fields:
        assert f"`{name}`" in text


def test_the_signature_check_shown_in_the_documentation_works(hook: HttpSink) -> None:
    """A receiver may copy it: it accepts what we send and refuses another body, key or time."""
    code = PAGE.read_text("utf-8").split("```python\n")[1].split("```")[0]
    page: dict[str, Any] = {}
    exec(code, page)
    channel = GivenChannel("oncall", "webhook", {"url": hook.url, "secret": "${secret:KEY}"})
    send_test([channel], "oncall", make_context(KEY="a-signing-key"))
    post, now = hook.posts[0], NOW.timestamp()
    assert page["is_genuine"](b"a-signing-key", post.headers, post.body, now)
    assert not page["is_genuine"](b"another-key", post.headers, post.body, now)
    assert not page["is_genuine"](b"a-signing-key", post.headers, post.body + b" ", now)
    assert not page["is_genuine"](b"a-signing-key", post.headers, post.body, now + 300)
