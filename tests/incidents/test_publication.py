"""What goes on the status page by itself."""

from __future__ import annotations

import pytest

from incidents.lifecycle import Severity
from incidents.publication import opening_words, publishes_by_itself


@pytest.mark.parametrize(
    ("policy", "severity", "message", "publishes"),
    [
        ("automatic", Severity.CRITICAL, "", True),
        ("automatic", Severity.WARNING, "", False),
        ("automatic", Severity.WARNING, "Slow today.", True),
        ("automatic", Severity.INFO, "Hello.", False),
        ("draft", Severity.CRITICAL, "Down.", False),
        (None, Severity.CRITICAL, "Down.", False),
    ],
)
def test_policy_severity_and_words_decide(
    policy: str | None, severity: Severity, message: str, publishes: bool
) -> None:
    """What belongs to no component has no place on the page."""
    assert publishes_by_itself(policy, severity, message) is publishes


def test_the_rules_own_words_come_first() -> None:
    """Plain ones where it has none."""
    assert opening_words("Cards fail.", "Checkout") == "Cards fail."
    assert "Checkout" in opening_words("", "Checkout")
