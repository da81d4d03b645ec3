"""A storm's pages: they show a part, say how much there is, and lead to the rest."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from monitor.web.pages.incident_facts import SHOWN_ALERTS, SHOWN_LINES
from monitor.web.permissions import Role
from monitor.web.trouble import MOST_IN_BANNER, MOST_SHOWN
from tests.builders import NOW
from tests.monitor.web.builders import Web
from tests.monitor.web.seeds import add_alert, add_incident, add_line
from tests.monitor.web.town import words

ALERTS, LINES = 60, 2 * SHOWN_LINES + 7


@pytest.fixture
def storm(web: Web) -> Web:
    """One incident with many alerts, all but the last of them over, and a long timeline."""
    with web.services.store.begin() as tx:
        row_id = add_incident(tx)
        for n in range(ALERTS - 1):
            over = {"open_marker": None, "state": "resolved", "resolved_at": NOW}
            add_alert(tx, row_id, fingerprint=f"{n:016x}", **over)
        add_alert(tx, row_id, fingerprint="f" * 16, joined_because="the one that fires")
        for n in range(LINES):
            add_line(tx, row_id, "alert_joined", f"line {n};")
        add_line(tx, row_id, "note", "by a person;", actor="ann")
    return web


def read(web: Web, path: str = "/1", role: Role = Role.RESPONDER) -> str:
    """Return an incident's page."""
    return web.as_role(role)[0].get(f"/console/incidents{path}").text


def test_a_timeline_of_thousands_is_walked_page_by_page(storm: Web) -> None:
    """Every line is on one page and no more, newest first, within the chosen kind too."""
    for show, total in (("all", LINES + 1), ("alerts", LINES)):
        seen: list[str] = []
        path: str | None = f"/1?show={show}"
        while path:
            page = read(storm, path)
            seen += re.findall(r"line \d+;|by a person;", page)
            older = re.search(r'rel="next" href="/console/incidents(/1\?show=[^"#]+)', page)
            path = older[1].replace("&amp;", "&") if older else None
        numbers = [int(line[5:-1]) for line in seen if line.startswith("line")]
        assert numbers == [*range(LINES - 1, -1, -1)]
        assert len(seen) == total


def test_the_tabs_count_all_lines_and_not_those_of_the_page(storm: Web) -> None:
    """What a person wrote is told apart from automation."""
    shown = words(read(storm))
    for part in (f"All {LINES + 1}", "People 1", f"Automation {LINES}", "Notes 1"):
        assert part in shown


def test_alerts_come_page_by_page_those_that_fire_first(storm: Web) -> None:
    """The summary tells how many there are in all."""
    first = words(read(storm))
    assert f"1 of {ALERTS} fire" in first
    assert "the one that fires" in first
    last = words(read(storm, f"/1?alerts={2 * SHOWN_ALERTS}"))
    assert f"{2 * SHOWN_ALERTS + 1} to {ALERTS} of {ALERTS}" in last
    assert "the one that fires" not in last


def test_who_was_told_stands_once_however_long_the_timeline(storm: Web) -> None:
    """A panel of its own, folded, with its fate in the summary."""
    assert read(storm).count('data-fold="told"') == 1


@pytest.mark.parametrize("fold", ["facts", "alerts", "runbook", "told", "called", "work", "tasks"])
def test_a_link_at_the_top_leads_into_each_folded_part(storm: Web, fold: str) -> None:
    """The target is inside, so that a browser opens what holds it, and shut says what is there."""
    page = read(storm)
    shut = re.search(rf'<details class="fold" data-fold="{fold}">.*?</summary>', page, re.S)
    linked = f'href="#{fold}"' in page
    if fold in ("runbook", "called"):  # this shop has no runbook of its own and calls nobody
        assert not linked
        return
    assert shut
    assert "quiet" in shut[0]
    assert page.count(f'id="{fold}"') == 1
    assert linked or fold == "facts"


def test_what_an_engineer_needs_first_stands_before_all_else(storm: Web) -> None:
    """What is broken, who has it and the button, above the timeline."""
    page = words(read(storm).partition("<main")[2])
    order = [page.index(part) for part in ("Affected", "Who has it", "Acknowledge", "Timeline")]
    assert order == sorted(order)


def test_more_open_incidents_than_fit_are_a_number(web: Web) -> None:
    """On the first page and in the banner: the worst are shown, none is left uncounted."""
    many = MOST_SHOWN + 5
    with web.services.store.begin() as tx:
        for n in range(1, many):
            add_incident(tx, n, severity="warning", started_at=NOW - timedelta(minutes=n))
        add_incident(tx, many, title="The worst")
    home = words(web.as_role(Role.RESPONDER)[0].get("/console").text)
    assert f"{many - MOST_SHOWN} more open" in home
    assert f"{many - MOST_SHOWN} more incidents nobody has taken yet" in home
    banner = words(web.as_role(Role.RESPONDER)[0].get("/console/journeys").text)
    assert f"INC-{many} The worst" in banner
    assert f"{many - MOST_IN_BANNER} more open" in banner
    own = words(read(web, f"/{many}"))
    assert f"{many - 1 - MOST_IN_BANNER} more open" in own
