"""The service ends in an outage and is started again, with time given."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.town import running_town


def test_an_outage_that_ended_meanwhile_is_over_once_the_journey_has_passed(
    tmp_path: Path,
) -> None:
    """The verdict of before is judged first, so that its end is seen as an end at once."""
    with running_town(tmp_path) as town:
        town.shop.set_fault("gateway_refuses")
        town.pass_time(15)
        assert town.events() == ["incident_opened"]
        town.shop.clear_faults()
        town.pass_time(5)  # the first of the two good runs that end an outage
        town.restart()
        town.pass_time(15)
        assert town.events() == ["incident_opened", "incident_resolved"]
