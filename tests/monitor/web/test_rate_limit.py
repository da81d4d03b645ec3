"""How often one client may do what anybody may do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.web.rate_limit import MOST_KEPT, RateLimit
from tests.builders import NOW

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("after", "wait"), [(0, 60), (59, 1), (60, 0), (61, 0)])
def test_a_full_window_frees_its_first_place_when_that_is_over(after: int, wait: int) -> None:
    """Two a minute: the third waits until the first is a minute old."""
    limit = RateLimit(2, MINUTE)
    limit.take("192.0.2.1", NOW)
    limit.take("192.0.2.1", NOW)
    found = limit.take("192.0.2.1", NOW + timedelta(seconds=after))
    assert found == timedelta(seconds=wait)


def test_a_clock_put_back_shuts_nobody_out() -> None:
    """What was counted in a future that did not come is forgotten."""
    limit = RateLimit(1, MINUTE)
    limit.take("192.0.2.1", NOW + timedelta(hours=1))
    assert limit.take("192.0.2.1", NOW) == timedelta(0)


def test_a_refused_attempt_does_not_count() -> None:
    """Knocking on a closed door keeps nobody out for longer."""
    limit = RateLimit(1, MINUTE)
    limit.take("192.0.2.1", NOW)
    for second in range(1, 60):
        limit.take("192.0.2.1", NOW + timedelta(seconds=second))
    assert limit.take("192.0.2.1", NOW + MINUTE) == timedelta(0)


def test_clients_of_one_ipv6_network_share_a_limit_and_others_do_not() -> None:
    """A home or a phone has 2^64 addresses."""
    limit = RateLimit(1, MINUTE)
    limit.take("2001:db8::1", NOW)
    assert limit.take("2001:db8::2", NOW) > timedelta(0)
    assert limit.take("2001:db8:0:1::1", NOW) == timedelta(0)


def test_memory_stays_bounded() -> None:
    """The client longest unseen is forgotten first."""
    limit = RateLimit(1, MINUTE)
    for number in range(MOST_KEPT + 10):
        limit.take(f"client {number}", NOW)
    assert len(limit._seen) <= MOST_KEPT + 1
