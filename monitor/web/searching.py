"""One search over everything the console knows, for the page, the API and the palette alike.

Each kind of thing has a `Searcher` in `SEARCHERS`: what it is called, who may see it, and how it is
found. A new kind is one function and one line there. An exact reference (`INC-12`, `RPT-3`,
`MNT-1`, or a reporter's secret reference) leads straight to what it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection

from incidents.errors import UnknownObjectError
from incidents.texts import storable
from monitor.storage.incidents import load_incident
from monitor.storage.maintenance import load_window
from monitor.storage.reports import load_report
from monitor.storage.search import (
    find_incidents,
    find_reports,
    find_windows,
    report_number_by_token,
)
from monitor.storage.users import all_users
from monitor.web.params import LARGEST
from monitor.web.permissions import Actor, Permission, navigation
from monitor.web.services import Services

LONGEST_QUERY = 200
MOST_WORDS = 8
MOST_OF_A_KIND = 8
SHOWN_CHARACTERS = 120
REFERENCE = re.compile(r"(INC|RPT|MNT)-?(\d{1,9})", re.IGNORECASE)
TOKEN = re.compile(r"(?:\S*/r/)?([A-Za-z0-9_-]{16,64})/?")


@dataclass(frozen=True)
class Hit:
    """Something found: how it is called, where it is, and what state it is in, if it has one."""

    path: str
    name: str
    title: str
    detail: str = ""
    state: str = ""


@dataclass(frozen=True)
class Place:
    """Where a searcher looks, and for whom."""

    services: Services
    connection: Connection
    actor: Actor


Find = Callable[[Place, Sequence[str]], Iterable[Hit]]


@dataclass(frozen=True)
class Searcher:
    """How one kind of thing is found, and who may find it."""

    kind: str
    permission: Permission
    find: Find


@dataclass(frozen=True)
class Results:
    """What was found, by kind in the order of `SEARCHERS`; `jump` is where an exact name leads."""

    query: str
    jump: str = ""
    groups: tuple[tuple[str, tuple[Hit, ...]], ...] = ()

    @property
    def count(self) -> int:
        """Return how many hits there are in all."""
        return sum(len(hits) for _, hits in self.groups)


def search(services: Services, actor: Actor, text: str) -> Results:
    """Return what the actor may see of what the words fit."""
    query = storable(text)[:LONGEST_QUERY].strip()
    words = query.split()[:MOST_WORDS]
    if not words:
        return Results(query)
    with services.store.read() as connection:
        place = Place(services, connection, actor)
        jump = exact(place, query)
        groups = tuple(
            (searcher.kind, tuple(searcher.find(place, words))[:MOST_OF_A_KIND])
            for searcher in SEARCHERS
            if actor.may(searcher.permission)
        )
    return Results(query, jump, tuple(group for group in groups if group[1]))


def exact(place: Place, query: str) -> str:
    """Return the page of what the query names exactly, or nothing."""
    found, reader = REFERENCE.fullmatch(query), place.actor.may(Permission.VIEW_REPORTS)
    if found and int(found[2]) <= LARGEST:
        kind, number = found[1].upper(), int(found[2])
        load, permission, path = KINDS[kind]
        try:
            if place.actor.may(permission):
                load(place.connection, number)
                return f"{path}/{number}"
        except UnknownObjectError:
            return ""
    secret = TOKEN.fullmatch(query)
    number_of = report_number_by_token(place.connection, secret[1]) if secret and reader else None
    return f"/console/reports/{number_of}" if number_of else ""


KINDS: dict[str, tuple[Callable[[Connection, int], object], Permission, str]] = {
    "INC": (load_incident, Permission.VIEW, "/console/incidents"),
    "RPT": (load_report, Permission.VIEW_REPORTS, "/console/reports"),
    "MNT": (load_window, Permission.VIEW, "/console/maintenance"),
}


def _incidents(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for row in find_incidents(place.connection, words, MOST_OF_A_KIND):
        path, name = f"/console/incidents/{row.number}", f"INC-{row.number}"
        yield Hit(path, name, _short(row.title), _component(place, row.detail), row.state)


def _reports(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for row in find_reports(place.connection, words, MOST_OF_A_KIND):
        path, name = f"/console/reports/{row.number}", f"RPT-{row.number}"
        yield Hit(path, name, _short(row.title), _component(place, row.detail), row.state)


def _windows(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for row in find_windows(place.connection, words, MOST_OF_A_KIND):
        path, name = f"/console/maintenance/{row.number}", f"MNT-{row.number}"
        yield Hit(path, name, _short(row.title), _short(row.detail))


def _journeys(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for one in place.services.configuration.current.journeys:
        text = f"{one.name} {one.heading} {one.description} {one.component}"
        if _fits(text, words):
            yield Hit(f"/console/journeys/{one.name}", one.heading, _short(one.description))


def _components(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for one in place.services.configuration.current.components:
        if _fits(f"{one.id} {one.name} {one.group or ''}", words):
            path = f"/console/incidents?component={one.id}&state=all"
            yield Hit(path, one.name, "its incidents", one.id)


def _runbooks(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    own = place.services.configuration.current.folder / "alert_rules" / "runbooks"
    shipped = Path(str(files("alert_rules"))) / "runbooks"
    texts = {path.stem: path for folder in (shipped, own) for path in folder.glob("*.md")}
    named, inside = [], []
    for name, path in sorted(texts.items()):
        text = path.read_text("utf-8", errors="replace")
        hit = Hit(f"/runbooks/{name}", name, _first_words(text))
        if _fits(name, words):
            named.append(hit)
        elif _fits(text, words):
            inside.append(hit)
    return [*named, *inside]


def _people(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for one in all_users(place.connection):
        if _fits(f"{one.name} {one.display_name} {one.email or ''}", words):
            state = "shut" if one.disabled_at else ""
            yield Hit(f"/console/users/{one.id}", one.name, one.display_name, one.role, state)


def _pages(place: Place, words: Sequence[str]) -> Iterable[Hit]:
    for group, entries in navigation(place.actor).items():
        for entry in entries:
            if _fits(entry.label, words):
                yield Hit(entry.path, entry.label, "a page of the console", group.value)


SEARCHERS: tuple[Searcher, ...] = (
    Searcher("Incidents", Permission.VIEW, _incidents),
    Searcher("Reports", Permission.VIEW_REPORTS, _reports),
    Searcher("Journeys", Permission.VIEW, _journeys),
    Searcher("Components", Permission.VIEW, _components),
    Searcher("Maintenance", Permission.VIEW, _windows),
    Searcher("Runbooks", Permission.VIEW, _runbooks),
    Searcher("People", Permission.MANAGE_USERS, _people),
    Searcher("Pages", Permission.VIEW, _pages),
)


def _fits(text: str, words: Sequence[str]) -> bool:
    lowered = text.lower()
    return all(word.lower() in lowered for word in words)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _component(place: Place, component: str) -> str:
    known = {one.id: one.name for one in place.services.configuration.current.components}
    return known.get(component, component)


def _first_words(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return _short(re.sub(r"[*`_]", "", first))
