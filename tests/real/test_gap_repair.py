"""Restarts and absences in the middle of outages, with a real Prometheus and Alertmanager.

Each ends with exactly the right incidents and no false resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incidents.lifecycle import Status
from tests.real.alertmanager import PROGRAM, alertmanager
from tests.real.gap import PROMETHEUS, TO_US, World, breathe, world
from tests.servers import free_port

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed"),
    pytest.mark.skipif(PROGRAM is None, reason="alertmanager is not installed"),
]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """A world whose Prometheus tells us."""
    with world(tmp_path) as made:
        yield made


def test_an_outage_that_nobody_heard_of_is_reconstructed_once(here: World) -> None:
    """We are away for the whole of it: the incident is there, marked, with its true times."""
    with here.prometheus():
        with here.us() as us:
            us.until_asked()
        began = datetime.now(UTC)
        here.exporter.broken("checkout")
        here.until_firing(1)
        breathe(2)
        here.exporter.all_well("checkout")
        here.until_firing(0)
        ended = datetime.now(UTC)
        breathe(3)
        with here.us() as us:
            (incident,) = us.until(len, "reconstructed incident")
            us.until_asked()
            assert us.incidents() == [incident]
            assert (incident.reconstructed, incident.status) == (True, Status.RESOLVED)
            assert began <= incident.started_at <= began + timedelta(seconds=20)
            assert incident.resolved_at is not None
            assert began < incident.resolved_at <= ended
            assert us.lines(incident) == ["reconstructed"]
            here.sink.wait_for(1)
        assert here.events() == ["incidents_reconstructed"]


def test_an_outage_that_goes_on_when_we_return_opens_with_its_true_start(here: World) -> None:
    """It is paged as ever, once, and ends as ever."""
    with here.prometheus():
        with here.us() as us:
            us.until_asked()
        here.exporter.broken("checkout")
        here.until_firing(1)
        breathe(2)
        back = datetime.now(UTC)
        with here.us() as us:
            (incident,) = us.until(len, "incident")
            us.until_asked()
            (incident,) = us.incidents()
            assert not incident.reconstructed
            assert incident.started_at < back
            here.exporter.all_well("checkout")
            us.until(lambda found: found[0].status is Status.RESOLVED, "resolution")
            here.sink.wait_for(2)
    assert here.events() == ["incident_opened", "incident_resolved"]


def test_what_ended_while_we_and_prometheus_were_away_is_closed(here: World) -> None:
    """Prometheus forgot it in its restart and never says so: what it knows now does."""
    with here.prometheus(), here.us() as us:
        here.exporter.broken("checkout")
        us.until(len, "incident")
    here.exporter.all_well("checkout")
    breathe(4)
    with here.prometheus(), here.us() as us:
        (incident,) = us.until(lambda found: not found[0].is_open, "resolution")
        assert not incident.reconstructed


def test_a_prometheus_that_restarts_during_an_outage_ends_nothing(tmp_path: Path) -> None:
    """Its rule needs longer to fire again than its last word was good for."""
    with world(tmp_path, hold="8s") as here, here.us() as us:
        with here.prometheus():
            here.exporter.broken("checkout")
            us.until(len, "incident")
        with here.prometheus():
            breathe(7)
            (incident,) = us.incidents()
            assert "resolved" not in us.lines(incident)
            here.until_firing(1)
            us.until_asked()
            here.exporter.all_well("checkout")
            us.until(lambda found: found[0].status is Status.RESOLVED, "resolution")
        (incident,) = us.incidents()
        assert us.lines(incident).count("resolved") == 1
        assert incident.reopened_count == 0


def test_an_alertmanager_that_restarts_during_an_outage_ends_nothing(tmp_path: Path) -> None:
    """It knows no alert until Prometheus tells it anew."""
    port = free_port()
    changes = {"receiver": port, "kind": "alertmanager", "server_url": f"http://127.0.0.1:{port}"}
    with world(tmp_path, **changes) as here:
        config = TO_US.format(port=here.port)
        with here.us() as us, here.prometheus():
            with alertmanager(tmp_path / "am", port, config):
                here.exporter.broken("checkout")
                us.until(len, "incident")
            breathe(2)
            with alertmanager(tmp_path / "am", port, config):
                us.until_asked()
                us.until_asked()
                (incident,) = us.incidents()
                assert "resolved" not in us.lines(incident)
                here.exporter.all_well("checkout")
                us.until(lambda found: found[0].status is Status.RESOLVED, "resolution")
            assert us.lines(us.incidents()[0]).count("resolved") == 1


def test_a_flapping_part_is_one_incident(here: World) -> None:
    """Every return within the window reopens it, under one number."""
    with here.prometheus(), here.us() as us:
        for _ in range(2):
            here.exporter.broken("checkout")
            us.until(lambda found: found and found[-1].is_open, "open incident")
            here.exporter.all_well("checkout")
            us.until(lambda found: not found[-1].is_open, "resolution")
        (incident,) = us.incidents()
        assert incident.reopened_count == 1


def test_a_storm_we_return_into_is_one_incident_for_each_component(here: World) -> None:
    """Two thousand alerts that fired while we were away; all of them end with the storm."""
    here.resend, here.every = "30s", "10s"
    here.exporter.all_well("checkout", "search", count=1_000)
    with here.prometheus():
        with here.us() as us:
            us.until_asked()
        here.exporter.broken("checkout", "search", count=1_000)
        here.until_firing(2_000)
        with here.us() as us:
            us.until(lambda found: len(found) == 2, "two incidents")
            us.until_asked()
            assert [incident.is_open for incident in us.incidents()] == [True, True]
            here.exporter.all_well("checkout", "search", count=1_000)
            us.until(lambda found: not any(i.is_open for i in found), "end of the storm")
            found = us.incidents()
            assert sorted(str(one.component) for one in found) == ["checkout", "search"]
            assert not any(incident.reconstructed for incident in found)
