"""Users' reports as rows, with the messages that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from incidents.errors import UnknownObjectError
from incidents.reports.conversation import ReportStatus
from incidents.texts import storable
from monitor.storage.schema import idempotency, incidents, report_messages, reports
from monitor.storage.store import Transaction

_c = reports.c


@dataclass(frozen=True, slots=True)
class Report:
    """One report as the database has it; `incident_number` is that of the incident it hangs on."""

    id: int
    number: int
    token: str
    channel: str
    category: str | None
    component: str | None
    journey: str | None
    description: str
    reporter_name: str
    reporter_email: str
    order_reference: str
    language: str
    status: ReportStatus
    incident_id: int | None
    linked_by: str
    link_reason: str
    created_at: datetime
    updated_at: datetime
    told_resolved_at: datetime | None
    works_now: str | None
    answered_at: datetime | None
    incident_number: int | None
    erased_at: datetime | None = None

    @property
    def name(self) -> str:
        """Return its name in conversation, such as `RPT-12`."""
        return f"RPT-{self.number}"

    @property
    def is_asked(self) -> bool:
        """Return whether the reporter was asked if it works, and has not answered."""
        return self.told_resolved_at is not None and self.works_now is None


@dataclass(frozen=True, slots=True)
class ReportMessage:
    """One message of a conversation; `direction` is in, out or note (never shown outside)."""

    at: datetime
    direction: str
    author: str
    body: str
    channel: str


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports a list shows; everything where nothing is said."""

    status: str | None = None
    component: str | None = None
    incident_id: int | None = None
    before_number: int | None = None  # for the next page: only lower numbers
    limit: int = 100


def insert_report(tx: Transaction, values: Mapping[str, Any]) -> int:
    """Record a new report and return its row id."""
    statement = insert(reports).values(**values).returning(_c.id)
    tx.touch("reports")
    return int(tx.connection.execute(statement).scalar_one())


def change_report(tx: Transaction, report_id: int, **values: Any) -> None:
    """Record these columns of one report."""
    tx.connection.execute(update(reports).where(_c.id == report_id).values(**values))
    tx.touch("reports")


def add_message(
    tx: Transaction,
    report_id: int,
    *,
    at: datetime,
    direction: str,
    author: str,
    body: str,
    channel: str = "web",
) -> None:
    """Add a message to a report's conversation."""
    row = {
        "report_id": report_id, "at": at, "direction": direction, "author": author,
        "body": body, "channel": channel,
    }  # fmt: skip
    tx.connection.execute(insert(report_messages), row)
    tx.touch("reports")


def add_messages(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add many messages at once; rows have the columns of `report_messages`."""
    tx.connection.execute(insert(report_messages), list(rows))
    tx.touch("reports")


def change_reports_of(tx: Transaction, incident_id: int, now: datetime) -> None:
    """Record that everybody with an unclosed report on this incident is asked whether it works."""
    statement = (
        update(reports)
        .where(_c.incident_id == incident_id, _c.status != ReportStatus.CLOSED.value)
        .values(
            status=ReportStatus.RESOLVED.value,
            told_resolved_at=now,
            works_now=None,
            answered_at=None,
            updated_at=now,
        )
    )
    tx.connection.execute(statement)
    tx.touch("reports")


def recall_submission(connection: Connection, once: str) -> tuple[str, str] | None:
    """Return (digest of the request, token of its report) that came under this key, or None."""
    i = idempotency.c
    statement = select(i.request, i.answer).where(i.key == f"report:{once}")
    row = connection.execute(statement).one_or_none()
    return (row.request, row.answer["token"]) if row else None


def remember_submission(tx: Transaction, once: str, digest: str, token: str, now: datetime) -> None:
    """Record that the report with this token came under this key.

    Raises:
        IntegrityError: another transaction was first; asking again gives its answer.
    """
    row = {
        "key": f"report:{once}", "request": digest, "status": 201,
        "answer": {"token": token}, "at": now,
    }  # fmt: skip
    tx.connection.execute(insert(idempotency), row)


def load_report(connection: Connection, number: int) -> Report:
    """Return report `number`.

    Raises:
        UnknownObjectError: there is none.
    """
    found = _load(connection, _reports().where(_c.number == number))
    if not found:
        raise UnknownObjectError(f"report RPT-{number}")
    return found[0]


def load_report_by_token(connection: Connection, token: str) -> Report | None:
    """Return the report with that secret reference, or None."""
    found = _load(connection, _reports().where(_c.token == storable(token)))
    return found[0] if found else None


def load_messages(connection: Connection, report_id: int) -> tuple[ReportMessage, ...]:
    """Return a report's conversation, oldest first, internal notes included."""
    m = report_messages.c
    statement = (
        select(m.at, m.direction, m.author, m.body, m.channel)
        .where(m.report_id == report_id)
        .order_by(m.id)
    )
    return tuple(ReportMessage(*row) for row in connection.execute(statement))


def list_reports(connection: Connection, wanted: ReportFilter) -> tuple[Report, ...]:
    """Return the newest reports that match, newest first."""
    statement = _reports().order_by(_c.number.desc()).limit(wanted.limit)
    for column in ("status", "component", "incident_id"):
        if (value := getattr(wanted, column)) is not None:
            statement = statement.where(_c[column] == value)
    if wanted.before_number is not None:
        statement = statement.where(_c.number < wanted.before_number)
    return _load(connection, statement)


def reports_of_incident(connection: Connection, incident_id: int) -> tuple[Report, ...]:
    """Return every report that hangs on an incident, oldest first."""
    return _load(connection, _reports().where(_c.incident_id == incident_id).order_by(_c.number))


def newest_report(connection: Connection) -> int:
    """Return the row id of the report that came last, 0 where there is none."""
    return connection.execute(select(func.max(_c.id))).scalar_one() or 0


def reports_after(connection: Connection, row_id: int) -> list[tuple[int, str, str]]:
    """Return (row id, component, category) of reports that came after `row_id`, oldest first."""
    statement = select(_c.id, _c.component, _c.category).where(_c.id > row_id).order_by(_c.id)
    return [(row[0], row[1] or "", row[2] or "") for row in connection.execute(statement)]


def count_by_status(connection: Connection) -> dict[str, int]:
    """Return how many reports stand in each status."""
    statement = select(_c.status, func.count()).group_by(_c.status)
    return {row[0]: row[1] for row in connection.execute(statement)}


def count_still_broken(connection: Connection, incident_id: int) -> int:
    """Return how many reporters of an incident said that it still does not work for them."""
    statement = (
        select(func.count())
        .select_from(reports)
        .where(_c.incident_id == incident_id, _c.works_now == "no")
    )
    return int(connection.execute(statement).scalar_one())


def _reports() -> Select[Any]:
    return select(reports, incidents.c.number.label("incident_number")).join_from(
        reports, incidents, _c.incident_id == incidents.c.id, isouter=True
    )


def _load(connection: Connection, statement: Select[Any]) -> tuple[Report, ...]:
    return tuple(_report(row) for row in connection.execute(statement))


def _report(row: Row[Any]) -> Report:
    values = dict(row._mapping)
    return Report(**{**values, "status": ReportStatus(values["status"])})
