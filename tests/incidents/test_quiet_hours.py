"""Quiet hours on the wall of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import partial

import pytest

from incidents.quiet_hours import QuietHours, quiet_until

NIGHT = QuietHours(time(22), time(7), "Africa/Johannesburg")  # UTC+2 all year
BERLIN = QuietHours(time(22), time(7), "Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_critical_always_wakes() -> None:
    """Whatever the hour."""
    assert NIGHT.until(utc("2026-11-22 23:00"), "critical") is None


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22 19:59:59", None),
        ("2026-11-22 20:00:00", "2026-11-23 05:00:00"),
        ("2026-11-23 02:00:00", "2026-11-23 05:00:00"),
        ("2026-11-23 04:59:59", "2026-11-23 05:00:00"),
        ("2026-11-23 05:00:00", None),
    ],
)
def test_hours_over_midnight_begin_included_and_end_excluded(now: str, until: str | None) -> None:
    """22:00 to 07:00 in Johannesburg is 20:00 to 05:00 in UTC."""
    assert NIGHT.until(utc(now), "warning") == (utc(until) if until else None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-28 21:00", "2026-03-29 05:00"),  # CET 22:00 until CEST 07:00: an hour shorter
        ("2026-10-24 20:00", "2026-10-25 06:00"),  # CEST 22:00 until CET 07:00: an hour longer
    ],
)
def test_a_night_with_a_clock_change_ends_by_the_wall(now: str, until: str) -> None:
    """Seven o'clock is seven o'clock, whatever happened at two."""
    assert BERLIN.until(utc(now), "warning") == utc(until)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (("01:00", "02:30"), "2026-03-29 00:30", "2026-03-29 01:00"),  # 02:30 is skipped
        (("02:30", "05:00"), "2026-03-29 01:00", "2026-03-29 03:00"),
        (("02:30", "05:00"), "2026-03-29 00:59", None),
        (("01:00", "02:30"), "2026-10-25 00:29", "2026-10-25 00:30"),  # 02:30 comes twice
        (("01:00", "02:30"), "2026-10-25 00:30", None),
    ],
)
def test_an_hour_that_is_skipped_or_repeated_has_one_meaning(
    hours: tuple[str, str], now: str, until: str | None
) -> None:
    """Skipped: the change itself. Repeated: the first time."""
    start, end = (time.fromisoformat(text) for text in hours)
    quiet = QuietHours(start, end, "Europe/Berlin")
    assert quiet.until(utc(now), "info") == (utc(until) if until else None)


def test_days_are_those_on_which_the_hours_begin() -> None:
    """Friday night's hours last into Saturday, Saturday night has none."""
    friday = QuietHours(time(22), time(7), "UTC", days=frozenset({4}))
    asked = ["2026-11-27 23:00", "2026-11-28 06:00", "2026-11-28 23:00", "2026-11-27 06:00"]
    assert [friday.until(utc(now), "warning") is not None for now in asked] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22 12:00", None),
        ("2026-11-22 21:00", "2026-11-23 09:00"),  # the second begins before the first ends
        ("2026-11-23 08:00", "2026-11-23 09:00"),
        ("2026-11-23 09:00", None),
    ],
)
def test_of_several_hours_all_must_be_over(now: str, until: str | None) -> None:
    """A channel's and a person's."""
    each = [NIGHT, QuietHours(time(4), time(9))]
    rules = [partial(QuietHours.until, hours, severity="warning") for hours in each]
    assert quiet_until(rules, utc(now)) == (utc(until) if until else None)


def test_hours_that_never_end_together_are_waited_for_a_day() -> None:
    """What waits is told at last."""
    each = [QuietHours(time(0), time(12)), QuietHours(time(12), time(0))]
    rules = [partial(QuietHours.until, hours, severity="info") for hours in each]
    assert quiet_until(rules, utc("2026-11-22 10:00")) == utc("2026-11-23 12:00")
