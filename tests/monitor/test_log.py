"""Log lines for people and for machines, without secrets in either."""

from __future__ import annotations

import io
import json
import logging

import pytest

from monitor.log import configure_logging, logger

SECRET = "correct horse battery"


def lines(style: str) -> io.StringIO:
    """Configure logging into a buffer that hides the secret."""
    out = io.StringIO()
    configure_logging(
        style=style, level="info", redact=lambda text: text.replace(SECRET, "***"), stream=out
    )
    return out


@pytest.mark.parametrize("style", ["human", "json"])
def test_a_secret_never_reaches_a_line(style: str) -> None:
    """Not as a value, not in another library's record, not in a traceback."""
    out = lines(style)
    logger("ours").info("sign in", password=SECRET)
    logging.getLogger("theirs").warning("sent %s", SECRET)
    try:
        int(SECRET)
    except ValueError:
        logger("ours").exception("broken")
    assert SECRET not in out.getvalue()
    assert out.getvalue().count("***") == 3


def test_local_variables_stay_out_of_tracebacks() -> None:
    """A value that no redactor knows must not be shown because something broke near it."""
    out = lines("json")
    unknown_to_the_redactor = "-".join(["value", "of", "a", "local"])
    try:
        int("plain")
    except ValueError:
        logger("ours").exception("broken")
    assert unknown_to_the_redactor not in out.getvalue()


def test_json_lines_carry_event_level_and_time() -> None:
    """Each line is one object that a collector can read."""
    out = lines("json")
    logger("ours").info("journey failed", journey="checkout")
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["journey"]) == ("journey failed", "info", "checkout")
