"""What keeps an alert quiet, as its row names it, and the words for it.

`MNT-3` is a maintenance window, `silence <id>` a silence, `alert <fingerprint>` an alert that
fires and explains it.
"""

from __future__ import annotations

from incidents.alerts import inhibition, silences
from incidents.outbox import NotSent

WINDOW = "MNT-"


def reason_of(muted_by: str) -> NotSent:
    """Return why nobody is told, from the name of what mutes an alert."""
    if muted_by.startswith(silences.PREFIX):
        return NotSent.MUTED_BY_SILENCE
    if muted_by.startswith(inhibition.PREFIX):
        return NotSent.SUPPRESSED_BY_PARENT
    return NotSent.MUTED_BY_WINDOW


def words_of(muted_by: str) -> str:
    """Return how a line goes on after an alert's name: `muted by MNT-3, which announced it`."""
    reason = reason_of(muted_by)
    if reason is NotSent.MUTED_BY_SILENCE:
        return f"muted by {muted_by}"
    if reason is NotSent.SUPPRESSED_BY_PARENT:
        return f"inhibited by {muted_by}, which fires and explains it"
    return f"muted by {muted_by}, which announced it"
