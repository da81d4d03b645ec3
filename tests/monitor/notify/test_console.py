"""Notifications on the terminal."""

from __future__ import annotations

import pytest

from monitor.notify import console
from tests.notices import make_context, make_message


def test_a_notification_is_one_line_with_what_since_when_and_its_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Someone who watches the terminal sees the whole story in one line."""
    console.send(make_message(), console.Settings(), make_context())
    assert capsys.readouterr().out == (
        "09:00:00Z NOTIFY CRITICAL · INC-7 Checkout fails at pay · "
        "Checkout has failed since 09:00 UTC. · Step: pay (status) · [incident-7.opened.oncall]\n"
    )


@pytest.mark.parametrize("bad", ["two\nlines", "bell\a", "clear\x1b[2J", "sep\u2028"])
def test_no_text_can_steer_the_terminal(bad: str) -> None:
    """Line breaks and escape sequences of a subject never reach the terminal."""
    line = console.render_line(make_message(subject=bad), make_context())
    assert line.isprintable()


def test_the_other_stream_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    """`stream: stderr` keeps standard output free."""
    receipt = console.send(make_message(), console.Settings(stream="stderr"), make_context())
    assert capsys.readouterr().err
    assert receipt == "written to stderr"
