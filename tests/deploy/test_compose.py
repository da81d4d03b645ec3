"""docker-compose.yml and Dockerfile: every reference leads somewhere, nothing runs with rights."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.settings import Settings
from tests.deploy.compose import ROOT, VARIABLE, compose, host_path, mounts, services

# What Compose knows (https://github.com/compose-spec/compose-spec), as far as this file may use it.
TOP = {"name", "services", "networks", "volumes", "secrets"}
SERVICE = {
    "build", "cap_drop", "command", "depends_on", "entrypoint", "env_file", "environment",
    "healthcheck", "image", "init", "logging", "network_mode", "networks", "ports", "profiles",
    "read_only", "restart", "secrets", "security_opt", "shm_size", "stop_grace_period", "tmpfs",
    "user", "volumes",
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "start_period", "retries", "disable"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
DURATION = re.compile(r"(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
MADE_BY_THE_USER = {"./config", "./secrets"}
EACH = pytest.mark.parametrize(("name", "service"), sorted(services().items()))
RUNNING = pytest.mark.parametrize(
    ("name", "service"), sorted((n, s) for n, s in services().items() if "profiles" not in s)
)


def test_only_keys_that_compose_knows_are_used() -> None:
    """A misspelt key would be an error at start, or worse, be ignored."""
    assert {key for key in compose() if not key.startswith("x-")} == TOP
    for name, service in services().items():
        assert set(service) <= SERVICE, name
        assert set(service["healthcheck"]) <= HEALTH, name


@EACH
def test_volumes_are_files_of_the_project_or_named(name: str, service: dict[str, Any]) -> None:
    """A path that is not there would be made by Docker as an empty folder."""
    for source, target, mode in mounts(service):
        assert target.startswith("/")
        assert mode in ("ro", "rw")
        if source.startswith("."):
            assert source in MADE_BY_THE_USER or (ROOT / source).exists(), source
            assert mode == "ro" or name == "init"
        else:
            assert source in compose()["volumes"]


@EACH
def test_secrets_and_networks_are_defined(name: str, service: dict[str, Any]) -> None:
    """Every name a service uses exists at the top level."""
    assert set(service.get("secrets", [])) <= set(compose()["secrets"])
    assert set(service.get("networks", [])) <= set(compose()["networks"])
    assert bool(service.get("networks")) != bool(service.get("network_mode"))


@pytest.mark.parametrize("kind", ["secrets", "networks", "volumes"])
def test_nothing_is_defined_that_no_service_uses(kind: str) -> None:
    """What stands at the top level is there for somebody."""
    used: set[str] = set()
    for service in services().values():
        named = [source for source, _, _ in mounts(service)]
        used |= set(named if kind == "volumes" else service.get(kind, []))
    assert set(compose()[kind]) <= used


@EACH
def test_what_a_service_waits_for_exists_and_can_become_healthy(
    name: str, service: dict[str, Any]
) -> None:
    """Conditions are known words, and nobody waits for itself in a circle."""
    for other, how in service.get("depends_on", {}).items():
        assert how["condition"] in CONDITIONS
        assert name not in all_before(other)
        if how["condition"] == "service_healthy":
            assert services()[other]["healthcheck"].get("test")


def all_before(name: str) -> set[str]:
    direct = set(services()[name].get("depends_on", {}))
    return {name} | direct | {far for near in direct for far in all_before(near)}


@EACH
def test_images_are_pinned_to_an_exact_version(name: str, service: dict[str, Any]) -> None:
    """Tomorrow's `latest` is somebody else's surprise."""
    tag = service["image"].rpartition(":")[2]
    assert re.match(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", tag), service["image"]


@RUNNING
def test_every_running_service_has_a_complete_health_check(
    name: str, service: dict[str, Any]
) -> None:
    """Form and durations as Compose wants them."""
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert all(isinstance(word, str) for word in check["test"])
    assert int(check["retries"]) >= 1
    for key in ("interval", "timeout", "start_period"):
        assert DURATION.fullmatch(check[key])


@EACH
def test_nothing_runs_as_root_or_gains_rights(name: str, service: dict[str, Any]) -> None:
    """Read-only, no capabilities, no new privileges; only the short-lived tool may be root."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name == "init" or service["user"].split(":")[0] not in ("0", "root")


