"""The entrance: what waits is committed together, and nobody pays for a neighbour's fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from incidents.alerts.model import Alert
from incidents.alerts.wire import Parsed
from monitor.clock import FakeClock
from monitor.storage.store import Store
from monitor.use_cases import entrance as module
from monitor.use_cases.alerts import Batch
from monitor.use_cases.entrance import Delivery, Entrance, Overloaded
from tests.monitor.use_cases.desk import START, Desk

PATIENCE_SECONDS = 20


class Sender:
    """Delivers to an entrance whose thread can be kept busy."""

    def __init__(self, store: Store, **room: Any) -> None:
        self.desk = Desk(store)
        self.clock = FakeClock(START)
        self.entrance = Entrance(store, lambda: self.desk.configuration, self.clock, **room)
        self.go_on = threading.Event()
        self.answered = threading.Semaphore(0)
        self.commits: list[int] = []
        store.subscribe(lambda _: self.commits.append(len(self.desk.alerts())))

    def block(self) -> None:
        """Keep the thread busy until `go_on` is set."""
        started = threading.Event()

        def read(_now: datetime) -> Parsed:
            started.set()
            assert self.go_on.wait(PATIENCE_SECONDS)
            return Parsed()

        self.entrance.offer(Delivery("test", read, lambda: None, alerts=0))
        assert started.wait(PATIENCE_SECONDS)

    def offer(
        self, *alerts: Alert, source: str = "test", error: Exception | None = None
    ) -> Delivery:
        """Offer alerts; reading them fails with `error` if one is given."""

        def read(_now: datetime) -> Parsed:
            if error is not None:
                raise error
            return Parsed(tuple(alerts))

        delivery = Delivery(source, read, self.answered.release, alerts=len(alerts))
        self.entrance.offer(delivery)
        return delivery

    def finish(self, count: int) -> None:
        """Let the thread work until `count` deliveries are answered."""
        self.go_on.set()
        for _ in range(count):
            assert self.answered.acquire(timeout=PATIENCE_SECONDS)


@pytest.fixture
def sender(store: Store) -> Iterator[Sender]:
    sender = Sender(store)
    yield sender
    sender.go_on.set()
    sender.entrance.stop()


def test_what_waits_is_committed_together(sender: Sender) -> None:
    """One transaction for all three, and each is answered."""
    sender.block()
    for component in ("login", "search", "back-office"):
        sender.offer(sender.desk.firing(component))
    sender.finish(3)
    assert (sender.commits, len(sender.desk.incidents())) == ([3], 3)


def test_a_lone_delivery_waits_for_nobody(sender: Sender) -> None:
    """It is committed when `receive` returns."""
    sender.entrance.receive([sender.desk.firing()], source="rules")
    assert [row["source"] for row in sender.desk.alerts()] == ["rules"]


def test_senders_that_come_again_one_after_the_other_share_a_commit(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a group it waits while they keep coming: what a commit costs is paid once for all."""
    sender.block()
    coming = [sender.desk.firing(instance=f"again-{number}") for number in range(2)]

    def look(_: float) -> None:
        if coming:
            sender.offer(coming.pop())

    monkeypatch.setattr(time, "sleep", look)
    for number in range(2):
        sender.offer(sender.desk.firing(instance=f"first-{number}"))
    sender.finish(4)
    assert sender.commits == [2, 4]


def test_deliveries_of_one_identity_keep_their_order(sender: Sender) -> None:
    """Firing, its end, and firing again, from two sources, in one commit: it fires."""
    sender.block()
    later = START + timedelta(seconds=1)
    sender.clock.advance(2)
    over = Alert(sender.desk.firing().labels, starts_at=START, ends_at=later)
    sender.offer(sender.desk.firing(), source="one")
    sender.offer(over, source="two")
    sender.offer(sender.desk.firing(since=later + timedelta(seconds=1)), source="one")
    sender.finish(3)
    assert [row["state"] for row in sender.desk.alerts()] == ["resolved", "firing"]
    assert sender.commits == [2]


