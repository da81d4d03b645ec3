"""Uptime figures and day bars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.notices.status import ComponentStatus as Status
from incidents.notices.uptime import (
    Interval,
    coverage_words,
    day_bars,
    duration_words,
    merged,
    percent_words,
    total,
    uptime,
)

DAY = datetime(2026, 11, 22, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def hours(status: Status, start: float, end: float | None) -> Interval:
    """An interval given in hours after midnight."""
    until = None if end is None else DAY + timedelta(hours=end)
    return Interval(status, DAY + timedelta(hours=start), until)


@pytest.mark.parametrize(
    ("status", "ratio", "coverage"),
    [
        (Status.OPERATIONAL, 1.0, 1.0),
        (Status.MAJOR_OUTAGE, 0.75, 1.0),
        (Status.PARTIAL_OUTAGE, 0.925, 1.0),
        (Status.DEGRADED_PERFORMANCE, 1.0, 1.0),
        (Status.UNDER_MAINTENANCE, 1.0, 1.0),
        (Status.UNKNOWN, 1.0, 0.75),
    ],
)
def test_six_hours_of_a_status_cost_what_its_weight_says(
    status: Status, ratio: float, coverage: float
) -> None:
    """Maintenance and unknown leave both sides of the ratio; only unknown lowers coverage."""
    record = [hours(Status.OPERATIONAL, 0, 18), hours(status, 18, 24)]
    found = uptime(record, DAY, DAY + timedelta(days=1))
    assert found.ratio == pytest.approx(ratio)
    assert found.coverage == pytest.approx(coverage)


def test_maintenance_shrinks_the_time_that_an_outage_is_measured_against() -> None:
    """One hour down of the twelve outside maintenance."""
    record = [
        hours(Status.UNDER_MAINTENANCE, 0, 12),
        hours(Status.MAJOR_OUTAGE, 12, 13),
        hours(Status.OPERATIONAL, 13, None),
    ]
    found = uptime(record, DAY, DAY + timedelta(days=1))
    assert found.ratio == pytest.approx(11 / 12)


def test_overlapping_troubles_are_merged_and_not_added() -> None:
    """Two outages of four hours that share two make six."""
    record = [
        hours(Status.OPERATIONAL, 0, 24),
        hours(Status.MAJOR_OUTAGE, 2, 6),
        hours(Status.MAJOR_OUTAGE, 4, 8),
    ]
    found = uptime(record, DAY, DAY + timedelta(days=1))
    assert found.seconds[Status.MAJOR_OUTAGE] == 6 * 3600


def test_nothing_recorded_is_not_measured_rather_than_up() -> None:
    """A missing record has no ratio and no coverage."""
    found = uptime([], DAY, DAY + timedelta(days=1))
    assert (found.ratio, found.coverage, found.worst) == (None, 0.0, Status.UNKNOWN)


def test_ninety_bars_end_with_today_and_say_what_each_day_held() -> None:
    """Today runs only up to now, and a day before the first record was not measured."""
    record = [hours(Status.OPERATIONAL, -24, 3), hours(Status.MAJOR_OUTAGE, 3, None)]
    bars = day_bars(record, now=DAY + timedelta(hours=4), zone=UTC_ZONE)
    assert (len(bars), bars[-1].day, bars[0].day) == (90, date(2026, 11, 22), date(2026, 8, 25))
    assert [bar.text for bar in bars[-3:]] == [
        "not measured",
        "no trouble recorded",
        "major outage 1 h",
    ]


def test_a_day_measured_in_part_says_how_much_of_it() -> None:
    """Eighteen hours of the day before were recorded."""
    record = [hours(Status.OPERATIONAL, 6, None)]
    bar = day_bars(record, now=DAY + timedelta(days=1), zone=UTC_ZONE, days=2)[0]
    assert bar.text == "no trouble recorded (measured 75 % of the day)"


@pytest.mark.parametrize(("day", "length"), [((2026, 10, 25), 25), ((2027, 3, 28), 23)])
def test_a_day_is_as_long_as_its_zone_makes_it(day: tuple[int, int, int], length: int) -> None:
    """The clocks change in Paris on these two nights."""
    now = datetime(*day, 23, 59, tzinfo=UTC) + timedelta(days=1)
    bars = day_bars([], now=now, zone=ZoneInfo("Europe/Paris"), days=4)
    bar = next(bar for bar in bars if bar.day == date(*day))
    assert bar.uptime.total_seconds == length * 3600


def test_the_total_of_the_bars_is_the_uptime_of_the_period() -> None:
    """Days added up and the period measured at once agree."""
    record = [hours(Status.OPERATIONAL, -72, -10), hours(Status.PARTIAL_OUTAGE, -10, 5)]
    now = DAY + timedelta(hours=5)
    bars = day_bars(record, now=now, zone=UTC_ZONE, days=4)
    assert total(bars).seconds == uptime(record, DAY - timedelta(days=3), now).seconds


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (None, "not measured"),
        (1.0, "100.00 %"),
        (0.999999, "99.99 %"),
        (0.99995, "99.99 %"),
        (0.9999, "99.99 %"),
        (0.5, "50.00 %"),
        (0.0, "0.00 %"),
    ],
)
def test_a_percentage_is_rounded_down_so_that_100_means_nothing_was_lost(
    ratio: float | None, words: str
) -> None:
    """One second lost in a quarter is not a hundred per cent."""
    assert percent_words(ratio) == words


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.0, "0 %"),
        (1e-6, "less than 1 %"),
        (0.0099, "less than 1 %"),
        (0.01, "1 %"),
        (1.0, "100 %"),
    ],
)
def test_a_little_that_was_measured_is_not_called_nothing(ratio: float, words: str) -> None:
    """The first minutes of a new shop are minutes of ninety days."""
    assert coverage_words(ratio) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (3660, "1 h 1 min"), (90061, "1 d 1 h")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    """Rounded to whole seconds, never to nothing."""
    assert duration_words(seconds) == words


@st.composite
def records(draw: st.DrawFn) -> list[Interval]:
    """Any intervals within two days, overlapping as they like."""
    found = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, 47 * 60))
        length = draw(st.integers(1, 48 * 60))
        since = DAY + timedelta(minutes=start)
        status = draw(st.sampled_from(Status))
        found.append(Interval(status, since, since + timedelta(minutes=length)))
    return found


@given(records())
def test_the_pieces_of_a_period_fill_it_exactly_and_a_ratio_stays_between_0_and_1(
    record: list[Interval],
) -> None:
    """Whatever overlaps: no gap, no double counting."""
    end = DAY + timedelta(days=2)
    pieces = merged(record, DAY, end)
    found = uptime(record, DAY, end)
    assert [p.since for p in pieces[1:]] == [p.until for p in pieces[:-1]]
    assert found.total_seconds == pytest.approx(2 * 86400)
    assert found.ratio is None or 0 <= found.ratio <= 1
    assert 0 <= found.coverage <= 1


@given(records(), st.integers(0, 72), st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata"]))
def test_every_bar_is_the_uptime_of_its_own_day(
    record: list[Interval], hour: int, zone: str
) -> None:
    """Whatever overlaps, and wherever midnight is."""
    now = DAY + timedelta(hours=hour)
    bars = day_bars(record, now=now, zone=ZoneInfo(zone), days=5)
    for bar in bars:
        start = datetime(bar.day.year, bar.day.month, bar.day.day, tzinfo=ZoneInfo(zone))
        end = min(now, (start + timedelta(days=1)).astimezone(UTC))
        alone = uptime(record, start.astimezone(UTC), end) if end > start else None
        kept = {status: s for status, s in bar.uptime.seconds.items() if s > 0}
        assert kept == ({s: n for s, n in alone.seconds.items() if n > 0} if alone else {})
