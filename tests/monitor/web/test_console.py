"""The console's pages: what they show, what they keep back, and what their forms do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from monitor.storage import schema
from monitor.storage.runs import save_verdict
from monitor.storage.store import Store
from monitor.web.permissions import Role
from monitor.web.services import AlertView, RuleGroupView, RuleView
from probes.faults import Fault
from probes.verdict import Verdict, VerdictState
from tests.builders import NOW
from tests.monitor.web.builders import (
    FakeHolder,
    FakeJourneys,
    FakeReload,
    FakeRules,
    Web,
    configuration,
    services,
)
from tests.monitor.web.seeds import HOSTILE, troubled_shop

PAGES = [
    "/console",
    "/console/incidents",
    "/console/incidents/1",
    "/console/journeys",
    "/console/journeys/checkout",
    "/console/runs/checkout-0",
    "/console/alerts",
    "/console/notifications",
]


@pytest.fixture
def shop(web: Web) -> Web:
    """A shop whose checkout is down."""
    troubled_shop(web.services.store)
    return web


def read(web: Web, path: str, role: Role = Role.RESPONDER) -> str:
    """Return a page as a role sees it."""
    client, _ = web.as_role(role)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.text


def send(web: Web, path: str, role: Role = Role.RESPONDER, **form: str) -> str:
    """Send a form and return where it leads."""
    client, csrf = web.as_role(role)
    answer = client.post(path, data={"csrf": csrf, **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize("path", PAGES)
def test_what_was_captured_or_typed_is_never_markup(shop: Web, path: str) -> None:
    """Evidence, notes and reports show as text, whatever they try."""
    html = read(shop, path, Role.ADMINISTRATOR)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "javascript:" not in html


@pytest.mark.parametrize("path", [*PAGES, "/console/design", "/console/configuration"])
def test_no_page_needs_anything_inline_or_from_elsewhere(shop: Web, path: str) -> None:
    """The policy forbids inline script and style, so that a page may not rely on either."""
    html = read(shop, path, Role.ADMINISTRATOR)
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html
    assert 'src="http' not in html
    assert 'rel="stylesheet" href="/static/' in html


def test_home_says_what_is_down_since_when_and_what_to_tell_customers(shop: Web) -> None:
    """A support agent needs nothing else to answer the telephone."""
    html = read(shop, "/console", Role.AGENT)
    for words in ("Checkout fails at", "for 7 min", "Paying may fail at the moment", "RPT-2"):
        assert words in html
    assert "nobody has taken it yet" in html


def test_home_does_not_say_that_all_is_well_while_a_journey_is_down(
    web: Web, sqlite_store: Store
) -> None:
    """An announced outage opens no incident, and is an outage all the same."""
    with sqlite_store.begin() as tx:
        state = VerdictState(Verdict.DOWN, NOW, informed_at=NOW)
        save_verdict(tx, "checkout", "local", state)
    html = read(web, "/console")
    assert "No incident, but not everything works" in html
    assert "is down" in html
    assert "Nothing is wrong" not in html


def test_home_of_a_quiet_shop_says_so_and_admits_what_it_does_not_know(web: Web) -> None:
    """Without any run nothing is called well."""
    html = read(web, "/console", Role.VIEWER)
    assert "No open incident" in html
    assert "3 journeys are unknown" in html


def test_a_journey_that_has_not_run_for_long_is_unknown_not_up(shop: Web) -> None:
    """No data is never green."""
    assert read(shop, "/console/journeys").count("<span>Up</span>") == 2
    shop.clock.advance(600)
    assert read(shop, "/console/journeys").count("<span>Unknown</span>") == 3


def test_reports_are_not_shown_to_managers(shop: Web) -> None:
    """A viewer sees that there are reports, not what users wrote."""
    for path in ("/console", "/console/incidents/1"):
        assert "I pressed pay" not in read(shop, path, Role.VIEWER)
        assert "I pressed pay" in read(shop, path, Role.AGENT)


def test_captured_evidence_is_for_responders(shop: Web) -> None:
    """What a shop answered may hold customers' data."""
    assert "user-agent" in read(shop, "/console/runs/checkout-0", Role.RESPONDER)
    assert "user-agent" not in read(shop, "/console/runs/checkout-0", Role.VIEWER)


