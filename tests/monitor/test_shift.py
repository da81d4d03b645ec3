"""A duty has one holder among replicas, and always finds the next one."""

from __future__ import annotations

from functools import partial

import pytest

from monitor.clock import FakeClock
from monitor.shift import LEASE, MARGIN, Shift
from monitor.storage.store import Store

LASTS = LEASE.total_seconds()
SELF_TRUST = LASTS - MARGIN.total_seconds()


class Replica:
    """A process with a shift, and what it was told to begin and end."""

    def __init__(self, store: Store, clock: FakeClock, name: str, *, alone: bool = False) -> None:
        self.told: list[str] = []
        self.shift = Shift(
            store,
            clock,
            "duty",
            name,
            alone=alone,
            begins=lambda: self.told.append("begin"),
            ends=lambda: self.told.append("end"),
        )

    def renew(self) -> bool:
        """Renew, and return whether the duty is held."""
        self.shift.renew()
        return self.shift.held


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_of_two_replicas_one_has_the_duty(store: Store, clock: FakeClock) -> None:
    """The first to ask, for as long as it goes on asking."""
    one, two = Replica(store, clock, "one"), Replica(store, clock, "two")
    held = []
    for _ in range(3):
        held += [one.renew(), two.renew()]
        clock.advance(SELF_TRUST - 1)
    assert held == [True, False] * 3
    assert (one.told, two.told) == (["begin"], [])


@pytest.mark.parametrize(("seconds", "taken"), [(LASTS - 1, False), (LASTS, True)])
def test_a_dead_holder_is_followed_when_its_lease_ends(
    store: Store, clock: FakeClock, seconds: float, taken: bool
) -> None:
    """The last instant of the lease is excluded."""
    one, two = Replica(store, clock, "one"), Replica(store, clock, "two")
    one.renew()
    clock.advance(seconds)
    assert two.renew() is taken


@pytest.mark.parametrize(("seconds", "held"), [(SELF_TRUST - 1, True), (SELF_TRUST, False)])
def test_a_holder_that_cannot_renew_stops_before_others_begin(
    store: Store, clock: FakeClock, seconds: float, held: bool
) -> None:
    """Without a word from the database it believes in its lease a little less long."""
    one = Replica(store, clock, "one")
    one.renew()
    clock.advance(seconds)
    assert one.shift.held is held


def test_a_holder_that_was_overtaken_is_told_so(store: Store, clock: FakeClock) -> None:
    """It ends what it had begun, and may begin again once the other has gone."""
    one, two = Replica(store, clock, "one"), Replica(store, clock, "two")
    one.renew()
    clock.advance(LASTS)
    two.renew()
    one.renew()
    two.shift.give_up()
    one.renew()
    assert (one.told, two.told) == (["begin", "end", "begin"], ["begin"])


def test_who_stops_in_good_order_is_followed_at_once(store: Store, clock: FakeClock) -> None:
    """No lease has to run out; whoever never held it cannot give it up."""
    one, two, three = (Replica(store, clock, name) for name in ("one", "two", "three"))
    one.renew()
    three.shift.give_up()
    before = two.renew()
    one.shift.give_up()
    assert (before, two.renew()) == (False, True)


def test_work_is_done_only_by_the_holder(store: Store, clock: FakeClock) -> None:
    """Others leave it, without a fault."""
    done: list[str] = []
    for name in ("one", "two"):
        replica = Replica(store, clock, name)
        replica.renew()
        replica.shift.when_held(partial(done.append, name))()
    assert done == ["one"]


def test_another_place_is_another_duty(store: Store, clock: FakeClock) -> None:
    """A replica that moves leaves its old place to others, and asks for the new one."""
    one, two = Replica(store, clock, "one"), Replica(store, clock, "two")
    one.renew()
    one.shift.move("elsewhere")
    assert (one.shift.held, two.renew(), one.renew()) == (False, True, True)
    assert one.told == ["begin"]


def test_a_process_alone_holds_everything(sqlite_store: Store, clock: FakeClock) -> None:
    """On SQLite nobody else could."""
    one = Replica(sqlite_store, clock, "one", alone=True)
    assert (one.renew(), one.shift.held, one.told) == (True, True, ["begin"])
