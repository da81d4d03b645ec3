"""When a channel that fails is asked by one message at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.outage import REST_AFTER, Outage, fail_again
from monitor.clock import FakeClock

NOW = FakeClock().now()
SECOND = timedelta(seconds=1)


def outage(failures: int) -> Outage:
    return Outage("pager", since=NOW, failed_at=NOW, probe_at=NOW, failures=failures)


@pytest.mark.parametrize(("failures", "rests"), [(2, False), (3, True), (4, True)])
def test_a_channel_rests_from_its_third_failure_on(failures: int, rests: bool) -> None:
    """One message that fails may be at fault itself; three in a row are not."""
    assert outage(failures).rests is rests


@pytest.mark.parametrize(
    ("failures", "first_try", "counted"),
    [(1, True, 2), (1, False, 1), (REST_AFTER, True, 4), (REST_AFTER, False, 4)],
)
def test_a_message_counts_once_until_the_channel_rests(
    failures: int, first_try: bool, counted: int
) -> None:
    """One that fails again and again for its own reasons brings no channel to rest."""
    later = NOW + SECOND
    after = fail_again(outage(failures), first_try=first_try, began_at=later, now=later)
    assert (after.failures, after.failed_at, after.since) == (counted, later, NOW)


def test_what_was_under_way_when_the_channel_failed_says_nothing_new() -> None:
    """Eight that hang at once are one failure of a channel that rests, not eight."""
    before = NOW - SECOND
    after = fail_again(outage(REST_AFTER), first_try=True, began_at=before, now=NOW + SECOND)
    assert after.failures == REST_AFTER


@pytest.mark.parametrize(("failures", "probes"), [(0, 1), (3, 1), (4, 2), (9, 7)])
def test_the_rest_begins_as_the_first_probe_that_failed(failures: int, probes: int) -> None:
    """So that waits double from there."""
    assert outage(failures).probes == probes
