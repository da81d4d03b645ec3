"""Silences are made, changed and ended here, and bite open incidents here.

What a silence does to alerts that are yet to come is in `muting`; that it ended is found by
`alerts.sweep`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from incidents.alerts.matchers import Matcher, Operator, all_hold
from incidents.alerts.model import words
from incidents.alerts.recurrence import Period, Recurrence, expand
from incidents.alerts.silences import (
    ALWAYS_SHOWN,
    AlreadyExpired,
    Silence,
    SilenceState,
    begun_now,
    check_matchers,
    check_times,
    expired_at,
    may_update,
)
from incidents.lifecycle import Severity
from incidents.timeline import Kind
from monitor.storage import alerts as alert_rows
from monitor.storage import silences as rows
from monitor.storage.audit import record
from monitor.storage.idempotency import Once, refuse_repetition, remember
from monitor.storage.store import Store, Transaction
from monitor.use_cases.intake import Intake

SHOWN_ALERTS = 20
WHAT = "silence"  # the kind of thing that idempotency keys of silences stand for


@dataclass(frozen=True, slots=True)
class Wanted:
    """A silence as somebody asks for it; `id` names the one it changes, if any."""

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    recurrence: Recurrence | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a silence would mute, and what its author should think about first."""

    alerts: int
    examples: tuple[str, ...]
    rules: tuple[str, ...]
    incidents: tuple[int, ...]  # row ids of the open incidents these alerts belong to
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """An alerting rule as a silence may meet it: its name, and the labels its file gives it."""

    name: str
    labels: Mapping[str, str]


def checked_silence(
    wanted: Wanted, now: datetime, periods: tuple[Period, ...] | None = None
) -> Silence:
    """Return what is asked for as a silence without an id; `periods` where they are known.

    Raises:
        SilenceRefused, BadRecurrenceError: it cannot be; the message says why.
    """
    check_matchers(wanted.matchers)
    check_times(wanted.starts_at, wanted.ends_at, now)
    periods = periods or _periods(wanted)
    return Silence(
        id="",
        matchers=wanted.matchers,
        starts_at=wanted.starts_at,
        ends_at=periods[-1][1],
        created_by=wanted.created_by,
        comment=wanted.comment,
        updated_at=now,
        recurrence=wanted.recurrence,
        periods=periods,
    )


def _periods(wanted: Wanted) -> tuple[Period, ...]:
    if wanted.recurrence is None:
        return ((wanted.starts_at, wanted.ends_at),)
    return expand(wanted.recurrence, wanted.starts_at, wanted.ends_at)


def set_silence(
    store: Store,
    wanted: Wanted,
    now: datetime,
    by: str = "",
    *,
    revive: bool = True,
    once: Once | None = None,
) -> Silence:
    """Make a silence, or change the one that `wanted` names; returns it as it stands.

    `by` is who asks, where that is known better than by the author the request names. What can
    only be a new silence gets a new id, and the old one is expired. One that is over is made
    anew, unless `revive` is false.

    Raises:
        UnknownSilence: there is none of that id.
        SilenceRefused, BadRecurrenceError: it cannot be; the message says why.
        AlreadyExpired: it is over, and not to be made anew.
        AlreadyDone: the same request was carried out before.
    """
    periods = _periods(wanted)  # whatever the time: nobody waits for it, a repetition fares alike
    with store.begin() as tx:
        refuse_repetition(tx, once, WHAT)  # first: a repetition may come after the silence's end
        new = checked_silence(wanted, now, periods)
        if wanted.id:
            old = rows.load_silence(tx.connection, wanted.id, lock=True)
            if may_update(old, new, now):
                kept = replace(new, id=old.id, periods=_periods_kept(old, new))
                remember(tx, once, _keep(tx, kept, "changed", by, now), now, WHAT)
                return kept
            if old.state(now) is not SilenceState.EXPIRED:
                _keep(tx, expired_at(old, now, by or wanted.created_by), "expired", by, now)
            elif not revive:
                raise AlreadyExpired(old.id)
        made = begun_now(new, now)
        remember(tx, once, _keep(tx, made, "created", by, now), now, WHAT)
    return made


def _keep(tx: Transaction, silence: Silence, verb: str, by: str, now: datetime) -> int:
    """Store the silence and record who did what; without a person it is its named author.

    Returns its row id.
    """
    row_id = rows.save_silence(tx, silence, now)
    detail = {
        "matchers": [str(matcher) for matcher in silence.matchers],
        "starts_at": silence.starts_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(),
        "author": silence.created_by,
    }
    actor, action = by or silence.created_by or "unnamed", f"silence.{verb}"
    record(tx, actor=actor, action=action, target=silence.id, at=now, detail=detail)
    return row_id


def _periods_kept(old: Silence, new: Silence) -> tuple[Period, ...]:
    """Return the new occurrences; what is begun began when it did."""
    first = (new.starts_at, new.periods[0][1])
    return (first, *new.periods[1:]) if old.recurrence is None else new.periods


