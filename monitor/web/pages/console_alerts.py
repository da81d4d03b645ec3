"""The alert explorer: every alert with the why, and every rule with its state."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from incidents.alerts.matchers import BadMatcher, Matcher, Operator, parse_matchers
from monitor.storage.alerts import open_names
from monitor.use_cases.explorer import PER_PAGE, Line, Shown, explore
from monitor.web.pages.incident_facts import is_web_address
from monitor.web.pages.runbooks import runbook_text
from monitor.web.params import Offset
from monitor.web.permissions import Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, Services
from monitor.web.silencing import silence_form

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
LONGEST = 1_000  # characters of what is looked for
GROUPED_BY = ("alertname", "component", "severity", "journey", "location", "job", "instance")
Words = Annotated[str, Query(max_length=LONGEST)]


@router.get("/console/alerts", dependencies=[READ])
def alerts(
    request: Request,
    services: Given,
    q: Words = "",
    state: Words = "",
    group: Words = "",
    offset: Offset = 0,
) -> HTMLResponse:
    """Show alerts that fire or are kept quiet, and by what; then the rules evaluated here."""
    shown = Shown(state) if state in set(Shown) else None
    wanted, fault = _matchers(q)
    with services.store.read() as connection:
        found = explore(
            connection,
            services.configuration.current.inhibit_rules,
            services.clock.now(),
            wanted=wanted,
            shown=shown,
            group=group,
            offset=offset,
        )
        sources = {name for line in found.lines for name in line.stands.inhibited_by}
        names = open_names(connection, sources)
    kind = shown.value if shown else ""
    address = _address(q=q, state=kind, group=group)
    after = offset + PER_PAGE
    return page(
        request,
        "console/alerts.html",
        title="Alerts",
        found=found,
        q=q,
        fault=fault,
        shown=shown,
        group=group,
        groups_by=GROUPED_BY,
        sources=names,
        tabs=_tabs(found.counts, q, group),
        tab=address,
        within=lambda value: _address(
            q=_narrowed(q, group, value), state=shown.value if shown else ""
        ),
        silence_url=lambda line: silence_form([line.row.labels]),
        runbook=lambda line: _runbook(services, line),
        later=f"{address}&offset={after}" if after < found.total else "",
        sooner=f"{address}&offset={max(0, offset - PER_PAGE)}" if offset else "",
        first=offset + 1,
        groups=services.rules.groups(),
    )


def _matchers(text: str) -> tuple[tuple[Matcher, ...], str]:
    try:
        return parse_matchers(text), ""
    except BadMatcher as error:
        expected = 'write matchers such as component="checkout", severity=~"critical|warning"'
        return (), f"{error.text!r} is no matcher; {expected}"


def _address(**parts: str) -> str:
    return "/console/alerts?" + urlencode({name: text for name, text in parts.items() if text})


def _tabs(counts: Counter[Shown], q: str, group: str) -> list[tuple[Any, ...]]:
    """Return (address, words, number) of each view; what is over is not counted."""
    views: list[tuple[Any, ...]] = [(_address(q=q, group=group), "Open", counts.total())]
    for one in Shown:
        address = _address(q=q, state=one.value, group=group)
        counted = () if one is Shown.RESOLVED else (counts[one],)
        views.append((address, one.value.capitalize(), *counted))
    return views


def _narrowed(q: str, group: str, value: str) -> str:
    added = str(Matcher(group, Operator.EQUAL, value))
    return f"{q.strip().strip('{}')}, {added}" if q.strip() else added


def _runbook(services: Services, line: Line) -> str:
    """Return the address of the alert's runbook: our own page, else a link it brought along."""
    name = str(line.row.labels.get("alertname", ""))
    if name and runbook_text(services, name):
        return f"/runbooks/{name}"
    given = str(line.row.annotations.get("runbook_url", ""))
    return given if is_web_address(given) else ""
