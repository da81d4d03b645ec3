"""The webhook of an Alertmanager, with its traps."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from incidents.alerts.model import fingerprint
from incidents.alerts.webhook_v4 import parse
from tests.shared_data import shared_json, shared_path

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def webhook(*alerts: object, **more: object) -> bytes:
    return json.dumps({"version": "4", "alerts": alerts, **more}).encode()


def alert(status: str = "firing", **more: object) -> dict[str, object]:
    return {"status": status, "labels": {"alertname": "A"}, **more}


@pytest.mark.parametrize(
    ("name", "resolved"),
    [
        ("firing_one", [False]),
        ("firing_two", [False, False]),
        ("one_of_two_resolved", [False, True]),
        ("resolved", [True, True]),
        ("false_resolved_after_restart", [True]),
    ],
)
def test_each_alert_has_its_own_status(name: str, resolved: list[bool]) -> None:
    """The group's status is not asked (captured from Alertmanager 0.25.0)."""
    path = f"fixtures/alertmanager/webhook_v4_{name}.json"
    parsed = parse(shared_path(path).read_bytes(), NOW)
    sent = shared_json(path)["alerts"]
    assert sorted(a.is_resolved(NOW) for a in parsed.alerts) == sorted(resolved)
    assert [a.fingerprint for a in parsed.alerts] == [a["fingerprint"] for a in sent]


def test_a_cut_off_group_that_says_resolved_resolves_only_what_it_lists() -> None:
    """Two alerts were firing and cut off while the body said resolved."""
    path = "fixtures/alertmanager/webhook_v4_truncated_status_wrong.json"
    parsed = parse(shared_path(path).read_bytes(), NOW)
    assert ([a.is_resolved(NOW) for a in parsed.alerts], parsed.cut_off) == ([True], 2)


def test_a_firing_alert_has_no_end() -> None:
    """Its sender repeats it at an interval nobody here knows."""
    parsed = parse(webhook(alert(endsAt="0001-01-01T00:00:00Z")), NOW)
    assert parsed.alerts[0].ends_at is None


def test_a_resolved_alert_without_an_end_ended_now() -> None:
    """And one that ends in the future is over all the same: its sender says so."""
    later = (NOW + timedelta(hours=1)).isoformat()
    parsed = parse(webhook(alert("resolved"), alert("resolved", endsAt=later)), NOW)
    assert [a.ends_at for a in parsed.alerts] == [NOW, NOW]


def test_unknown_keys_are_welcome() -> None:
    """Newer senders add some."""
    parsed = parse(webhook(alert(new=1), notification_reason="x", routeLabels={}), NOW)
    assert parsed.alerts[0].fingerprint == fingerprint({"alertname": "A"})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "unexpected end"),
        (b"[]", "expected an object"),
        (b'{"version":"3"}', "expected version '4'"),
        (webhook(1), "alerts: expected a list"),
        (webhook(alert("broken")), "alerts.0.status"),
        (webhook(alert(labels={})), "alerts.0.labels"),
        (webhook(alert(labels={"a": 1})), "alerts.0.labels"),
        (webhook(alert(), alert(startsAt="soon")), "alerts.1.startsAt"),
        (webhook(alert(endsAt=5)), "alerts.0.endsAt"),
    ],
)
def test_what_it_is_not_is_refused_with_its_place(body: bytes, says: str) -> None:
    """The sender's log says what to look at."""
    parsed = parse(body, NOW)
    assert parsed.refusal is not None
    assert says in parsed.refusal.body["message"]
    assert (parsed.refusal.status, parsed.alerts) == (400, ())
