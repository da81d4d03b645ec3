"""Whatever stands in a file of an operator, every fault is listed; nothing else is raised."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.load import load_configuration
from monitor.demo_run import write_demo_folder
from monitor.notify.email import SmtpServer
from monitor.rules.files import load_rule_files
from monitor.rules.unit_tests import run_test_files
from monitor.settings import load_settings
from probes.faults import FaultyInput
from probes.journey import load_journeys
from tests.hostile import TEXTS, WORDS, broken

ROOT = Path(__file__).parents[3]
JOURNEYS = sorted((ROOT / "probes" / "journeys").glob("*.yml"))
RULES = sorted((ROOT / "alert_rules").glob("*.yml"))
ODD = st.text(":{}[]-&*!|>%@`'\"#\n\t 0aé", max_size=40) | TEXTS


def document(path: Path) -> Any:
    """Return what a shipped file says."""
    return yaml.safe_load(path.read_text("utf-8"))


def written(value: Any) -> str:
    """Return a document as YAML; texts that YAML has no way to write are left to the other case."""
    try:
        return yaml.safe_dump(value, allow_unicode=True)
    except (UnicodeEncodeError, ValueError):
        return "x"


def in_a_file(read: Callable[[Path], object], text: str, **beside: str) -> None:
    """Have a reader read the text; it gives a result or a list of faults."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.yml"
        path.write_text(text, "utf-8", errors="surrogatepass")
        for name, said in beside.items():
            (path.parent / name).write_text(said, "utf-8")
        with suppress(FaultyInput):
            read(path)


@settings(deadline=None)
@given(st.sampled_from([document(path) for path in JOURNEYS]).flatmap(broken).map(written) | ODD)
def test_any_journey_is_read_or_its_faults_are_listed(text: str) -> None:
    """Near a shipped one, or any text."""
    in_a_file(lambda path: load_journeys(path.parent), text)


ONE_GROUP = {
    "groups": [
        {
            "name": "probes",
            "interval": "30s",
            "rules": [
                {"record": "journey:failures:rate5m", "expr": "rate(probe_failures_total[5m])"},
                {
                    "alert": "ProbeFailing",
                    "expr": "journey:failures:rate5m > 0.5",
                    "for": "2m",
                    "keep_firing_for": "5m",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "{{ $labels.journey }}: {{ $value | humanize }}"},
                },
            ],
        }
    ]
}
A_TEST = {
    "rule_files": ["probes"],
    "evaluation_interval": "1m",
    "tests": [
        {
            "interval": "1m",
            "input_series": [{"series": 'up{job="a"}', "values": "1x5 _ stale 1+1x3"}],
            "alert_rule_test": [
                {
                    "eval_time": "5m",
                    "alertname": "ProbeFailing",
                    "exp_alerts": [{"exp_labels": {"severity": "critical"}}],
                }
            ],
            "promql_expr_test": [
                {"expr": "up", "eval_time": "1m", "exp_samples": [{"labels": "up", "value": 1}]}
            ],
        }
    ],
}


@settings(deadline=None)
@given(broken(ONE_GROUP).map(written) | ODD)
def test_any_rule_file_is_read_or_its_faults_are_listed(text: str) -> None:
    """Near a good one, or any text."""
    in_a_file(lambda path: load_rule_files([path]), text)


@settings(deadline=None, max_examples=50)
@given(broken(A_TEST).map(written) | ODD)
def test_any_rule_test_is_run_or_its_faults_are_listed(text: str) -> None:
    """What is wrong is told in the report."""
    in_a_file(lambda path: run_test_files([path]), text, probes=written(ONE_GROUP))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good configuration folder, without rules of its own."""
    folder = tmp_path_factory.mktemp("config")
    write_demo_folder(folder, "http://127.0.0.1:1")
    for path in (folder / "journeys").glob("*.yml"):
        if path.stem != "login":
            path.unlink()
    (folder / "alert_rules").mkdir()
    return folder


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_configuration_is_read_or_its_faults_are_listed(
    demo: Path, data: st.DataObject
) -> None:
    """`monitor.yml` near the demo's, or any text."""
    path = demo / "monitor.yml"
    good = path.read_text("utf-8")
    text = data.draw(broken(yaml.safe_load(good)).map(written) | ODD)
    try:
        path.write_text(text, "utf-8", errors="surrogatepass")
        with suppress(FaultyInput):
            load_configuration(demo)
    finally:
        path.write_text(good, "utf-8")


@given(
    st.sampled_from(["smtp://", "smtps://", "http://", ""]),
    st.text("abc:@[]%/?=&.é0123456789", max_size=25) | TEXTS,
)
def test_any_address_of_a_mail_server_is_read_or_refused(scheme: str, rest: str) -> None:
    """It comes from the environment."""
    with suppress(ValueError):
        server = SmtpServer.parse(scheme + rest)
        assert server.host
        assert 0 < server.port < 65_536


NAMES = ("MONITOR_DATABASE_URL", "MONITOR_SMTP_URL", "MONITOR_PORT", "MONITOR_PUBLIC_URL")


@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "MONITOR_TRUSTED_PROXIES", "MONITOR_SHUTDOWN_GRACE"]),
        st.sampled_from(WORDS) | st.text(max_size=20),
    )
)
def test_any_environment_is_settings_or_its_faults_are_listed(environ: dict[str, str]) -> None:
    """Every variable, whatever it says."""
    with suppress(FaultyInput):
        load_settings(environ)
