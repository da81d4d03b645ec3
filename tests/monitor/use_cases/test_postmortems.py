"""What the record gives to a postmortem."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.notices.status import ComponentStatus
from incidents.postmortem import Record, StillOpen
from incidents.reports.intake import NewReport
from monitor.storage.runs import record_run
from monitor.storage.status import change_state
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.postmortems import PostmortemDesk, draft_postmortem, record_of
from monitor.use_cases.report_links import link_report
from monitor.use_cases.reports import submit_report
from probes.result import Outcome
from tests.builders import run
from tests.monitor.use_cases.desk import START, Desk

MINUTE = timedelta(minutes=1)


def lived_through(desk: Desk) -> Record:
    """A failed run, a report, an outage of 20 minutes whose alert came after 2; its record."""
    with desk.store.begin() as tx:
        record_run(tx, run(Outcome.FAILED, id="bad", started_at=START))
        change_state(tx, "checkout", ComponentStatus.MAJOR_OUTAGE, "probe", START + 2 * MINUTE)
        change_state(tx, "checkout", ComponentStatus.OPERATIONAL, "probe", START + 20 * MINUTE)
    desk.later(minutes=1)
    said = NewReport(description="I cannot pay", component="checkout")
    number = submit_report(desk.store, desk.configuration, said, public_url="", now=desk.now).number
    desk.later(minutes=1).fire()
    people = IncidentDesk(desk.store, desk.configuration, desk.policy)
    people.acknowledge(1, by="ann", now=desk.later(minutes=3).now)
    link_report(desk.store, number, 1, by="ann", now=desk.now)
    desk.later(minutes=15).resolve()
    with desk.store.read() as connection:
        return record_of(connection, desk.configuration, desk.incident())


def test_the_record_has_impact_detection_and_response(desk: Desk) -> None:
    """Minutes by component, the first sign, and who took it when."""
    record = lived_through(desk)
    assert record.impact == {"Checkout": {"major_outage": 18 * 60.0}}
    assert (record.first_failure_at, record.first_report_at) == (START, START + MINUTE)
    assert (record.detection_gap, record.users_knew_before) == (2 * MINUTE, None)
    assert (record.acknowledged_by, record.acknowledged_at) == ("ann", START + 5 * MINUTE)
    assert (record.report_count, len(record.alerts)) == (1, 1)
    assert record.told == {"queued": 4}


def test_who_took_it_first_is_told_after_a_reopening(desk: Desk) -> None:
    """Reopened it is nobody's again, but the record remembers."""
    lived_through(desk)
    desk.later(minutes=1).fire()
    desk.later(minutes=1).resolve()
    with desk.store.read() as connection:
        record = record_of(connection, desk.configuration, desk.incident())
    assert (record.acknowledged_by, record.reopened_count) == ("ann", 1)


def test_what_goes_on_is_not_looked_back_on(desk: Desk) -> None:
    """Neither drafted nor saved."""
    desk.fire()
    people = PostmortemDesk(desk.store, desk.configuration, desk.policy)
    with pytest.raises(StillOpen, match="resolve it"):
        people.save(1, "x", by="ann", now=desk.now)
    with desk.store.read() as connection, pytest.raises(StillOpen):
        draft_postmortem(connection, desk.configuration, desk.incident())


def test_an_incident_that_is_looked_back_on_is_resolved_for_customers(desk: Desk) -> None:
    """And an alert within the window reopens it as ever."""
    lived_through(desk)
    people = PostmortemDesk(desk.store, desk.configuration, desk.policy)
    people.save(1, "# Why", by="ann", now=desk.now)
    assert desk.incident().status == "postmortem"
    desk.later(minutes=1).fire()
    assert (desk.incident().status, desk.incident().reopened_count) == ("investigating", 1)