def test_one_that_cannot_be_stored_takes_no_other_down(sender: Sender) -> None:
    """The others of its transaction are stored apart from it; only its own sender hears of it."""
    sender.block()
    poison = Alert({"alertname": "Poison", "severity": "critical"}, starts_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is its fault
    good = [sender.offer(sender.desk.firing("login")), sender.offer(sender.desk.firing("search"))]
    bad = sender.offer(poison)
    good.append(sender.offer(sender.desk.firing("checkout")))
    sender.finish(4)
    assert [len(delivery.result().alerts) for delivery in good] == [1, 1, 1]
    with pytest.raises(Exception, match=r"time zone|offset-naive"):
        bad.result()
    assert [row["labels"]["component"] for row in sender.desk.alerts()] == [
        "login",
        "search",
        "checkout",
    ]


def test_one_that_cannot_be_read_is_told_so_alone(sender: Sender) -> None:
    """Its neighbours are committed in one transaction as ever."""
    sender.block()
    sender.offer(sender.desk.firing("login"))
    bad = sender.offer(error=ValueError("no alert"))
    sender.offer(sender.desk.firing("search"))
    sender.finish(3)
    assert sender.commits == [2]
    with pytest.raises(ValueError, match="no alert"):
        bad.result()


def test_a_database_that_is_away_is_asked_once_for_all(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sender keeps what it has; trying each apart would only make them wait longer."""
    asked: list[int] = []

    def away(_store: Store, batches: list[Batch], *_: object) -> None:
        asked.append(sum(len(batch.alerts) for batch in batches))
        raise OperationalError("BEGIN", {}, Exception("gone"))

    monkeypatch.setattr(module, "receive_batches", away)
    sender.block()
    refused = [sender.offer(sender.desk.firing(name)) for name in ("login", "search")]
    sender.finish(2)
    for delivery in refused:
        with pytest.raises(Overloaded, match="cannot take them now"):
            delivery.result()
    assert (asked, sender.entrance.stats.refused["database"]) == ([2], 1)


@pytest.mark.parametrize(("waiting", "more", "let_in"), [(3, 2, True), (3, 3, False), (0, 9, True)])
def test_the_queue_is_bounded_in_alerts(
    sqlite_store: Store, waiting: int, more: int, let_in: bool
) -> None:
    """A single delivery is let in where nothing waits, however large it is."""
    sender = Sender(sqlite_store, most_alerts=5)
    sender.block()
    if waiting:
        sender.offer(*[sender.desk.firing(instance=str(n)) for n in range(waiting)])
    batch = [sender.desk.firing(instance=f"more {n}") for n in range(more)]
    if let_in:
        sender.offer(*batch)
    else:
        with pytest.raises(Overloaded, match="3 alerts are waiting already"):
            sender.offer(*batch)
    sender.finish(bool(waiting) + let_in)
    sender.entrance.stop()
    assert len(sender.desk.alerts()) == waiting + (more if let_in else 0)
    assert (sender.entrance.alerts_waiting, sender.entrance.stats.refused["alerts"]) == (
        0,
        int(not let_in),
    )


@pytest.mark.parametrize(("bytes_more", "fits"), [(6, True), (7, False)])
def test_the_queue_is_bounded_in_bytes(sqlite_store: Store, bytes_more: int, fits: bool) -> None:
    """What is being read in counts from its first byte, the bound included."""
    entrance = Sender(sqlite_store, most_bytes=10).entrance
    entrance.reserve(4)
    if fits:
        entrance.reserve(bytes_more)
    else:
        with pytest.raises(Overloaded, match="4 bytes"):
            entrance.reserve(bytes_more)
    assert entrance.bytes_held == 4 + (bytes_more if fits else 0)


def test_a_stop_stores_what_was_let_in_and_lets_nothing_more_in(sqlite_store: Store) -> None:
    """No sender is told that its alerts are stored when they are not, nor the other way."""
    sender = Sender(sqlite_store)
    sender.block()
    sender.offer(sender.desk.firing())
    stopping = threading.Thread(target=sender.entrance.stop)
    stopping.start()
    while True:
        try:
            sender.entrance.reserve(0)
        except Overloaded:
            break
    with pytest.raises(Overloaded, match="stopping"):
        sender.offer(sender.desk.firing("search"))
    sender.finish(1)
    stopping.join()
    assert len(sender.desk.alerts()) == 1


def test_a_large_queue_is_worked_off_in_parts(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other writers get their turn between two transactions; no delivery is ever split."""
    monkeypatch.setattr(module, "MOST_AT_ONCE", 3)
    sender = Sender(sqlite_store)
    sender.block()
    for number, count in enumerate((2, 1, 1, 4, 1)):
        sender.offer(*[sender.desk.firing(instance=f"{number}.{n}") for n in range(count)])
    sender.finish(5)
    sender.entrance.stop()
    assert sender.commits == [3, 4, 8, 9]
