"""Small texts from outside, read by one function each: a value, nothing, or a refusal in words."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from monitor.audit_cli import _anchor
from monitor.doctor.network import _date
from monitor.notify.http import Answer, retry_after
from monitor.promql.errors import PromqlError
from monitor.promql.notation import parse_selector_labels, parse_series_values
from monitor.promql.script import ScriptError, read_script
from monitor.samples.records import CHUNK, FORGOTTEN, ROWS, SERIES, DamagedRecordError, decode
from monitor.storage.store import TOPICS
from monitor.use_cases.audit import HEAD_FILE, noted_head
from monitor.web.events import Events
from monitor.web.markdown import render_markdown
from tests.hostile import TEXTS, bodies

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Sun", "Xyz", ""]),
    st.integers(-1, 40),
    st.sampled_from(["Nov", "Feb", "13"]),
    st.sampled_from([0, 1, 70, 2026, 9999, 10**6]),
    st.integers(-1, 30),
    st.integers(-1, 70),
    st.integers(-1, 70),
    st.sampled_from(["GMT", "+1400", "-1200", "+9999", "-9999", ""]),
)


@given(DATES | TEXTS)
def test_any_retry_after_is_a_bounded_wait_or_none(value: str) -> None:
    """A receiver decides neither that we wait for ever nor that we fall over."""
    wait = retry_after(value, NOW)
    assert wait is None or 0 <= wait <= 3600


@given(DATES | TEXTS)
def test_any_date_header_is_an_instant_or_none(value: str) -> None:
    """Of whatever `monitor doctor` reaches."""
    at = _date(value)
    assert at is None or at.tzinfo is UTC


@given(bodies({"data": {"ids": ["one"]}}))
def test_any_answer_of_a_receiver_gives_a_reference_or_none(body: bytes) -> None:
    """An accepted message is not sent again because its answer is odd."""
    assert len(Answer("hook.test", 200, body).value("data", "ids", 0)) <= 200


@given(TEXTS, st.booleans())
def test_any_mark_of_a_page_is_judged(number: str, ours: bool) -> None:
    """What is not ours, or no number, is everything that may have changed."""
    events = Events()
    era = events.mark().partition(".")[0]
    present, changed = events.since(f"{era if ours else 'x'}.{number}")
    assert present == events.mark()
    assert changed <= TOPICS


@given(TEXTS | st.text("*_`[]()<>!#-|~ \n\t&:/ah", max_size=40))
def test_any_markdown_is_shown(text: str) -> None:
    """With no element that acts, whatever it says."""
    shown = str(render_markdown(text.encode("utf-8", "replace").decode())).lower()
    assert "<script" not in shown
    assert "<img" not in shown


@given(TEXTS | st.builds("{}:{}".format, TEXTS, st.just("0" * 64)))
def test_any_anchor_on_the_command_line_is_read_or_refused(text: str) -> None:
    """`monitor audit verify --head`."""
    with suppress(typer.BadParameter):
        assert _anchor(text).position >= 0


@given(bodies({"position": 7, "hash": "0" * 64}))
def test_any_noted_head_is_read_or_refused(body: bytes) -> None:
    """A file that somebody may have written in."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / HEAD_FILE).write_bytes(body)
        with suppress(ValueError):
            noted_head(Path(folder))


@given(st.text('up{job="a}x1+- _stale\n.0123456789', max_size=25) | TEXTS)
def test_any_series_of_a_rule_test_is_read_or_refused(text: str) -> None:
    """Labels and values in promtool's notation."""
    for read in (parse_selector_labels, parse_series_values):
        with suppress(PromqlError, ValueError):
            read(text)


@given(
    st.lists(
        st.sampled_from(["load 1m", "  up 1x5", "eval instant at 1m up", "  up 1", "clear"]) | TEXTS
    ).map("\n".join)
)
def test_any_script_of_promql_tests_is_read_or_refused(text: str) -> None:
    """As `make promqltest` is given them."""
    with suppress(ScriptError, PromqlError):
        list(read_script(text))


@given(
    st.sampled_from([SERIES, ROWS, CHUNK, FORGOTTEN, b"?"]),
    st.binary(max_size=80),
    bodies({"table": 1, "name": "a", "next": 2, "ids": [1], "series": [{}], "complete": True}),
    st.booleans(),
)
def test_any_record_of_the_sample_log_is_read_or_damaged(
    kind: bytes, raw: bytes, said: bytes, packed: bool
) -> None:
    """A log that something else has written in."""
    body = zstandard.compress(said if kind == SERIES else raw) if packed else raw
    with suppress(DamagedRecordError):
        decode(kind + body)


@pytest.mark.parametrize("said", ["9" * 5000, "[" * 3000])
def test_what_python_itself_cannot_read_is_no_bug_of_ours(said: str) -> None:
    """More digits than it turns into a number, deeper than it follows."""
    assert Answer("hook.test", 200, said.encode()).value("id") == ""
    packed = zstandard.compress(json.dumps({"table": 1}).replace("1", said).encode())
    with pytest.raises(DamagedRecordError):
        decode(SERIES + packed)
