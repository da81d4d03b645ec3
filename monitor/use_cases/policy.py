"""The alert policy as the service runs it: maintenance mutes, and reporters are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from monitor.use_cases.conversation import teller
from monitor.use_cases.intake import AlertPolicy
from monitor.use_cases.maintenance import muting


def alert_policy(
    public_url: str = "", reopen_windows: Mapping[str, timedelta] | None = None
) -> AlertPolicy:
    """Return the policy; `public_url` starts the links to tickets and to reporters' pages."""
    return AlertPolicy(
        muting=muting,
        tell_reporters=teller(public_url),
        reopen_windows=reopen_windows or {},
        public_url=public_url,
    )
