"""A user's report: heard, linked and answered at once, in one transaction.

What a report is about and where it belongs is decided in `incidents.reports`; what follows is in
`monitor.use_cases.conversation`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from incidents.errors import IncidentError
from incidents.reports.conversation import (
    Known,
    ReportStatus,
    answer_at_once,
)
from incidents.reports.intake import NewReport, faults
from incidents.reports.linking import LinkKind
from incidents.texts import storable
from incidents.timeline import AUTOMATION, Kind
from monitor.config.model import Configuration
from monitor.storage.audit import record
from monitor.storage.numbers import lock_incidents, next_number
from monitor.storage.reports import (
    Report,
    add_message,
    insert_report,
    load_report_by_token,
    recall_submission,
    remember_submission,
)
from monitor.storage.store import Store, Transaction
from monitor.use_cases.conversation import OUR_NAME
from monitor.use_cases.report_links import known_incident, note_on_incident
from monitor.use_cases.report_mail import REPORTER, Filed, queue_mail
from monitor.use_cases.report_placing import InvalidReport, Placed, place


@dataclass(frozen=True)
class Submitted:
    """What a reporter gets at once: the secret reference and our answer."""

    number: int
    token: str
    answer: str
    category: str
    component: str | None
    link: LinkKind
    known: Known | None
    is_new: bool = True


class DifferentRequest(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """The same idempotency key came with another content."""

    def __init__(self) -> None:
        super().__init__("this key was used for another report; use a new one for each report")


def submit_report(
    store: Store,
    configuration: Configuration,
    report: NewReport,
    *,
    public_url: str,
    now: datetime,
    channel: str = "web",
    once: str = "",
    by_mail: bool = True,
) -> Submitted:
    """Record a report, link it, and answer it, all in one transaction.

    `by_mail` says whether this installation can write mail: nothing else is promised.
    The same report sent again under the same `once` gives the first answer and records nothing.

    Raises:
        InvalidReport: a field cannot be used; all faults are told.
        DifferentRequest: `once` came with another report before.
    """
    report, once = report.cleaned(), storable(once)
    if found := faults(report):
        raise InvalidReport(dict(found))

    def submit() -> Submitted:
        with store.begin() as tx:
            lock_incidents(tx)  # the incident must not be resolved between choosing and linking
            if once and (earlier := _recalled(tx, once, report)):
                return _again(tx.connection, configuration, earlier, public_url, now, by_mail)
            placed = place(tx.connection, configuration, report)
            filed = _file(tx, report, placed, channel, now, by_mail)
            if once:
                remember_submission(tx, once, _digest(report), filed.token, now)
            known = known_incident(tx.connection, filed.incident_id, public_url)
            return _answer(tx, filed, placed, known, configuration, public_url, now)

    try:
        return submit()
    except IntegrityError:
        if not once:
            raise
        return submit()  # somebody else was first under the same key: their answer is ours


def _file(
    tx: Transaction, report: NewReport, placed: Placed, channel: str, now: datetime, by_mail: bool
) -> Filed:
    """Record the report and, where it is linked, the line on its incident's timeline."""
    token = secrets.token_urlsafe(24)  # 192 bit
    number = next_number(tx, "report")
    linked = placed.link.kind is LinkKind.LINKED
    incident_id = placed.link.incident_id if linked else None
    report_id = insert_report(
        tx,
        {
            "number": number,
            "token": token,
            "channel": channel,
            "category": placed.category,
            "component": placed.component,
            "description": report.description,
            "reporter_name": report.name,
            "reporter_email": report.email,
            "order_reference": report.order_reference,
            "language": report.language,
            "status": (ReportStatus.OPEN if linked else ReportStatus.NEW).value,
            "incident_id": incident_id,
            "linked_by": AUTOMATION if linked else "",
            "link_reason": placed.link.reason,
            "created_at": now,
            "updated_at": now,
        },
    )
    detail = {"channel": channel, "category": placed.category, "component": placed.component}
    target = f"RPT-{number}"
    record(tx, actor=REPORTER, action="report.submitted", target=target, at=now, detail=detail)
    if incident_id is not None:
        text = f"RPT-{number} linked: {placed.link.reason}"
        note_on_incident(tx, incident_id, Kind.REPORT_LINKED, text, number, now)
    return Filed(report_id, number, token, incident_id, report.email if by_mail else "")


def _answer(
    tx: Transaction,
    filed: Filed,
    placed: Placed,
    known: Known | None,
    configuration: Configuration,
    public_url: str,
    now: datetime,
) -> Submitted:
    """Record our first answer and queue it for an address, if there is one."""
    site = configuration.site
    said = answer_at_once(
        known, site=site.name, zone=site.time_zone, has_address=bool(filed.email), now=now
    )
    add_message(tx, filed.id, at=now, direction="out", author=OUR_NAME, body=said.body)
    queue_mail(tx, filed, "report_received", "0", said, public_url, now)
    return Submitted(
        filed.number, filed.token, said.body, placed.category, placed.component,
        placed.link.kind, known,
    )  # fmt: skip


def _again(
    connection: Connection,
    configuration: Configuration,
    earlier: Report,
    public_url: str,
    now: datetime,
    by_mail: bool,
) -> Submitted:
    known = known_incident(connection, earlier.incident_id, public_url)
    site = configuration.site
    said = answer_at_once(
        known,
        site=site.name,
        zone=site.time_zone,
        has_address=by_mail and bool(earlier.reporter_email),
        now=now,
    )
    kind = LinkKind.LINKED if earlier.incident_id else LinkKind.NONE
    return Submitted(
        earlier.number, earlier.token, said.body, earlier.category or "", earlier.component,
        kind, known, is_new=False,
    )  # fmt: skip


def _recalled(tx: Transaction, once: str, report: NewReport) -> Report | None:
    found = recall_submission(tx.connection, once)
    if found is None:
        return None
    digest, token = found
    if digest != _digest(report):
        raise DifferentRequest
    return load_report_by_token(tx.connection, token)


def _digest(report: NewReport) -> str:
    return sha256(repr(report).encode("utf-8", "surrogatepass")).hexdigest()
