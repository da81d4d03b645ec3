"""Answers for a crowd: made once, kept a second, dropped by a commit."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from monitor.web.public import MOST_KEPT, PublicCache
from tests.builders import NOW
from tests.monitor.web.builders import Web

CONFIGURATION = object()


@pytest.fixture
def cache(web: Web) -> PublicCache:
    """A cache over a store."""
    return PublicCache(web.services)


def test_many_who_ask_at_once_cost_one_making(cache: PublicCache) -> None:
    """The others wait for the one that is being made."""
    made: list[int] = []
    all_here = threading.Barrier(8)

    def make() -> bytes:
        made.append(1)
        time.sleep(0.05)  # real threads: long enough for the others to arrive
        return b"page"

    def ask(_: int) -> bytes:
        all_here.wait()
        return cache.get("/", CONFIGURATION, NOW, make).body

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {b"page"}
    assert len(made) == 1


@pytest.mark.parametrize(("age", "made"), [(0.0, 1), (0.99, 1), (1.0, 2), (-1.0, 2)])
def test_an_answer_lives_a_second_and_never_comes_from_the_future(
    cache: PublicCache, age: float, made: int
) -> None:
    """A clock that was set back makes it anew."""
    count: list[int] = []
    for at in (NOW, NOW + timedelta(seconds=age)):
        cache.get("/", CONFIGURATION, at, lambda: count.append(1) or b"page")  # type: ignore[func-returns-value]
    assert len(count) == made


@pytest.mark.parametrize(("topic", "made"), [("incidents", 2), ("runs", 2), ("outbox", 1)])
def test_a_commit_drops_what_it_changed(
    web: Web, cache: PublicCache, topic: str, made: int
) -> None:
    """What is shown nowhere drops nothing."""
    count: list[int] = []
    for _ in range(2):
        cache.get("/", CONFIGURATION, NOW, lambda: count.append(1) or b"page")  # type: ignore[func-returns-value]
        with web.services.store.begin() as tx:
            tx.touch(topic)
    assert len(count) == made


def test_an_answer_made_while_its_facts_changed_is_not_kept(web: Web, cache: PublicCache) -> None:
    """The commit came between reading and keeping."""

    def make() -> bytes:
        with web.services.store.begin() as tx:
            tx.touch("incidents")
        return b"old"

    cache.get("/", CONFIGURATION, NOW, make)
    assert cache.get("/", CONFIGURATION, NOW, lambda: b"new").body == b"new"


def test_another_configuration_makes_it_anew(cache: PublicCache) -> None:
    """Names and components stand on the page."""
    cache.get("/", CONFIGURATION, NOW, lambda: b"old")
    assert cache.get("/", object(), NOW, lambda: b"new").body == b"new"


def test_endless_addresses_do_not_fill_the_memory(cache: PublicCache) -> None:
    """The one longest untouched goes first."""
    for number in range(MOST_KEPT + 10):
        cache.get(f"/?{number}", CONFIGURATION, NOW, lambda: b"page")
    assert len(cache._made) == MOST_KEPT
