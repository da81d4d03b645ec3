"""Prometheus, Alertmanager and PostgreSQL, started from the files of docker-compose.yml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from dashboards.build import DASHBOARDS, FOLDER
from tests.dashboards.queries import panel_queries
from tests.real.team import Team, running_team, wait_for
from tests.servers import Postgres, find_program

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]
QUERIES = [
    query
    for name in sorted(DASHBOARDS)
    for query in panel_queries(json.loads((FOLDER / name).read_text("utf-8")), "40s")
]


@pytest.fixture(scope="module")
def team(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose checkout broke while everything was running, seen by everyone."""
    for program in ("prometheus", "prometheus-alertmanager"):
        if find_program(program) is None:
            pytest.skip(f"{program} is not installed")
    postgres.run("CREATE DATABASE team TEMPLATE migrated")
    with running_team(tmp_path_factory.mktemp("team"), postgres.url("team")) as team:
        wait_for(lambda: len(team.query("probe_up == 1")) >= 3)
        wait_for(lambda: len(team.query('up{job="prometheus"} == 1')) == 1)
        team.shop.set_fault("gateway_refuses")
        wait_for(lambda: len(team.incidents()) > 0, seconds=90)
        yield team
    postgres.run("DROP DATABASE team WITH (FORCE)")


def test_prometheus_evaluates_the_rules_and_its_post_opens_the_incident(team: Team) -> None:
    """A broken checkout becomes one public incident without our own evaluator."""
    wait_for(lambda: len(team.query('ALERTS{alertname="JourneyDown", journey="checkout"}')) == 1)
    assert len(team.incidents()) == 1


def test_the_engineer_on_call_is_told_by_the_monitor(team: Team) -> None:
    """One page, by the channel of the configuration folder."""
    team.sink.wait_for(1, timeout_seconds=30)
    events = [json.loads(post.body)["event"] for post in team.sink.posts]
    assert events.count("incident_opened") == 1


def test_every_scrape_target_is_up(team: Team) -> None:
    """Addresses, paths and tokens of the file are right."""
    assert {found["metric"]["job"] for found in team.query("up == 1")} == {
        "monitor",
        "prometheus",
        "alertmanager",
    }


def test_prometheus_posts_to_the_monitor_and_to_alertmanager(team: Team) -> None:
    """Both receive alerts, and neither refuses one."""
    found = requests.get(f"{team.prometheus}/api/v1/alertmanagers", timeout=10).json()
    assert len(found["data"]["activeAlertmanagers"]) == 2
    assert team.query("prometheus_notifications_errors_total > 0") == []


def test_alertmanager_keeps_silent_about_what_the_monitor_tells(team: Team) -> None:
    """The shop's alerts are routed to nobody there."""
    wait_for(lambda: len(alerts_at(team)) > 0)
    for alert in alerts_at(team):
        if alert["labels"].get("path") != "fallback":
            assert [receiver["name"] for receiver in alert["receivers"]] == ["nobody"]


def alerts_at(team: Team) -> list[dict[str, Any]]:
    answer = requests.get(f"{team.alertmanager}/api/v2/alerts", timeout=10)
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_every_panel_returns_data_during_the_outage(team: Team, query: str) -> None:
    """A dashboard that is empty when it matters is worth nothing; recording rules need a round."""
    wait_for(lambda: len(team.query(query)) > 0)


def test_without_its_token_nobody_posts_alerts_or_reads_metrics(team: Team) -> None:
    """The doors that Prometheus uses are closed to others."""
    alerts = requests.post(f"{team.monitor}/api/v2/alerts", json=[], timeout=10)
    metrics = requests.get(f"{team.monitor}/metrics", timeout=10, allow_redirects=False)
    assert alerts.status_code == 401
    assert metrics.status_code in (303, 401)
    assert "probe_runs_total" not in metrics.text
