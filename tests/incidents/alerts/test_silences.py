"""Silences by instants, recurrence by wall clocks, inhibition by what alerts share."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from incidents.alerts import recurrence
from incidents.alerts.inhibition import DEFAULT_RULES, Inhibitor, InhibitRule, Source
from incidents.alerts.matchers import BadMatcher, Matcher, Operator, parse_matcher, parse_matchers
from incidents.alerts.recurrence import BadRecurrenceError, Recurrence, checked_rule, expand
from incidents.alerts.silences import Silence, SilenceState, expired_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
JOHANNESBURG, BERLIN = "Africa/Johannesburg", "Europe/Berlin"


def silence(*periods: tuple[datetime, datetime]) -> Silence:
    """A silence with these occurrences."""
    return Silence("id", (), periods[0][0], periods[-1][1], "ada", "", NOW, periods=periods)


@pytest.mark.parametrize(
    ("minutes", "state"),
    [(-1, "pending"), (0, "active"), (59, "active"), (60, "expired"), (61, "expired")],
)
def test_the_start_is_included_and_the_end_is_not(minutes: int, state: str) -> None:
    """At the edges and a minute beside them."""
    assert silence((NOW, NOW + HOUR)).state(NOW + timedelta(minutes=minutes)) == state


def test_between_two_occurrences_a_silence_waits_for_the_next() -> None:
    """It is over only after the last."""
    made = silence((NOW, NOW + HOUR), (NOW + 24 * HOUR, NOW + 25 * HOUR))
    assert made.state(NOW + 2 * HOUR) is SilenceState.PENDING
    assert made.period(NOW + 2 * HOUR)[0] == NOW + 24 * HOUR
    assert made.state(NOW + 25 * HOUR) is SilenceState.EXPIRED


def test_an_expired_silence_keeps_what_it_muted_and_no_more() -> None:
    """One that had not begun never did."""
    made = silence((NOW, NOW + HOUR), (NOW + 24 * HOUR, NOW + 25 * HOUR))
    assert expired_at(made, NOW + HOUR / 2, "bo").periods == ((NOW, NOW + HOUR / 2),)
    early = expired_at(made, NOW - HOUR, "bo")
    assert early.state(NOW - HOUR) is SilenceState.EXPIRED
    assert early.periods == ((NOW - HOUR, NOW - HOUR),)


@pytest.mark.parametrize(
    ("zone", "rule", "starts", "hours"),
    [
        (JOHANNESBURG, "FREQ=WEEKLY;COUNT=3", datetime(2026, 3, 22, 0, tzinfo=UTC), [2, 2, 2]),
        # Berlin's clocks go forward on 2026-03-29 at 02:00.
        (BERLIN, "FREQ=WEEKLY;COUNT=3", datetime(2026, 3, 22, 0, tzinfo=UTC), [2, 1, 2]),
    ],
)
def test_occurrences_keep_the_wall_clock_over_a_change_of_the_clocks(
    zone: str, rule: str, starts: datetime, hours: list[int]
) -> None:
    """The night of the change is an hour shorter where the silence spans it."""
    found = expand(Recurrence(rule, zone), starts, starts + 2 * HOUR)
    assert [(end - start) / HOUR for start, end in found] == hours


def test_the_night_the_clocks_go_back_is_muted_for_an_hour_longer() -> None:
    """From 02:00 to 04:00: the hour from two to three comes twice."""
    starts = datetime(2026, 10, 24, 0, tzinfo=UTC)  # 02:00 in Berlin
    found = expand(Recurrence("FREQ=DAILY;COUNT=2", BERLIN), starts, starts + 2 * HOUR)
    assert found[1] == (
        datetime(2026, 10, 25, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 3, tzinfo=UTC),
    )


def test_a_rule_without_an_end_ends_after_a_year() -> None:
    """A forgotten silence must not mute for ever."""
    found = expand(Recurrence("FREQ=WEEKLY"), NOW, NOW + HOUR)
    assert (len(found), found[-1][0] - NOW) == (53, timedelta(weeks=52))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=SECONDLY", "is no rule we take"),
        ("FREQ=DAILY;FREQ=DAILY", "is no rule we take"),
        ("FREQ=DAILY;BYSETPOS=1", "is no rule we take"),
        ("COUNT=3", "is no rule we take"),
        ("FREQ=WEEKLY;BYDAY=MO", "does not hold at its own start"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;INTERVAL=12", "does not hold at its own start"),
        ("FREQ=DAILY;BYDAY=2SU", "only FREQ=MONTHLY may"),
        ("FREQ=DAILY;UNTIL=20261301", "is no day"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: str, words: str) -> None:
    """With what would be taken."""
    with pytest.raises(BadRecurrenceError, match=words):
        expand(Recurrence(rule), NOW, NOW + HOUR)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTHDAY=31;BYDAY=MO;INTERVAL=999",
        "FREQ=MONTHLY;BYMONTHDAY=31;INTERVAL=12",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=WEEKLY;BYMONTHDAY=30;BYDAY=SU;INTERVAL=53;UNTIL=99991231",
        "FREQ=SECONDLY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=DAILY;COUNT=999;UNTIL=99991231T235959Z",
        "FREQ=DAILY",
    ],
)
def test_a_rule_is_answered_after_a_year_of_days_whatever_it_names(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that names no day at all must not be sought until the end of the calendar."""
    looked, names = [], recurrence._Days.names

    def counted(days: recurrence._Days, day: date) -> bool:
        looked.append(day)
        return names(days, day)

    monkeypatch.setattr(recurrence._Days, "names", counted)
    with suppress(BadRecurrenceError):
        expand(Recurrence(rule), NOW, NOW + HOUR)
    assert len(looked) <= 367


