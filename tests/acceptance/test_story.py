"""The story of the spine in simulated time: a journey fails, and all who must know know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from incidents.notices.maintenance import Effect, Scope
from monitor.use_cases.maintenance import Plan, plan_maintenance
from probes.journey import Journey
from probes.result import ProbeRun
from tests.acceptance.town import Town, running_town

pytestmark = pytest.mark.slow
REPORT_FORM = 'form[action="/report"]'


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
    assert [one["name"] for one in summary["incidents"]] == ["Cart and checkout does not work"]


def test_the_incident_names_the_failing_step_and_reason(town: Town) -> None:
    """The engineer reads at once where to look."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(5)
    [post] = town.sink.posts
    assert b"step Place the order fails (status)" in post.body
    assert town.service.pipeline.state("checkout").verdict.value == "down"


def test_a_long_outage_stays_one_incident_and_one_page(town: Town) -> None:
    """The same trouble is not told again every round."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(300, step=15)
    assert town.events().count("incident_opened") == 1


def test_a_single_blip_pages_nobody(town: Town) -> None:
    """A first failure that its confirmation does not bear out is flaky, not down."""
    run_journey = town.service.pipeline.run_journey

    def repaired_before_the_confirmation(journey: Journey, attempt: int) -> ProbeRun:
        run = run_journey(journey, attempt)
        town.shop.clear_faults()
        return run

    town.service.pipeline.run_journey = repaired_before_the_confirmation
    town.shop.set_fault("site_down")
    town.pass_time(30)
    assert town.told() == []
    assert 'probe_flaky_runs_total{journey="checkout",location="local"} 1.0' in town.metrics()


def test_a_report_hangs_on_the_incident_and_its_writer_hears_the_end(town: Town) -> None:
    """We know, since when, we will tell you; and when it is over we do."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(5)
    town.visitor.open("/report")
    answer = town.visitor.submit(REPORT_FORM, description="I cannot pay, my card is refused")
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


def test_an_outage_nobody_takes_is_told_to_more_and_more_people(town: Town) -> None:
    """In the demo's words: its person on call at once, after 5 minutes the team, then the rest."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(930, step=30)
    told = [post.body.decode() for post in town.sink.posts if b"INC-1:" in post.body]
    calls = ("opened", "paged", "paged")
    assert all(f"INC-1:incident_{call}" in body for call, body in zip(calls, told, strict=True))
    steps = ("step 1 of 2", "step 2 of 2", "the last resort")
    assert all(step in body for step, body in zip(steps, told, strict=True))
