"""What the console and the API have in common about silences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from incidents.alerts.matchers import Matcher
from monitor.use_cases.silences import Preview, RuleFacts, preview
from monitor.web.services import Services

LISTED = timedelta(days=30)  # how long one that is over is listed
LONGEST_COMMENT = 1_000
SHOWN_PERIODS = 20


def preview_of(services: Services, matchers: Sequence[Matcher]) -> Preview:
    """Return what a silence would mute now."""
    rules = [
        RuleFacts(rule.name, rule.labels)
        for group in services.rules.groups()
        for rule in group.rules
        if rule.alerting
    ]
    with services.store.read() as connection:
        return preview(connection, matchers, rules)
