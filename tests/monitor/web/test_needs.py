"""What needs whom: every role's first page, the banner of every page, and whose clock it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from monitor.storage import schema
from monitor.storage.store import Store
from monitor.web.needs import Scene, hints_of, needs_of, trouble_time
from monitor.web.permissions import Actor, Role
from monitor.web.rendering import zone_of
from monitor.web.services import RuleGroupView, RuleView, Services
from monitor.web.trouble import MOST_SHOWN
from probes.faults import Fault
from tests.builders import NOW
from tests.monitor.web.builders import (
    FakeHolder,
    FakeReload,
    FakeRules,
    FakeSettings,
    Web,
    configuration,
    services,
)
from tests.monitor.web.seeds import (
    add_incident,
    add_notification,
    add_report,
    add_window,
    troubled_shop,
)
from tests.monitor.web.town import words

MINUTE = timedelta(minutes=1)


def scene(given: Services, role: Role = Role.ADMINISTRATOR, name: str = "ann") -> Iterator[Scene]:
    """Give what needs are drawn from, while its connection is open."""
    with given.store.read() as connection:
        yield Scene(given, connection, Actor(name, role), NOW)


def needs(given: Services, role: Role = Role.ADMINISTRATOR, name: str = "ann") -> list[str]:
    """Return the words of what needs somebody of that role."""
    return [need.words for drawn in scene(given, role, name) for need in needs_of(drawn)]


def test_an_incident_nobody_has_taken_comes_first_for_whoever_can_take_it(
    sqlite_store: Store,
) -> None:
    """With the button; an agent cannot take it and is not asked to."""
    troubled_shop(sqlite_store)
    given = services(sqlite_store)
    assert needs(given, Role.RESPONDER)[0].startswith("INC-1 Checkout fails at “pay”: nobody")
    assert not any("INC-1" in line for line in needs(given, Role.AGENT))


@pytest.mark.parametrize(("name", "called"), [("ann", True), ("bob", False)])
def test_whoever_was_called_about_it_is_told_so(
    sqlite_store: Store, name: str, called: bool
) -> None:
    """A page that was slept through waits on the first page."""
    step = {"sequence": 1, "at": NOW, "why": "opened", "missed": [], "message_keys": []}
    with sqlite_store.begin() as tx:
        told = [{"target": "primary", "person": "ann", "channels": ["mail"]}]
        row = {**step, "incident_id": add_incident(tx), "told": told}
        tx.connection.execute(insert(schema.escalation_steps).values(**row))
    (first, *_) = needs(services(sqlite_store), Role.RESPONDER, name)
    assert ("you were called" in first) is called


def test_what_one_has_taken_is_one_s_own_until_it_is_resolved(sqlite_store: Store) -> None:
    """A colleague is not told of it."""
    with sqlite_store.begin() as tx:
        add_incident(tx, acknowledged_at=NOW, acknowledged_by="ann")
    given = services(sqlite_store)
    assert needs(given, Role.RESPONDER, "ann") == [
        "INC-1 Checkout fails at “pay”: you have taken it"
    ]
    assert needs(given, Role.RESPONDER, "bob") == []


def test_users_who_reported_and_heard_nothing_are_somebody_s_task(sqlite_store: Store) -> None:
    """Until there are words for them."""
    with sqlite_store.begin() as tx:
        row_id = add_incident(tx, published_at=None, customer_message="", acknowledged_at=NOW)
        add_report(tx, 1, row_id, status="closed")
    told = "INC-1: 1 user reported it, and nobody is told anything"
    assert needs(services(sqlite_store), Role.RESPONDER) == [told]


def crowd(store: Store, count: int, first: int, **facts: Any) -> list[int]:
    """Store so many open incidents that nobody needs to do anything about but for the facts."""
    quiet = {"acknowledged_at": NOW, "acknowledged_by": "bob", **facts}
    with store.begin() as tx:
        return [add_incident(tx, first + n, **quiet) for n in range(count)]


UNTOLD = {"published_at": None, "customer_message": "", "severity": "info"}


def test_what_is_needed_behind_worse_incidents_is_on_the_list(store: Store) -> None:
    """More than a page of incidents that somebody has, and behind them three that want something.

    A canary wants nothing, nor does what nobody has reported.
    """
    crowd(store, MOST_SHOWN + 1, 1)
    crowd(store, 1, 101, severity="info", acknowledged_at=None)
    crowd(store, 1, 102, severity="info", acknowledged_by="ann")
    silent, _unheard = crowd(store, 2, 103, **UNTOLD)
    crowd(store, 1, -1, acknowledged_at=None)
    with store.begin() as tx:
        add_report(tx, 1, silent, status="closed")
    assert [line.split(" ")[0].rstrip(":") for line in needs(services(store), Role.RESPONDER)] == [
        "INC-101",
        "INC-103",
        "INC-102",
    ]


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"acknowledged_at": None}, "2 more incidents nobody has taken yet"),
        ({"acknowledged_by": "ann"}, "2 more incidents you have taken"),
        (UNTOLD, "2 more incidents users reported, and nobody is told anything"),
    ],
    ids=["untaken", "yours", "unexplained"],
)
def test_many_of_a_kind_are_listed_up_to_a_page_and_counted_beyond(
    store: Store, facts: dict[str, Any], told: str
) -> None:
    """The number is that of all the others, however many incidents are open beside them."""
    crowd(store, 3, 1)
    found = crowd(store, MOST_SHOWN + 2, 101, **facts)
    if "published_at" in facts:
        with store.begin() as tx:
            for number, row_id in enumerate(found):
                add_report(tx, number + 1, row_id, status="closed")
    lines = needs(services(store), Role.RESPONDER)
    assert (lines[-1], len(lines)) == (told, MOST_SHOWN + 1)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"status": "new"}, "1 report nobody has looked at"),
        ({"status": "open"}, "1 report open, waiting for us"),
        ({"status": "resolved", "works_now": "no"}, "1 user said that it still does not work"),
        ({"status": "waiting_for_user"}, ""),
        ({"status": "closed", "works_now": "no"}, ""),
    ],
)
def test_reports_that_wait_for_us_need_an_agent(
    sqlite_store: Store, facts: dict[str, str], told: str
) -> None:
    """What waits for the user, or is over, does not; a manager is never asked."""
    with sqlite_store.begin() as tx:
        add_report(tx, 1, None, **facts)
    given = services(sqlite_store)
    assert needs(given, Role.AGENT) == ([told] if told else [])
    assert needs(given, Role.VIEWER) == []


@pytest.mark.parametrize(("hours", "count"), [(23, 1), (25, 0)])
def test_a_failed_notification_needs_somebody_for_a_day(
    sqlite_store: Store, hours: int, count: int
) -> None:
    """Then it stays on its page and no longer nags."""
    with sqlite_store.begin() as tx:
        add_notification(tx, "a", "failed", finished_at=NOW - timedelta(hours=hours))
    assert len(needs(services(sqlite_store), Role.RESPONDER)) == count


@pytest.mark.parametrize(("minutes", "count"), [(4, 0), (6, 1)])
def test_a_notification_that_should_have_left_is_told(
    sqlite_store: Store, minutes: int, count: int
) -> None:
    """A worker that stands still shows here before anybody misses a page."""
    with sqlite_store.begin() as tx:
        add_notification(tx, "a", "queued", due_at=NOW - minutes * MINUTE)
    assert len(needs(services(sqlite_store), Role.RESPONDER)) == count


def test_a_window_that_no_probe_has_verified_is_told(sqlite_store: Store) -> None:
    """Once its grace is over."""
    with sqlite_store.begin() as tx:
        add_window(tx, starts_at=NOW - 300 * MINUTE, ends_at=NOW - 200 * MINUTE)
        add_window(tx, 2)
    assert needs(services(sqlite_store), Role.RESPONDER) == [
        "MNT-1 has ended long ago, and no probe has seen the shop work yet"
    ]


def test_an_administrator_is_told_what_ails_the_monitor_itself(sqlite_store: Store) -> None:
    """A refused configuration, a rule that cannot be evaluated, and why it is not ready."""
    fault = Fault("monitor.yml", 3, "site.url", "ftp:/x", "an http address")
    rules = (RuleView("Odd", "up == on", True, "unknown", error="unexpected end"),)
    given = services(
        sqlite_store,
        configuration=FakeHolder(configuration(), FakeReload(faults=(fault,))),
        rules=FakeRules((RuleGroupView("g", "g.yml", 15.0, rules),)),
        ready=lambda: ["the disk is full"],
    )
    assert needs(given) == [
        "The configuration was not taken: 1 fault",
        "The monitor is not ready: the disk is full",
        "1 rule cannot be evaluated: Odd",
    ]
    assert needs(given, Role.RESPONDER) == []


def test_an_administrator_is_told_what_is_still_to_set_up(sqlite_store: Store) -> None:
    """No mail, nobody else, an address that works here alone; nobody else is bothered with it."""
    settings = FakeSettings(smtp_url=None, public_url="http://127.0.0.1:8080")
    given = services(sqlite_store, settings=settings)
    hints = [hint.words for drawn in scene(given) for hint in hints_of(drawn)]
    assert [hint.split(":")[0] for hint in hints] == [
        "No mail leaves this monitor",
        "You are the only one who can sign in",
        "Links in messages work on this machine only",
    ]
    assert [hint for drawn in scene(given, Role.RESPONDER) for hint in hints_of(drawn)] == []


@pytest.mark.parametrize(
    ("spans", "minutes"),
    [
        ([], 0),
        ([(-10, None)], 10),
        ([(-500, -490)], 0),
        ([(-70, -50)], 10),
        ([(-30, -10), (-20, -5)], 25),
        ([(-30, -10), (-25, -20)], 20),
        ([(-30, -20), (-10, None)], 20),
        ([(5, None)], 0),
    ],
)
def test_trouble_that_overlaps_counts_once_and_only_inside_the_day(
    spans: list[tuple[int, int | None]], minutes: int
) -> None:
    """The day began an hour ago."""
    at = [(NOW + a * MINUTE, None if b is None else NOW + b * MINUTE) for a, b in spans]
    assert trouble_time(at, NOW - 60 * MINUTE, NOW) == minutes * MINUTE


def read(web: Web, path: str, role: Role) -> str:
    """Return a page as a role reads it."""
    answer = web.as_role(role)[0].get(path)
    assert answer.status_code == 200
    return answer.text


def test_every_role_begins_with_what_it_can_do(web: Web) -> None:
    """A manager has figures, an agent reports, an administrator what is still to set up."""
    troubled_shop(web.services.store)
    viewer, agent = read(web, "/console", Role.VIEWER), read(web, "/console", Role.AGENT)
    assert "What needs you now" not in viewer
    assert "1 incident today 1 open now" in words(viewer)
    assert "2 reports open, waiting for us" in agent
    assert "Acknowledge" not in agent
    assert "Still to set up" not in agent
    quiet = read(web, "/console", Role.AGENT)
    assert 'action="/console/incidents/1/acknowledge"' in read(web, "/console", Role.RESPONDER)
    assert "Nothing needs you now." not in quiet


def test_a_quiet_day_is_good_news(web: Web) -> None:
    """An empty list says so."""
    assert "Nothing needs you now." in read(web, "/console", Role.RESPONDER)


def test_every_page_says_what_is_down_and_what_may_be_told(web: Web) -> None:
    """Since when, how many reported it, and the approved words with their button."""
    troubled_shop(web.services.store)
    html = read(web, "/console/journeys", Role.AGENT)
    strip = words(html.split('data-live="banner"')[1].split("</aside>")[0])
    for said in ("Checkout", "for 7 min", "INC-1", "1 report", "Paying may fail at the moment"):
        assert said in strip
    assert 'data-copy="banner-words-1"' in html


def test_nobody_is_told_to_speak_of_what_customers_do_not_know_by_name(web: Web) -> None:
    """An incident of the monitor itself, or of nothing in particular, has no words to make up."""
    client = web.as_role(Role.MACHINE)[0]
    client.post("/api/v1/incidents", json={"title": "Newsletter twice", "severity": "warning"})
    home = words(read(web, "/console", Role.AGENT))
    assert "ask whoever has it before you say anything" in home
    assert "Say that you know" not in home
    strip = words(read(web, "/console/journeys", Role.AGENT))
    assert "Nothing to tell customers yet." in strip
    assert "Demo Market since" in strip
    client.post("/api/v1/incidents", json={"title": "Slow", "component": "checkout"})
    assert "Say that you know of trouble with Checkout" in words(read(web, "/console", Role.AGENT))


def test_the_banner_does_not_repeat_what_the_page_tells(web: Web) -> None:
    """Neither on the first page nor on the incident's own; an incident beside it is shown."""
    troubled_shop(web.services.store)
    for path in ("/console", "/console/incidents/1"):
        assert 'aria-label="Open incidents"' not in read(web, path, Role.AGENT)
    with web.services.store.begin() as tx:
        add_incident(tx, 2, title="Parcels are late")
    assert 'data-incident="INC-2"' in read(web, "/console/incidents/1", Role.AGENT)