def test_a_run_shows_its_failing_step_and_the_last_good_run_beside_it(shop: Web) -> None:
    """Step, reason, phases in words, and what it looked like when it worked."""
    html = read(shop, "/console/runs/checkout-0")
    assert "Step “pay” failed" in html
    assert "wait for first byte 310 ms" in html
    assert "Last good run" in html
    assert 'href="/console/runs/checkout-28"' in html


def test_an_incident_leads_to_the_run_that_found_it(shop: Web) -> None:
    """From the page to the evidence is one step."""
    assert 'href="/console/runs/checkout-27"' in read(shop, "/console/incidents/1")


def test_a_journey_counts_its_runs_and_names_its_state(shop: Web) -> None:
    """12 of 40 passed."""
    html = read(shop, "/console/journeys/checkout")
    assert "30.0 %" in html
    assert "(12 of 40)" in html
    assert "28 not passed" in html


def test_earlier_runs_are_a_page_further(shop: Web) -> None:
    """The link to earlier runs begins where this page ends."""
    html = read(shop, "/console/journeys/checkout")
    before = html.split('href="?before=')[1].split('"')[0]
    assert "checkout-24" in html
    assert "checkout-39" not in html
    assert "checkout-39" in read(shop, f"/console/journeys/checkout?before={before}")


@pytest.mark.parametrize(
    "path",
    [
        "/console/incidents/99",
        "/console/journeys/nothing",
        "/console/runs/nothing",
        "/runbooks/Nothing",
        "/runbooks/..%2f..%2fpasswd",
    ],
)
def test_what_does_not_exist_is_answered_in_words(shop: Web, path: str) -> None:
    """404, as a page that says what was not found."""
    client, _ = shop.as_role(Role.RESPONDER)
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text


def test_a_refusal_is_headed_by_words_and_not_by_the_phrase_of_http(shop: Web) -> None:
    """Nobody at night has to know what an entity is that cannot be processed."""
    client, csrf = shop.as_role(Role.RESPONDER)
    form = {"csrf": csrf, "text": ""}
    answer = client.post("/console/incidents/1/note", data=form)
    assert answer.status_code == 422
    assert "<h1>Something is not right yet</h1>" in answer.text
    assert "Unprocessable" not in answer.text


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "x"])
def test_a_number_out_of_bounds_is_refused_not_a_bug(shop: Web, number: str) -> None:
    """The database is not asked for what it cannot hold."""
    client, _ = shop.as_role(Role.RESPONDER)
    assert client.get(f"/console/incidents/{number}").status_code == 422


def test_run_now_asks_the_journey_desk(shop: Web) -> None:
    """The button does what it says."""
    assert send(shop, "/console/journeys/checkout/run").endswith("?asked=true")
    desk = shop.services.journeys
    assert isinstance(desk, FakeJourneys)
    assert desk.asked == ["checkout"]


def test_acknowledging_names_who_has_taken_it(shop: Web) -> None:
    """The page says it, and so does the timeline."""
    assert "nobody" in read(shop, "/console/incidents/1").lower()
    location = send(shop, "/console/incidents/1/acknowledge")
    html = read(shop, location)
    assert "You have taken this incident." in html
    assert "responder has taken it." in html


def test_a_note_stays_inside(shop: Web) -> None:
    """It is on the timeline and never among what users read."""
    send(shop, "/console/incidents/1/note", Role.AGENT, text="gateway says maintenance")
    assert "gateway says maintenance" in read(shop, "/console/incidents/1")
    with shop.services.store.read() as connection:
        assert connection.execute(select(schema.incident_updates)).all() == []


