"""One incident becomes a part of another: what it holds follows, and its story is told there."""

from __future__ import annotations

from collections.abc import Sequence

from incidents import outbox
from incidents.lifecycle import Severity, Status, worse_status
from incidents.outbox import NotSent, Plan, Recipient, Unsent
from incidents.timeline import AUTOMATION, Kind
from monitor.storage import regrouping as rows
from monitor.storage.escalations import end_escalation
from monitor.storage.incidents import Incident
from monitor.storage.reports import reports_of_incident
from monitor.storage.tasks import next_task_number
from monitor.use_cases.ledger import Ledger
from monitor.use_cases.report_links import move_report


def merge(
    ledger: Ledger, source: Incident, target: Incident, why: str, actor: str = AUTOMATION
) -> None:
    """Close `source` as merged into `target`, which takes its alerts, reports and open tasks.

    Whoever was told of `source` hears of the end of `target`, once. If `source` was public,
    `target` is, and shows what was said there.
    """
    with_what = _take_along(ledger, source, target, why, actor)
    _take_over_facts(ledger, source, target)
    if source.published_at is not None:
        ledger.publish_first(target, actor=actor)
    own, guests = ledger.told(target), ledger.told(source)
    ledger.change(
        source,
        status=Status.RESOLVED,
        open_marker=None,
        resolved_at=ledger.now,
        resolved_by=actor,
        merged_into_id=target.id,
        monitoring_at=None,
    )
    if end_escalation(ledger.tx, source.id):
        text = f"The escalation ends here: {target.name} is what people are called to now."
        ledger.note(source, Kind.ESCALATION_ENDED, text, actor=actor, into=target.number)
    rows.follow_merge(ledger.tx, source.id, target.id)
    ledger.tx.touch("status")
    ledger.note(
        source, Kind.MERGED, f"Merged into {target.name}: {why}.", actor=actor, into=target.number
    )
    text = f"{source.name} ({source.title}) is a part of this now{with_what}: {why}."
    ledger.note(target, Kind.MERGED, text, actor=actor, taken_in=source.number)
    _tell(ledger, source, target, [r for r in guests if r not in own], why)
    _spare(ledger, source, target, [r for r in guests if r in own])


def link(ledger: Ledger, one: Incident, other: Incident, why: str, actor: str = AUTOMATION) -> bool:
    """Note on both incidents that they have to do with each other; False: they were linked."""
    if not rows.add_link(ledger.tx, one.id, other.id, why=why, by=actor, at=ledger.now):
        return False
    for here, there in ((one, other), (other, one)):
        text = f"Linked to {there.name} ({there.title}): {why}."
        ledger.note(here, Kind.LINKED, text, actor=actor, other=there.number)
    return True


def _take_along(ledger: Ledger, source: Incident, target: Incident, why: str, actor: str) -> str:
    """Move what hangs on `source`; returns how much that was, as a remark."""
    tx = ledger.tx
    alerts = rows.move_all_alerts(tx, source.id, target.id, f"with {source.name}: {why}")
    reports = reports_of_incident(tx.connection, source.id)
    for report in reports:
        reason = f"{source.name} was merged into {target.name}"
        move_report(tx, report, target.id, actor, reason, ledger.now)
    number = next_task_number(tx.connection, target.id)
    tasks = rows.move_open_tasks(tx, source.id, target.id, number)
    counted = [(alerts, "alert"), (len(reports), "report"), (tasks, "task")]
    moved = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counted if count]
    return f", with {' and '.join(moved)}" if moved else ""


def _take_over_facts(ledger: Ledger, source: Incident, target: Incident) -> None:
    if source.started_at < target.started_at:
        ledger.change(target, started_at=source.started_at)
    statuses = dict(target.components)
    for component, status in source.components.items():
        statuses[component] = worse_status(statuses.get(component, "operational"), status)
    ledger.worsen(target, Severity(source.derived_severity or source.severity), statuses)


def _tell(
    ledger: Ledger, source: Incident, target: Incident, guests: Sequence[Recipient], why: str
) -> None:
    """Tell those who know only of `source` where its story goes on."""
    if guests:
        text = f"{source.name}, which you were told of, is a part of this: {why}."
        facts = ledger.facts(target)
        mark = f"merged-{source.number}"
        ledger.tell(target, outbox.update(facts, guests, mark=mark, text=text))


def _spare(
    ledger: Ledger, source: Incident, target: Incident, recipients: Sequence[Recipient]
) -> None:
    """Send nothing more about `source` to those who know of `target`, and say so."""
    for row in rows.drop_queued(ledger.tx, source.id, recipients, ledger.now):
        text = f"Not sent to {row['channel']}: it is a part of {target.name}, which is told there."
        data = {"reason": NotSent.SUPPRESSED_BY_PARENT.value, "key": row["key"]}
        ledger.note(source, Kind.NOTIFICATION_DROPPED, text, **data)
    unsent = (Unsent(NotSent.DEDUPLICATED, channel) for channel, _ in recipients)
    ledger.tell(target, Plan(unsent=tuple(dict.fromkeys(unsent))))
