"""What we say to a reporter, and what their words do to the report.

*Resolved* is our claim; *closed* is the reporter's word. Texts hold nothing that is not public,
never repeat what the reporter wrote (an address may be somebody else's), and are plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class ReportStatus(StrEnum):
    """Where a report stands."""

    NEW = "new"
    OPEN = "open"
    WAITING_FOR_USER = "waiting_for_user"
    RESOLVED = "resolved"
    CLOSED = "closed"

    @property
    def words(self) -> str:
        """Return the status as its reporter reads it."""
        return _WORDS[self]


_WORDS = {
    ReportStatus.NEW: "We have it; nobody has looked at it yet",
    ReportStatus.OPEN: "We are working on it",
    ReportStatus.WAITING_FOR_USER: "We have a question for you",
    ReportStatus.RESOLVED: "We think it works again: does it?",
    ReportStatus.CLOSED: "Closed: you told us that it works",
}


@dataclass(frozen=True)
class Known:
    """The public side of the incident a report hangs on."""

    title: str
    since: datetime
    link: str


@dataclass(frozen=True)
class Said:
    """A message of ours: `subject` is used only where the channel has one."""

    subject: str
    body: str


def clock_words(at: datetime, zone: str = "UTC", *, now: datetime | None = None) -> str:
    """Return a time with its zone: UTC first and the site's own beside it, with the date unless it
    is today's.
    """
    utc = at.astimezone(UTC)
    day = "" if now is not None and now.astimezone(UTC).date() == utc.date() else f"{utc:%Y-%m-%d} "
    words = f"{day}{utc:%H:%M} UTC"
    if zone in ("UTC", "Etc/UTC"):
        return words
    local = at.astimezone(ZoneInfo(zone))
    return f"{words} ({local:%H:%M} {zone.rpartition('/')[2].replace('_', ' ')})"


def answer_at_once(
    known: Known | None, *, site: str, zone: str, has_address: bool, now: datetime
) -> Said:
    """Return what a reporter reads right after sending."""
    promise = (
        "We will write to you when it is over, and ask whether it works for you."
        if has_address
        else "Keep the link to this page: it will tell you when it is over, and ask whether it "
        "works for you."
    )
    if known is None:
        body = (
            "Thank you. Your report has arrived and a person will look at it. "
            "Keep the link to this page: answers appear there."
        )
        return Said(f"{site}: we have received your report", body)
    since = clock_words(known.since, zone, now=now)
    body = (
        f"We know about this since {since}: {known.title}. We are working on it, and you need do "
        f"nothing. "
        f"{promise}"
    )
    return Said(f"{site}: we know about this problem", body)


def ask_whether_it_works(*, site: str, title: str | None, link: str = "") -> Said:
    """Return the question put to every linked reporter when the incident is resolved.

    With `link` it can be read anywhere; without, it stands on the page that has the buttons.
    """
    what = f"“{title}”" if title else "the problem that you reported"
    body = f"We believe that {what} is over. Does it work for you now?"
    if link:
        body += (
            f"\n\nPlease answer yes or no here: {link}\n\n"
            "A no counts: it goes straight to the people who work on it."
        )
    return Said(f"{site}: does it work for you now?", body)


THANKS_FOR_YES = "Thank you for telling us. We have closed your report."
SORRY_FOR_NO = (
    "Thank you for telling us. Your report is open again, and the people who work on this know "
    "that it "
    "is still broken for you."
)

_COURTESY = re.compile(
    r"^\W*(?:(?:many|ok|okay|great|perfect|cool|nice|super)\W+)*"
    r"(?:thanks?(?: you)?(?: (?:so|very) much| a lot)?|thx|cheers|ok|okay|great|perfect|will do"
    r"|i(?:'| wi)ll (?:check|try|have a look)(?: (?:it|that|later|now))?)"
    r"(?:\W+(?:thanks?(?: you)?|all|everyone|for (?:the|your) (?:help|info|answer|reply)))*\W*$",
    re.IGNORECASE,
)


def is_courtesy(text: str) -> bool:
    """Return whether a message is only thanks or "I will check": such words reopen nothing."""
    return bool(_COURTESY.match(text.strip().replace("’", "'")))


def after_message(status: ReportStatus, text: str) -> ReportStatus:
    """Return the report's status after its reporter wrote `text`."""
    if is_courtesy(text) or status in (ReportStatus.NEW, ReportStatus.OPEN):
        return status
    return ReportStatus.OPEN


def after_answer(*, works: bool) -> ReportStatus:
    """Return the report's status after "does it work for you now?" was answered."""
    return ReportStatus.CLOSED if works else ReportStatus.OPEN
