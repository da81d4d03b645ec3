"""The disk fills up, or the database goes away and comes back, in the middle of an outage."""

from __future__ import annotations

import json
import os
import resource
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.real.process import wait_for
from tests.real.served import Served, Town, town
from tests.servers import postgres_program, postgres_server, running_cluster

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALERT = [{"labels": {"alertname": "SentMeanwhile", "severity": "critical"}}]


def send_alert(service: Served) -> int:
    """Send an alert as Prometheus does; return the status."""
    request = urllib.request.Request(
        service.url + "/api/v2/alerts",
        json.dumps(ALERT).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def page_status(service: Served) -> int:
    """Return how the public page is answered."""
    try:
        with urllib.request.urlopen(service.url + "/", timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def goes_on(place: Town, service: Served) -> None:
    """What happened meanwhile is told, once, and ends when it is over."""
    wait_for(lambda: send_alert(service) == 200, "accepted alert", 60)
    place.wait_until_told("incident_opened")
    wait_for(lambda: len(service.incidents()) >= 1, "public incident")
    place.shop.clear_faults()
    place.wait_until_told("incident_resolved")
    keys = [key for _, key in place.told()]
    assert len(keys) == len(set(keys))
    assert service.terminal.end(signal.SIGTERM, seconds=30) == 0


def test_a_full_disk_stops_nothing_but_saving(tmp_path: Path) -> None:
    """Readers read, senders are told to come again, and when there is room all of it is told."""
    with town(tmp_path) as place, place.service() as service:
        service.wait_until_all_is_well()
        pid = service.terminal.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        assert wait_for(lambda: send_alert(service) == 503, "refusal")
        place.shop.set_fault("gateway_refuses")
        assert page_status(service) == 200
        assert service.metric("process_start_time_seconds")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        goes_on(place, service)


def test_a_database_that_goes_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    """The page is served for a while, senders are told to come again, and the outage is told."""
    programs = postgres_program()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server(programs) as server:
        server.run("CREATE DATABASE monitor")
        user = "postgres" if os.geteuid() == 0 else None
        with town(tmp_path, server.url("monitor")) as place, place.service() as service:
            service.wait_until_all_is_well()
            assert page_status(service) == 200
            os.kill(server.pid, signal.SIGINT)
            wait_for(lambda: send_alert(service) == 503, "refusal", 60)
            assert page_status(service) == 200
            place.shop.set_fault("gateway_refuses")
            with running_cluster(programs, server.folder, user):
                goes_on(place, service)
