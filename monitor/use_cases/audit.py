"""The audit log's upkeep: rows are sealed soon after their commit, and the head is noted outside.

The head is also written to a file in the data folder: whoever cuts the end off the log in the
database alone is found out. `monitor audit verify` compares the two, and any head noted elsewhere.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from monitor.storage.audit_chain import (
    Anchor,
    ChainReport,
    anything_unsealed,
    check_chain,
    seal,
)
from monitor.storage.store import Store

HEAD_FILE = "audit-head.json"  # in the data folder


def seal_audit(store: Store, folder: Path, now: datetime) -> Anchor | None:
    """Seal every row that waits; return the new head, None where nothing waited."""
    head = None
    while _waits(store):
        with store.begin() as tx:
            head = seal(tx, now)
    if head is not None:
        note_head(folder, head, now)
    return head


def _waits(store: Store) -> bool:
    with store.read() as connection:
        return anything_unsealed(connection)


def note_head(folder: Path, head: Anchor, now: datetime) -> None:
    """Write the head down beside the database; a reader never sees half of it."""
    written = folder / f"{HEAD_FILE}.new"
    noted = {"position": head.position, "hash": head.hash, "at": now.isoformat()}
    written.touch(mode=0o600)
    written.write_text(json.dumps(noted) + "\n", "utf-8")
    written.replace(folder / HEAD_FILE)


def noted_head(folder: Path) -> Anchor | None:
    """Return the head that was written down last; None where there is no such file.

    Raises:
        ValueError: the file is not as we write it.
    """
    try:
        text = (folder / HEAD_FILE).read_text("utf-8")
    except FileNotFoundError:
        return None
    try:
        noted = json.loads(text)
        return Anchor(int(noted["position"]), str(noted["hash"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{folder / HEAD_FILE} holds no position and hash") from error


def verify_audit(store: Store, *noted: Anchor) -> ChainReport:
    """Return what is wrong with the log; `noted` heads must still be in it."""
    with store.read() as connection:
        return check_chain(connection, *noted)
