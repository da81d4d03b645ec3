"""Turns, handovers and hours of the week."""

# ruff: noqa: DTZ001 - naive times stand for wall clocks
from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.oncall.rotation import Day, Hours, Rotation, first_handover
from incidents.oncall.wallclock import local_of
from tests.incidents.oncall.builders import DAY, FIRST, HOUR, PARIS, WEEK, at, layer
from tests.incidents.oncall.test_wallclock import ZONES, zones

lengths = st.sampled_from([HOUR, 5 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 3 * DAY, WEEK, 2 * WEEK])
instants = st.datetimes(
    datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.sampled_from(ZONES).map(ZoneInfo)
)


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2026-03-02 08:59", None),  # before the first handover
        ("2026-03-02 09:00", "ann"),
        ("2026-03-09 08:59", "ann"),
        ("2026-03-09 09:00", "ben"),
        ("2026-03-16 09:00", "ann"),
        ("2026-03-30 08:59", "ben"),
        ("2026-03-30 09:00", "ann"),  # the day after the clocks went forward
        ("2026-10-26 08:59", "ben"),
        ("2026-10-26 09:00", "ann"),  # the day after they went back
    ],
)
def test_a_weekly_handover_stays_at_nine_on_the_wall(moment: str, who: str | None) -> None:
    """Both clock changes leave the handover where people expect it."""
    assert layer().person_at(at(moment)) == who


@given(zones, lengths, st.integers(1, 4), instants)
def test_an_instant_belongs_to_exactly_the_turn_that_contains_it(
    zone: ZoneInfo, length: timedelta, count: int, moment: datetime
) -> None:
    """The turn found contains the instant, and handovers within it are its own start only."""
    rotation = Rotation(
        tuple(f"p{i}" for i in range(count)), length, datetime(2025, 6, 2, 2, 30), zone
    )
    turn = rotation.turn_at(moment)
    assert turn is not None
    assert turn.starts_at <= moment < turn.ends_at
    assert list(rotation.handovers(turn.starts_at, turn.ends_at))[-1] == turn.starts_at


@given(zones, lengths, instants)
@settings(max_examples=60)
def test_turns_follow_each_other_in_order_without_a_gap(
    zone: ZoneInfo, length: timedelta, moment: datetime
) -> None:
    """The next turn begins where this one ends, and is the next person's or a skipped one's."""
    people = tuple(f"p{i}" for i in range(7))
    rotation = Rotation(people, length, datetime(2025, 6, 2, 2, 30), zone)
    turn = rotation.turn_at(moment)
    assert turn is not None
    following = rotation.turn_at(turn.ends_at)
    assert following is not None
    assert following.starts_at == turn.ends_at
    ahead = (people.index(following.person) - people.index(turn.person)) % 7
    assert ahead == 1 or length < 3 * HOUR  # an hour that never comes takes its turn with it


@given(zones, st.integers(0, 23), instants)
def test_a_daily_handover_shows_its_hour_or_the_clocks_skipped_it(
    zone: ZoneInfo, hour: int, moment: datetime
) -> None:
    """09:00 stays 09:00 in every zone, in every season."""
    rotation = Rotation(("ann", "ben"), DAY, datetime(2025, 6, 2, hour), zone)
    turn = rotation.turn_at(moment)
    assert turn is not None
    shown = local_of(turn.starts_at, zone)
    skipped = local_of(turn.starts_at - timedelta(seconds=1), zone).hour < hour < shown.hour + 1
    assert shown.hour == hour or skipped


def test_a_turn_over_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    """Nobody's handover moves; the turn itself gives."""
    rotation = layer().rotation
    spring, autumn = (
        rotation.turn_at(at("2026-03-29 12:00")),
        rotation.turn_at(at("2026-10-25 12:00")),
    )
    assert spring is not None
    assert autumn is not None
    assert (spring.ends_at - spring.starts_at, autumn.ends_at - autumn.starts_at) == (
        WEEK - HOUR,
        WEEK + HOUR,
    )


NIGHTS = tuple(Hours.between(d, time(18), Day((d + 1) % 7), time(9)) for d in Day)
WEEKEND = (Hours.between(Day.FRIDAY, time(18), Day.MONDAY, time(9)),)


@pytest.mark.parametrize(
    ("hours", "moment", "counts"),
    [
        (NIGHTS, "2026-03-04 17:59", False),
        (NIGHTS, "2026-03-04 18:00", True),
        (NIGHTS, "2026-03-05 08:59", True),
        (NIGHTS, "2026-03-05 09:00", False),
        (NIGHTS, "2026-03-09 03:00", True),  # Sunday's night reaches into Monday
        (WEEKEND, "2026-03-06 17:59", False),
        (WEEKEND, "2026-03-06 18:00", True),
        (WEEKEND, "2026-03-09 08:59", True),
        (WEEKEND, "2026-03-09 09:00", False),
        (WEEKEND, "2026-03-29 12:00", True),
    ],
)
def test_a_layer_counts_only_in_its_hours(
    hours: tuple[Hours, ...], moment: str, counts: bool
) -> None:
    """Nights reach into the next day, weekends into the next week; starts count, ends do not."""
    assert (layer(hours=hours).person_at(at(moment)) is not None) is counts


def test_a_layer_ends_at_its_until() -> None:
    """The last instant is excluded."""
    ends = at("2026-03-10 09:00")
    assert layer(until=ends).person_at(ends - timedelta(seconds=1)) == "ben"
    assert layer(until=ends).person_at(ends) is None


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (NIGHTS[0], NIGHTS[1], False),
        (NIGHTS[6], Hours.between(Day.MONDAY, time(8), Day.MONDAY, time(10)), True),
        (WEEKEND[0], Hours.between(Day.MONDAY, time(9), Day.MONDAY, time(10)), False),
        (Hours.between(Day.MONDAY, time(0), Day.MONDAY, time(0)), NIGHTS[3], True),
    ],
)
def test_overlapping_hours_are_seen(one: Hours, other: Hours, overlap: bool) -> None:
    """In either order, and across the end of the week."""
    assert one.overlaps(other) is other.overlaps(one) is overlap


def test_without_a_date_everybody_counts_from_the_same_monday() -> None:
    """A weekday moves the start within that week."""
    assert first_handover(None, time(9), Day.WEDNESDAY, weekly=True) == datetime(2024, 1, 3, 9)
    assert first_handover(None, time(8), None, weekly=False) == datetime(2024, 1, 1, 8)
    assert first_handover(FIRST, time(10), None, weekly=True) == FIRST.replace(hour=10)
    assert PARIS.key == "Europe/Paris"
