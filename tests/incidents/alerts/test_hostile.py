"""Whatever a sender writes, a door reads alerts from it or refuses it in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts import pagerduty, silences_v2, v2, webhook_v4
from incidents.alerts.matchers import (
    BadMatcher,
    Matcher,
    Operator,
    parse_matcher,
    parse_matchers,
)
from incidents.alerts.model import Alert
from incidents.alerts.recurrence import BadRecurrenceError, Recurrence, expand
from tests.hostile import TEXTS, bodies

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TIMES = {"startsAt": "2026-11-22T08:00:00Z", "endsAt": "2026-11-22T10:00:00Z"}
ALERT = {
    "labels": {"alertname": "ProbeFailing", "severity": "critical"},
    "annotations": {"summary": "down"},
    "generatorURL": "http://prometheus.test/graph",
    **TIMES,
}
PAGE = {
    "routing_key": "key",
    "event_action": "trigger",
    "dedup_key": "shop",
    "client": "shop",
    "payload": {
        "summary": "down",
        "source": "shop",
        "severity": "critical",
        "timestamp": "2026-11-22T08:00:00Z",
        "component": "checkout",
        "custom_details": {"why": "unknown"},
    },
}
SILENCE = {
    "matchers": [{"name": "alertname", "value": "a|b", "isRegex": True, "isEqual": True}],
    "createdBy": "ann",
    "comment": "known",
    **TIMES,
}


def texts_of(alerts: Iterable[Alert]) -> str:
    """Return what of these alerts is stored, as text; it must be able to be."""
    for alert in alerts:
        assert alert.starts_at.tzinfo is UTC
        assert alert.ends_at is None or alert.ends_at >= alert.starts_at
    stored = [[a.labels, a.annotations, a.generator_url, a.fingerprint] for a in alerts]
    return json.dumps(stored, ensure_ascii=False, allow_nan=False)


def judged(text: str) -> None:
    """What is stored is text that both databases keep."""
    text.encode()
    assert "\\u0000" not in text


@given(bodies([ALERT, ALERT]))
def test_a_batch_of_alerts_is_read_or_refused(body: bytes) -> None:
    """`POST /api/v2/alerts`."""
    parsed = v2.parse(body, NOW)
    judged(texts_of(parsed.alerts))
    assert parsed.refusal is None or parsed.refusal.status in (400, 422)


@given(bodies({"version": "4", "truncatedAlerts": 0, "alerts": [{"status": "firing", **ALERT}]}))
def test_a_webhook_is_read_or_refused(body: bytes) -> None:
    """Alertmanager's webhook, version 4."""
    parsed = webhook_v4.parse(body, NOW)
    judged(texts_of(parsed.alerts))
    assert (parsed.refusal is None) or not parsed.alerts
    assert parsed.cut_off >= 0


@pytest.mark.parametrize(("told", "counted"), [(7, 7), (-1, 0), (10**400, 0), ("7", 0)])
def test_only_a_number_of_alerts_is_counted_as_left_out(told: object, counted: int) -> None:
    """A counter never goes down, and no database refuses the number."""
    body = {"version": "4", "truncatedAlerts": told, "alerts": []}
    assert webhook_v4.parse(json.dumps(body).encode(), NOW).cut_off == counted


@given(bodies(PAGE, {**PAGE, "event_action": "resolve"}))
def test_an_event_is_read_or_refused(body: bytes) -> None:
    """PagerDuty's Events API v2; the routing key is read before anything else."""
    judged(pagerduty.routing_key(body))
    event = pagerduty.parse(body, NOW)
    if isinstance(event, pagerduty.Invalid):
        assert json.dumps(event.body)
        assert event.errors
    else:
        judged(texts_of([event.alert]) + event.by + event.dedup_key)


@given(bodies(SILENCE))
def test_a_silence_is_read_or_refused(body: bytes) -> None:
    """`POST /api/v2/silences`; what is read can be matched with."""
    posted = silences_v2.parse(body, NOW)
    if isinstance(posted, silences_v2.Posted):
        judged(posted.comment + posted.created_by + posted.id)
        for matcher in posted.matchers:
            matcher.holds({"alertname": "a"})
            judged(matcher.value)
    else:
        assert posted.status in (400, 422)


@pytest.mark.parametrize("parse", [parse_matcher, parse_matchers])
@given(text=TEXTS | st.text('ab=~!"\\,{}[]()*+ \n', max_size=20))
def test_a_matcher_is_read_or_refused(parse: Callable[[str], Any], text: str) -> None:
    """One alone, and a line of them."""
    with suppress(BadMatcher):  # a refusal, which is all that may come of it
        parse(text)


@given(
    st.lists(
        st.builds(
            Matcher,
            name=st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,5}", fullmatch=True),
            operator=st.sampled_from([Operator.EQUAL, Operator.UNEQUAL]),
            value=st.text(max_size=20),
        ),
        max_size=3,
    )
)
def test_matchers_are_read_as_they_are_written(matchers: list[Matcher]) -> None:
    """Whatever a value holds: quotes, commas, braces, line ends."""
    assert parse_matchers("{" + ",".join(map(str, matchers)) + "}") == tuple(matchers)


RULE_PARTS = st.sampled_from(
    [
        *("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ"),
        *("INTERVAL=2", "INTERVAL=0", "COUNT=3", "COUNT=999", "WKST=SU", "X=1"),
        *("UNTIL=20270101", "UNTIL=99999999", "UNTIL=20271301T000000Z"),
        *("BYDAY=SU", "BYDAY=5MO,-1TU", "BYDAY=6XX", "BYMONTHDAY=31", "BYMONTHDAY=-31"),
    ]
)
ZONES = st.sampled_from(["UTC", "Africa/Johannesburg", "", "..", "/etc/passwd", "\x00", "a" * 300])


@given(
    st.lists(RULE_PARTS, max_size=4).map(";".join) | TEXTS,
    ZONES | TEXTS,
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
)
def test_a_recurrence_gives_occurrences_or_is_refused(
    rule: str, zone: str, start: datetime, length: Any
) -> None:
    """Any rule, in any zone, at any time the calendar has."""
    try:
        end = start + length
    except OverflowError:
        end = start
    with suppress(BadRecurrenceError):
        periods = expand(Recurrence(rule, zone), start, end)
        assert periods[0][0] == start
        assert all(begin < finish for begin, finish in periods)
