"""Whatever comes in, in whatever order and however often: what must always hold."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from incidents.alerts.model import Alert
from monitor.storage import incidents as rows
from monitor.storage.engine import open_engine
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from tests.monitor.use_cases.desk import VALID, Desk, labels


@dataclass(frozen=True)
class Happening:
    """Something a source does, some minutes after the last thing."""

    kind: str  # fire, resolve, again (an old delivery once more) or sweep
    minutes: int
    component: str
    location: str
    severity: str
    which: int  # of the old deliveries

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its alert."""
        return labels(self.component, location=self.location, severity=self.severity)


happenings = st.lists(
    st.builds(
        Happening,
        kind=st.sampled_from(["fire", "fire", "resolve", "again", "sweep"]),
        minutes=st.sampled_from([0, 0, 1, 3, 5, 16]),
        component=st.sampled_from(["login", "search", "checkout"]),
        location=st.sampled_from(["eu", "za"]),
        severity=st.sampled_from(["critical", "critical", "warning"]),
        which=st.integers(0, 99),
    ),
    max_size=25,
)


@contextmanager
def fresh_desk(template: Path) -> Iterator[Desk]:
    """A desk over a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.db"
        shutil.copy(template, path)
        store = Store(open_engine(f"sqlite:///{path}"))
        yield Desk(store)
        store.close()


def play(desk: Desk, story: list[Happening]) -> list[Alert]:
    """Let it all happen, checking after each step; returns every delivery."""
    sent: list[Alert] = []
    for happening in story:
        desk.later(minutes=happening.minutes)
        if happening.kind == "sweep":
            desk.sweep()
        elif happening.kind == "again" and sent:
            desk.deliver(sent[happening.which % len(sent)])
        elif happening.kind != "again":
            end = desk.now + VALID if happening.kind == "fire" else desk.now
            sent.append(Alert(happening.labels, starts_at=desk.now, ends_at=end))
            desk.deliver(sent[-1])
        check(desk)
    return sent


def check(desk: Desk) -> None:
    """One open incident a key; incidents are open exactly as long as an alert holds them open."""
    found = desk.incidents()
    keys = Counter(incident.key for incident in found if incident.is_open)
    assert not [key for key, count in keys.items() if count > 1]
    held = [row for row in desk.alerts() if row["open_marker"] == 1]
    prints = Counter(row["fingerprint"] for row in held)
    assert not [fingerprint for fingerprint, count in prints.items() if count > 1]
    assert {row["incident_id"] for row in held} == {i.id for i in found if i.is_open}


def everything(desk: Desk) -> tuple[object, ...]:
    """What people see: incidents, their lines, and who was told."""
    lines = [desk.timeline(incident.number) for incident in desk.incidents()]
    ended = [(row["state"], row["starts_at"]) for row in desk.alerts()]
    return lines, ended, desk.notified(), [i.status for i in desk.incidents()]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=happenings)
@pytest.mark.slow
def test_incidents_are_open_exactly_while_an_alert_holds_them(
    sqlite_template: Path, story: list[Happening]
) -> None:
    """Never two open for one key, never resolved while an alert fires, never left behind."""
    with fresh_desk(sqlite_template) as desk:
        play(desk, story)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=happenings)
@pytest.mark.slow
def test_the_last_delivery_once_more_changes_nothing(
    sqlite_template: Path, story: list[Happening]
) -> None:
    """Senders repeat what they are not sure was heard."""
    with fresh_desk(sqlite_template) as desk:
        sent = play(desk, story)
        if sent:
            desk.deliver(sent[-1])
            before = everything(desk)
            desk.deliver(sent[-1])
            assert everything(desk) == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=happenings)
@pytest.mark.slow
def test_openings_and_closings_alternate_for_everybody(
    sqlite_template: Path, story: list[Happening]
) -> None:
    """Who heard of the beginning hears of the end, once, and nobody hears of an end alone."""
    with fresh_desk(sqlite_template) as desk:
        play(desk, story)
        desk.later(minutes=5).sweep()
        desk.later(minutes=16).sweep()
        with desk.store.read() as connection:
            told = connection.execute(select(outbox).order_by(outbox.c.id)).mappings().all()
            found = rows.load_incidents(connection, {row["incident_id"] for row in told})
            assert all(not i.is_open for i in rows.open_incidents(connection))
        heard: dict[tuple[int, str], bool] = {}
        for row in told:
            closing = row["event"] == "incident_resolved"
            merged_into = found[row["incident_id"]].merged_into_id
            who = (merged_into or row["incident_id"], row["channel"])
            assert heard.get(who, False) or not closing
            heard[who] = not closing
        assert not any(heard.values())
