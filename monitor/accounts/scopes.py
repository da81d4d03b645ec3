"""What a token may be for: names that are given to it, each for a few kinds of things.

Which permissions a scope holds is `monitor.web.scopes`; a token never may more than the account
it belongs to.
"""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """A kind of use of the API; the value is what people write."""

    READ = "read"
    READ_REPORTS = "reports:read"
    WRITE_REPORTS = "reports:write"
    WRITE_INCIDENTS = "incidents:write"
    WRITE_MAINTENANCE = "maintenance:write"
    WRITE_ON_CALL = "oncall:write"
    SILENCE = "alerts:silence"
    RUN_JOURNEYS = "journeys:run"
    RETRY_NOTIFICATIONS = "notifications:retry"
    RELOAD = "configuration:reload"
    READ_AUDIT = "audit:read"
    READ_METRICS = "metrics:read"
    SEND_ALERTS = "alerts:send"  # for alert sources alone, and the only one they have

    @property
    def words(self) -> str:
        """Return what it allows, for people."""
        return WORDS[self]


WORDS = {
    Scope.READ: "read incidents, journeys, maintenance and what probes captured",
    Scope.READ_REPORTS: "read what users reported",
    Scope.WRITE_REPORTS: "answer users' reports and link them",
    Scope.WRITE_INCIDENTS: "work on incidents and publish updates",
    Scope.WRITE_MAINTENANCE: "plan maintenance and cancel it",
    Scope.WRITE_ON_CALL: "change who is on call",
    Scope.SILENCE: "read alerts and silence them",
    Scope.RUN_JOURNEYS: "run journeys by hand",
    Scope.RETRY_NOTIFICATIONS: "send notifications again",
    Scope.RELOAD: "see the configuration and reload it",
    Scope.READ_AUDIT: "read the audit log",
    Scope.READ_METRICS: "read metrics and ask queries",
    Scope.SEND_ALERTS: "send alerts as one named source",
}
PERSONAL = tuple(scope for scope in Scope if scope is not Scope.SEND_ALERTS)
