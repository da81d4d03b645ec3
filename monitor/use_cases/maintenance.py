"""Planned work: announced when it is planned, closed when probes have seen the shop work.

The state of a window is never stored (`incidents.notices.maintenance` derives it); what happens
here is that facts are recorded and notices queued, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from incidents.errors import IncidentError, InvalidInputError
from incidents.notices.maintenance import (
    BadWindowError,
    Effect,
    Maintenance,
    Scope,
    State,
    check_plan,
    is_verified,
    mutes,
)
from incidents.notices.uptime import duration_words
from incidents.outbox import notification_key
from incidents.reports.conversation import clock_words
from incidents.reports.intake import tidy
from incidents.timeline import AUTOMATION
from monitor.config.model import Configuration
from monitor.storage.audit import record
from monitor.storage.maintenance import (
    insert_window,
    live_windows,
    load_window,
    note_fact,
    row_id,
)
from monitor.storage.numbers import next_number, public_id
from monitor.storage.outbox import enqueue
from monitor.storage.schema import outbox
from monitor.storage.store import Store, Transaction
from monitor.use_cases.status import signals

LONGEST_TITLE = 120  # characters
LONGEST_DESCRIPTION = 4000  # characters
PRIORITY = 30  # behind everything that tells of an outage


class WindowIsOver(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """What was asked makes sense only before a window has ended."""

    def __init__(self, window: Maintenance, state: State) -> None:
        super().__init__(
            f"maintenance {window.name} is {state.word.lower()} and cannot be cancelled "
            "(allowed: scheduled, in progress)"
        )
        self.number, self.state = window.number, state


@dataclass(frozen=True)
class Plan:
    """What a person wants to announce; `time_zone` is theirs, the instants are UTC."""

    title: str
    starts_at: datetime
    ends_at: datetime
    scope: tuple[Scope, ...]
    description: str = ""
    time_zone: str = "UTC"


def plan_maintenance(
    store: Store, configuration: Configuration, plan: Plan, *, by: str, now: datetime
) -> Maintenance:
    """Record a window and announce it to every channel.

    Raises:
        InvalidInputError: no title, no or an unknown component, or instants that make no sense.
    """
    _check(plan, configuration, now)
    with store.begin() as tx:
        window = Maintenance(
            number=next_number(tx, "maintenance"),
            public_id=public_id(),
            title=" ".join(tidy(plan.title).split()),
            description=tidy(plan.description),
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            scope=plan.scope,
            time_zone=plan.time_zone,
            created_by=by,
            created_at=now,
            updated_at=now,
            announced_at=now,
        )
        insert_window(tx, window)
        _record(tx, window, "planned", by, now)
        channels = [channel.name for channel in configuration.shared_channels]
        _tell(tx, window, "maintenance_announced", channels, configuration, now)
    return window


def _check(plan: Plan, configuration: Configuration, now: datetime) -> None:
    if not tidy(plan.title) or len(plan.title) > LONGEST_TITLE:
        raise InvalidInputError(f"a title of 1 to {LONGEST_TITLE} characters is needed")
    if len(plan.description) > LONGEST_DESCRIPTION:
        raise InvalidInputError(f"the description may have {LONGEST_DESCRIPTION} characters")
    names = [scope.component for scope in plan.scope]
    if not names or len(set(names)) < len(names):
        raise InvalidInputError("choose at least one component, and each only once")
    known = {component.id for component in configuration.components}
    if unknown := sorted(set(names) - known):
        raise InvalidInputError(
            f"there is no component {', '.join(unknown)} (there are: {', '.join(sorted(known))})"
        )
    try:
        check_plan(plan.starts_at, plan.ends_at, now)
    except BadWindowError as error:
        raise InvalidInputError(str(error)) from error


def cancel_maintenance(
    store: Store, configuration: Configuration, number: int, *, by: str, now: datetime
) -> Maintenance:
    """Record that a window will not happen, or ends early, and tell whoever heard of it.

    Cancelling twice changes nothing.

    Raises:
        UnknownObjectError: there is no such window.
        WindowIsOver: it has ended already.
    """
    with store.begin() as tx:
        window = load_window(tx.connection, number)
        state = window.state(now)
        if state is State.CANCELLED:
            return window
        if state not in (State.SCHEDULED, State.IN_PROGRESS):
            raise WindowIsOver(window, state)
        facts = {"cancelled_at": now, "updated_at": now, "sequence": window.sequence + 1}
        note_fact(tx, number, **facts)
        window = replace(window, cancelled_at=now, updated_at=now, sequence=window.sequence + 1)
        _record(tx, window, "cancelled", by, now)
        told = _told(tx.connection, row_id(tx.connection, number))
        _tell(tx, window, "maintenance_cancelled", told, configuration, now, by=by)
    return window


def advance_maintenance(
    store: Store, configuration: Configuration, now: datetime
) -> tuple[Maintenance, ...]:
    """Close the ended windows that probes have verified, and tell of those that overrun.

    Called after every run and every few seconds; costs one read when nothing has ended. Returns
    the windows about which something was recorded.
    """
    with store.read() as connection:
        if not any(w.state(now) is State.VERIFYING for w in live_windows(connection, now)):
            return ()
    with store.begin() as tx:
        seen = signals(tx.connection, configuration)
        changed = []
        for window in live_windows(tx.connection, now):
            if is_verified(window, seen, now):
                changed.append(_complete(tx, window, configuration, now))
            elif window.is_overdue(now) and window.overrun_told_at is None:
                changed.append(_overrun(tx, window, configuration, now))
    return tuple(changed)


def _complete(
    tx: Transaction, window: Maintenance, configuration: Configuration, now: datetime
) -> Maintenance:
    note_fact(tx, window.number, verified_at=now, updated_at=now)
    _record(tx, window, "verified", AUTOMATION, now)
    done = replace(window, verified_at=now, updated_at=now)
    told = _told(tx.connection, row_id(tx.connection, window.number))
    _tell(tx, done, "maintenance_completed", told, configuration, now)
    return done


def _overrun(
    tx: Transaction, window: Maintenance, configuration: Configuration, now: datetime
) -> Maintenance:
    note_fact(tx, window.number, overrun_told_at=now, updated_at=now)
    _record(tx, window, "overran", AUTOMATION, now)
    late = replace(window, overrun_told_at=now, updated_at=now)
    told = _told(tx.connection, row_id(tx.connection, window.number))
    _tell(tx, late, "maintenance_overrun", told, configuration, now)
    return late


def _record(tx: Transaction, window: Maintenance, verb: str, actor: str, now: datetime) -> None:
    detail = {
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "components": [scope.component for scope in window.scope],
    }
    action = f"maintenance.{verb}"
    record(tx, actor=actor, action=action, target=window.name, at=now, detail=detail)


def active_effects(connection: Connection, now: datetime) -> frozenset[tuple[str, str]]:
    """Return (component, effect) of what is announced for `now`, for metrics and rules."""
    running = (State.IN_PROGRESS, State.VERIFYING)
    return frozenset(
        (scope.component, scope.effect.value)
        for window in live_windows(connection, now)
        if window.state(now) in running
        for scope in window.scope
    )


def _told(connection: Connection, maintenance_id: int) -> list[str]:
    """Return the channels that got the announcement: they get everything that follows."""
    c = outbox.c
    statement = (
        select(c.channel)
        .where(c.maintenance_id == maintenance_id, c.event == "maintenance_announced")
        .order_by(c.id)
    )
    return list(connection.execute(statement).scalars())


def _tell(
    tx: Transaction,
    window: Maintenance,
    event: str,
    channels: Iterable[str],
    configuration: Configuration,
    now: datetime,
    *,
    by: str = "",
) -> None:
    """Queue one notice for each channel."""
    subject, body = notice(window, event, configuration, now, by=by)
    identity = row_id(tx.connection, window.number)
    severity = "warning" if event == "maintenance_overrun" else "info"
    rows = []
    for channel in channels:
        key = notification_key(window.name, event, str(window.sequence), channel)
        rows.append(
            {
                "key": key,
                "event": event,
                "maintenance_id": identity,
                "channel": channel,
                "severity": severity,
                "subject": subject,
                "body": body,
                "priority": PRIORITY,
                "payload": {"key": key, "event": event, "maintenance": as_json(window, now)},
                "created_at": now,
            }
        )
    enqueue(tx, rows)


def notice(
    window: Maintenance, event: str, configuration: Configuration, now: datetime, *, by: str = ""
) -> tuple[str, str]:
    """Return subject and text of a notice about a window."""
    word = event.removeprefix("maintenance_")
    zone = window.time_zone
    lines = [window.title, "", *_outcome(window, word, now, by)]
    lines += [window.description, ""] if window.description else []
    lines += [
        f"From: {clock_words(window.starts_at, zone)}",
        f"Until: {clock_words(window.ends_at, zone)}",
        *(f"{_name(configuration, s.component)}: {s.effect.word}" for s in window.scope),
        "",
        "Measuring goes on. Only what is announced here is muted; anything else pages as ever.",
    ]
    return f"{window.name} maintenance {word}: {window.title}", "\n".join(lines) + "\n"


def _outcome(window: Maintenance, word: str, now: datetime, by: str) -> Sequence[str]:
    announced = duration_words((window.ends_at - window.starts_at).total_seconds())
    took = duration_words((now - window.starts_at).total_seconds())
    match word:
        case "cancelled":
            return (f"Cancelled{f' by {by}' if by else ''}.", "")
        case "completed":
            return (f"Completed and verified: announced {announced}, took {took}.", "")
        case "overrun":
            text = "The announced time is over, and our checks do not see everything working yet."
            return (text, "")
        case _:
            return ()


def _name(configuration: Configuration, component: str) -> str:
    found = configuration.component(component)
    return found.name if found else component


def as_json(window: Maintenance, now: datetime) -> dict[str, object]:
    """Return a window for programs."""
    return {
        "name": window.name,
        "number": window.number,
        "id": window.public_id,
        "title": window.title,
        "description": window.description,
        "state": window.state(now).value,
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
        "time_zone": window.time_zone,
        "scope": [{"component": s.component, "effect": s.effect.value} for s in window.scope],
    }


def parse_scope(pairs: Iterable[tuple[str, str]]) -> tuple[Scope, ...]:
    """Return the scope that (component, effect) pairs of a form or a document name.

    Raises:
        InvalidInputError: an effect is neither `expected_down` nor `expected_degraded`.
    """
    found = []
    for component, effect in pairs:
        if effect not in set(Effect):
            raise InvalidInputError(f"{effect!r} is no effect (expected: {', '.join(Effect)})")
        found.append(Scope(component, Effect(effect)))
    return tuple(found)


def muting(connection: Connection, now: datetime) -> Callable[[Mapping[str, str]], str]:
    """Return what tells which window announced an alert: its name, or nothing."""
    windows = live_windows(connection, now)
    if not windows:
        return lambda _: ""

    def muted_by(labels: Mapping[str, str]) -> str:
        window = mutes(windows, labels, now)
        return window.name if window else ""

    return muted_by
