"""Whatever a server answers, it is understood or named as no answer; nothing else is raised."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts.wire import NotReadable, read_json
from monitor.config.model import ReconcileServer
from monitor.fetching import Fetched, Unanswered
from monitor.reconcile import asking
from monitor.reconcile.asking import Asker
from monitor.reconcile.knowledge import ask_alertmanager, ask_history, ask_prometheus
from tests.hostile import TEXTS, VALUES, broken
from tests.notices import make_context

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SERVER = ReconcileServer.model_validate({"name": "one", "url": "http://prometheus.test"})
CONFIGURATION = "global: {external_labels: {region: eu}}\nalerting: {alert_relabel_configs: []}\n"
LABELS = {"alertname": "ProbeFailing", "severity": "critical"}
RULES = {
    "groups": [
        {
            "interval": 60,
            "rules": [
                {
                    "name": "ProbeFailing",
                    "health": "ok",
                    "duration": 120,
                    "lastEvaluation": "2026-11-22T08:59:30Z",
                    "alerts": [
                        {
                            "labels": LABELS,
                            "annotations": {"summary": "down"},
                            "state": "firing",
                            "activeAt": "2026-11-22T08:00:00Z",
                        }
                    ],
                }
            ],
        }
    ]
}
PROMETHEUS = {
    "/api/v1/status/config": {"data": {"yaml": CONFIGURATION}},
    "/api/v1/status/runtimeinfo": {"data": {"startTime": "2026-11-01T00:00:00Z"}},
    "/api/v1/rules": {"data": RULES},
}
ALERTMANAGER = {
    "/api/v2/status": {"uptime": "2026-11-01T00:00:00Z"},
    "/api/v2/alerts": [
        {
            "labels": LABELS,
            "annotations": {"summary": "down"},
            "startsAt": "2026-11-22T08:00:00Z",
            "generatorURL": "http://prometheus.test/graph",
            "status": {"state": "active"},
        }
    ],
}
HISTORY = {
    "/api/v1/query_range": {
        "data": {"result": [{"metric": {"__name__": "ALERTS", **LABELS}, "values": [[1.8e9, "1"]]}]}
    }
}


class Told(Asker):
    """A server that answers what the test says."""

    def __init__(self, answers: Any) -> None:
        super().__init__(SERVER, make_context())
        self._answers = answers

    def get(self, path: str, **parameters: str) -> Any:
        """Return the answer of that path, as it comes over the wire."""
        answer = self._answers.get(path) if isinstance(self._answers, dict) else self._answers
        try:
            return read_json(json.dumps(answer).encode())
        except NotReadable as error:
            raise Unanswered(str(error)) from error


def test_good_answers_are_understood() -> None:
    """What the cases below break is right as it stands."""
    known = ask_prometheus(Told(PROMETHEUS), NOW)
    assert [alert.labels["region"] for alert in known.firing] == ["eu"]
    assert known.firing[0].starts_at == NOW.replace(hour=8, minute=2)
    assert ask_alertmanager(Told(ALERTMANAGER), NOW).may_close
    [episode], _ = ask_history(Told(HISTORY), {}, NOW - timedelta(days=1), NOW, timedelta(0))
    assert episode.labels == LABELS


@given(broken(PROMETHEUS))
def test_any_answers_of_a_prometheus(answers: Any) -> None:
    """Known or unanswered."""
    with suppress(Unanswered):
        ask_prometheus(Told(answers), NOW)


@given(TEXTS | st.text(":{}[]-&*!| \n'\"0a", max_size=30))
def test_any_configuration_of_a_prometheus(text: str) -> None:
    """Its YAML is a text from outside too."""
    answers = {**PROMETHEUS, "/api/v1/status/config": {"data": {"yaml": text}}}
    with suppress(Unanswered):
        ask_prometheus(Told(answers), NOW)


@given(broken(ALERTMANAGER))
def test_any_answers_of_an_alertmanager(answers: Any) -> None:
    """Known or unanswered."""
    with suppress(Unanswered):
        ask_alertmanager(Told(answers), NOW)


@given(broken(HISTORY))
def test_any_history(answers: Any) -> None:
    """Episodes or unanswered."""
    with suppress(Unanswered):
        ask_history(Told(answers), {"region": "eu"}, NOW - timedelta(days=1), NOW, timedelta(0))


@given(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40))
def test_any_body(body: bytes) -> None:
    """What is no JSON is no answer; NaN and what no database keeps do not get in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "fetch", lambda *_, **__: Fetched(body, "application/json"))
        with suppress(Unanswered):
            said = Asker(SERVER, make_context()).get("/api/v1/rules")
            json.dumps(said, allow_nan=False, ensure_ascii=False).encode()
