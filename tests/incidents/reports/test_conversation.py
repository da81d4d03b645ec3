"""What we say to a reporter, and what their words do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incidents.reports.conversation import (
    Known,
    ReportStatus,
    after_answer,
    after_message,
    answer_at_once,
    ask_whether_it_works,
    clock_words,
    is_courtesy,
)

SINCE = datetime(2026, 11, 22, 9, 1, 40, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
KNOWN = Known("Payments are failing", SINCE, "https://status.example.test/incidents/x")


@pytest.mark.parametrize("has_address", [True, False])
def test_a_known_problem_is_answered_with_since_when_and_a_promise(has_address: bool) -> None:
    """The promise fits the way in which we can reach the reporter."""
    said = answer_at_once(KNOWN, site="Shop", zone="UTC", has_address=has_address, now=NOW)
    assert "We know about this since 09:01 UTC: Payments are failing." in said.body
    assert ("write to you" in said.body) is has_address
    assert ("Keep the link" in said.body) is not has_address


def test_an_unknown_problem_is_acknowledged_without_claiming_to_know_it() -> None:
    """No word of an incident where there is none."""
    said = answer_at_once(None, site="Shop", zone="UTC", has_address=True, now=NOW)
    assert "We know" not in said.body
    assert "a person will look at it" in said.body


def test_the_question_at_the_end_carries_the_link_and_names_the_problem_if_it_is_public() -> None:
    """A draft's title is not told to anybody."""
    asked = ask_whether_it_works(site="Shop", link="https://s/r/1", title="Payments are failing")
    private = ask_whether_it_works(site="Shop", link="https://s/r/1", title=None)
    assert "https://s/r/1" in asked.body
    assert "“Payments are failing”" in asked.body
    assert "the problem that you reported" in private.body


@pytest.mark.parametrize(
    ("zone", "now", "words"),
    [
        ("UTC", NOW, "09:01 UTC"),
        ("UTC", None, "2026-11-22 09:01 UTC"),
        ("Africa/Johannesburg", NOW, "09:01 UTC (11:01 Johannesburg)"),
        ("America/New_York", NOW, "09:01 UTC (04:01 New York)"),
    ],
)
def test_a_time_has_its_zone_and_a_date_unless_it_is_todays(
    zone: str, now: datetime | None, words: str
) -> None:
    """UTC first, the site's own clock beside it."""
    assert clock_words(SINCE, zone, now=now) == words


@pytest.mark.parametrize(
    ("text", "courtesy"),
    [
        ("Thanks!", True),
        ("thank you so much", True),
        ("ok, thanks", True),
        ("I’ll check later", True),
        ("Great, will do", True),
        ("Thanks, but it still fails", False),
        ("Still broken", False),
        ("thanks for nothing, it fails", False),
        ("", False),
    ],
)
def test_thanks_are_told_from_news(text: str, courtesy: bool) -> None:
    """Only words that carry nothing else are courtesy."""
    assert is_courtesy(text) is courtesy


@pytest.mark.parametrize(
    ("status", "text", "after"),
    [
        ("closed", "thanks!", "closed"),
        ("resolved", "I will check", "resolved"),
        ("closed", "it fails again", "open"),
        ("resolved", "it still fails", "open"),
        ("waiting_for_user", "I use Firefox", "open"),
        ("open", "one more thing", "open"),
        ("new", "one more thing", "new"),
    ],
)
def test_news_reopens_a_report_and_thanks_do_not(status: str, text: str, after: str) -> None:
    """A message on a report that nobody has taken leaves it where it is."""
    assert after_message(ReportStatus(status), text) == after


def test_only_a_yes_closes() -> None:
    """A no opens again: resolved is our claim, closed is the reporter's word."""
    assert (after_answer(works=True), after_answer(works=False)) == ("closed", "open")