@EACH
def test_ports_are_open_to_this_machine_alone(name: str, service: dict[str, Any]) -> None:
    """The world is let in by a reverse proxy, or not at all."""
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_the_database_has_no_way_out_and_only_the_monitor_reaches_it() -> None:
    """PostgreSQL is on an internal network, shared with one service."""
    assert compose()["networks"]["database"] == {"internal": True}
    assert services()["postgres"]["networks"] == ["database"]
    assert [n for n, s in services().items() if "database" in s.get("networks", [])] == [
        "monitor",
        "postgres",
    ]


@EACH
def test_no_secret_is_given_as_a_variable(name: str, service: dict[str, Any]) -> None:
    """Passwords and tokens come as files, and each such file is handed in."""
    for variable, value in service.get("environment", {}).items():
        if re.search("PASSWORD|TOKEN|SECRET|DATABASE_URL", variable):
            assert variable.endswith("_FILE")
            assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_the_monitors_variables_are_settings_it_knows() -> None:
    """A variable that is no setting would have no effect."""
    known = {f"MONITOR_{field.upper()}" for field in Settings.model_fields}
    given = {name.removesuffix("_FILE") for name in services()["monitor"]["environment"]}
    assert given <= known


def test_secrets_are_written_once_and_fit_together(tmp_path: Path) -> None:
    """The script makes every secret, the address holds the password, and a second run keeps all."""
    script = ROOT / "docs" / "deploy" / "make-secrets.sh"
    first, second = (run_script(script, tmp_path) for _ in range(2))
    assert first == second
    assert set(first) == set(compose()["secrets"])
    assert f":{first['database_password']}@postgres:5432/monitor" in first["database_url"]
    assert len(set(first.values())) == len(first)
    assert all(len(value) >= 32 for value in first.values())
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def run_script(script: Path, folder: Path) -> dict[str, str]:
    subprocess.run(["sh", script, folder], check=True, capture_output=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_grafana_finds_its_provisioning_and_dashboards() -> None:
    """The paths in Grafana's settings and provisioning lead to this project's folders."""
    provisioning = services()["grafana"]["environment"]["GF_PATHS_PROVISIONING"]
    folder = host_path("grafana", provisioning)
    provider = yaml.safe_load((folder / "dashboards" / "saypro.yml").read_text())["providers"][0]
    assert (host_path("grafana", provider["options"]["path"]) / "overview.json").exists()
    source = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())
    address = source["datasources"][0]["url"]
    assert address == "http://prometheus:9090"
    assert "metrics" in services()["prometheus"]["networks"]


def dockerfile() -> list[str]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_runs_without_root_from_a_pinned_python() -> None:
    """The last stage sets a user, and both stages build on one exact version."""
    lines = dockerfile()
    last = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :]
    assert any(line.startswith("USER 10001:10001") for line in last)
    assert re.fullmatch(r"ARG PYTHON=3\.\d+\.\d+-slim-\w+", lines[0])
    assert {line.split()[1] for line in lines if line.startswith("FROM")} == {"python:${PYTHON}"}
    assert services()["monitor"]["user"] == "10001:10001"


def test_everything_the_image_copies_exists_and_reaches_the_builder() -> None:
    """COPY sources are in the project, and .dockerignore lets exactly them through."""
    copied = [
        source
        for line in dockerfile()
        if line.startswith("COPY") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line
    ]
    assert all((ROOT / source).exists() for source in copied)
    assert sorted(copied) == sorted(allowed)


def test_the_image_listens_where_compose_looks() -> None:
    """Port and paths of the image and of the service agree."""
    text = "\n".join(dockerfile())
    assert "MONITOR_PORT=8080" in text
    assert "EXPOSE 8080" in text
    for folder in ("/etc/monitor", "/var/lib/monitor"):
        assert folder in text
        assert folder in [target for _, target, _ in mounts(services()["monitor"])]


def test_every_variable_of_the_file_is_documented() -> None:
    """What `.env` may hold stands in docs/deploy.md with its default."""
    text = (ROOT / "docker-compose.yml").read_text()
    page = (ROOT / "docs" / "deploy.md").read_text()
    found = VARIABLE.findall(text)
    assert len(found) == text.count("${")
    for name, default in found:
        assert re.search(rf"^\| `{name}` \|.*\| `{re.escape(default)}` \|$", page, re.MULTILINE)
