"""libcurl's running clocks turned into the phases of one request."""

from __future__ import annotations

from dataclasses import dataclass

from probes.result import PHASES, Phases, Reason


@dataclass(frozen=True, slots=True)
class Clocks:
    """Microseconds from the start until each point was reached, 0 where it was not.

    https://curl.se/libcurl/c/curl_easy_getinfo.html, "Times".
    """

    resolved: int
    connected: int
    secured: int
    sent: int
    answered: int
    total: int
    is_tls: bool
    is_new: bool


def unfinished(clocks: Clocks) -> str:
    """Return the phase a request was in when it ended early."""
    if clocks.is_new and clocks.is_tls and clocks.connected and not clocks.secured:
        return "tls"  # a refused certificate: libcurl 8 sets the later clocks all the same
    if clocks.is_new and not clocks.sent:
        points = [clocks.resolved, clocks.connected, clocks.secured if clocks.is_tls else 1]
        for phase, point in zip(PHASES, points, strict=False):
            if not point:
                return phase
    return "transfer" if clocks.answered else "first_byte"


NO_CONNECTION = {Reason.DNS: "dns", Reason.CONNECT: "connect"}
"""Failures that name their phase: libcurl 8.23 sets the later clocks all the same."""


def phases_of(clocks: Clocks, *, failed: bool, reason: Reason | None = None) -> Phases:
    """Return the seconds of each phase; a failed request's last phase gets what was left."""
    marks = [clocks.resolved, clocks.connected, clocks.secured, clocks.answered, clocks.total]
    if failed:
        cut = PHASES.index((reason and NO_CONNECTION.get(reason)) or unfinished(clocks))
        marks = [*marks[:cut], clocks.total] + [0] * (len(marks) - cut - 1)
    seconds, reached = [], 0
    for mark in marks:
        seconds.append(max(mark - reached, 0) / 1e6)
        reached = max(reached, mark)
    return Phases(*seconds)
