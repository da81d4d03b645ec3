"""Which open incident a report belongs to: linked, suggested, or neither, with the reason in words.

A report links to at most one incident, and never against the writer's word. What is linked by
itself needs the same component and a text that tells of a failure; a suggestion waits for the
writer or for an agent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LinkKind(StrEnum):
    """How sure the link is."""

    LINKED = "linked"
    SUGGESTED = "suggested"
    NONE = "none"


@dataclass(frozen=True)
class Candidate:
    """An unresolved incident a report may belong to."""

    incident_id: int
    components: Collection[str]
    started_at: datetime
    is_public: bool


@dataclass(frozen=True)
class Link:
    """The decision about one report; `reason` is for agents, on the report and on the timeline."""

    kind: LinkKind
    incident_id: int | None = None
    reason: str = ""


def choose_incident(
    component: str | None,
    candidates: Sequence[Candidate],
    *,
    tells_of_failure: bool,
    chosen_id: int | None = None,
) -> Link:
    """Return the incident that a report about `component` joins.

    The writer's own choice (`chosen_id`) among the candidates decides. Otherwise the newest open
    incident of the same component is linked when the text tells of a failure, and suggested when
    it does not. With no component known, a single public incident is suggested.
    """
    by_id = {candidate.incident_id: candidate for candidate in candidates}
    if chosen_id in by_id:
        return Link(LinkKind.LINKED, chosen_id, "the reporter said that this is their problem")
    same = [c for c in candidates if component is not None and component in c.components]
    if same:
        newest = max(same, key=lambda candidate: candidate.started_at)
        return _same_component(newest, component or "", tells_of_failure=tells_of_failure)
    public = [candidate for candidate in candidates if candidate.is_public]
    if component is None and len(public) == 1:
        reason = "the only open incident, and the report names no component"
        return Link(LinkKind.SUGGESTED, public[0].incident_id, reason)
    return Link(LinkKind.NONE)


def _same_component(found: Candidate, component: str, *, tells_of_failure: bool) -> Link:
    reason = f"same component ({component})"
    if tells_of_failure:
        return Link(
            LinkKind.LINKED, found.incident_id, f"{reason}, and the text tells of a failure"
        )
    return Link(LinkKind.SUGGESTED, found.incident_id, f"{reason}, but no word of a failure")
