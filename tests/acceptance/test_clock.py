"""The machine's clock jumps: nobody is woken for it, and what is true is told all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from incidents.outbox import Event
from tests.acceptance.town import Town, running_town

HOUR = 3600
STORY = {Event.OPENED, Event.REOPENED, Event.RESOLVED}  # whom it pages again meanwhile aside


def story(town: Town) -> list[str]:
    """Return what the engineer on call was told of beginnings and ends."""
    return [event for event in town.events() if event in STORY]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town in which all is well."""
    with running_town(tmp_path) as place:
        yield place


@pytest.mark.parametrize("seconds", [-HOUR, -30, 2 * HOUR], ids=["back", "a little", "ahead"])
def test_a_jump_wakes_nobody_and_the_next_outage_is_told_and_ended(
    town: Town, seconds: int
) -> None:
    """As suspended machines and corrected clocks do it."""
    town.clock.jump(seconds)
    town.pass_time(30)
    assert story(town) == []
    town.shop.set_fault("gateway_refuses")
    town.pass_time(15)
    assert story(town) == ["incident_opened"]
    town.shop.clear_faults()
    town.pass_time(20)
    assert story(town) == ["incident_opened", "incident_resolved"]


@pytest.mark.parametrize("seconds", [-HOUR, 2 * HOUR], ids=["back", "ahead"])
def test_an_outage_outlives_a_jump_and_ends_when_it_is_over(town: Town, seconds: int) -> None:
    """It is neither closed by the jump, nor told twice, nor left open for ever."""
    town.shop.set_fault("gateway_refuses")
    town.pass_time(15)
    town.clock.jump(seconds)
    town.pass_time(30)
    assert story(town) == ["incident_opened"]
    town.shop.clear_faults()
    town.pass_time(20)
    assert story(town) == ["incident_opened", "incident_resolved"]