def expire_silence(
    store: Store, silence_id: str, now: datetime, by: str = "", *, once: Once | None = None
) -> Silence:
    """End a silence now, all its occurrences to come included; returns it as it stands.

    Raises:
        UnknownSilence: there is none of that id.
        AlreadyExpired: it is over.
        AlreadyDone: the same request was carried out before.
    """
    with store.begin() as tx:
        refuse_repetition(tx, once, WHAT)
        old = rows.load_silence(tx.connection, silence_id, lock=True)
        expired = expired_at(old, now, by)
        remember(tx, once, _keep(tx, expired, "expired", by, now), now, WHAT)
    return expired


def preview(
    connection: Connection, matchers: Sequence[Matcher], rules: Iterable[RuleFacts]
) -> Preview:
    """Return which alerts that are open now, and which rules, a silence would mute.

    A rule counts when the labels its file gives it fit: what its expression adds is not known.
    """
    found = [row for row in alert_rows.open_labels(connection) if all_hold(matchers, row.labels)]
    met = [rule for rule in rules if _may_meet(matchers, rule)]
    return Preview(
        alerts=len(found),
        examples=tuple(words(row.labels) for row in found[:SHOWN_ALERTS]),
        rules=tuple(dict.fromkeys(rule.name for rule in met)),
        incidents=tuple(sorted({row.incident_id for row in found if row.incident_id is not None})),
        warnings=(
            *_warnings(matchers, [row.labels for row in found], alert_rows.count_open(connection)),
            *_rule_warnings(met),
        ),
    )


def _may_meet(matchers: Iterable[Matcher], rule: RuleFacts) -> bool:
    """Tell whether no label that the rule's file sets stands against the matchers."""
    known = {"alertname": rule.name, **rule.labels}
    return all(m.name not in known or "{{" in known[m.name] or m.holds(known) for m in matchers)


def _warnings(
    matchers: Sequence[Matcher], found: Sequence[Mapping[str, str]], total: int
) -> Iterable[str]:
    if total > 1 and len(found) == total:
        yield f"It would mute every one of the {total} alerts that are open now."
    elif not any(m.operator in (Operator.EQUAL, Operator.LIKE) for m in matchers):
        yield "It only says what it does not mute: whatever else there is or will be is muted."
    critical = sum(Severity.of(labels) is Severity.CRITICAL for labels in found)
    if critical:
        yield f"It would mute {critical} critical alert{'s' if critical > 1 else ''}: nobody wakes."
    if any(all_hold(matchers, {"alertname": name, "severity": "none"}) for name in ALWAYS_SHOWN):
        yield "It matches Watchdog, the alert that proves that alerts arrive."


def _rule_warnings(rules: Iterable[RuleFacts]) -> Iterable[str]:
    paging = dict.fromkeys(r.name for r in rules if Severity.of(r.labels) is Severity.CRITICAL)
    if paging:
        yield f"Rules that page would be muted: {', '.join(paging)}."


def is_due(connection: Connection, now: datetime) -> bool:
    """Tell whether a silence has begun that open incidents do not know of, or ends soon."""
    return any(
        _begins(silence, now) or _ends(silence, now)
        for silence in rows.live_silences(connection, now)
    )


def apply(tx: Transaction, intake: Intake) -> None:
    """Let silences that have begun bite the alerts of open incidents, and foretell ends.

    Nothing is closed by it: the incident stays, and its timeline says that nothing more is sent.
    """
    now = intake.now
    live = rows.live_silences(tx.connection, now)
    begun = [silence for silence in live if _begins(silence, now)]
    heard = alert_rows.heard(tx.connection, lock=True) if begun else []
    for silence in begun:
        until = silence.period(now)[1]
        mine = [row for row in heard if silence.mutes(row["labels"])]
        heard = [row for row in heard if not silence.mutes(row["labels"])]
        intake.hush(mine, silence.name, _began_words(silence, until))
        rows.mark(tx, silence.id, applied_until=until)
    for silence in live:
        if _ends(silence, now):
            until = silence.period(now)[1]
            _foretell(intake, alert_rows.muted(tx.connection, [silence.name]), silence, until)
            rows.mark(tx, silence.id, reminded_until=until)


def _begins(silence: Silence, now: datetime) -> bool:
    return (
        silence.state(now) is SilenceState.ACTIVE
        and silence.applied_until != silence.period(now)[1]
    )


def _ends(silence: Silence, now: datetime) -> bool:
    return silence.ends_soon(now) and silence.reminded_until != silence.period(now)[1]


def _began_words(silence: Silence, until: datetime) -> str:
    said = f" ({silence.comment})" if silence.comment else ""
    who = silence.created_by or "somebody"
    return f"silenced by {who} until {until:%Y-%m-%d %H:%M} UTC{said}; nothing more is sent"


def _foretell(
    intake: Intake, muted: Sequence[RowMapping], silence: Silence, until: datetime
) -> None:
    what = f"{silence.name} ends at {until:%H:%M} UTC; what still fires then is told as ever"
    mine = [row for row in muted if row["incident_id"] is not None]
    intake.placing.note_alerts(mine, Kind.SILENCE_ENDING, what)