def test_the_banner_shows_three_and_counts_the_rest(web: Web) -> None:
    """A storm does not push the page away."""
    with web.services.store.begin() as tx:
        for number in range(1, 6):
            add_incident(tx, number)
    html = read(web, "/console/journeys", Role.VIEWER)
    assert html.count("data-incident=") == 3
    assert "2 more open" in html


def test_a_report_is_linked_from_the_banner(web: Web) -> None:
    """One press; afterwards the button is gone."""
    troubled_shop(web.services.store)
    client, csrf = web.as_role(Role.AGENT)
    assert "Link this report to INC-1" in client.get("/console/reports/2").text
    client.post("/console/reports/2/link", data={"csrf": csrf, "incident": "INC-1"})
    assert "Link this report" not in client.get("/console/reports/2").text
    assert "Link this report" not in client.get("/console/journeys").text


def test_times_are_shown_in_the_reader_s_own_zone(web: Web) -> None:
    """The instant itself stays in the page for programs."""
    troubled_shop(web.services.store)
    client, _ = web.as_role(Role.RESPONDER)
    with web.services.store.begin() as tx:
        tx.connection.execute(update(schema.users).values(time_zone="Asia/Tokyo"))
    html = client.get("/console/incidents/1").text
    assert "17:53 JST" in html
    assert 'datetime="2026-11-22T08:53:00+00:00"' in html


@pytest.mark.parametrize("own", ["", "Mars/Olympus", "../etc/passwd"])
def test_a_zone_that_nobody_knows_is_the_site_s(own: str) -> None:
    """A page is never lost to it."""
    actor = Actor("ann", Role.VIEWER, time_zone=own)
    assert zone_of(actor, "Africa/Johannesburg").key == "Africa/Johannesburg"
    assert zone_of(None, "UTC").key == "UTC"
