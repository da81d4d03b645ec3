"""Who was told, who was not, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.outbox import NotSent
from incidents.told import WHY, Sent, Standing, Told, who_was_told
from monitor.notify.recheck import Unsent

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def sent(state: str = "sent", **given: Any) -> Sent:
    usual = {
        "channel": "pager",
        "recipient": "",
        "event": "incident_opened",
        "at": AT,
        "due_at": AT,
    }
    return Sent(**{**usual, "state": state, **given})


@pytest.mark.parametrize(
    ("notification", "standing", "why"),
    [
        (sent(), Standing.TOLD, ""),
        (sent(folded=True), Standing.TOLD, "in one message with others"),
        (sent("folded"), Standing.TOLD, "in one message with others"),
        (sent("queued"), Standing.WAITING, "on its way"),
        (sent("queued", error="503", attempts=2), Standing.WAITING, "tried 2 × so far: 503"),
        (sent("queued", held="quiet_hours"), Standing.HELD, "quiet hours"),
        (sent("queued", held="throttled"), Standing.HELD, "the channel's limit is reached"),
        (
            sent("queued", held="storm"),
            Standing.HELD,
            "many come at once and are told in one message",
        ),
        (
            sent("failed", reason="rejected", error="404"),
            Standing.FAILED,
            "the receiver refused it for good (404)",
        ),
        (sent("dropped", reason="muted_by_silence"), Standing.NOT_TOLD, "muted by a silence"),
    ],
)
def test_every_state_has_its_word_and_its_why(
    notification: Sent, standing: Standing, why: str
) -> None:
    """No line needs the timeline to be understood."""
    (line,) = who_was_told([notification])
    assert (line.standing, line.why) == (standing, why)


def test_every_reason_a_notification_can_have_is_told_in_words() -> None:
    """A new reason without words would show its code."""
    assert {reason.value for reason in Unsent} == set(WHY)


def test_of_a_kind_the_latest_message_counts_and_an_escalation_is_an_opening() -> None:
    """Three updates are one line; so are an opening and its escalation."""
    later = AT + timedelta(minutes=5)
    told = who_was_told(
        [
            sent(),
            sent(event="incident_update", at=AT),
            sent(event="incident_update", at=later),
            sent(event="incident_escalated", at=later),
        ]
    )
    assert [(line.event, line.at) for line in told] == [("escalated", later), ("update", later)]


def test_who_was_never_to_get_anything_is_told_too() -> None:
    """Once for each channel and reason."""
    never = [(AT, "mail", "recipient_opted_out"), (AT, "mail", "recipient_opted_out")]
    assert who_was_told([], [*never, (AT, "", "nobody_on_call")]) == [
        Told("mail", "", "", Standing.NOT_TOLD, AT, "the channel does not take this severity"),
        Told(
            "anybody",
            "",
            "",
            Standing.NOT_TOLD,
            AT,
            NotSent.NOBODY_ON_CALL.words,
        ),
    ]


def test_what_waits_says_until_when() -> None:
    """Quiet hours end, a retry has its time."""
    until = AT + timedelta(hours=1)
    (line,) = who_was_told([sent("queued", held="quiet_hours", due_at=until)])
    assert line.until == until