def test_a_published_update_becomes_the_words_for_customers(shop: Web) -> None:
    """What agents copy is always the latest that was published."""
    path = "/console/incidents/1/update"
    send(shop, path, body="Cards fail, vouchers work.", status="identified")
    html = read(shop, "/console", Role.AGENT)
    assert "Cards fail, vouchers work." in html
    assert "Identified" in html


def test_an_incident_cannot_be_resolved_by_accident_while_alerts_fire(shop: Web) -> None:
    """The refusal says what holds it and what would be allowed; the tick box overrides it."""
    client, csrf = shop.as_role(Role.RESPONDER)
    path = "/console/incidents/1/resolve"
    refused = client.post(path, data={"csrf": csrf}, headers={"referer": "/console/incidents/1"})
    assert refused.status_code == 409
    assert "cannot be resolved while 1 of its alerts fire" in refused.text
    assert 'href="/console/incidents/1"' in refused.text
    html = read(shop, send(shop, path, despite="yes", text="Paying works again."))
    assert "Resolved" in html
    assert "Paying works again." in html


def test_a_resolved_incident_can_be_opened_again(shop: Web) -> None:
    """The fix did not hold: the same ticket, not a new one."""
    send(shop, "/console/incidents/1/resolve", despite="yes")
    send(shop, "/console/incidents/1/status", status="investigating")
    assert "Reopened" in read(shop, "/console/incidents/1")


@pytest.mark.parametrize("status", ["", "closed", "<b>"])
def test_an_unknown_status_is_refused_in_words(shop: Web, status: str) -> None:
    """422 with the words that are expected."""
    client, csrf = shop.as_role(Role.RESPONDER)
    answer = client.post("/console/incidents/1/status", data={"csrf": csrf, "status": status})
    assert answer.status_code == 422
    assert "expected one of" in answer.text


def test_automation_can_be_kept_off_and_put_back(shop: Web) -> None:
    """Taking over also takes the incident."""
    send(shop, "/console/incidents/1/take-over")
    assert "stands back" in read(shop, "/console/incidents/1")
    send(shop, "/console/incidents/1/hand-back")
    assert "stands back" not in read(shop, "/console/incidents/1")


def test_an_incident_can_be_opened_by_hand(web: Web) -> None:
    """Somebody heard of trouble that no probe has seen."""
    path, title = "/console/incidents", "Parcels are late"
    html = read(web, send(web, path, title=title, severity="warning", component="checkout"))
    assert "Parcels are late" in html
    assert "not published" in html


def test_a_failed_notification_can_be_sent_again_once(shop: Web) -> None:
    """It goes back into the queue under its own key; a second press is refused."""
    send(shop, "/console/notifications/2/retry")
    with shop.services.store.read() as connection:
        row = connection.execute(select(schema.outbox).where(schema.outbox.c.id == 2)).one()
    assert (row.state, row.due_at, row.attempts, row.key) == ("queued", NOW, 0, "b")
    assert "responder has mail told again" in read(shop, "/console/incidents/1")
    client, csrf = shop.as_role(Role.RESPONDER)
    again = client.post("/console/notifications/2/retry", data={"csrf": csrf})
    assert again.status_code == 422


def test_notifications_can_be_read_by_state(shop: Web) -> None:
    """The failed ones with their reason."""
    html = read(shop, "/console/notifications?state=failed")
    assert "connection refused" in html
    assert "pager" not in html.split("<table>")[1]


def test_the_configuration_page_shows_every_fault_of_a_failed_reload(sqlite_store: Store) -> None:
    """What is in force stays, and the page says why the new one is not."""
    fault = Fault("monitor.yml", 3, "site.url", "ftp:/x", "an http address")
    holder = FakeHolder(configuration(), FakeReload(faults=(fault,)))
    web = Web(services(sqlite_store, configuration=holder))
    html = read(web, send(web, "/console/configuration/reload", Role.ADMINISTRATOR))
    assert holder.reloads == 1
    assert "monitor.yml:3: site.url" in html
    assert "stays in force" in html


