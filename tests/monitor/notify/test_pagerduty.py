"""PagerDuty's Events API v2, as a client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.notify import pagerduty
from tests.notices import make_context, make_message
from tests.sinks import Answer, HttpSink

SETTINGS = pagerduty.Settings(routing_key="${secret:KEY}")
INCIDENT = {
    "name": "INC-7",
    "component": "checkout",
    "url": "https://m.example/console/incidents/7",
}
KEY = "status.shop.example/INC-7"


def rendered(**given: Any) -> dict[str, Any]:
    given.setdefault("payload", {"incident": INCIDENT})
    return pagerduty.render(
        make_message(**given), SETTINGS, make_context(KEY="R03-integration-key-x1")
    )


def test_pagerduty_takes_the_event_and_its_key_is_kept(hook: HttpSink) -> None:
    """202 and `success`, as the API answers."""
    body = {"status": "success", "message": "Event processed", "dedup_key": KEY}
    hook.answers = [Answer(202, {}, json.dumps(body).encode())]
    settings = SETTINGS.model_copy(update={"url": hook.url})
    message = make_message(payload={"incident": INCIDENT})
    receipt = pagerduty.send(message, settings, make_context(KEY="R03-integration-key-x1"))
    assert json.loads(hook.posts[0].body)["routing_key"] == "R03-integration-key-x1"
    assert (receipt, receipt.reference) == (f"PagerDuty took the trigger as {KEY}", KEY)


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("incident_opened", "trigger"),
        ("incident_escalated", "trigger"),
        ("incident_update", "trigger"),
        ("incident_acknowledged", "acknowledge"),
        ("incident_resolved", "resolve"),
    ],
)
def test_every_message_of_an_incident_names_the_same_key(event: str, action: str) -> None:
    """So a second trigger updates, and the end closes what the opening opened."""
    document = rendered(event=event, key=f"other-{event}")
    assert (document["event_action"], document["dedup_key"]) == (action, KEY)
    assert ("payload" in document) is (action == "trigger")


def test_a_trigger_has_all_that_the_api_asks_for_and_no_link_to_acknowledge() -> None:
    """Summary, source and severity are required; the signed link is for one person only."""
    document = rendered(subject="x" * 2000, acknowledge_url="https://m.example/a/t")
    payload = document["payload"]
    assert (len(payload["summary"]), payload["source"]) == (1024, "checkout")
    assert payload["severity"] == "critical"
    assert document["links"] == [{"href": INCIDENT["url"], "text": "Open the incident"}]


def test_a_test_message_is_an_event_of_its_own() -> None:
    """`notify-test` does not reopen anybody's incident."""
    document = rendered(event="test", key="test-1", thread="test", severity="none", payload={})
    assert (document["dedup_key"], document["payload"]["severity"]) == (
        "status.shop.example/test",
        "info",
    )
