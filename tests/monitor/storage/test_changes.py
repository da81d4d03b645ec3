"""What one replica changed, another one's open pages hear of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from monitor.clock import FakeClock
from monitor.storage.changes import Neighbours
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from tests.builders import NOW


@dataclass
class Replica:
    """A process on the common database, and what it was told of."""

    store: Store
    told: list[set[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = FakeClock(NOW)
        self.neighbours = Neighbours(
            self.store, clock, lambda topics: self.told.append(set(topics))
        )

    def change(self, *topics: str) -> None:
        """Commit something that touches these topics."""
        with self.store.begin() as tx:
            for topic in topics:
                tx.touch(topic)


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Replica, Replica]]:
    """Two replicas on one database."""
    stores = [Store(open_engine(database_url)) for _ in range(2)]
    yield Replica(stores[0]), Replica(stores[1])
    for store in stores:
        store.close()


def test_a_change_is_announced_at_the_other_replica_once(pair: tuple[Replica, Replica]) -> None:
    """Many commits are one piece of news, and one's own are none."""
    here, there = pair
    here.change("incidents")
    here.change("incidents", "reports")
    for replica in (here, there, here, there):
        replica.neighbours.exchange()
    assert there.told == [{"incidents", "reports"}]
    assert here.told == []


def test_what_both_change_at_once_is_heard_by_both(pair: tuple[Replica, Replica]) -> None:
    """Writing one's own word does not drown the other's."""
    here, there = pair
    here.change("runs")
    there.change("runs")
    for replica in (here, there, here):
        replica.neighbours.exchange()
    assert (here.told, there.told) == ([{"runs"}], [{"runs"}])


def test_what_changed_before_a_replica_came_is_no_news_to_it(pair: tuple[Replica, Replica]) -> None:
    """Its pages are drawn from what is there."""
    here, _ = pair
    here.change("incidents")
    here.neighbours.exchange()
    newcomer = Replica(here.store)
    newcomer.neighbours.exchange()
    assert newcomer.told == []
