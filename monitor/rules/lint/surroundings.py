"""What checks may know besides the rule they look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.rules.model import Group

COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})


@dataclass(frozen=True)
class Surroundings:
    """What a check may know besides the rule."""

    group: Group
    recorded: frozenset[str]
    scrape_seconds: float = 15.0
    annotations: tuple[str, ...] = ("summary", "description", "runbook_url")
    external_labels: Mapping[str, str] = field(default_factory=dict)
    runbooks: frozenset[str] | None = None
