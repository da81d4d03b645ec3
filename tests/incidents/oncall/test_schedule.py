"""Who is on call: layers, overrides, shifts and gaps."""

# ruff: noqa: DTZ001 - naive times stand for wall clocks
from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.errors import InvalidInputError
from incidents.oncall.rotation import Day, Hours, Layer
from incidents.oncall.schedule import (
    LONGEST_OVERRIDE,
    Override,
    check_override,
    gaps,
    shifts,
    who_is_on_call,
)
from tests.incidents.oncall.builders import DAY, HOUR, at, layer, override, schedule
from tests.incidents.oncall.test_rotation import NIGHTS, WEEKEND, lengths
from tests.incidents.oncall.test_wallclock import zones

MONDAY = at("2026-03-02 09:00")


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Any layer: any zone and length, perhaps only at night or at weekends, perhaps ending."""
    people = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4))
    return layer(
        *people,
        length=draw(lengths),
        zone=draw(zones),
        hours=draw(st.sampled_from([(), NIGHTS, WEEKEND])),
        until=draw(
            st.none()
            | st.datetimes(datetime(2026, 3, 5), datetime(2027, 1, 1), timezones=st.just(UTC))
        ),
    )


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    """Any override in 2026, cancelled or not."""
    starts = draw(st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 1), timezones=st.just(UTC)))
    lasts = draw(st.timedeltas(timedelta(minutes=1), timedelta(days=9)))
    number = draw(st.integers(1, 50))
    cancelled = draw(st.none() | st.just(starts))
    return Override(
        number, "shop", draw(st.sampled_from("xyz")), starts, starts + lasts, cancelled_at=cancelled
    )


@given(
    st.lists(layers(), min_size=1, max_size=3),
    st.lists(overrides(), max_size=4, unique_by=lambda o: o.number),
    st.datetimes(datetime(2026, 2, 20), datetime(2026, 11, 20), timezones=st.just(UTC)),
    st.timedeltas(timedelta(hours=1), timedelta(days=10)),
    st.floats(0, 0.99),
)
@settings(max_examples=60, deadline=None)
def test_shifts_tile_the_time_and_agree_with_who_is_on_call(
    made: list[Layer], swaps: list[Override], since: datetime, lasts: timedelta, part: float
) -> None:
    """No overlap, no hole, and at any instant the shift names the person the question names."""
    plan, until = schedule(*made), since + lasts
    found = shifts(plan, since, until, swaps)
    assert (found[0].starts_at, found[-1].ends_at) == (since, until)
    assert all(a.ends_at == b.starts_at for a, b in pairwise(found))
    assert all(shift.starts_at < shift.ends_at for shift in found)
    moment = since + lasts * part
    there = next(s for s in found if s.starts_at <= moment < s.ends_at)
    now = who_is_on_call(plan, moment, swaps)
    assert (there.person, there.override) == (now.person, now.override)


@given(layers(), st.timedeltas(HOUR, 20 * DAY))
@settings(max_examples=25, deadline=None)
def test_a_period_is_the_same_seen_whole_or_in_halves(made: Layer, middle: timedelta) -> None:
    """Where a view begins does not change what it shows."""
    plan, cut, until = schedule(made), MONDAY + middle, MONDAY + 21 * DAY
    halves = shifts(plan, MONDAY, cut) + shifts(plan, cut, until)
    seams = {(s.starts_at, s.person) for s in halves if s.starts_at != cut}
    assert seams == {
        (s.starts_at, s.person) for s in shifts(plan, MONDAY, until) if s.starts_at != cut
    }


def test_a_later_layer_wins_where_it_has_somebody() -> None:
    """Nights are another's; by day the first layer stays."""
    plan = schedule(layer("day"), layer("night", hours=NIGHTS))
    assert who_is_on_call(plan, at("2026-03-04 12:00")).person == "day"
    assert who_is_on_call(plan, at("2026-03-04 23:00")).person == "night"


def test_an_override_wins_over_every_layer_and_the_last_made_over_others() -> None:
    """A cancelled one is nothing; the end is excluded."""
    noon = at("2026-03-04 12:00")
    swaps = [
        override("cleo", noon, noon + 2 * HOUR, number=1),
        override("dan", noon + HOUR, noon + 2 * HOUR, number=2),
        Override(3, "shop", "eve", noon, noon + HOUR, cancelled_at=noon),
        override("fay", noon, noon + HOUR, number=4, schedule="another"),
    ]
    asked = [noon - HOUR, noon, noon + HOUR, noon + 2 * HOUR]
    assert [who_is_on_call(schedule(), when, swaps).person for when in asked] == [
        "ann", "cleo", "dan", "ann",
    ]  # fmt: skip


def test_gaps_are_seen_and_overrides_fill_them() -> None:
    """Hours nobody takes are periods without a person."""
    office = tuple(Hours.between(Day(d), time(9), Day(d), time(17)) for d in range(5))
    plan = schedule(layer(hours=office))
    monday = at("2026-03-02 17:00")
    assert [(g.starts_at, g.ends_at) for g in gaps(plan, MONDAY, MONDAY + DAY)] == [
        (monday, at("2026-03-03 09:00"))
    ]
    assert gaps(plan, MONDAY, MONDAY + DAY, [override("cleo", monday, monday + DAY)]) == []


@pytest.mark.parametrize(
    ("person", "starts", "ends", "said"),
    [
        ("", 1, 2, "choose who"),
        ("ann", 2, 2, "ends after it starts"),
        ("ann", -3, -1, "over changes nothing"),
        ("ann", 0, LONGEST_OVERRIDE / HOUR + 1, "at most 62 days"),
    ],
)
def test_an_override_without_sense_is_refused(
    person: str, starts: float, ends: float, said: str
) -> None:
    """And told what would make sense."""
    with pytest.raises(InvalidInputError, match=said):
        check_override(schedule(), person, MONDAY + starts * HOUR, MONDAY + ends * HOUR, MONDAY)
