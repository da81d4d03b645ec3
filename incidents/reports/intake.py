"""What a stranger may send us as a report, checked: every fault at once, in words for that
stranger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_DESCRIPTION = 5000  # characters
LONGEST_NAME = 120
LONGEST_EMAIL = 254  # https://www.rfc-editor.org/errata/eid1690
LONGEST_ORDER = 60
LONGEST_MESSAGE = 5000

# Enough to catch a slip of the fingers; whether the address exists only a mail can tell.
_PLAIN = r"[^\s@<>,;:\"\\()\[\]]"
_EMAIL = re.compile(rf"{_PLAIN}{{1,64}}@(?:[^\W_][\w-]*\.)+[^\W_]{{2,}}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class NewReport:
    """A report as it arrives; everything but the description may be empty."""

    description: str
    category: str = ""
    component: str = ""
    name: str = ""
    email: str = ""
    order_reference: str = ""
    incident: str = ""  # public id of the incident that the writer says is theirs
    language: str = ""

    def cleaned(self) -> NewReport:
        """Return it without control characters; all but the description on one line."""
        lines = {
            name: " ".join(tidy(getattr(self, name)).split())
            for name in ("category", "component", "name", "email", "order_reference", "incident")
        }
        return NewReport(description=tidy(self.description), language=self.language[:35], **lines)


def tidy(text: str) -> str:
    """Return text without control characters, with plain line ends, without outer blanks."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def faults(report: NewReport) -> Mapping[str, str]:
    """Return what is wrong with a cleaned report: field → what to do about it; empty if nothing."""
    found = {}
    if not report.description:
        found["description"] = "Please tell us what happened; a few words are enough."
    elif len(report.description) > LONGEST_DESCRIPTION:
        found["description"] = f"Please shorten this to {LONGEST_DESCRIPTION} characters."
    if len(report.name) > LONGEST_NAME:
        found["name"] = f"Please shorten this to {LONGEST_NAME} characters."
    if report.email and not is_email(report.email):
        found["email"] = "This does not look like an e-mail address, such as name@example.com."
    if len(report.order_reference) > LONGEST_ORDER:
        found["order_reference"] = f"Please shorten this to {LONGEST_ORDER} characters."
    return found


def is_email(text: str) -> bool:
    """Return whether a text has the shape of one mail address and nothing else."""
    return len(text) <= LONGEST_EMAIL and bool(_EMAIL.fullmatch(text))
