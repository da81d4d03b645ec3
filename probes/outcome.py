"""How things end, and why: two closed sets, both metric labels."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a run or a step ended; the value is the metric label, `word` is for people."""

    PASSED = "pass"
    FAILED = "fail"
    ERRORED = "error"
    SKIPPED = "skipped"  # steps only: an earlier step failed

    @property
    def word(self) -> str:
        """The outcome as a person says it."""
        return _WORDS[self]


_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.ERRORED: "errored",
    Outcome.SKIPPED: "skipped",
}


class Reason(StrEnum):
    """Why a step did not pass; also a metric label, so a new member is a change for operators."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    STATUS = "status"
    CONTENT = "content"
    EXTRACT = "extract"
    SLOW = "slow"
    BROWSER_PAGE = "browser_page"
    SELF_NETWORK = "self_network"
    CREDENTIALS = "credentials"
    CONFIG = "config"
    EGRESS_DENIED = "egress_denied"
    OVERLOAD = "overload"
    INTERNAL = "internal"

    @property
    def outcome(self) -> Outcome:
        """Whether the reason accuses the target (failed) or the prober (errored)."""
        return Outcome.ERRORED if self in OUR_REASONS else Outcome.FAILED


OUR_REASONS = frozenset(
    {
        Reason.SELF_NETWORK,
        Reason.CREDENTIALS,
        Reason.CONFIG,
        Reason.EGRESS_DENIED,
        Reason.OVERLOAD,
        Reason.INTERNAL,
    }
)
"""Reasons that are the prober's own: they never count against the target."""

TARGET_REASONS = frozenset(Reason) - OUR_REASONS
"""Reasons that are the target's: the values of `probe_failures_total{reason}`."""
