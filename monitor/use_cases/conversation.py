"""The conversation with a reporter, to the reporter's own word that it works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from incidents.reports.conversation import (
    SORRY_FOR_NO,
    THANKS_FOR_YES,
    ReportStatus,
    Said,
    after_answer,
    after_message,
    ask_whether_it_works,
)
from incidents.reports.intake import LONGEST_MESSAGE, tidy
from incidents.timeline import AUTOMATION, Kind
from monitor.config.model import Configuration
from monitor.storage.audit import record
from monitor.storage.incidents import Incident
from monitor.storage.outbox import enqueue
from monitor.storage.reports import (
    Report,
    add_message,
    add_messages,
    change_report,
    change_reports_of,
    count_still_broken,
    load_report,
    reports_of_incident,
)
from monitor.storage.store import Store, Transaction
from monitor.use_cases.report_links import note_on_incident, report_by_token
from monitor.use_cases.report_mail import REPORTER, Filed, mail_row, queue_mail, report_page
from monitor.use_cases.report_placing import InvalidReport, category_choices, component_of

OUR_NAME = "support"  # who speaks when nobody in particular does


def write_to_us(store: Store, token: str, text: str, now: datetime) -> None:
    """Add a reporter's message; news reopen a report, thanks do not.

    Raises:
        UnknownObjectError: there is no such report.
        InvalidReport: the message is empty or too long.
    """
    body = _checked_message(text)
    with store.begin() as tx:
        report = report_by_token(tx.connection, token)
        add_message(tx, report.id, at=now, direction="in", author=REPORTER, body=body)
        status = after_message(report.status, body)
        change_report(tx, report.id, status=status.value, updated_at=now)
        detail = {"status": status.value}
        record(
            tx,
            actor=REPORTER,
            action="report.written_to",
            target=report.name,
            at=now,
            detail=detail,
        )


def _record(
    tx: Transaction, actor: str, verb: str, report: Report, now: datetime, **detail: object
) -> None:
    action = f"report.{verb}"
    record(tx, actor=actor, action=action, target=report.name, at=now, detail=detail)


def _checked_message(text: str) -> str:
    body = tidy(text)
    if not body:
        raise InvalidReport({"message": "Please write something first."})
    if len(body) > LONGEST_MESSAGE:
        raise InvalidReport({"message": f"Please shorten this to {LONGEST_MESSAGE} characters."})
    return body


def answer_whether_it_works(store: Store, token: str, *, works: bool, now: datetime) -> None:
    """Record the reporter's yes or no; a no reopens the report and counts against its incident.

    The same answer again changes nothing; another one replaces it.

    Raises:
        UnknownObjectError: there is no such report.
    """
    word = "yes" if works else "no"
    with store.begin() as tx:
        report = report_by_token(tx.connection, token)
        if report.works_now == word:
            return
        change_report(
            tx,
            report.id,
            works_now=word,
            answered_at=now,
            status=after_answer(works=works).value,
            updated_at=now,
        )
        said = "It works for me now." if works else "It still does not work for me."
        ours = THANKS_FOR_YES if works else SORRY_FOR_NO
        add_message(tx, report.id, at=now, direction="in", author=REPORTER, body=said)
        add_message(tx, report.id, at=now, direction="out", author=OUR_NAME, body=ours)
        detail = {"works": works}
        record(
            tx, actor=REPORTER, action="report.answered", target=report.name, at=now, detail=detail
        )
        if report.incident_id is not None:
            _count_answer(tx, report, report.incident_id, works=works, now=now)


def _count_answer(
    tx: Transaction, report: Report, incident_id: int, *, works: bool, now: datetime
) -> None:
    if works:
        text = f"{report.name}: the reporter says that it works now"
        note_on_incident(
            tx, incident_id, Kind.REPORTER_CONFIRMED, text, report.number, now, actor=REPORTER
        )
        return
    broken = count_still_broken(tx.connection, incident_id)
    total = len(reports_of_incident(tx.connection, incident_id))
    text = f"{report.name}: still broken for the reporter ({broken} of {total} reports say so)"
    note_on_incident(
        tx, incident_id, Kind.REPORTER_STILL_BROKEN, text, report.number, now, actor=REPORTER
    )


def reply(
    store: Store,
    number: int,
    text: str,
    *,
    by: str,
    public_url: str,
    site: str,
    now: datetime,
    asks: bool = False,
) -> None:
    """Send an agent's answer to the reporter; with `asks` the report waits for theirs.

    Raises:
        UnknownObjectError: there is no such report.
        InvalidReport: the text is empty or too long.
    """
    body = _checked_message(text)
    status = ReportStatus.WAITING_FOR_USER if asks else ReportStatus.OPEN
    with store.begin() as tx:
        report = load_report(tx.connection, number)
        add_message(tx, report.id, at=now, direction="out", author=by, body=body)
        change_report(tx, report.id, status=status.value, updated_at=now)
        said = Said(f"{site}: an answer to your report", body)
        filed = Filed(report.id, number, report.token, report.incident_id, report.reporter_email)
        queue_mail(tx, filed, "report_reply", now.isoformat(), said, public_url, now)
        _record(tx, by, "replied_to", report, now, status=status.value)


def add_note(store: Store, number: int, text: str, *, by: str, now: datetime) -> None:
    """Add an internal note, which never leaves the house.

    Raises:
        UnknownObjectError: there is no such report.
        InvalidReport: the text is empty or too long.
    """
    body = _checked_message(text)
    with store.begin() as tx:
        report = load_report(tx.connection, number)
        add_message(tx, report.id, at=now, direction="note", author=by, body=body)
        change_report(tx, report.id, updated_at=now)
        _record(tx, by, "noted", report, now)


def ask_reporter(
    store: Store, number: int, *, by: str, public_url: str, site: str, now: datetime
) -> None:
    """Claim that one report is solved and ask its writer; only their yes closes it.

    Raises:
        UnknownObjectError: there is no such report.
    """
    with store.begin() as tx:
        report = load_report(tx.connection, number)
        said = ask_whether_it_works(
            site=site, link=report_page(public_url, report.token), title=None
        )
        shown = ask_whether_it_works(site=site, title=None).body
        add_message(tx, report.id, at=now, direction="out", author=by, body=shown)
        change_report(
            tx,
            report.id,
            status=ReportStatus.RESOLVED.value,
            told_resolved_at=now,
            works_now=None,
            answered_at=None,
            updated_at=now,
        )
        filed = Filed(report.id, number, report.token, report.incident_id, report.reporter_email)
        queue_mail(tx, filed, "report_resolved", now.isoformat(), said, "", now)
        _record(tx, by, "asked", report, now)


def recategorise(
    store: Store,
    configuration: Configuration,
    number: int,
    category: str,
    *,
    by: str,
    now: datetime,
) -> None:
    """Record what an agent says a report is about, with an internal note of the change.

    Raises:
        UnknownObjectError: there is no such report.
        InvalidReport: there is no such category.
    """
    labels = dict(category_choices(configuration))
    if category not in labels:
        raise InvalidReport({"category": f"There is no category {category!r}."})
    with store.begin() as tx:
        report = load_report(tx.connection, number)
        if report.category == category:
            return
        old = labels.get(report.category or "", report.category or "none")
        body = f"Category changed from “{old}” to “{labels[category]}”."
        add_message(tx, report.id, at=now, direction="note", author=by, body=body)
        component = component_of(configuration, category)
        change_report(tx, report.id, category=category, component=component, updated_at=now)
        detail = {"old": report.category, "new": category}
        record(
            tx, actor=by, action="report.recategorised", target=report.name, at=now, detail=detail
        )


def tell_reporters(
    tx: Transaction,
    incident: Incident,
    configuration: Configuration,
    now: datetime,
    *,
    public_url: str = "",
) -> int:
    """Ask everybody whose report hangs on `incident` whether it works now; return how many.

    Called in the transaction that resolves the incident. Everybody is asked once for each time
    that the incident is resolved, on their own page and by mail where there is an address; who has
    closed a report is left in peace.
    """
    asked = [
        report
        for report in reports_of_incident(tx.connection, incident.id)
        if report.status is not ReportStatus.CLOSED
    ]
    if not asked:
        return 0
    title = incident.public_title if incident.published_at is not None else None
    site = configuration.site.name
    said = {
        r.id: ask_whether_it_works(site=site, link=report_page(public_url, r.token), title=title)
        for r in asked
    }
    shown = ask_whether_it_works(site=site, title=title).body
    add_messages(
        tx,
        [
            {"report_id": r.id, "at": now, "direction": "out", "author": OUR_NAME,
             "body": shown, "channel": "web"}
            for r in asked
        ],
    )  # fmt: skip
    change_reports_of(tx, incident.id, now)
    action, detail = "incident.reporters_asked", {"reports": len(asked)}
    record(tx, actor=AUTOMATION, action=action, target=incident.name, at=now, detail=detail)
    mark = str(incident.reopened_count)
    enqueue(
        tx,
        [
            mail_row(r.id, r.number, r.reporter_email, "report_resolved", mark, said[r.id], now)
            for r in asked
            if r.reporter_email
        ],
    )
    return len(asked)


def teller(
    public_url: str,
) -> Callable[[Transaction, Incident, Configuration, datetime], int]:
    """Return `tell_reporters` with the address under which reporters reach their pages."""

    def tell(
        tx: Transaction, incident: Incident, configuration: Configuration, now: datetime
    ) -> int:
        return tell_reporters(tx, incident, configuration, now, public_url=public_url)

    return tell
