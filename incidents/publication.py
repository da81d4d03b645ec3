"""Whether the public is told of an incident without a person deciding, and in which words."""

from __future__ import annotations

from dataclasses import dataclass

from incidents.lifecycle import Severity, Status

AUTOMATIC = "automatic"


def publishes_by_itself(policy: str | None, severity: Severity, customer_message: str) -> bool:
    """Tell whether an incident goes on the status page without a person.

    `policy` is that of its component (None: it has none, and there is nothing to show). A critical
    one always goes; a warning only if its rule says what to tell customers.
    """
    if policy != AUTOMATIC:
        return False
    return severity is Severity.CRITICAL or (
        severity is Severity.WARNING and bool(customer_message)
    )


@dataclass(frozen=True, slots=True)
class Wording:
    """Approved words for customers, and the status that they come with."""

    name: str
    status: Status
    text: str


def wordings(component_name: str, customer_message: str) -> tuple[Wording, ...]:
    """Return the approved words for an open incident; the rule's own first where it has any."""
    given = customer_message or opening_words("", component_name)
    return (
        Wording("We are looking", Status.INVESTIGATING, given),
        Wording(
            "We know the cause",
            Status.IDENTIFIED,
            f"We know why {component_name} does not work as it should, and are repairing it.",
        ),
        Wording(
            "It takes longer",
            Status.IDENTIFIED,
            f"We are still working on {component_name}. We are sorry that it takes so long.",
        ),
        Wording("It works again", Status.MONITORING, holding_words(component_name)),
    )


def public_title(component_name: str, severity: Severity) -> str:
    """Return the title everybody reads: what is hit, and nothing of how we know."""
    what = "does not work" if severity is Severity.CRITICAL else "does not work as it should"
    return f"{component_name} {what}"


def opening_words(customer_message: str, component_name: str) -> str:
    """Return the first public note: the rule's own words, or plain ones."""
    return customer_message or f"We are looking into a problem with {component_name}."


def reopening_words(component_name: str) -> str:
    """Return the note that an incident thought over is not."""
    return f"The problem with {component_name} has come back. We are looking into it."


def holding_words(component_name: str) -> str:
    """Return the note that a recovery is being watched."""
    return f"{component_name} works again. We are watching it."


def reconstructed_words(component_name: str) -> str:
    """Return the only note of an incident that was over before we knew of it."""
    return (
        f"We learned afterwards, from what other systems recorded, that {component_name} was in "
        "trouble while our own checks did not run. It is over."
    )


def closing_words(component_name: str) -> str:
    """Return the last public note."""
    return f"This is resolved. {component_name} works again."
