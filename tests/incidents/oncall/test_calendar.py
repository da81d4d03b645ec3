"""Shifts as a calendar feed, read back by two libraries of different authors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import vobject

from incidents.oncall.calendar import Feed, feed_period, render_calendar, shifts_of, uid_of
from incidents.oncall.schedule import Override
from tests.incidents.oncall.builders import DAY, HOUR, at, layer, schedule

NOW = at("2026-03-25 12:00")
SWAP = Override(
    3, "shop", "ann", at("2026-04-02 18:00"), at("2026-04-03 09:00"), "Dentist; again, \\ today",
    "ben", at("2026-03-20 08:00"),
)  # fmt: skip
SHOP = schedule(layer("ann", "ben"))
FEED = Feed("ann", "Kijani Märkte", "https://monitor.test/console/on-call")


def rendered(swaps: tuple[Override, ...] = (SWAP,), now: datetime = NOW) -> bytes:
    """Ann's feed."""
    return render_calendar(FEED, {"shop": SHOP}, swaps, now)


def expected() -> list[tuple[datetime, datetime]]:
    """Ann's shifts as the schedule itself has them."""
    since, until = feed_period(NOW)
    return [(s.starts_at, s.ends_at) for s in shifts_of("ann", [SHOP], [SWAP], since, until)]


def test_icalendar_reads_back_every_shift() -> None:
    """Beginning and end of each, in UTC, over the change of the clocks too."""
    calendar = icalendar.Calendar.from_ical(rendered())
    events = calendar.walk("VEVENT")
    assert [(e.decoded("dtstart"), e.decoded("dtend")) for e in events] == expected()
    assert {e["summary"] for e in events} == {"On call: shop"}
    assert at("2026-03-30 09:00") in [e.decoded("dtstart") for e in events]


def test_another_library_reads_the_same() -> None:
    """What is escaped, folded and not ASCII included."""
    calendar = vobject.readOne(rendered().decode())
    events = list(calendar.vevent_list)
    assert [(e.dtstart.value, e.dtend.value) for e in events] == expected()
    assert "Dentist; again, \\ today" in " ".join(e.description.value for e in events)
    assert calendar.contents["x-wr-calname"][0].value == "On call: ann (Kijani Märkte)"


def test_lines_end_and_fold_as_the_standard_asks() -> None:
    """CRLF, and no line longer than 75 bytes. RFC 5545, section 3.1."""
    lines = rendered().split(b"\r\n")
    assert lines[-1] == b""
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75


def test_names_are_unique_and_stay_from_day_to_day() -> None:
    """So that a calendar updates events rather than doubling them."""
    today = icalendar.Calendar.from_ical(rendered()).walk("VEVENT")
    names = {str(event["uid"]) for event in today}
    assert len(names) == len(today)
    assert rendered(now=NOW + DAY) == rendered()
    unswapped = icalendar.Calendar.from_ical(rendered(())).walk("VEVENT")
    kept = names & {str(event["uid"]) for event in unswapped}
    assert len(kept) >= len(unswapped) - 1


def test_a_swap_changes_the_end_of_a_shift_and_not_its_name() -> None:
    """Giving away the last hours keeps the event."""
    since, until = at("2026-03-16 09:00"), at("2026-03-23 09:00")
    given = Override(9, "shop", "ben", until - 5 * HOUR, until)
    (whole,) = shifts_of("ann", [SHOP], [], since, until)
    (cut,) = shifts_of("ann", [SHOP], [given], since, until)
    assert cut.ends_at == whole.ends_at - 5 * HOUR
    assert uid_of(cut) == uid_of(whole)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_feed_covers_the_past_month_and_half_a_year_ahead(month: int) -> None:
    """Whenever it is read."""
    now = datetime(2026, month, 28, 23, tzinfo=UTC)
    since, until = feed_period(now)
    assert since <= now - timedelta(days=28)
    assert until >= now + timedelta(days=150)


def test_somebody_without_shifts_has_an_empty_calendar() -> None:
    """Which is still a calendar."""
    body = render_calendar(Feed("zoe", "Shop"), {"shop": SHOP}, (), NOW)
    assert icalendar.Calendar.from_ical(body).walk("VEVENT") == []
