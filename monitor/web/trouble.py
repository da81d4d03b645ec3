"""Open incidents as support agents need them: down since when, and what may be said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from monitor.config.model import Configuration
from monitor.storage.console import published_words, report_counts
from monitor.storage.incidents import Incident, load_incidents
from monitor.storage.ticket import count_open, worst_open

if TYPE_CHECKING:
    from monitor.web.services import Services

HOME = "/console"
MOST_SHOWN = 20  # of the first page; more than that are a number and a list to open
MOST_IN_BANNER = 3
LONGEST_NUMBER = 10  # digits that no incident's number has


@dataclass(frozen=True)
class Trouble:
    """An open incident with what agents tell callers about it."""

    incident: Incident
    components: str
    is_named: bool  # whether the status page names any of them
    report_count: int
    wording: str  # approved, to copy; empty where nobody has published any


@dataclass(frozen=True)
class Banner:
    """What stands above a page: the worst that is open, and how much more there is."""

    shown: Sequence[Trouble] = ()
    more: int = 0


def open_troubles(
    connection: Connection,
    configuration: Configuration,
    limit: int = MOST_SHOWN,
    *,
    but: int | None = None,
) -> list[Trouble]:
    """Return the worst open incidents, worst first, with the words approved for customers.

    The one of the number `but` is left out.
    """
    incidents = load_incidents(connection, worst_open(connection, limit, but=but)).values()
    ids = [incident.id for incident in incidents]
    counts, words = report_counts(connection, ids), published_words(connection, ids)
    names = {component.id: component.name for component in configuration.components}
    troubles = [
        Trouble(
            incident=one,
            components=_named(one, names) or configuration.site.name,
            is_named=any(component in names for component in _hit(one)),
            report_count=counts[one.id],
            wording=words.get(one.id) or (one.customer_message if one.published_at else ""),
        )
        for one in incidents
    ]
    return sorted(troubles, key=lambda t: (t.incident.severity.rank, t.incident.started_at))


def banner_troubles(services: Services, path: str) -> Banner:
    """Return what the banner of a page shows: what is open, but for what the page itself shows.

    A page that tells of a failing database shows no banner instead of failing once more.
    """
    if path == HOME:
        return Banner()
    own = path.removeprefix("/console/incidents/")
    but = int(own) if own.isdecimal() and len(own) < LONGEST_NUMBER else None
    configuration = services.configuration.current
    try:
        with services.store.read() as connection:
            shown = open_troubles(connection, configuration, MOST_IN_BANNER, but=but)
            if len(shown) < MOST_IN_BANNER:
                return Banner(shown)
            count = count_open(connection, but=but)
    except SQLAlchemyError:
        return Banner()
    return Banner(shown, count - len(shown))


def _hit(incident: Incident) -> Sequence[str]:
    return [*incident.components] or [one for one in (incident.component,) if one]


def _named(incident: Incident, names: dict[str, str]) -> str:
    return ", ".join(names.get(component, component) for component in _hit(incident))