def test_the_alerts_page_is_not_alarmed_by_what_is_meant_to_fire(sqlite_store: Store) -> None:
    """A watchdog is grey, a severity that comes from labels is said so, a long expression folds."""
    rules = (
        RuleView("Watchdog", "vector(1)", True, "firing", {"severity": "none"}),
        RuleView("Down", "up == 0 or " * 20 + "up", True, "inactive", {"severity": "{{ $x }}"}),
    )
    desk = FakeRules((RuleGroupView("g", "/etc/rules/mine.yml", 15.0, rules),))
    html = read(Web(services(sqlite_store, rules=desk)), "/console/alerts")
    assert "tone-critical" not in html
    assert "severity from its labels" in html
    assert "<summary><code>up == 0 or" in html
    assert "/etc/rules" not in html


def test_the_alerts_page_shows_rules_and_their_errors(sqlite_store: Store) -> None:
    """A rule that cannot be evaluated is not shown as inactive."""
    alert = AlertView({"journey": "checkout"}, {}, "firing", NOW, 1.0)
    rules = (
        RuleView("Down", "up == 0", True, "firing", evaluated_at=NOW, alerts=(alert,)),
        RuleView("Odd", "up == on", True, "unknown", error="unexpected end"),
    )
    group = RuleGroupView("shop", "shop.yml", 15.0, rules)
    web = Web(services(sqlite_store, rules=FakeRules((group,))))
    html = read(web, "/console/alerts")
    assert "unexpected end" in html
    assert "journey=checkout" in html


def test_a_quiet_page_that_refreshes_itself_does_not_keep_a_session_alive(web: Web) -> None:
    """A screen left alone signs its owner out."""
    client, _ = web.as_role(Role.VIEWER)
    for _ in range(12):
        web.clock.advance(3600)
        client.get("/console", headers={"x-refresh": "1"})
    assert client.get("/console").status_code == 303


def test_times_carry_the_zone_of_the_site(web: Web) -> None:
    """Nobody has to guess which clock is meant."""
    site = web.services.configuration.current.site
    object.__setattr__(site, "time_zone", "Africa/Johannesburg")
    troubled_shop(web.services.store)
    assert "10:53 SAST" in read(web, "/console/incidents/1")


def test_a_blip_is_counted_apart(web: Web) -> None:
    """A confirmation that passed means that the failure was not one."""
    row = {"journey": "checkout", "location": "local", "duration_seconds": 0.1, "body": {}}
    with web.services.store.begin() as tx:
        for attempt, outcome in ((1, "fail"), (2, "pass")):
            values = row | {"run_id": f"r{attempt}", "attempt": attempt, "outcome": outcome}
            tx.connection.execute(insert(schema.runs).values(**values, started_at=NOW))
        moved = NOW - timedelta(minutes=1)
        tx.connection.execute(update(schema.runs).values(started_at=moved))
    html = read(web, "/console/journeys")
    assert '<td class="number" data-label="Blips">1</td>' in html


def test_runbooks_are_rendered_and_their_html_is_shown_as_text(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """Markdown becomes headings and tables; markup inside it stays text."""
    runbooks = tmp_path / "alert_rules" / "runbooks"
    runbooks.mkdir(parents=True)
    text = f"# Look first\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n\n{HOSTILE}\n"
    (runbooks / "ProbeFailing.md").write_text(text, "utf-8")
    web = Web(services(sqlite_store, configuration=FakeHolder(configuration(tmp_path))))
    html = read(web, "/runbooks/ProbeFailing", Role.VIEWER)
    assert "<h1>Look first</h1>" in html
    assert "<table>" in html
    assert " style=" not in html
    assert "<script>alert" not in html
