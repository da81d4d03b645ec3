"""What is held about a reporter: given to them, or erased, on demand and after its time.

Incidents keep their facts and the audit log its rows: neither holds a reporter's name, address or
words, only the number of the report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from incidents.errors import InvalidInputError, UnknownObjectError
from incidents.timeline import AUTOMATION
from monitor.storage.audit import record
from monitor.storage.personal import (
    erase,
    gather,
    report_of_number,
    reports_of_address,
    reports_to_erase,
)
from monitor.storage.schema import reports
from monitor.storage.store import Store

BATCH = 100  # reports a transaction erases
REFERENCE = re.compile(r"(?:RPT-)?(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a request is about: the reports found, and the address if that is how."""

    report_ids: tuple[int, ...]
    names: tuple[str, ...]
    address: str


def find_person(connection: Connection, who: str) -> Person:
    """Return the reports of an e-mail address, or the one with a number such as `RPT-12`.

    Raises:
        InvalidInputError: it is neither.
        UnknownObjectError: nothing is held.
    """
    if "@" in who:
        address, ids = who.strip(), reports_of_address(connection, who)
    elif number := REFERENCE.fullmatch(who.strip()):
        address, ids = "", report_of_number(connection, int(number[1]))
    else:
        raise InvalidInputError(f"{who!r} is neither an e-mail address nor a report like RPT-12")
    if not ids:
        raise UnknownObjectError(f"report of {who}")
    numbers = select(reports.c.number).where(reports.c.id.in_(ids)).order_by(reports.c.number)
    names = tuple(f"RPT-{n}" for n in connection.execute(numbers).scalars())
    return Person(tuple(ids), names, address)


def export_person(store: Store, who: str, *, by: str, now: datetime) -> dict[str, Any]:
    """Return everything held about a reporter, and record that somebody took it.

    Raises:
        InvalidInputError, UnknownObjectError: as `find_person`.
    """
    with store.begin() as tx:
        person = find_person(tx.connection, who)
        held = gather(tx.connection, person.report_ids, person.address)
        for name in person.names:
            record(tx, actor=by, action="privacy.exported", target=name, at=now)
    return held


def erase_person(store: Store, who: str, *, by: str, now: datetime) -> Mapping[str, int]:
    """Take a reporter out of everything that is held; return how many rows of each kind.

    Raises:
        InvalidInputError, UnknownObjectError: as `find_person`.
    """
    with store.begin() as tx:
        person = find_person(tx.connection, who)
        counts = erase(tx, person.report_ids, person.address, now)
        for name in person.names:
            record(tx, actor=by, action="privacy.erased", target=name, at=now)
    return counts


def erase_old(store: Store, before: datetime, now: datetime) -> int:
    """Erase what is of reporters in reports done with before an instant; return how many."""
    erased = 0
    while _is_any(store, before):
        with store.begin() as tx:
            ids = reports_to_erase(tx.connection, before, BATCH)
            counts = erase(tx, ids, "", now)
            detail = {"reports": counts["reports"], "before": before.isoformat()}
            record(tx, actor=AUTOMATION, action="privacy.expired", at=now, detail=detail)
        erased += len(ids)
    return erased


def _is_any(store: Store, before: datetime) -> bool:
    with store.read() as connection:
        return bool(reports_to_erase(connection, before, 1))
