"""Signs of life, and which part is overdue."""

from __future__ import annotations

import pytest

from monitor.selfwatch.vitals import Part, Sign, Stall, duty_signs, stalls


@pytest.mark.parametrize(("now", "stalled"), [(60, False), (61, True)])
def test_a_part_stalls_one_moment_after_its_limit(now: float, stalled: bool) -> None:
    """The limit itself is still in time."""
    assert bool(stalls([Sign(Part.OUTBOX, 0, 60)], now)) is stalled


def test_of_a_part_the_longest_silence_counts() -> None:
    """Whoever is woken hears of the worst duty, once."""
    signs = [Sign(Part.SCHEDULER, 50, 10, "sweep"), Sign(Part.SCHEDULER, 0, 10, "rules")]
    assert stalls(signs, 100) == (Stall(Part.SCHEDULER, 100, "rules"),)


def test_every_part_is_told_for_itself_and_in_words() -> None:
    """What does not happen meanwhile, and since when."""
    found = stalls([Sign(Part.OUTBOX, 0, 60), Sign(Part.DATABASE, 0, 60)], 90)
    assert [stall.words for stall in found] == [
        "the database does not answer, for 90 s",
        "nobody looks at the outbox: notifications are not sent, for 90 s",
    ]


def test_a_duty_may_be_three_intervals_late_and_a_minute() -> None:
    """An hourly one is not missed after a minute; one that was never set up is no sign."""
    signs = duty_signs({"sweep": 7.0, "hourly": 0.0}, {"sweep": 2.0, "hourly": 3600, "other": 1})
    assert [(s.what, s.seen, s.limit_seconds) for s in signs] == [
        ("sweep", 7.0, 66),
        ("hourly", 0.0, 10_860),
    ]
