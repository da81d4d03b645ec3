"""Two whole services on one PostgreSQL: shared work, nothing twice, and each other's heirs."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.shift import LEASE, RENEW_SECONDS
from monitor.storage.engine import open_engine
from monitor.storage.schema import component_states, incidents, outbox, reports, runs
from monitor.storage.store import Store
from tests.real.process import wait_for
from tests.real.served import Served, town

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

TAKEN_OVER_SECONDS = LEASE.total_seconds() + RENEW_SECONDS
JOURNEY_SECONDS = 5  # the shortest interval of the demo shop


def journey_runs(store: Store) -> list[tuple[str, timedelta]]:
    """Return (journey, time since its last first attempt) of every run after the second.

    The first is done at the start, outside the slots: the second may follow it at once.
    """
    with store.read() as connection:
        rows = connection.execute(
            select(runs.c.journey, runs.c.started_at)
            .where(runs.c.attempt == 1)
            .order_by(runs.c.journey, runs.c.started_at)
        ).all()
    in_slots = [
        row
        for before, row in pairwise(rows)
        if before.journey == row.journey  # which leaves out each journey's first
    ]
    return [
        (after.journey, after.started_at - before.started_at)
        for before, after in pairwise(in_slots)
        if before.journey == after.journey
    ]


def check_nothing_doubled(store: Store) -> None:
    """One open incident a cause, one row a notification, one state a component."""
    with store.read() as connection:
        open_keys = connection.execute(
            select(incidents.c.key).where(incidents.c.open_marker == 1)
        ).scalars()
        keys = Counter(connection.execute(select(outbox.c.key)).scalars())
        current = connection.execute(
            select(component_states.c.component).where(component_states.c.until.is_(None))
        ).scalars()
        assert max(Counter(open_keys).values(), default=1) == 1
        assert max(keys.values(), default=1) == 1
        assert max(Counter(current).values(), default=1) == 1


def watching(services: list[Served]) -> list[int]:
    """Return which of the services publish the verdict on a journey."""
    return [n for n, one in enumerate(services) if one.verdict("checkout") is not None]


def post_report(service: Served) -> None:
    """Report a problem as a user's program does."""
    body = json.dumps({"description": "Paying fails", "component": "checkout"}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{service.url}/api/v1/reports", body, headers)
    urllib.request.urlopen(request, timeout=10).close()


def reports_counted(services: list[Served]) -> float:
    """Return the user reports all the services together count."""
    lines = [
        line
        for one in services
        for line in one.get("/metrics").splitlines()
        if line.startswith("monitor_user_reports_total{")
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_two_replicas_share_duties_and_inherit_them(postgres_url: str, tmp_path: Path) -> None:
    """An outage spans the death of the replica that watched: one incident, told once, ended."""
    with (
        closing(Store(open_engine(postgres_url))) as store,
        town(tmp_path, postgres_url) as place,
        place.service("one") as one,
        place.service("two") as two,
    ):
        both = [one, two]
        one.wait_until_all_is_well()
        (first,) = wait_for(lambda: watching(both), "watching replica")
        post_report(both[1 - first])
        wait_for(lambda: reports_counted(both) == 1, "counted report")
        place.shop.set_fault("gateway_refuses")
        place.wait_until_told("incident_opened")
        early = [gap for _, gap in journey_runs(store)]
        assert min(early, default=timedelta(hours=1)) > timedelta(seconds=JOURNEY_SECONDS / 2)
        both[first].kill()
        heir = both[1 - first]
        wait_for(
            lambda: heir.verdict("checkout") is not None,
            "heir",
            seconds=3 * TAKEN_OVER_SECONDS,  # a loaded machine may be slow to renew
        )
        assert [name for name, _ in place.told()] == ["incident_opened"]
        place.shop.clear_faults()
        place.wait_until_told("incident_resolved")
        heir.wait_until_all_is_well()
        check_nothing_doubled(store)
        assert [name for name, _ in place.told()] == ["incident_opened", "incident_resolved"]
        with store.read() as connection:
            assert len(connection.execute(select(reports.c.id)).all()) == 1
        assert heir.terminal.complaints() == []
