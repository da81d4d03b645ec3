"""`monitor notify-test`, through the command line's own function."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.notify.kinds import KINDS
from monitor.notify_once import notify_once
from monitor.settings import load_settings
from tests.sinks import Answer, HttpSink, http_sink, mail_sink

SITE = """
site: {name: Demo Shop, url: "https://shop.example"}
components: [{id: home, name: Home}]
"""
MONITOR = """
site: {{name: Demo Shop, url: "https://shop.example"}}
components: [{{id: home, name: Home}}]
channels:
  - name: pager
    kind: webhook
    settings: {{url: "{url}", secret: "${{secret:KEY}}"}}
"""
JOURNEY = """
name: home
component: home
interval: 1m
steps: [{name: open, get: "https://shop.example/", expect: {status: 200}}]
"""


def folder(tmp_path: Path, hook: HttpSink) -> Path:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "monitor.yml").write_text(MONITOR.format(url=hook.url), "utf-8")
    (tmp_path / "journeys" / "home.yml").write_text(JOURNEY, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("channel", "status", "code", "words"),
    [
        ("pager", 204, 0, "pager: 127.0.0.1 answered 204"),
        ("pager", 403, 1, "pager: not delivered: 127.0.0.1 answered 403"),
        ("phone", 204, 1, "no channel is called 'phone' (known: pager)"),
    ],
)
def test_the_exit_code_and_one_line_tell_what_the_receiver_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    channel: str,
    status: int,
    code: int,
    words: str,
) -> None:
    """0 when accepted; 1 with the reason when refused or when there is no such channel."""
    with http_sink() as hook:
        hook.answers = [Answer(status)]
        settings = load_settings({}, config=folder(tmp_path, hook))
        environ = {"MONITOR_SECRET_KEY": "a-signing-key"}
        assert notify_once(settings, environ, channel) == code
    told = capsys.readouterr()
    assert words in told.out + told.err


OF_EVERY_KIND = {  # kind → its settings, the sink's answer, what the receipt says
    "apprise": ({"url": "json://127.0.0.1:{port}/x"}, b"", "accepted by JSON"),
    "console": ({}, b"", ""),
    "email": ({"to": "ann@shop.example"}, b"", "250 kept"),
    "ntfy": ({"topic": "shop", "server": "{url}"}, b'{"id": "n-1"}', "n-1"),
    "pagerduty": (
        {"routing_key": "${secret:KEY}", "url": "{url}"},
        b'{"status": "success", "dedup_key": "d-1"}',
        "d-1",
    ),
    "slack": ({"url": "{url}"}, b"ok", "ok"),
    "sms": (
        {"provider": "generic", "url": "{url}", "to": "+27821234567", "sender": "Shop"},
        b'{"id": "s-1"}',
        "s-1",
    ),
    "teams": ({"url": "{url}"}, b"1", "127.0.0.1"),
    "telegram": (
        {"token": "${secret:KEY}", "chat": "42", "api": "{url}"},
        b'{"ok": true, "result": {"message_id": 7}}',
        "7",
    ),
    "webhook": ({"url": "{url}", "secret": "${secret:KEY}"}, b"", "127.0.0.1 answered 200"),
}


def test_every_kind_is_tried_here() -> None:
    """A new one is a line in `OF_EVERY_KIND`."""
    assert set(OF_EVERY_KIND) == set(KINDS)


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # in Apprise
@pytest.mark.parametrize("kind", sorted(OF_EVERY_KIND))
def test_a_channel_of_every_kind_can_be_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Its receiver gets the message once, and what it answered is shown."""
    given, answer, receipt = OF_EVERY_KIND[kind]
    with http_sink() as hook, mail_sink() as mailbox:
        hook.answers = [Answer(200, body=answer)]
        told = json.dumps({"name": "mine", "kind": kind, "settings": given})
        told = told.replace("{url}", hook.url).replace("{port}", str(hook.server.server_port))
        where = folder(tmp_path, hook)
        (where / "monitor.yml").write_text(f"{SITE}channels: [{told}]\n", "utf-8")
        environ = {"MONITOR_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}
        settings = load_settings(environ, config=where)
        code = notify_once(settings, {"MONITOR_SECRET_KEY": "a-signing-key"}, "mine")
        said = capsys.readouterr()
        assert code == 0, said
        assert len(hook.posts) + len(mailbox.mails) == (kind != "console")
    assert receipt in said.out
    assert "a-signing-key" not in said.out


def test_every_test_reaches_somebody(tmp_path: Path) -> None:
    """PagerDuty joins triggers of one key: a second test is another alert, and pages again."""
    key = {"routing_key": "${secret:KEY}"}
    with http_sink() as hook:
        told = json.dumps(
            {"name": "mine", "kind": "pagerduty", "settings": {**key, "url": hook.url}}
        )
        where = folder(tmp_path, hook)
        (where / "monitor.yml").write_text(f"{SITE}channels: [{told}]\n", "utf-8")
        settings = load_settings({}, config=where)
        for _ in range(2):
            assert notify_once(settings, {"MONITOR_SECRET_KEY": "a-signing-key"}, "mine") == 0
    assert len({json.loads(post.body)["dedup_key"] for post in hook.posts}) == 2
