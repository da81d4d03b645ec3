"""The explorer counts crowds and reads one page: it says what a look at each alert would say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, Row, select

from incidents.alerts.inhibition import DEFAULT_RULES
from incidents.alerts.matchers import parse_matchers
from incidents.alerts.model import Alert
from monitor.storage import crowds, schema, ticket
from monitor.use_cases import explorer
from monitor.use_cases.explorer import Shown, explore, shown_as
from monitor.use_cases.silences import Wanted, set_silence
from monitor.use_cases.standing import Tests, standing
from tests.monitor.use_cases.desk import Desk

RANKS = {"critical": 0, "warning": 1, "info": 2, "none": 3}


@pytest.fixture
def many(desk: Desk) -> Desk:
    """Alerts of three components and severities, some inhibited, each with an instance."""
    alerts = [
        Alert(
            {
                "alertname": f"Rule{n % 2}",
                "severity": ("critical", "warning", "info")[n % 3],
                "component": ("checkout", "search", "login", "")[n % 4],
                "instance": f"host-{n}",
            },
            starts_at=desk.now,
        )
        for n in range(48)
    ]
    desk.deliver(*(alert for alert in alerts if alert.labels["component"] != "login"))
    return desk


def open_rows(connection: Connection, names: Sequence[str], _tests: Tests) -> Sequence[Row[Any]]:
    """Return every open alert as `standing` reads it, its row id first."""
    c = schema.alerts.c
    labels = [c.labels[name].as_string() for name in names]
    facts = select(c.id, c.fingerprint, c.state, c.severity, c.muted_by, *labels)
    return connection.execute(facts.where(c.open_marker == 1)).all()


MATCHERS = ("", 'component="search"', 'severity=~"critical|info"', 'instance=~"host-1.*"', 'no="x"')


@pytest.mark.parametrize("most_named", [0, 200])
def test_a_page_is_the_same_as_if_each_alert_were_looked_at(
    many: Desk, most_named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alerts and their order, the counts and the groups, on the first page and the second."""
    monkeypatch.setattr(explorer, "PER_PAGE", 7)
    monkeypatch.setattr(crowds, "MOST_NAMED", most_named)
    with many.store.read() as connection:
        for text, shown in product(MATCHERS, (None, Shown.FIRING, Shown.INHIBITED)):
            look_at_both(connection, many, text, shown)


@pytest.mark.parametrize("most_named", [0, 10, 200])
def test_a_silence_over_a_label_that_each_alert_has_for_itself_changes_none_of_it(
    many: Desk, most_named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts on whose labels its matchers agree are one crowd; what is said of each is the same."""
    monkeypatch.setattr(explorer, "PER_PAGE", 7)
    monkeypatch.setattr(crowds, "MOST_NAMED", most_named)
    for text in ('instance=~"host-[12].*",alertname="Rule1"', 'instance!="host-8",number=""'):
        ends_at = many.now + timedelta(hours=1)
        asked = Wanted(parse_matchers(text), many.now, ends_at, "ann", "upgrade")
        set_silence(many.store, asked, many.now)
    with many.store.read() as connection:
        for text, shown in product(MATCHERS, (None, Shown.FIRING, Shown.SILENCED)):
            look_at_both(connection, many, text, shown)


def test_alerts_that_a_silence_tells_apart_by_one_label_are_two_crowds(
    many: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many instances there are: those it names and the others."""
    monkeypatch.setattr(crowds, "MOST_NAMED", 10)
    tests = {"instance": parse_matchers('instance=~"host-1.*"')}
    with many.store.read() as connection:
        assert list(crowds.many_valued(connection, tests)) == ["instance"]
        alikes = crowds.Alikes(["instance"], tests)
        found = crowds.open_crowds(connection, ["instance"], alikes)
        each = crowds.open_crowds(connection, ["instance"], crowds.Alikes(["instance"], {}))
    assert len(each) == sum(crowd.count for crowd, *_ in found) == 36
    of_others = Counter(row[2:-1] for row in found)  # state, severity, and what mutes them
    assert set(of_others.values()) == {2}
    assert [row[-1].startswith("host-1") for row in found].count(True) == len(of_others)


def look_at_both(connection: Connection, desk: Desk, text: str, shown: Shown | None) -> None:
    """Compare two pages with the list of all alerts, each judged by itself."""
    wanted = parse_matchers(text)
    each = standing(
        connection, open_rows, DEFAULT_RULES, desk.now, wanted=wanted, names=["component"]
    )
    listed = [one for one in each if shown in (None, shown_as(one))]
    listed.sort(key=lambda one: (RANKS[one.severity], -one.key))
    for offset in (0, 7):
        found = explore(
            connection,
            DEFAULT_RULES,
            desk.now,
            wanted=wanted,
            shown=shown,
            group="component",
            offset=offset,
        )
        assert [(line.row.id, line.shown) for line in found.lines] == [
            (one.key, shown_as(one)) for one in listed[offset : offset + 7]
        ]
        assert found.total == len(listed)
        assert found.counts.total() == len(each)
        assert sum(group.count for group in found.groups) == len(listed)


def test_an_incidents_page_reads_parts_and_counts_of_a_storm(many: Desk) -> None:
    """On either database: open alerts first, lines of the kinds asked for, kinds named once."""
    with many.store.read() as connection:
        first = ticket.worst_open(connection, 1)[0]
        counts = ticket.alert_counts(connection, first)
        alerts = ticket.alert_page(connection, first, offset=1, limit=3)
        kinds = {kind.name for kind in ticket.alert_kinds(connection, first)}
        lines = ticket.line_counts(connection, first)
        opened = [pair for pair in lines if pair[0] == "opened"]
        shown = ticket.line_page(connection, first, of=opened, limit=5)
    assert len(alerts) == min(3, counts["firing"] - 1)
    assert kinds <= {"Rule0", "Rule1"}
    assert [line["kind"] for line in shown] == ["opened"]
