"""The audit log as files to take along: CSV for spreadsheets, JSON lines for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from monitor.storage.audit import AuditFilter, AuditRow, search_audit
from monitor.storage.store import Store

COLUMNS = ("id", "at", "actor", "action", "target", "detail", "position", "hash")
BATCH = 1000  # rows read at once, each batch in a transaction of its own
# A spreadsheet takes a cell that begins so for a formula, which may run programs:
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_record(row: AuditRow) -> dict[str, object]:
    """Return a row for programs."""
    return {name: getattr(row, name) for name in COLUMNS} | {"at": row.at.isoformat()}


def csv_file(rows: Iterator[AuditRow]) -> Iterator[str]:
    """Give the lines of a CSV file (RFC 4180); no cell is a formula."""
    yield _csv_line(COLUMNS)
    for row in rows:
        record = as_record(row)
        record["detail"] = json.dumps(row.detail, ensure_ascii=False, sort_keys=True)
        yield _csv_line(tuple(_cell(record[name]) for name in COLUMNS))


def json_lines(rows: Iterator[AuditRow]) -> Iterator[str]:
    """Give one JSON object a line."""
    for row in rows:
        yield json.dumps(as_record(row), ensure_ascii=False) + "\n"


FORMATS: dict[str, tuple[str, Callable[[Iterator[AuditRow]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_file),
    "jsonl": ("application/x-ndjson", json_lines),
}


def every_row(store: Store, wanted: AuditFilter) -> Iterator[AuditRow]:
    """Give all rows that match, newest first, however many; what is added meanwhile is left out."""
    page = replace(wanted, limit=BATCH)
    while True:
        with store.read() as connection:
            rows = search_audit(connection, page)
        yield from rows
        if len(rows) < BATCH:
            return
        page = replace(page, before_id=rows[-1].id)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
