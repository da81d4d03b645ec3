"""The door for Prometheus answers like an Alertmanager."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts.v2 import parse, refuse_content_type
from incidents.alerts.wire import NotReadable, Refusal, read_time, write_time
from tests.shared_data import SHARED, shared_json, shared_path

NOW = datetime(2026, 11, 22, 2, 51, 36, 807000, tzinfo=UTC)
FIXTURE = SHARED / "fixtures/alertmanager/api_v2_post_validation.json"
CASES = json.loads(FIXTURE.read_text(encoding="utf-8"))["cases"] if FIXTURE.exists() else []
WANTED_OTHERWISE = "startsAt empty string"  # Alertmanager takes it for 1970


def body_of(case: dict[str, Any]) -> bytes:
    request = case["request"]
    return request.encode("latin-1") if isinstance(request, str) else json.dumps(request).encode()


def one(**alert: object) -> bytes:
    return json.dumps([{"labels": {"alertname": "A"}, **alert}]).encode()


@pytest.mark.skipif(not CASES, reason="the captured posts are not here")
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_captured_posts_are_answered_as_alertmanager_answered_them(case: dict[str, Any]) -> None:
    """Status, body and what is stored, for 35 good and bad requests."""
    refusal = refuse_content_type(case["content_type"])
    parsed = parse(body_of(case), NOW)
    refusal = refusal or parsed.refusal
    expected = Refusal(case["http_status"], case["response"])
    assert (refusal or Refusal(200, "")) == expected
    if case["http_status"] != 415:
        stored = [dict(alert["labels"]) for alert in case["stored"]]
        assert list({a.fingerprint: dict(a.labels) for a in parsed.alerts}.values()) == stored


@pytest.mark.skipif(not CASES, reason="the captured posts are not here")
@pytest.mark.parametrize(
    "case", [c for c in CASES if c["stored"] and c["case"] != WANTED_OTHERWISE], ids=str
)
def test_captured_posts_get_the_times_alertmanager_gave_them(case: dict[str, Any]) -> None:
    """Missing starts and ends are filled in alike; its clock ran up to 100 ms on."""
    alert, stored = parse(body_of(case), NOW).alerts[-1], case["stored"][-1]
    for ours, theirs in ((alert.starts_at, "startsAt"), (alert.ends_at, "endsAt")):
        given_time = read_time(stored[theirs])
        assert ours is not None
        assert given_time is not None
        assert abs(ours - given_time) < timedelta(seconds=0.1)


def test_an_empty_start_is_no_start() -> None:
    """It is now, not the year 1970."""
    assert parse(one(startsAt=""), NOW).alerts[0].starts_at == NOW


@pytest.mark.parametrize(
    "name",
    ["firing_first", "firing_resend", "batch_of_two", "resolved", "before_restart"],
)
def test_what_prometheus_sends_is_taken_whole(name: str) -> None:
    """Captured from Prometheus 2.42.0."""
    body = shared_path(f"fixtures/prometheus/post_alerts_{name}.json").read_bytes()
    sent = shared_json(f"fixtures/prometheus/post_alerts_{name}.json")
    parsed = parse(body, NOW)
    assert parsed.refusal is None
    assert [write_time(alert.starts_at) for alert in parsed.alerts] == [a["startsAt"] for a in sent]
    assert [dict(alert.annotations) for alert in parsed.alerts] == [a["annotations"] for a in sent]


@pytest.mark.parametrize(
    ("escaped", "kept"), [("a\\u0000b", "a\ufffdb"), ("\\ud800", "\ufffd"), ("\\u00e9", "é")]
)
def test_characters_no_database_keeps_are_replaced(escaped: str, kept: str) -> None:
    """A NUL or half a surrogate pair must not make an alert unstorable."""
    body = f'[{{"labels":{{"alertname":"{escaped}"}}}}]'.encode()
    assert parse(body, NOW).alerts[0].labels == {"alertname": kept}


@pytest.mark.parametrize(
    "body",
    [b"[[[" * 5000, b'[{"labels":"x"}]', b'["x"]', b"[NaN]", b'[{"labels":{"a":1e999}}]', b"{"],
)
def test_nonsense_is_refused_and_never_stored(body: bytes) -> None:
    """Whatever it is, the sender gets a 4xx."""
    parsed = parse(body, NOW)
    assert parsed.refusal is not None
    assert (parsed.refusal.status // 100, parsed.alerts) == (4, ())


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(body: bytes) -> None:
    """Every body gives alerts or a refusal."""
    parsed = parse(body, NOW)
    assert parsed.refusal is None or parsed.refusal.status in (400, 422)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_no_json_makes_the_reader_fail(value: object) -> None:
    """The shape of a body is never trusted."""
    for wrapped in (
        value,
        [value],
        [{"labels": value}],
        [{"labels": {"a": "b"}, "startsAt": value}],
    ):
        parsed = parse(json.dumps(wrapped).encode(), NOW)
        assert parsed.refusal is None or parsed.refusal.status in (400, 422)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T02:51:36Z", 0),
        ("2026-11-22T04:51:36.123456789+02:00", 0.123456),
        ("2026-11-22 02:51:36", 0),
    ],
)
def test_times_are_read_in_any_zone(text: str, seconds: float) -> None:
    """Without a zone they are UTC; beyond the microsecond they are cut."""
    expected = NOW.replace(microsecond=0) + timedelta(seconds=seconds)
    assert read_time(text) == expected


@pytest.mark.parametrize("text", ["", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_zero_is_no_time(text: str) -> None:
    """Go writes a missing time as the first instant of year 1."""
    assert read_time(text) is None


@pytest.mark.parametrize("text", ["soon", "20261122T025136", "2026-13-01T00:00:00Z", "1e9"])
def test_what_names_no_instant_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(NotReadable, match="parsing time"):
        read_time(text)
