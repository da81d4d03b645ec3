"""One sentence for the whole page, from the statuses of its components.

The seven descriptions are those of Statuspage; the rule for two and more components follows the
table in which third parties describe it. Groups are ignored: leaves count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from incidents.notices.status import ComponentStatus as Status


@dataclass(frozen=True)
class Rollup:
    """The page in one line: words, indicator, and the worst status behind them (may be unknown)."""

    description: str
    indicator: str
    worst: Status

    @property
    def headline(self) -> str:
        """Return the sentence a person reads; the only place where doubt has a word of its own."""
        if self.worst is Status.UNKNOWN:
            return "We do not know: fresh checks are missing"
        return _HEADLINES[self.description]


_HEADLINES = {
    "All Systems Operational": "All systems operational",
    "Major System Outage": "Major outage",
    "Partial System Outage": "Partial outage",
    "Minor Service Outage": "Some things are failing",
    "Degraded System Service": "Everything is slower than usual",
    "Partially Degraded Service": "Some things do not work as they should",
    "Service Under Maintenance": "Maintenance is under way",
}

Test = Callable[[Sequence[Status]], bool]


def _every(status: Status) -> Test:
    return lambda leaves: all(leaf is status for leaf in leaves)


def _any(status: Status) -> Test:
    return lambda leaves: any(leaf is status for leaf in leaves)


_TABLE: tuple[tuple[Test, str, str], ...] = (
    (_every(Status.MAJOR_OUTAGE), "Major System Outage", "critical"),
    (_any(Status.MAJOR_OUTAGE), "Partial System Outage", "major"),
    (_every(Status.PARTIAL_OUTAGE), "Partial System Outage", "major"),
    (_any(Status.PARTIAL_OUTAGE), "Minor Service Outage", "minor"),
    (_every(Status.DEGRADED_PERFORMANCE), "Degraded System Service", "minor"),
    (_any(Status.DEGRADED_PERFORMANCE), "Partially Degraded Service", "minor"),
    (_any(Status.UNDER_MAINTENANCE), "Service Under Maintenance", "none"),
    (lambda _: True, "All Systems Operational", "none"),
)


def roll_up(leaves: Sequence[Status], *, has_open_incident: bool = False) -> Rollup:
    """Return the page's one line.

    Unknown is published as degraded, because clients know no such word, and so is a page without
    components. While a published incident is open the page never says that all is well.
    """
    worst = max(leaves, key=lambda status: status.severity, default=Status.UNKNOWN)
    known = [public_status(leaf) for leaf in leaves] or [Status.DEGRADED_PERFORMANCE]
    description, indicator = next((d, i) for test, d, i in _TABLE if test(known))
    if has_open_incident and indicator == "none":
        return Rollup("Partially Degraded Service", "minor", Status.DEGRADED_PERFORMANCE)
    return Rollup(description, indicator, worst)


def public_status(status: Status) -> Status:
    """Return the status in the closed set that other programs accept: unknown becomes degraded."""
    return Status.DEGRADED_PERFORMANCE if status is Status.UNKNOWN else status
