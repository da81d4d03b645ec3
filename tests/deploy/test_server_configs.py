"""The very files that Prometheus and Alertmanager get, checked by their own tools."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.deploy.compose import ROOT, compose, place, services
from tests.servers import find_program

DEPLOY = ROOT / "docs" / "deploy"
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
ALERTMANAGER = yaml.safe_load((DEPLOY / "alertmanager.yml").read_text())
RULES = yaml.safe_load((DEPLOY / "rules.yml").read_text())["groups"]


def run(program: str, *arguments: str | Path) -> str:
    found = find_program(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([found, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.real
def test_promtool_accepts_the_configuration_and_all_rules(tmp_path: Path) -> None:
    """Paths replaced, nothing else."""
    secrets = tmp_path / "secrets"
    subprocess.run(["sh", DEPLOY / "make-secrets.sh", tmp_path], check=True, capture_output=True)
    text = place(
        "prometheus", (DEPLOY / "prometheus.yml").read_text(), {"/run/secrets": str(secrets)}
    )
    (tmp_path / "prometheus.yml").write_text(text)
    run("promtool", "check", "config", tmp_path / "prometheus.yml")


@pytest.mark.real
def test_amtool_accepts_the_configuration() -> None:
    """As it stands."""
    run("amtool", "check-config", DEPLOY / "alertmanager.yml")


@pytest.mark.real
@pytest.mark.parametrize(
    ("labels", "receiver"), [("path=fallback", "fallback"), ("severity=critical", "nobody")]
)
def test_only_what_the_monitor_cannot_tell_is_mailed(labels: str, receiver: str) -> None:
    """Alerts of the shop reach people through the monitor alone."""
    out = run(
        "amtool", "config", "routes", "test", "--config.file", DEPLOY / "alertmanager.yml", labels
    )
    assert out.strip() == receiver


@pytest.mark.parametrize("rule", [r for group in RULES for r in group["rules"]], ids=str)
def test_every_fallback_rule_is_routed_and_has_a_runbook(rule: dict[str, object]) -> None:
    """Labels lead to the fallback receiver; docs/deploy.md says what to do."""
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    assert isinstance(rule["labels"], dict)
    assert rule["labels"]["path"] == "fallback"
    page = (ROOT / "docs" / "deploy.md").read_text()
    assert f"### {rule['alert']}\n" in page
    assert urlsplit(annotations["runbook_url"]).fragment == str(rule["alert"]).lower()


def test_every_target_is_a_service_on_a_shared_network_and_its_port() -> None:
    """Names in Prometheus's file are names in docker-compose.yml."""
    here = set(services()["prometheus"]["networks"])
    for target in targets():
        host, _, port = target.partition(":")
        service = services()["prometheus" if host == "localhost" else host]
        assert here & set(service["networks"])
        assert any(text.endswith(f":{port}") for text in service["ports"])


def targets() -> list[str]:
    """Return every address in Prometheus's file."""
    jobs = [*PROMETHEUS["scrape_configs"], *PROMETHEUS["alerting"]["alertmanagers"]]
    return [target for job in jobs for s in job["static_configs"] for target in s["targets"]]


def test_prometheus_reads_only_secrets_it_is_given() -> None:
    """Every credentials file is a secret of the service."""
    jobs = [*PROMETHEUS["scrape_configs"], *PROMETHEUS["alerting"]["alertmanagers"]]
    files = [job["authorization"]["credentials_file"] for job in jobs if "authorization" in job]
    given = {f"/run/secrets/{name}" for name in services()["prometheus"]["secrets"]}
    assert set(files) == given
    assert given <= {f"/run/secrets/{name}" for name in compose()["secrets"]}


def test_grafana_steps_as_prometheus_scrapes() -> None:
    """`$__rate_interval` is derived from the scrape interval told to Grafana."""
    file = ROOT / "dashboards" / "provisioning" / "datasources" / "prometheus.yml"
    source = yaml.safe_load(file.read_text())["datasources"][0]
    assert source["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]


@pytest.mark.real
def test_a_dead_monitor_is_told_after_a_minute_and_not_before(tmp_path: Path) -> None:
    """A minute of failed scrapes fires, a shorter gap does not, and it resolves."""
    (tmp_path / "test.yml").write_text(yaml.safe_dump(RULE_TEST))
    run("promtool", "test", "rules", tmp_path / "test.yml")


def expected(alert: str, labels: dict[str, str], filled: dict[str, str]) -> list[dict[str, object]]:
    rule = next(r for group in RULES for r in group["rules"] if r["alert"] == alert)
    annotations = dict(rule["annotations"])
    for there, here in filled.items():
        annotations["description"] = annotations["description"].replace(there, here)
    return [{"exp_labels": {**rule["labels"], **labels}, "exp_annotations": annotations}]


DOOR = "http://monitor:8080/api/v2/alerts"
DOWN = expected(
    "MonitorDown",
    {"job": "monitor", "instance": "monitor:8080"},
    {"{{ $labels.instance }}": "monitor:8080"},
)
DEAF = expected(
    "AlertsNotReachingMonitor", {"alertmanager": DOOR}, {"{{ $labels.alertmanager }}": DOOR}
)
RULE_TEST = {
    "rule_files": [str(DEPLOY / "rules.yml")],
    "evaluation_interval": "10s",
    "tests": [
        {
            "interval": "10s",
            "input_series": [
                {"series": 'up{job="monitor", instance="monitor:8080"}', "values": "1x5 0x9 1x20"},
                {
                    "series": f'prometheus_notifications_errors_total{{alertmanager="{DOOR}"}}',
                    "values": "0x99 1+1x30",
                },
            ],
            "alert_rule_test": [
                {"eval_time": "110s", "alertname": "MonitorDown", "exp_alerts": []},
                {"eval_time": "120s", "alertname": "MonitorDown", "exp_alerts": DOWN},
                {"eval_time": "160s", "alertname": "MonitorDown", "exp_alerts": []},
                {"eval_time": "1000s", "alertname": "AlertsNotReachingMonitor", "exp_alerts": []},
                {"eval_time": "1200s", "alertname": "AlertsNotReachingMonitor", "exp_alerts": DEAF},
            ],
        }
    ],
}
