"""The alert explorer and the silences pages, as a responder uses them."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs

import pytest

from incidents.alerts.matchers import parse_matchers
from monitor.use_cases.explorer import PER_PAGE
from monitor.web.permissions import Role
from monitor.web.silencing import silence_form as silence_form_of
from tests.monitor.web.builders import Web

DOWN = {"alertname": "Down", "severity": "critical", "component": "checkout"}
SLOW = {"alertname": "Slow", "severity": "warning", "component": "checkout"}
LATE = {"alertname": "Late", "severity": "warning", "component": "search"}


@pytest.fixture
def busy(web: Web) -> Web:
    """One alert fires, one is inhibited by it, one is about something else."""
    web.client().post("/api/v2/alerts", json=[{"labels": labels} for labels in (DOWN, SLOW, LATE)])
    return web


def read(web: Web, path: str, role: Role = Role.RESPONDER) -> str:
    """Return a page as a role sees it, its references resolved."""
    answer = web.as_role(role)[0].get(path)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def send(web: Web, path: str, **form: str) -> tuple[int, str, str]:
    """Send a form; return the status, where it leads, and the page."""
    client, csrf = web.as_role(Role.RESPONDER)
    answer = client.post(path, data={"csrf": csrf, **form})
    return answer.status_code, answer.headers.get("location", ""), html.unescape(answer.text)


def silence_form(**changes: str) -> dict[str, str]:
    """The form of a silence of checkout for an hour."""
    return {
        "matchers": 'component="checkout"',
        "starts": "2026-11-22T09:00",
        "ends": "2026-11-22T10:00",
        "zone": "UTC",
        "comment": "known",
        "do": "create",
        **changes,
    }


def names(page: str) -> set[str]:
    """Return the rules whose alerts a page lists."""
    return set(re.findall(r'<th scope="row">(\w+)<br>', page))


def test_the_explorer_says_of_each_alert_how_it_stands_and_why(busy: Web) -> None:
    """Firing, and inhibited by whom; its incident and the way to silence it."""
    page = read(busy, "/console/alerts")
    assert names(page) == {"Down", "Slow", "Late"}
    assert "by Down (checkout)" in page
    assert '<a href="/console/incidents/1">INC-1</a>' in page
    assert page.count(">Silence this</a>") == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=inhibited", {"Slow"}),
        ("state=firing", {"Down", "Late"}),
        ("q=component%3D%22search%22", {"Late"}),
        ("q=%7Bcomponent%3D~%22check.*%22%2C+severity%21%3Dcritical%7D", {"Slow"}),
        ("state=silenced", set()),
    ],
)
def test_the_explorer_is_narrowed_by_state_and_matchers(
    busy: Web, query: str, found: set[str]
) -> None:
    """Matchers as amtool and Grafana write them, in braces or not."""
    assert names(read(busy, f"/console/alerts?{query}")) == found


def test_a_faulty_matcher_is_told_beside_its_field(busy: Web) -> None:
    """With what would be one; everything is shown meanwhile."""
    page = read(busy, "/console/alerts?q=component%3D%3Dx%22")
    assert "is no matcher; write matchers such as" in page
    assert 'aria-invalid="true"' in page


def test_alerts_are_grouped_by_a_label_with_the_worst_first(busy: Web) -> None:
    """Each group leads to its alerts."""
    page = read(busy, "/console/alerts?group=component")
    assert page.index(">checkout</a>") < page.index(">search</a>")
    address = re.findall(r'href="(/console/alerts\?[^"]*)">checkout</a>', page)[0]
    assert names(read(busy, address)) == {"Down", "Slow"}


def test_what_ended_is_found_under_resolved(busy: Web) -> None:
    """And is not among the open ones."""
    ended = {"labels": LATE, "endsAt": busy.clock.now().isoformat()}
    busy.client().post("/api/v2/alerts", json=[ended])
    assert names(read(busy, "/console/alerts")) == {"Down", "Slow"}
    assert names(read(busy, "/console/alerts?state=resolved")) == {"Late"}


def test_many_alerts_come_in_pages(web: Web) -> None:
    """The next page holds the rest."""
    many = [{"labels": {**DOWN, "instance": str(n)}} for n in range(PER_PAGE + 5)]
    web.client().post("/api/v2/alerts", json=many)
    first = read(web, "/console/alerts")
    assert f"1 to {PER_PAGE} of {PER_PAGE + 5}" in first
    address = re.findall(r'rel="next" href="([^"]*)"', first)[0]
    assert f"{PER_PAGE + 1} to {PER_PAGE + 5} of" in read(web, address)


def test_a_silence_is_previewed_then_made_and_the_explorer_follows(busy: Web) -> None:
    """The preview changes nothing; afterwards both alerts name the silence."""
    status, _, page = send(busy, "/console/silences", **silence_form(do="preview"))
    assert status == 200
    assert "2 alerts" in page
    assert "1 critical alert" in page
    assert names(read(busy, "/console/alerts?state=silenced")) == set()
    _, address, _ = send(busy, "/console/silences", **silence_form())
    assert "known" in read(busy, address)
    assert names(read(busy, "/console/alerts?state=silenced")) == {"Down", "Slow"}
    assert address in read(busy, "/console/alerts?state=silenced")


def test_a_silence_is_extended_changed_and_ended(busy: Web) -> None:
    """Its page follows; a change of matchers makes another of it."""
    _, address, _ = send(busy, "/console/silences", **silence_form())
    _, longer, _ = send(busy, f"{address}/extend", hours="4")
    assert longer == address
    assert "14:00" in read(busy, address)
    silence_id = address.rsplit("/", 1)[-1]
    form = read(busy, f"/console/silences/new?of={silence_id}")
    assert f'value="{silence_id}"' in form
    _, other, _ = send(busy, "/console/silences", **silence_form(id=silence_id, matchers="a=b"))
    assert other != address
    assert "Expired" in read(busy, address)
    send(busy, f"{other}/expire")
    assert read(busy, "/console/silences").count("Expired") == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"matchers": ""}, "Write at least one matcher"),
        ({"matchers": "nonsense"}, "Bad matcher format"),
        ({"matchers": "a=~.*"}, "must not match the empty string"),
        ({"comment": " "}, "The reason is empty"),
        ({"ends": "2026-11-22T08:00"}, "start time must be before end time"),
        ({"ends": "soon"}, "is no date, time and zone"),
        ({"zone": "Mars/Base"}, "is no date, time and zone"),
        ({"rule": "FREQ=SECONDLY"}, "is no rule we take"),
        ({"rule": "FREQ=DAILY;COUNT=2", "ends": "2026-11-23T10:00"}, "The occurrences overlap"),
    ],
)
def test_a_silence_that_cannot_be_is_said_with_what_was_entered(
    web: Web, changes: dict[str, str], words: str
) -> None:
    """Nothing is lost, nothing is made."""
    status, _, page = send(web, "/console/silences", **silence_form(**changes))
    assert (status, words in page) == (422, True), page
    assert "Nothing is silenced" in read(web, "/console/silences")


def test_a_recurring_silence_lists_when_it_comes(web: Web) -> None:
    """Every occurrence, before the first one bites."""
    form = silence_form(rule="FREQ=DAILY;COUNT=3", zone="UTC")
    _, address, _ = send(web, "/console/silences", **form)
    page = read(web, address)
    assert "3 times in all" in page
    assert page.count("<li>") >= 3
    assert "longer</button>" not in page


def test_a_viewer_sees_silences_and_is_offered_none_to_make(busy: Web) -> None:
    """What a role may not do is not shown to it."""
    assert "/console/silences/new" not in read(busy, "/console/silences", Role.VIEWER)
    assert "Silence this" not in read(busy, "/console/alerts", Role.VIEWER)


def test_the_alerts_of_an_incident_are_silenced_from_its_page(busy: Web) -> None:
    """One press leads to the form: matchers of just these, and the incident as the reason."""
    page = read(busy, "/console/incidents/1")
    found = re.search(r'href="(/console/silences/new\?[^"]+)">Silence<', page)
    assert found is not None
    form = read(busy, found[1])
    assert 'component="checkout"' in form
    assert 'alertname=~"Down|Slow"' in form
    assert 'severity=~"critical|warning"' in form
    assert ">INC-1</textarea>" in form
    assert found[1] not in read(busy, "/console/incidents/1", Role.AGENT)


def test_the_address_of_the_form_holds_what_all_alerts_have_and_nothing_wider() -> None:
    """Labels that only some have are left out; values are taken literally."""
    two = [{"alertname": "A.b", "job": "x"}, {"alertname": "A|c", "path": "/"}]
    given = parse_qs(silence_form_of(two, "INC-1").partition("?")[2])
    assert given == {"matchers": ['alertname=~"A\\\\.b|A\\\\|c"'], "comment": ["INC-1"]}
    (matcher,) = parse_matchers(given["matchers"][0])
    assert [matcher.holds(labels) for labels in two] == [True, True]
    assert not matcher.holds({"alertname": "Axb"})
    assert silence_form_of([{"a": "1"}, {"b": "1"}]) == ""
    assert silence_form_of([{"a": str(value)} for value in range(30)]) == ""
    assert silence_form_of([]) == ""
