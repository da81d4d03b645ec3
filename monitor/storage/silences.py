"""Silences as rows; each says for itself when it mutes what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, select, update

from incidents.alerts.matchers import Matcher, Operator
from incidents.alerts.recurrence import Recurrence
from incidents.alerts.silences import Silence, SilenceState, UnknownSilence
from incidents.texts import storable
from monitor.storage.schema import silences
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into

LISTED = timedelta(hours=120)  # how long an expired one is listed: Alertmanager's retention
_c = silences.c
# Built once: every transaction about alerts asks for it, and building costs more than asking.
_LIVE = select(silences).where(_c.ends_at > bindparam("now")).order_by(_c.id)


def save_silence(tx: Transaction, silence: Silence, now: datetime) -> int:
    """Record a silence, in place of what was there under its id; returns its row id."""
    periods = silence.periods or ((silence.starts_at, silence.ends_at),)
    values: dict[str, Any] = {
        "matchers": [[m.name, m.operator.value, m.value] for m in silence.matchers],
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": storable(silence.created_by),
        "comment": storable(silence.comment),
        "updated_at": silence.updated_at,
        "recurrence": _recurrence_json(silence.recurrence),
        "periods": [[start.isoformat(), end.isoformat()] for start, end in periods],
        "applied_until": silence.applied_until,
        "reminded_until": silence.reminded_until,
        "expired_by": storable(silence.expired_by),
    }
    insert = insert_into(tx, silences).values(silence_id=silence.id, created_at=now, **values)
    upsert = insert.on_conflict_do_update(index_elements=["silence_id"], set_=values)
    row_id: int = tx.connection.execute(upsert.returning(_c.id)).scalar_one()
    tx.touch("alerts")
    return row_id


def mark(tx: Transaction, silence_id: str, **columns: datetime) -> None:
    """Record what was done about the occurrence of a silence: `applied_until` and the like."""
    tx.connection.execute(update(silences).where(_c.silence_id == silence_id).values(**columns))


def load_silence(connection: Connection, silence_id: str, *, lock: bool = False) -> Silence:
    """Return one silence.

    Raises:
        UnknownSilence: there is none of that id.
    """
    statement = select(silences).where(_c.silence_id == storable(silence_id).lower())
    found = _load(connection, statement.with_for_update() if lock else statement)
    if not found:
        raise UnknownSilence(silence_id)
    return found[0]


def silence_of_row(connection: Connection, row_id: int) -> Silence:
    """Return the silence of a row id, under which idempotency keys know it.

    Raises:
        UnknownSilence: it is forgotten.
    """
    found = _load(connection, select(silences).where(_c.id == row_id))
    if not found:
        raise UnknownSilence(f"number {row_id}")
    return found[0]


def live_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Return the silences that are not over at `now`, in the order they were made."""
    return _load(connection, _LIVE, now=now)


def listed_silences(
    connection: Connection, now: datetime, since: timedelta = LISTED
) -> list[Silence]:
    """Return what a list shows: active ones by their end, pending by their start, then expired.

    Expired ones are shown for as long as `since`, the last to end first.
    """
    found = _load(connection, select(silences).where(_c.ends_at > now - since))

    def order(silence: Silence) -> tuple[int, float]:
        start, end = silence.period(now)
        state = silence.state(now)
        if state is SilenceState.ACTIVE:
            return (0, end.timestamp())
        return (1, start.timestamp()) if state is SilenceState.PENDING else (2, -end.timestamp())

    return sorted(found, key=order)


def _load(connection: Connection, statement: Select[Any], **values: Any) -> list[Silence]:
    return [_silence(row) for row in connection.execute(statement, values).mappings()]


def _silence(row: RowMapping) -> Silence:
    return Silence(
        id=row["silence_id"],
        matchers=_matchers(row["matchers"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        created_by=row["created_by"],
        comment=row["comment"],
        updated_at=row["updated_at"],
        recurrence=Recurrence(**row["recurrence"]) if row["recurrence"] else None,
        periods=tuple(
            (datetime.fromisoformat(start), datetime.fromisoformat(end))
            for start, end in row["periods"]
        ),
        applied_until=row["applied_until"],
        reminded_until=row["reminded_until"],
        expired_by=row["expired_by"],
    )


def _matchers(items: Iterable[tuple[str, str, str]]) -> tuple[Matcher, ...]:
    return tuple(Matcher(name, Operator(operator), value) for name, operator, value in items)


def _recurrence_json(recurrence: Recurrence | None) -> dict[str, str] | None:
    if recurrence is None:
        return None
    return {"rule": recurrence.rule, "time_zone": recurrence.time_zone}
