"""Who is told of what, and who is not and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from incidents.outbox import (
    LONGEST_KEY,
    Event,
    IncidentFacts,
    NotSent,
    Recipient,
    Unsent,
    closings,
    notification_key,
    openings,
    told,
    update,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FACTS = IncidentFacts(
    7, "Paying fails", "critical", "investigating", "major", NOW, step="pay", url="http://m/7"
)


@dataclass(frozen=True)
class FakeChannel:
    """A channel and what it takes."""

    name: str
    severities: frozenset[str] = frozenset({"critical"})


def test_an_opening_goes_to_who_takes_it_and_the_rest_is_explained() -> None:
    """A channel for warnings is left out, with the reason."""
    plan = openings(
        Event.OPENED, FACTS, [FakeChannel("pager"), FakeChannel("chat", frozenset({"warning"}))]
    )
    assert [n.key for n in plan.notifications] == ["INC-7:incident_opened:0:pager"]
    assert plan.unsent == (Unsent(NotSent.OPTED_OUT, "chat"),)


def test_an_opening_that_nobody_takes_is_said_once() -> None:
    """One line for all, not one a channel."""
    plan = openings(Event.OPENED, FACTS, [FakeChannel("chat", frozenset())])
    assert (plan.notifications, plan.unsent) == ((), (Unsent(NotSent.NOBODY_ON_CALL),))


def test_the_message_says_what_to_know_at_three_in_the_morning() -> None:
    """What, where, since when, and where to look."""
    sent = openings(Event.OPENED, FACTS, [FakeChannel("pager")]).notifications[0]
    assert sent.subject == "INC-7 opened [critical]: Paying fails"
    for words in ("Failing step: pay", "Since: 2026-11-22 09:00:00 UTC", "Ticket: http://m/7"):
        assert words in sent.body
    assert sent.payload["incident"]["number"] == 7


@pytest.mark.parametrize(
    ("rows", "recipients"),
    [
        ([], []),
        ([("incident_opened", "a", "")], ["a"]),
        ([("incident_opened", "a", ""), ("incident_resolved", "a", "")], []),
        (
            [
                ("incident_opened", "a", ""),
                ("incident_resolved", "a", ""),
                ("incident_reopened", "b", ""),
            ],
            ["b"],
        ),
        ([("incident_update", "a", "")], []),
        ([("incident_opened", "a", ""), ("incident_escalated", "b", "")], ["a", "b"]),
    ],
)
def test_who_knows_and_has_not_heard_of_the_end(
    rows: list[tuple[str, str, str]], recipients: list[str]
) -> None:
    """Whoever got an opening that no closing has followed."""
    assert told(rows) == tuple(Recipient(name) for name in recipients)


def test_a_closing_goes_to_whoever_got_the_opening() -> None:
    """Whatever their channel takes by now."""
    plan = closings(FACTS, [Recipient("chat", "ops"), Recipient("pager")])
    assert [(n.channel, n.recipient) for n in plan.notifications] == [
        ("chat", "ops"),
        ("pager", ""),
    ]


@pytest.mark.parametrize("plan", [closings(FACTS, []), update(FACTS, [], mark="x", text="y")])
def test_where_nobody_was_told_nobody_hears_more(plan: object) -> None:
    """And the timeline says so."""
    assert getattr(plan, "unsent", ()) == (Unsent(NotSent.NOBODY_WAS_TOLD),)


def test_each_update_is_a_message_of_its_own() -> None:
    """The same update twice is the same message."""
    keys = [
        update(FACTS, [Recipient("pager")], mark=mark, text="t").notifications[0].key
        for mark in ("a", "a", "b")
    ]
    assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)


def test_a_long_id_ends_in_its_hash() -> None:
    """It fits its column, and stays different from others."""
    one, other = (notification_key("INC-1", "x" * 300, end) for end in "ab")
    assert (len(one), one == other) == (LONGEST_KEY, False)


@pytest.mark.parametrize("reason", NotSent)
def test_every_reason_can_be_read(reason: NotSent) -> None:
    """In words, without underscores."""
    assert "_" not in reason.words
