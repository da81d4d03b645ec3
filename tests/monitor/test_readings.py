"""What the service tells of itself."""

from __future__ import annotations

from incidents.reports.intake import NewReport
from monitor.clock import FakeClock
from monitor.config.holder import ConfigurationHolder
from monitor.readings import ReportCounter
from monitor.storage.store import Store
from monitor.use_cases.conversation import recategorise
from monitor.use_cases.reports import submit_report
from tests.builders import NOW
from tests.monitor.use_cases.desk import configuration

PAYMENT = ("checkout", "payment")


def submit(store: Store) -> None:
    """Report that paying fails."""
    report = NewReport("Paying fails")
    submit_report(store, configuration(), report, public_url="https://monitor.test", now=NOW)


def counter(store: Store) -> ReportCounter:
    """Return the counter of a service that starts now."""
    return ReportCounter(store, ConfigurationHolder(configuration(), FakeClock(NOW)))


def test_reports_are_counted_from_zero_from_the_start_on(sqlite_store: Store) -> None:
    """What came before the start was counted then."""
    submit(sqlite_store)
    counted = counter(sqlite_store)
    assert dict(counted.read())[PAYMENT] == 0
    submit(sqlite_store)
    assert dict(counted.read())[PAYMENT] == 1


def test_a_report_sorted_anew_takes_nothing_from_a_counter(sqlite_store: Store) -> None:
    """A counter that went down would look like a restart, and its whole count like a surge."""
    counted = counter(sqlite_store)
    submit(sqlite_store)
    before = dict(counted.read())
    recategorise(sqlite_store, configuration(), 1, "other", by="ann", now=NOW)
    assert dict(counted.read()) == before
