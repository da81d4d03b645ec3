"""The states an incident can be in, how it may move between them, and how bad it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from incidents.errors import IncidentError, UnknownObjectError


class Status(StrEnum):
    """Where work on an incident stands."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"  # over, and being looked back on

    @property
    def is_open(self) -> bool:
        """Tell whether the disturbance goes on."""
        return self not in (Status.RESOLVED, Status.POSTMORTEM)


class Severity(StrEnum):
    """How soon somebody must act; the first is the worst."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"

    @property
    def rank(self) -> int:
        """Return 0 for the worst, more for milder ones."""
        return _RANKS[self]

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Severity:
        """Return what an alert's label says; a word we do not know counts as a warning.

        So do alerts without one: somebody wrote the rule because it matters, but nobody said
        that it may wake a person.
        """
        return _SEVERITIES.get(labels.get("severity", "").lower(), cls.WARNING)


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_SEVERITIES = {
    **{severity.value: severity for severity in Severity},
    # Common in rules from elsewhere:
    **dict.fromkeys(("page", "error", "high", "emergency"), Severity.CRITICAL),
}


class Impact(StrEnum):
    """What users feel, in the words of a status page."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Origin(StrEnum):
    """Who opened an incident."""

    AUTOMATIC = "automatic"
    PERSON = "person"
    REPORTS = "reports"


ALLOWED: Mapping[Status, frozenset[Status]] = {
    Status.INVESTIGATING: frozenset({Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED}),
    Status.IDENTIFIED: frozenset({Status.INVESTIGATING, Status.MONITORING, Status.RESOLVED}),
    Status.MONITORING: frozenset({Status.INVESTIGATING, Status.IDENTIFIED, Status.RESOLVED}),
    # Reopened means: the fix did not hold.
    Status.RESOLVED: frozenset({Status.INVESTIGATING, Status.POSTMORTEM}),
    Status.POSTMORTEM: frozenset({Status.INVESTIGATING, Status.RESOLVED}),
}
COMPONENT_STATUS_ORDER = (
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
)
_STATUS_RANKS = {word: rank for rank, word in enumerate(COMPONENT_STATUS_ORDER)}


class UnknownIncident(UnknownObjectError):  # noqa: N818 - a refusal, named for what was refused
    """There is no incident of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"incident INC-{number}")
        self.number = number


class IllegalTransition(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """An incident cannot go from where it stands to where it was sent."""

    def __init__(self, number: int, old: Status, new: Status) -> None:
        self.number, self.old, self.new = number, old, new
        self.allowed = tuple(status for status in Status if status in ALLOWED[old])
        super().__init__(
            f"incident INC-{number} is {old}; it cannot become {new} "
            f"(allowed: {', '.join(self.allowed)})"
        )


class StillFiring(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """An incident cannot be resolved while its alerts fire."""

    def __init__(self, number: int, alerts: tuple[str, ...]) -> None:
        self.number, self.alerts = number, alerts
        super().__init__(
            f"incident INC-{number} cannot be resolved while {len(alerts)} of its alerts fire "
            f"({', '.join(alerts)}); wait for them, or resolve it despite them: "
            "an alert that goes on firing then reopens it"
        )


class AlreadyResolved(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """What was asked makes sense only for an open incident."""

    def __init__(self, number: int, what: str) -> None:
        self.number = number
        super().__init__(f"incident INC-{number} is resolved and cannot be {what}; reopen it first")


class SlotTaken(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """Another open incident already stands for the same disturbance."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"incident INC-{number} is already open for this; add to it instead")


def check_transition(number: int, old: Status, new: Status) -> None:
    """Do nothing if the incident may move from `old` to `new`.

    Raises:
        IllegalTransition: it may not; staying where it is counts as such a move.
    """
    if new not in ALLOWED[old]:
        raise IllegalTransition(number, old, new)


def waits_for(
    origin: Origin, *, taken_over: bool, taken_over_by: str | None, lead: str, open_tasks: int
) -> str:
    """Return whom or what automation leaves an incident to, in words; empty: it may close it.

    Automation closes only what it opened, and nothing that people have made theirs: taken over,
    led by somebody, or with a task that is not done.
    """
    if taken_over:
        return taken_over_by or "the person who took it over"
    if origin is not Origin.AUTOMATIC:
        return "the person who opened it"
    if lead:
        return f"{lead}, who leads it"
    if open_tasks:
        return f"{open_tasks} open task{'s' if open_tasks > 1 else ''}"
    return ""


def worst(severities: Iterable[Severity]) -> Severity:
    """Return the most urgent of them, or none when there are none."""
    return min(severities, key=lambda severity: severity.rank, default=Severity.NONE)


def component_status(labels: Mapping[str, str]) -> str:
    """Return what one firing alert says of its component, in the words of the status page.

    A critical alert about one location leaves the others standing: a partial outage.
    """
    severity = Severity.of(labels)
    if severity is Severity.CRITICAL:
        return "partial_outage" if labels.get("location") else "major_outage"
    return "degraded_performance" if severity is Severity.WARNING else "operational"


def worse_status(one: str, other: str) -> str:
    """Return the worse of two component statuses; a word we do not know is no worse than any."""
    return other if _STATUS_RANKS.get(other, 0) > _STATUS_RANKS.get(one, 0) else one


def impact_of(severity: Severity, component_statuses: Iterable[str]) -> Impact:
    """Return what users feel: critical once two components are out, major for one, else minor."""
    if severity not in (Severity.CRITICAL, Severity.WARNING):
        return Impact.NONE
    if severity is Severity.WARNING:
        return Impact.MINOR
    out = sum(status in {"partial_outage", "major_outage"} for status in component_statuses)
    return Impact.CRITICAL if out > 1 else Impact.MAJOR
