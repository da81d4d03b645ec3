"""What a report is about and where it belongs, by configuration and open incidents."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from incidents.errors import InvalidInputError
from incidents.reports.categories import Category, Suggestion, categorise, is_symptom
from incidents.reports.intake import NewReport
from incidents.reports.linking import Candidate, Link, choose_incident
from monitor.config.model import Configuration
from monitor.storage.incidents import Incident, open_incidents
from monitor.storage.reports import (
    Report,
)
from monitor.storage.status import row_id_of

# Used where monitor.yml names no categories: the components of the shipped configuration.
USUAL_COMPONENTS = {
    Category.ACCOUNT: "login",
    Category.PAYMENT: "checkout",
    Category.NAVIGATION: "search",
}


class InvalidReport(InvalidInputError):  # noqa: N818 - a refusal, named for what was refused
    """A report cannot be taken as it is; `faults` says why, field by field."""

    def __init__(self, found: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {fault}" for field, fault in found.items()))
        self.faults = found


@dataclass(frozen=True)
class Placed:
    """What the report is about and where it belongs."""

    category: str
    component: str | None
    link: Link


def suggestion_for(configuration: Configuration, text: str) -> tuple[str, str | None, Suggestion]:
    """Return the category and component that a text points at, as configured, and why."""
    found = categorise(text)
    component = component_of(configuration, found.component_of)
    ids = {category.id for category in configuration.categories}
    if not ids or found.category in ids:
        return found.category.value, component, found
    own = _usual_component(configuration, found.category)
    same = (c.id for c in configuration.categories if own is not None and c.component == own)
    return next(same, Category.OTHER.value), component, found


def component_of(configuration: Configuration, category: str) -> str | None:
    """Return the component that a category speaks of, or None.

    What `monitor.yml` says counts; a category it does not name speaks of the usual component, if
    there is one of that name.
    """
    for configured in configuration.categories:
        if configured.id == category:
            return configured.component
    return _usual_component(configuration, category)


def _usual_component(configuration: Configuration, category: str) -> str | None:
    usual = USUAL_COMPONENTS.get(Category(category)) if category in set(Category) else None
    return usual if usual and configuration.component(usual) else None


def category_choices(configuration: Configuration) -> tuple[tuple[str, str], ...]:
    """Return (id, label) of the categories that a reporter may choose from."""
    if configuration.categories:
        return tuple((category.id, category.label) for category in configuration.categories)
    return tuple((category.value, category.label) for category in Category)


def place(connection: Connection, configuration: Configuration, report: NewReport) -> Placed:
    suggested, meant, words = suggestion_for(configuration, report.description)
    category = report.category or suggested
    if category not in {name for name, _ in category_choices(configuration)}:
        if report.category:
            raise InvalidReport({"category": f"There is no category {category!r}."})
        category = Category.OTHER.value
    component = meant if category == suggested else component_of(configuration, category)
    if report.component:
        if configuration.component(report.component) is None:
            raise InvalidReport({"component": f"There is no component {report.component!r}."})
        component = report.component
    link = choose_incident(
        component,
        [candidate(incident) for incident in open_incidents(connection)],
        tells_of_failure=words.symptom,
        chosen_id=row_id_of(connection, report.incident) if report.incident else None,
    )
    return Placed(category, component, link)


def candidate(incident: Incident) -> Candidate:
    parts = set(incident.components) | ({incident.component} if incident.component else set())
    is_public = incident.published_at is not None
    return Candidate(incident.id, parts, incident.started_at, is_public)


def suggested_incident(connection: Connection, report: Report) -> int | None:
    """Return the row id of the open incident that a report without one may belong to."""
    if report.incident_id is not None:
        return None
    candidates = [candidate(incident) for incident in open_incidents(connection)]
    failing = is_symptom(report.description)
    return choose_incident(report.component, candidates, tells_of_failure=failing).incident_id
