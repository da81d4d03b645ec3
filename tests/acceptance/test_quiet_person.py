"""A person's quiet hours through the whole service: from the alert to what their phone shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient

from tests.acceptance.town import Town, running_town
from tests.notices import lines

pytestmark = pytest.mark.slow
STAFF = """
people:
  - {name: thandi, channels: [thandi-phone], quiet_hours: {from: "11:00", until: "11:03"}}
  - {name: sipho, channels: [sipho-phone]}
teams: [{name: shop, members: [thandi, sipho]}]
schedules: []
escalation:
  - name: shop
    steps:
      - {tell: [{person: thandi}], wait: 2m}
      - {tell: [{person: sipho}], wait: 10m}
    last_resort: [{channel: on-call}]
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town at eleven by its wall, whose first engineer is to be left in peace until 11:03."""
    with running_town(tmp_path) as made:
        path = made.service.holder.current.folder / "monitor.yml"
        settings = {**yaml.safe_load(path.read_text("utf-8")), **yaml.safe_load(STAFF)}
        for name in ("thandi-phone", "sipho-phone"):
            where = {"url": f"{made.sink.url}/{name}"}
            phone = {"name": name, "kind": "webhook", "audience": "person", "settings": where}
            settings["channels"].append(phone)
        path.write_text(yaml.safe_dump(settings), "utf-8")
        made.service.reload()
        assert made.service.holder.last_reload.successful, made.service.holder.last_reload
        yield made


def fire(town: Town, component: str, severity: str) -> None:
    """Have a program of this machine send an alert that lasts for an hour."""
    alert = {
        "labels": {"alertname": "Slow", "component": component, "severity": severity},
        "annotations": {"summary": f"{component} is slow"},
        "endsAt": (town.clock.now() + timedelta(hours=1)).isoformat(),
    }
    client = TestClient(town.service.app, client=("127.0.0.1", 50_000))
    assert client.post("/api/v2/alerts", json=[alert]).is_success


def paged(town: Town, name: str) -> list[str]:
    """Return the incidents of which somebody's phone told, in order."""
    posts = [post for post in town.sink.posts if post.path.endswith(f"/{name}-phone")]
    return [json.loads(post.body)["data"]["incident"]["name"] for post in posts]


def test_only_what_must_wake_a_person_goes_out_in_their_quiet_hours(town: Town) -> None:
    """The other page says on its incident until when it waits; meanwhile the next one is called."""
    fire(town, "search", "warning")
    town.pass_time(5)
    fire(town, "checkout", "critical")
    town.pass_time(10)
    assert paged(town, "thandi") == ["INC-2"]
    waits = "Not yet told thandi-phone: quiet hours. It is due at 2026-11-22 09:03:00 UTC."
    assert lines(town.service.store, 1)[-1] == ("notification_delayed", waits)
    town.pass_time(135, step=15)
    assert (paged(town, "thandi"), paged(town, "sipho")) == (["INC-2"], ["INC-1", "INC-2"])
    town.pass_time(15, step=15)
    assert paged(town, "thandi") == ["INC-2", "INC-1"]
    assert lines(town.service.store, 1)[-1][1].startswith(
        "Told thandi-phone: INC-1 paged [warning]"
    )
