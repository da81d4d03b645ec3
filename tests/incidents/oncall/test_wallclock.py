"""Wall-clock times as instants, on days when the clocks change and on all others."""

# ruff: noqa: DTZ001 - naive times stand for wall clocks
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.oncall.wallclock import instant_of, local_of

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Antarctica/Troll",  # two hours
    "Pacific/Apia",  # skipped 30 December 2011
    "Africa/Casablanca",  # goes back for Ramadan
    "Asia/Kathmandu",
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1))


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Paris", "2026-03-28 09:00", "2026-03-28 08:00"),
        ("Europe/Paris", "2026-03-29 09:00", "2026-03-29 07:00"),
        ("Europe/Paris", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Paris", "2026-03-29 02:00", "2026-03-29 01:00"),  # never comes: when it is skipped
        ("Europe/Paris", "2026-03-29 02:30", "2026-03-29 01:00"),
        ("Europe/Paris", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Paris", "2026-10-25 02:30", "2026-10-25 00:30"),  # comes twice: the first
        ("Europe/Paris", "2026-10-25 03:00", "2026-10-25 02:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),
        ("Pacific/Apia", "2011-12-30 09:00", "2011-12-30 10:00"),  # a whole day never came
    ],
)
def test_a_wall_clock_time_is_the_first_instant_that_shows_it_or_later(
    zone: str, local: str, instant: str
) -> None:
    """Skipped times are the moment of skipping; repeated ones their first coming."""
    found = instant_of(datetime.fromisoformat(local), ZoneInfo(zone))
    assert found == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@given(zones, moments, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_later_on_the_wall_is_never_earlier_in_truth(
    zone: ZoneInfo, local: datetime, more: timedelta
) -> None:
    """Shifts that follow each other on the wall clock never cross, whatever the clocks do."""
    assert instant_of(local, zone) <= instant_of(local + more, zone)


@given(zones, moments)
def test_there_and_back_never_arrives_later_on_the_wall_unless_it_was_skipped(
    zone: ZoneInfo, local: datetime
) -> None:
    """The clocks show that very time then, or the end of the time they skipped."""
    shown = local_of(instant_of(local, zone), zone)
    assert shown == local or (
        shown > local and local_of(instant_of(local, zone) - timedelta(seconds=1), zone) < local
    )
