"""The search: what is found, in which order, by whom, and where an exact reference leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from monitor.storage import schema
from monitor.storage.store import Store
from monitor.web.permissions import Actor, Role
from monitor.web.searching import MOST_OF_A_KIND, Results, search
from tests.builders import NOW
from tests.monitor.web.builders import FakeHolder, Web, configuration, services
from tests.monitor.web.seeds import add_alert, add_incident, add_report, troubled_shop

TOKEN = "a-secret-reference-0001"


def found(store: Store, words: str, role: Role = Role.RESPONDER) -> Results:
    """Return what somebody of that role finds."""
    return search(services(store), Actor("ann", role), words)


def names(results: Results, kind: str) -> list[str]:
    """Return the names of what was found of one kind."""
    return [hit.name for hit in dict(results.groups).get(kind, ())]


def incidents(store: Store, *titles: str, **facts: Any) -> None:
    """Store incidents of these titles, numbered from 1."""
    with store.begin() as tx:
        for number, title in enumerate(titles, 1):
            add_incident(tx, number, title=title, **facts)


def test_every_word_has_to_stand_somewhere_in_what_is_found(store: Store) -> None:
    """One word in the title and another in the component are enough, in any case of letters."""
    incidents(store, "Parcels are late", "Paying fails")
    assert names(found(store, "FAILS checkout"), "Incidents") == ["INC-2"]
    assert names(found(store, "fails parcels"), "Incidents") == []


def test_what_begins_so_stands_before_what_merely_holds_it(store: Store) -> None:
    """Then open before resolved, then the newest."""
    incidents(store, "Pay is slow", "Nobody can pay", "Checkout: repay loop", "Pay fails")
    assert names(found(store, "pay"), "Incidents") == ["INC-4", "INC-1", "INC-3", "INC-2"]
    with store.begin() as tx:
        tx.connection.execute(
            schema.incidents.update()
            .where(schema.incidents.c.number == 4)
            .values(open_marker=None, status="resolved")
        )
    assert names(found(store, "pay"), "Incidents")[:2] == ["INC-1", "INC-4"]


@pytest.mark.parametrize(
    "words", ["gateway-7", "pod=gateway-7", "pod=gateway", "severity=critical"]
)
def test_an_incident_is_found_by_a_label_of_its_alerts(store: Store, words: str) -> None:
    """By a value alone, or by name and value."""
    with store.begin() as tx:
        row_id = add_incident(tx)
        add_alert(tx, row_id, labels={"pod": "gateway-7", "severity": "critical"})
    assert names(found(store, words), "Incidents") == ["INC-1"]
    assert names(found(store, "node=gateway-7"), "Incidents") == []


@pytest.mark.parametrize("words", ["%", "_", "100%", "a_b", "\\", "/", "'", '"', "%%%%", "\x00"])
def test_what_looks_like_a_pattern_is_only_text(store: Store, words: str) -> None:
    """Nothing is a wildcard, and nothing breaks the statement."""
    incidents(store, "Plain title")
    assert names(found(store, words), "Incidents") == []


def test_a_per_cent_sign_finds_a_per_cent_sign(store: Store) -> None:
    """Escaped, not dropped."""
    incidents(store, "Discount of 100% is given", "Discount of 1000 is given")
    assert names(found(store, "100%"), "Incidents") == ["INC-1"]


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("INC-1", "/console/incidents/1"),
        ("inc1", "/console/incidents/1"),
        (" RPT-2 ", "/console/reports/2"),
        ("MNT-1", "/console/maintenance/1"),
        (TOKEN, "/console/reports/9"),
        (f"https://status.shop.test/r/{TOKEN}", "/console/reports/9"),
        ("INC-99", ""),
        ("INC-999999999999", ""),
        ("1", ""),
        ("", ""),
    ],
)
def test_an_exact_reference_leads_straight_to_what_it_names(
    store: Store, words: str, path: str
) -> None:
    """A bare number names nothing alone; what does not exist leads nowhere."""
    troubled_shop(store)
    with store.begin() as tx:
        add_report(tx, 9, None, token=TOKEN)
    assert found(store, words).jump == path


def test_a_bare_number_finds_whatever_has_it(store: Store) -> None:
    """Incident and report alike."""
    troubled_shop(store)
    results = found(store, "1")
    assert "INC-1" in names(results, "Incidents")
    assert "RPT-1" in names(results, "Reports")


def test_reports_are_found_only_by_whoever_may_read_them(store: Store) -> None:
    """Neither their text nor their reference gives anything away to a manager."""
    troubled_shop(store)
    with store.begin() as tx:
        add_report(tx, 3, None, reporter_email="eve@customer.test")
    assert names(found(store, "eve@customer", Role.AGENT), "Reports") == ["RPT-3"]
    for words in ("eve@customer", "RPT-3", "token-3", "nothing came"):
        results = found(store, words, Role.VIEWER)
        assert (names(results, "Reports"), results.jump) == ([], "")


def test_a_report_is_found_by_what_was_answered(store: Store) -> None:
    """The whole conversation, not only its beginning."""
    troubled_shop(store)
    row = {"report_id": 1, "at": NOW, "direction": "in", "body": "It was order 4711"}
    with store.begin() as tx:
        tx.connection.execute(insert(schema.report_messages).values(**row))
    assert names(found(store, "4711"), "Reports") == ["RPT-1"]


def test_so_many_of_a_kind_and_no_more(store: Store) -> None:
    """A search stays quick and short, whatever it is asked."""
    incidents(store, *[f"Pay {n}" for n in range(20)])
    assert len(names(found(store, "pay"), "Incidents")) == MOST_OF_A_KIND
    assert all(len(hits) <= MOST_OF_A_KIND for _, hits in found(store, "pay " * 1000).groups)


def test_journeys_components_runbooks_and_pages_are_found(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """What is configured and written, not only what happened."""
    folder = tmp_path / "alert_rules" / "runbooks"
    folder.mkdir(parents=True)
    (folder / "CheckoutStuck.md").write_text("# When nobody can pay\n\nLook at the gateway.\n")
    given = services(sqlite_store, configuration=FakeHolder(configuration(tmp_path)))
    results = search(given, Actor("ann", Role.VIEWER), "checkout")
    assert names(results, "Journeys") == ["checkout"]
    assert names(results, "Components") == ["Checkout"]
    assert names(results, "Runbooks")[1] == "CheckoutStuck"  # after CheckoutPriceMismatch
    assert "CheckoutStuck" in names(search(given, Actor("a", Role.VIEWER), "gateway"), "Runbooks")
    assert names(search(given, Actor("a", Role.VIEWER), "maint"), "Pages") == ["Maintenance"]
    assert names(search(given, Actor("a", Role.VIEWER), "configuration"), "Pages") == []


def test_people_are_found_only_by_whoever_manages_them(web: Web) -> None:
    """Accounts are nobody else's business."""
    web.add_user(Role.AGENT)
    given = web.services
    assert names(search(given, Actor("a", Role.ADMINISTRATOR), "agent"), "People") == ["agent"]
    assert names(search(given, Actor("a", Role.RESPONDER), "agent"), "People") == []


def test_the_page_shows_what_was_found_and_follows_a_reference(web: Web) -> None:
    """Without any script."""
    troubled_shop(web.services.store)
    client, _ = web.as_role(Role.AGENT)
    html = client.get("/console/search", params={"q": "search"}).text
    assert 'href="/console/reports/2"' in html
    assert 'href="/console/journeys/search"' in html
    assert client.get("/console/search?q=INC-1").headers["location"] == "/console/incidents/1"
    assert "Nothing was found for" in client.get("/console/search?q=zzzz").text


def test_the_api_gives_the_same_to_programs_and_to_the_palette(web: Web) -> None:
    """Kind, name, title, state and page of each hit."""
    troubled_shop(web.services.store)
    client, _ = web.as_role(Role.VIEWER)
    answer = client.get("/api/v1/search", params={"q": "INC-1"}).json()
    assert answer["jump"] == "/console/incidents/1"
    assert answer["results"][0] == {
        "kind": "Incidents",
        "path": "/console/incidents/1",
        "name": "INC-1",
        "title": "Checkout fails at “pay”",
        "detail": "Checkout",
        "state": "investigating",
    }
    assert client.get("/api/v1/search", params={"q": "x" * 201}).status_code == 422
