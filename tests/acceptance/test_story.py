"""The story of the spine in simulated time: a journey fails, and all who must know know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from incidents.notices.maintenance import Effect, Scope
from monitor.use_cases.maintenance import Plan, plan_maintenance
from tests.acceptance.town import Town, running_town

pytestmark = pytest.mark.slow


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town where all is well."""
    with running_town(tmp_path) as town:
        yield town


def test_in_quiet_times_everything_is_operational_and_nobody_is_told(town: Town) -> None:
    """Three components, all operational; no incident, no page."""
    assert "All systems operational" in town.visitor.open("/")
    assert town.told() == []


def test_a_broken_checkout_is_known_to_everyone_within_one_round(town: Town) -> None:
    """One incident, one page, and the status page says which component is down."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(5)
    assert town.events() == ["incident_opened"]
    page = town.visitor.open("/")
    assert "All systems operational" not in page
    assert "Cart and checkout" in page
    summary = town.visitor.client.get("/api/v2/summary.json").json()
    assert [one["impact"] for one in summary["incidents"]] == ["critical"]


def test_the_incident_names_the_failing_step_and_reason(town: Town) -> None:
    """The engineer reads at once where to look."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(5)
    [post] = town.sink.posts
    assert b"pay" in post.body
    assert town.service.pipeline.state("checkout").verdict.value == "down"


def test_a_long_outage_stays_one_incident_and_one_page(town: Town) -> None:
    """The same trouble is not told again every round."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(300)
    assert town.events().count("incident_opened") == 1


def test_a_single_blip_pages_nobody(town: Town) -> None:
    """A first failure that its confirmation does not bear out is flaky, not down."""
    town.shop.set_fault("login_500")
    journey = town.service.holder.current.journey("login")
    assert journey is not None
    run = town.service._run_journey(journey, 1)
    town.shop.set_fault("login_500", False)
    town.service.pipeline.record(journey, run)
    town.pass_time(30)
    assert town.told() == []
    assert 'probe_flaky_runs_total{journey="login",location="local"} 1.0' in town.metrics()


def test_a_report_hangs_on_the_incident_and_its_writer_hears_the_end(town: Town) -> None:
    """We know, since when, we will tell you; and when it is over we do."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(5)
    town.visitor.open("/report")
    answer = town.visitor.submit("form#report", description="I cannot pay, my card is refused")
    assert "09:00" in answer
    follow = town.visitor.path
    town.shop.set_fault("gateway_refuses", False)
    town.pass_time(30)
    assert town.events() == ["incident_opened", "incident_resolved"]
    assert "work for you" in town.visitor.open(follow)


def test_a_second_outage_soon_after_is_as_quick_as_the_first(town: Town) -> None:
    """The same incident is reopened within one round, and the page goes out again."""
    for _ in range(2):
        town.shop.set_fault("gateway_refuses")
        town.pass_time(5)
        town.shop.set_fault("gateway_refuses", False)
        town.pass_time(60)
    assert town.events() == [
        "incident_opened",
        "incident_resolved",
        "incident_reopened",
        "incident_resolved",
    ]


def test_maintenance_mutes_what_it_announced_and_nothing_else(town: Town) -> None:
    """Search may fail without a page; checkout still pages; a probe closes the window."""
    start = town.clock.now() + timedelta(seconds=60)
    plan_search_maintenance(town, start, start + timedelta(seconds=60))
    assert "maintenance" in town.visitor.open("/").lower()
    town.pass_time(60)
    town.shop.set_fault("search_empty")
    town.pass_time(20)
    assert "incident_opened" not in town.events()
    assert "maintenance" in town.visitor.open("/")
    town.shop.set_fault("gateway_refuses")
    town.pass_time(5)
    assert town.events().count("incident_opened") == 1
    town.shop.clear_faults()
    town.pass_time(60)
    assert "All systems operational" in town.visitor.open("/")
    assert town.events()[-1] == "maintenance_completed"


def plan_search_maintenance(town: Town, start: datetime, end: datetime) -> None:
    """Announce work on search."""
    scope = (Scope("search", Effect.EXPECTED_DOWN),)
    plan = Plan("A new search index", start, end, scope)
    service = town.service
    now = town.clock.now()
    plan_maintenance(service.store, service.holder.current, plan, by="ada", now=now)
