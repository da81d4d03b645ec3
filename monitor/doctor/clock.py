"""Whether this machine's clock agrees with another's."""

from __future__ import annotations

from datetime import datetime

from monitor.doctor.finding import Finding, fail, ok, warn

NOTICED_SECONDS = 5.0  # an HTTP date has whole seconds, and was underway
WRONG_SECONDS = 60.0


def clock_finding(whose: str, theirs: datetime, ours: datetime) -> Finding:
    """Return how far our clock is from another's."""
    ahead = (ours - theirs).total_seconds()
    way = "ahead of" if ahead > 0 else "behind"
    text = f"this clock is {abs(ahead):.0f} s {way} that of {whose}"
    advice = "let the machine follow a time server (chrony, systemd-timesyncd)"
    if abs(ahead) >= WRONG_SECONDS:
        return fail("clock", text, advice)
    if abs(ahead) >= NOTICED_SECONDS:
        return warn("clock", text, advice)
    return ok("clock", f"this clock agrees with that of {whose}")
