"""The draft of a postmortem says what the record says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.postmortem import (
    AlertFacts,
    Line,
    Record,
    TaskFacts,
    action_items,
    draft,
    duration,
    escaped,
)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RECORD = Record(
    name="INC-7",
    title="Checkout | fails",
    severity="critical",
    impact_word="major",
    started_at=START,
    opened_at=START + 2 * MINUTE,
    acknowledged_at=START + 5 * MINUTE,
    acknowledged_by="ann",
    resolved_at=START + 30 * MINUTE,
    first_failure_at=START - MINUTE,
    first_report_at=START - 3 * MINUTE,
    impact={"Checkout": {"major_outage": 1500.0}},
    alerts=[AlertFacts("JourneyDown (checkout)", START, None, "it opened the incident")],
    report_count=4,
    told={"sent": 2},
    unsent={"deduplicated": 3},
    updates=[Line(START + 3 * MINUTE, "ann", "investigating: We look.")],
    timeline=[Line(START, "monitor", "Opened by JourneyDown.")],
    tasks=[TaskFacts("roll back", "ben", None, done=True), TaskFacts("add a probe")],
    merged=["INC-8"],
)


@pytest.mark.parametrize(
    "line",
    [
        r"# Postmortem of INC-7: Checkout \| fails",
        "| Detection gap | 5 min |",
        "| Users knew before probes | 2 min |",
        "| Time to acknowledge | 3 min |",
        "| Time to resolve | 30 min |",
        "| Acknowledged | 2026-11-22 09:05:00 UTC by ann |",
        "| User reports | 4 |",
        "| Merged into it | INC-8 |",
        "| Checkout | major outage | 25 min |",
        "| JourneyDown (checkout) | 2026-11-22 09:00:00 UTC | not told | it opened the incident |",
        "- 2026-11-22 09:03:00 UTC, ann: investigating: We look.",
        "- 2 sent",
        "- 3 not sent: deduplicated",
        "- To do: add a probe (nobody yet)\n- Done: roll back (ben)",
        "| 2026-11-22 09:00:00 | monitor | Opened by JourneyDown. |",
    ],
)
def test_the_draft_has_the_figures(line: str) -> None:
    """Each where it belongs."""
    assert line in draft(RECORD)


def test_users_who_came_later_knew_nothing_before() -> None:
    """A report after the first failed run is no gap in the probes."""
    assert replace(RECORD, first_report_at=START).users_knew_before is None


@pytest.mark.parametrize(
    ("gap", "first"), [(2 * MINUTE, None), (3 * MINUTE, START - MINUTE), (timedelta(0), None)]
)
def test_the_gap_begins_with_the_first_sign(gap: timedelta, first: datetime | None) -> None:
    """A failed run, a report, or else the alert's own start; never less than nothing."""
    opened = START + 2 * MINUTE if gap else START - MINUTE
    record = replace(RECORD, first_failure_at=first, first_report_at=None, opened_at=opened)
    assert record.detection_gap == gap


def test_an_empty_record_is_said_to_be_empty() -> None:
    """No empty table and no empty list."""
    bare = Record("INC-1", "x", "warning", "minor", START, START, START)
    for words in (
        "No component",
        "No alert took part",
        "Nothing.",
        "Nobody was to be told",
        "None",
    ):
        assert words in draft(bare)
    assert "| Acknowledged | by nobody |" in draft(bare)


@given(st.text())
def test_no_text_breaks_a_table(text: str) -> None:
    """One line, and every bar escaped."""
    shown = escaped(text)
    assert "\n" not in shown
    assert shown.replace("\\|", "").count("|") == 0 or "\\\\" in shown


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min")])
def test_durations_are_short(seconds: float, words: str) -> None:
    """Seconds below a minute."""
    assert duration(seconds) == words


def test_action_items_give_their_time() -> None:
    """In UTC."""
    assert action_items([TaskFacts("x", "ann", START)]) == (
        "- To do: x (ann, due 2026-11-22 09:00 UTC)"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"line_count": 1, "alert_count": 1}, []),
        ({"line_count": 2, "alert_count": 1}, ["_1 more line in the incident's record._"]),
        ({"line_count": 1, "alert_count": 20}, ["_19 more alerts in the incident's record._"]),
    ],
    ids=["nothing", "a line", "alerts"],
)
def test_what_the_draft_leaves_out_is_counted(given: dict[str, int], words: list[str]) -> None:
    """So that nobody takes the beginning for the whole."""
    written = draft(replace(RECORD, **given))  # type: ignore[arg-type] # fields from a table
    assert [line for line in written.splitlines() if " more " in line] == words
