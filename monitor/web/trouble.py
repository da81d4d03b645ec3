"""Open incidents as support agents need them: down since when, and what may be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from monitor.config.model import Configuration
from monitor.storage.console import published_words, report_counts
from monitor.storage.incidents import Incident, open_incidents

if TYPE_CHECKING:
    from monitor.web.services import Services

HOME = "/console"


@dataclass(frozen=True)
class Trouble:
    """An open incident with what agents tell callers about it."""

    incident: Incident
    components: str
    report_count: int
    wording: str  # approved, to copy; empty where nobody has published any


def open_troubles(connection: Connection, configuration: Configuration) -> list[Trouble]:
    """Return the open incidents, worst first, with the words approved for customers."""
    incidents = open_incidents(connection)
    ids = [incident.id for incident in incidents]
    counts, words = report_counts(connection, ids), published_words(connection, ids)
    names = {component.id: component.name for component in configuration.components}
    troubles = [
        Trouble(
            incident=one,
            components=_named(one, names),
            report_count=counts[one.id],
            wording=words.get(one.id) or (one.customer_message if one.published_at else ""),
        )
        for one in incidents
    ]
    return sorted(troubles, key=lambda t: (t.incident.severity.rank, t.incident.started_at))


def banner_troubles(services: Services, path: str) -> Sequence[Trouble]:
    """Return what the banner of a page shows: all that is open, but for what the page itself shows.

    A page that tells of a failing database shows no banner instead of failing once more.
    """
    if path == HOME:
        return ()
    try:
        with services.store.read() as connection:
            troubles = open_troubles(connection, services.configuration.current)
    except SQLAlchemyError:
        return ()
    return [t for t in troubles if path != f"/console/incidents/{t.incident.number}"]


def _named(incident: Incident, names: dict[str, str]) -> str:
    known = incident.components or [incident.component or "shop"]
    return ", ".join(names.get(component, component) for component in known)
