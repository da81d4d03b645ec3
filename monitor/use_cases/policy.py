"""The alert policy: how long is waited, what mutes, who is told; as the service runs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from incidents.correlation import DEFAULT_REOPEN_WINDOW
from monitor.use_cases.conversation import tell_reporters, teller
from monitor.use_cases.ledger import TellReporters
from monitor.use_cases.muting import Mute, lifted, muting

Muting = Callable[[Connection, datetime], Mute]
Lifted = Callable[[Connection, datetime, Collection[str]], set[str]]


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """How long is waited, and where people find the tickets.

    `reopen_windows` gives single alert names a window of their own (`correlation.reopen_window`).
    """

    muting: Muting = muting
    lifted: Lifted = lifted  # which of these names mute nothing any more
    tell_reporters: TellReporters = tell_reporters
    reopen_window: timedelta = DEFAULT_REOPEN_WINDOW
    reopen_windows: Mapping[str, timedelta] = field(default_factory=dict)
    lapse_hold: timedelta = DEFAULT_REOPEN_WINDOW  # silence this long closes a lapsed alert
    recovery_hold: timedelta = timedelta(0)  # journeys wait for their own good runs already
    public_url: str = ""
    mails: bool = False  # there is a mail server: people can be told at their own address
    canary: bool = False  # what it opens is no incident, but a test of the way

    def window_of(self, labels: Mapping[str, str]) -> timedelta:
        """Return how long after its end an alert reopens its incident."""
        return self.reopen_windows.get(labels.get("alertname", ""), self.reopen_window)

    @property
    def longest_window(self) -> timedelta:
        """Return the longest reopen window of any alert."""
        return max([self.reopen_window, *self.reopen_windows.values()])


def alert_policy(
    public_url: str = "",
    reopen_windows: Mapping[str, timedelta] | None = None,
    *,
    mails: bool = False,
) -> AlertPolicy:
    """Return the policy; `public_url` starts the links to tickets and to reporters' pages."""
    return AlertPolicy(
        muting=muting,
        tell_reporters=teller(public_url),
        reopen_windows={} if reopen_windows is None else reopen_windows,
        public_url=public_url,
        mails=mails,
    )