_PARTS = st.tuples(
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY"]),
    st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=3", ";INTERVAL=12"]),
    st.sampled_from(["", ";BYDAY=MO,SU", ";BYDAY=1TU,-1FR", ";BYDAY=+2WE,5MO", ";BYDAY=SA"]),
    st.sampled_from(["", ";BYMONTHDAY=1,15,-1", ";BYMONTHDAY=31", ";BYMONTHDAY=-3"]),
    st.sampled_from(["", ";COUNT=1", ";COUNT=7", ";UNTIL=20270211", ";UNTIL=20260630T120000Z"]),
    st.sampled_from(["", ";WKST=SU", ";WKST=TH"]),
)


@settings(deadline=None, max_examples=60)  # the library takes its time
@given(_PARTS, st.integers(0, 800))
def test_a_rule_names_the_days_that_a_library_finds(parts: tuple[str, ...], day: int) -> None:
    """Asked from any day, within a year: dateutil, which looks further, says the same."""
    first = (NOW + timedelta(days=day - 70)).replace(tzinfo=None)
    text = "".join(parts)
    try:
        rule = checked_rule(text)
    except BadRecurrenceError:
        assume(False)
    until = re.sub(r"(UNTIL=\d{8})(?!T)", r"\1T235959", rule).replace("Z", "")
    found = itertools.takewhile(
        lambda at: at - first <= recurrence.LONGEST, rrulestr(until, dtstart=first)
    )
    assert list(recurrence._starts(rule, first)) == list(found)


def test_occurrences_that_overlap_are_refused() -> None:
    """They would leave nobody knowing when it ends."""
    with pytest.raises(BadRecurrenceError, match="overlap"):
        expand(Recurrence("FREQ=DAILY"), NOW, NOW + 25 * HOUR)


@pytest.mark.parametrize("zone", ["Mars/Base", "America", "A" * 400, "", "/etc/passwd", "\ud800"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    """A continent is a folder of zones, and some names no file system takes."""
    with pytest.raises(BadRecurrenceError, match="no time zone"):
        expand(Recurrence("FREQ=DAILY", zone), NOW, NOW + HOUR)


def test_matchers_of_a_line_may_hold_commas_in_quotes() -> None:
    """In braces or not, over several lines or one."""
    text = '{a="x,y", b=~"c|d"\ne!=f,}'
    assert parse_matchers(text) == tuple(map(parse_matcher, ('a="x,y"', 'b=~"c|d"', "e!=f")))
    with pytest.raises(BadMatcher, match="nonsense"):
        parse_matchers('a="b", nonsense')


@pytest.mark.parametrize("value", ["", "a b", 'with "quotes"', "back\\slash", "two\nlines"])
def test_a_written_matcher_reads_back_as_itself(value: str) -> None:
    """Whatever its value holds."""
    matcher = Matcher("a", Operator.EQUAL, value)
    assert parse_matcher(str(matcher)) == matcher


def rule(source: str, target: str, *equal: str) -> InhibitRule:
    """A rule of one matcher a side."""
    return InhibitRule((parse_matcher(source),), (parse_matcher(target),), equal)


def test_critical_inhibits_milder_alerts_of_its_component_and_nothing_without_one() -> None:
    """The shipped rule."""
    inhibitor = Inhibitor(DEFAULT_RULES)
    inhibitor.add([Source("a", {"severity": "critical", "component": "x"})])
    inhibitor.add([Source("b", {"severity": "critical"})])
    found = inhibitor.source_of("c", {"severity": "warning", "component": "x"})
    assert found is not None and found.fingerprint == "a"  # noqa: PT018 - one fact
    assert inhibitor.source_of("c", {"severity": "warning", "component": "y"}) is None
    assert inhibitor.source_of("c", {"severity": "warning"}) is None


def test_alerts_that_meet_both_sides_do_not_inhibit_each_other() -> None:
    """As Alertmanager has it; one that meets only the source's side does."""
    inhibitor = Inhibitor([rule("a=1", "b=1")])
    both = {"a": "1", "b": "1"}
    inhibitor.add([Source("x", both), Source("y", both)])
    assert inhibitor.source_of("x", both) is None
    inhibitor.add([Source("z", {"a": "1"})])
    found = inhibitor.source_of("x", both)
    assert found is not None and found.fingerprint == "z"  # noqa: PT018 - one fact
