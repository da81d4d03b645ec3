"""A process that is killed, started again, and given another configuration."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.process import wait_for
from tests.real.served import Served, Town, town

pytestmark = [pytest.mark.real, pytest.mark.slow]
RELOADED = "monitor_config_last_reload_successful"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Town, Served]]:
    """A service that has seen every journey pass."""
    with town(tmp_path) as place, place.service() as service:
        service.wait_until_all_is_well()
        yield place, service


def test_killed_in_an_outage_it_takes_up_the_same_incident_and_ends_it(
    running: tuple[Town, Served],
) -> None:
    """Nothing is lost, nothing doubled: one incident, one id a notification, verdict remembered."""
    place, service = running
    place.shop.set_fault("gateway_refuses")
    opened = place.wait_until_told("incident_opened")
    before = wait_for(service.incidents, "public incident")
    service.kill()
    with place.service() as heir:
        assert (heir.verdict("checkout"), heir.incidents()) == (0, before)
        place.shop.clear_faults()
        place.wait_until_told("incident_resolved")
        heir.wait_until_all_is_well()
    assert [name for name, _ in place.told()] == ["incident_opened", "incident_resolved"]
    assert place.told()[0] == ("incident_opened", opened)


def test_an_outage_that_ends_while_nobody_looks_is_ended_after_the_restart(
    running: tuple[Town, Served],
) -> None:
    """The first runs after the start close what the shop closed meanwhile."""
    place, service = running
    place.shop.set_fault("gateway_refuses")
    place.wait_until_told("incident_opened")
    service.kill()
    place.shop.clear_faults()
    with place.service() as heir:
        place.wait_until_told("incident_resolved")
        assert wait_for(lambda: not heir.incidents(), "end of the public incident")


def test_a_folder_with_a_fault_changes_nothing_until_it_is_repaired(
    running: tuple[Town, Served],
) -> None:
    """The old configuration stays in force, the fault is told with its line, then the new holds."""
    place, service = running
    good = place.monitor_yml.read_text("utf-8")
    place.monitor_yml.write_text(good.replace("kind: webhook", "kind: pigeon"), "utf-8")
    wait_for(lambda: service.metric(RELOADED) == 0, "metric of a refused reload")
    assert "monitor.yml:" in service.terminal.line("configuration kept")
    place.monitor_yml.write_text(good.replace("Cart and checkout", "Till"), "utf-8")
    wait_for(lambda: service.metric(RELOADED) == 1, "metric of a reload")
    assert "Till" in [one["name"] for one in service.summary()["components"]]


def test_a_hangup_signal_reads_the_folder_at_once_and_ends_nothing(tmp_path: Path) -> None:
    """As operators are used to it; with the watching switched almost off."""
    with town(tmp_path) as place, place.service() as service:
        service.terminal.line("journey passed")
        journey = place.config / "journeys" / "search.yml"
        journey.unlink()
        service.terminal.process.send_signal(signal.SIGHUP)
        service.terminal.line("configuration reloaded", seconds=5)
        wait_for(lambda: service.verdict("search") is None, "metrics without the journey")
        assert service.terminal.end(signal.SIGTERM, seconds=15) == 0
        assert service.terminal.complaints() == []
