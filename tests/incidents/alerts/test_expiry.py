"""What one delivery does to the alert that is held."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.alerts.expiry import Effect, Held, effect_of, later_end
from incidents.alerts.model import Alert, AlertState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return NOW + seconds * SECOND


def held(state: str = "firing", *, end: float | None = 240, latest: float = -60) -> Held:
    ended = None if end is None else at(end)
    is_open = state in ("firing", "lapsed")
    return Held(AlertState(state), is_open, at(-60), at(latest), ended)


def delivery(start: float, end: float | None) -> Alert:
    return Alert({"a": "b"}, starts_at=at(start), ends_at=None if end is None else at(end))


@pytest.mark.parametrize(
    ("what", "known", "effect"),
    [
        (delivery(0, 240), None, Effect.NEW),
        (delivery(0, None), None, Effect.NEW),
        (delivery(-9, 0), None, Effect.IGNORED),
        (delivery(-60, 240), held(), Effect.REFRESHED),
        (delivery(0, 240), held("lapsed", end=-1), Effect.RETURNED),
        (delivery(-60, 0), held(), Effect.RESOLVED),
        (delivery(-60, 0), held("lapsed", end=-1), Effect.RESOLVED),
        (delivery(-60, -31), held(latest=-30), Effect.IGNORED),
        (delivery(-60, -30), held(latest=-30), Effect.RESOLVED),
        (delivery(-60, 240), held("resolved", end=-30), Effect.IGNORED),
        (delivery(-31, 240), held("resolved", end=-30), Effect.IGNORED),
        (delivery(-30, 240), held("resolved", end=-30), Effect.NEW),
        (delivery(-60, -30), held("resolved", end=-30), Effect.IGNORED),
    ],
)
def test_late_doubled_and_swapped_deliveries_do_nothing(
    what: Alert, known: Held | None, effect: Effect
) -> None:
    """A table of everything that can meet everything."""
    assert effect_of(what, known, NOW) is effect


@pytest.mark.parametrize(
    ("what", "known", "effect"),
    [
        (delivery(0, 0), held(latest=3600), Effect.RESOLVED),
        (delivery(0, 240), held("resolved", end=3600), Effect.NEW),
    ],
)
def test_a_future_that_we_hold_orders_nothing(what: Alert, known: Held, effect: Effect) -> None:
    """Our clock was put back: an outage neither stays open for an hour nor is overlooked."""
    assert effect_of(what, known, NOW) is effect


def test_what_was_closed_in_silence_may_fire_again_with_its_old_start() -> None:
    """Nobody ever said that it was over."""
    closed = Held(AlertState.LAPSED, open=False, starts_at=at(-60), latest_starts_at=at(-60),
                  ends_at=at(-30))  # fmt: skip
    assert effect_of(delivery(-60, 240), closed, NOW) is Effect.NEW


def test_no_end_is_later_than_any() -> None:
    """A late resend does not shorten what a later one said."""
    assert (later_end(None, NOW), later_end(NOW, at(1))) == (None, at(1))
