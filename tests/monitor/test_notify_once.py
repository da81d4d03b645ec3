"""`monitor notify-test`, through the command line's own function."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.notify_once import notify_once
from monitor.settings import load_settings
from tests.sinks import Answer, HttpSink, http_sink

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
