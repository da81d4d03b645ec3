"""Clients and tokens that ask too often are told for how long to wait; nobody else notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.storage.store import Store
from monitor.web.flood import MOST_KEPT, Rates
from tests.monitor.web.builders import API_TOKEN, FakeSettings, Web, services

TEN_A_MINUTE = 10  # of which three at once: a burst is a third
TOKEN = {"authorization": f"Bearer {API_TOKEN}"}


def test_a_burst_passes_and_then_the_rate() -> None:
    """Three at once, then one every six seconds."""
    rates = Rates(TEN_A_MINUTE)
    assert [rates.take("a", 0) for _ in range(4)] == [0, 0, 0, pytest.approx(4)]
    assert rates.take("a", 3.9) == pytest.approx(0.1)
    assert rates.take("a", 4) == 0
    assert rates.take("a", 4) == pytest.approx(6)


def test_over_an_hour_the_rate_is_kept_exactly() -> None:
    """However hard somebody tries."""
    rates = Rates(TEN_A_MINUTE)
    passed = sum(rates.take("a", second / 10) == 0 for second in range(36_000))
    assert passed == pytest.approx(600, abs=4)


def test_a_clock_put_back_shuts_nobody_out() -> None:
    """What was counted in a future that did not come is forgotten."""
    rates = Rates(TEN_A_MINUTE)
    rates.take("a", 7200)
    assert rates.take("a", 0) == 0


def test_only_so_many_are_remembered() -> None:
    """The one longest unseen is forgotten first."""
    rates = Rates(TEN_A_MINUTE)
    for _ in range(3):
        rates.take("first", 0)
    for number in range(MOST_KEPT):
        rates.take(str(number), 0)
    assert rates.take("first", 0) == 0


@pytest.fixture
def tight(sqlite_store: Store) -> Web:
    """An application that lets a client ask six times a minute, and a token twelve times."""
    settings = replace(FakeSettings(), client_rate=6, token_rate=12)
    return Web(services(sqlite_store, settings=settings))


def test_a_client_that_asks_too_often_is_told_how_long_to_wait(tight: Web) -> None:
    """Another client is answered all the same, and so is this one later."""
    stranger, other = tight.client("192.0.2.1"), tight.client("192.0.2.2")
    assert [stranger.get("/").status_code for _ in range(3)] == [200, 200, 429]
    refused = stranger.get("/api/v1/status")
    assert refused.json()["error"]["code"] == "too_many_requests"
    assert int(refused.headers["retry-after"]) == 10
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert other.get("/").status_code == 200
    tight.clock.advance(10)
    assert stranger.get("/").status_code == 200


def test_made_up_tokens_do_not_get_a_client_further(tight: Web) -> None:
    """Each counts for the client as well."""
    client = tight.client("192.0.2.1")
    made_up = [{"authorization": f"Bearer {number}"} for number in range(3)]
    answers = [client.get("/api/v1/incidents", headers=one).status_code for one in made_up]
    assert answers == [401, 401, 429]


def test_a_token_is_limited_wherever_it_comes_from(tight: Web) -> None:
    """Many machines that share one share its rate; even this machine does."""
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "127.0.0.1", "127.0.0.1"]
    clients = [tight.client(address) for address in addresses]
    answers = [one.get("/api/v1/incidents", headers=TOKEN).status_code for one in clients]
    assert answers == [200, 200, 200, 200, 429]


def test_alerts_scrapes_and_this_machine_are_not_held_up(tight: Web) -> None:
    """An alert is never answered with 429."""
    local, sender = tight.client(), tight.client("192.0.2.1")
    for _ in range(5):
        assert local.get("/").status_code == 200
        assert sender.get("/-/healthy").status_code == 200
        assert sender.get("/metrics").status_code == 200
        assert sender.post("/api/v2/alerts", json=[]).status_code == 401


def test_behind_a_proxy_it_is_the_client_that_counts(sqlite_store: Store) -> None:
    """A proxy that is trusted is not mistaken for a flood."""
    settings = replace(FakeSettings(), client_rate=6, trusted_proxies=("10.0.0.1",))
    proxy = Web(services(sqlite_store, settings=settings)).client("10.0.0.1")
    for number in range(5):
        found = proxy.get("/", headers={"x-forwarded-for": f"192.0.2.{number}"})
        assert found.status_code == 200
    flood = [proxy.get("/", headers={"x-forwarded-for": "192.0.2.9"}) for _ in range(3)]
    assert [one.status_code for one in flood] == [200, 200, 429]
