"""The whole service on PostgreSQL."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.real.process import wait_for
from tests.real.served import town

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_an_outage_is_told_and_ended_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """From the broken shop to the webhook and back, and nothing is written beside the database."""
    with town(tmp_path, postgres_url) as place, place.service() as service:
        service.wait_until_all_is_well()
        place.shop.set_fault("gateway_refuses")
        place.wait_until_told("incident_opened")
        assert wait_for(service.incidents, "public incident")
        place.shop.clear_faults()
        place.wait_until_told("incident_resolved")
        service.wait_until_all_is_well()
        assert [name for name, _ in place.told()] == ["incident_opened", "incident_resolved"]
        assert service.terminal.end(signal.SIGTERM, seconds=15) == 0
        assert service.terminal.complaints() == []
    assert not list(place.data.glob("*.db"))
