"""Dashboards and annotations pushed to a Grafana server, for `monitor grafana push`.

A Grafana that reads `dashboards/provisioning` needs no push of dashboards; incidents and announced
maintenance appear on its time axes only by a push. Pushing again changes what changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import niquests.exceptions
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException
from sqlalchemy import Connection, or_, select

from monitor.storage.schema import incidents, maintenance

DASHBOARDS = Path(__file__).parents[1] / "dashboards"
FOLDER_UID = "saypro-monitor"
FOLDER_TITLE = "SayPro Monitor"
TAG = "saypro-monitor"  # what the dashboards' annotation queries look for
TIMEOUT_SECONDS = 10.0
MOST_MARKS = 1000  # annotations of ours that are looked at in one push


class PushError(Exception):
    """Grafana did not take what was pushed; the text says what it answered."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of time to be shown on dashboards."""

    kind: str
    """`incident` or `maintenance`."""
    name: str
    """`INC-7` or `MNT-3`: the same name is the same mark."""
    text: str
    started_at: datetime
    ended_at: datetime | None = None

    @property
    def tags(self) -> list[str]:
        """Return the tags it is found by."""
        return [TAG, self.kind, self.name]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did."""

    dashboards: tuple[str, ...]
    marks_added: int
    marks_changed: int


def push(
    url: str,
    token: str | None,
    *,
    marks: Iterable[Mark],
    monitor_url: str,
    now: datetime,
    folder: Path = DASHBOARDS,
) -> Pushed:
    """Put all dashboards and marks into the Grafana at `url`; `monitor_url` is what they link to.

    Raises:
        PushError: Grafana cannot be reached, or refuses.
    """
    with _speaking(url, token) as api:
        titles = push_dashboards(api, folder, monitor_url)
        added, changed = push_marks(api, marks, now)
    return Pushed(titles, added, changed)


def push_dashboards(api: Any, folder: Path, monitor_url: str) -> tuple[str, ...]:
    """Put every `*.json` of `folder` into Grafana, replacing what is there; return the titles."""
    _ensure_folder(api)
    titles = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        point_at(document, monitor_url)
        api.dashboard.update_dashboard(
            {"dashboard": document, "folderUid": FOLDER_UID, "overwrite": True}
        )
        titles.append(str(document["title"]))
    return tuple(titles)


def point_at(document: Mapping[str, Any], monitor_url: str) -> None:
    """Have the dashboard's links lead to the monitor at `monitor_url`."""
    for variable in document["templating"]["list"]:
        if variable["name"] == "monitor":
            variable["query"] = monitor_url.rstrip("/")


def push_marks(api: Any, marks: Iterable[Mark], now: datetime) -> tuple[int, int]:
    """Put marks on all dashboards; return how many were added and how many changed.

    A mark that has not ended reaches to `now`, and is made longer by the next push.
    """
    present = {
        _name(found): found
        for found in api.annotations.find_annotations(
            tags=[TAG], ann_type="annotation", limit=MOST_MARKS
        )
    }
    added = changed = 0
    for mark in marks:
        wanted = {
            "time_from": _milliseconds(mark.started_at),
            "time_to": _milliseconds(mark.ended_at or now),
            "tags": mark.tags,
            "text": mark.text,
        }
        found = present.get(mark.name)
        if found is None:
            api.annotations.add_annotation(**wanted)
            added += 1
        elif not _same(found, wanted):
            api.annotations.update_annotation(found["id"], **wanted)
            changed += 1
    return added, changed


def load_marks(connection: Connection, since: datetime) -> list[Mark]:
    """Return the incidents and maintenance windows that were not over before `since`."""
    over = or_(incidents.c.resolved_at.is_(None), incidents.c.resolved_at >= since)
    tickets = connection.execute(select(incidents).where(over).order_by(incidents.c.number))
    windows = connection.execute(
        select(maintenance)
        .where(maintenance.c.ends_at >= since, maintenance.c.cancelled_at.is_(None))
        .order_by(maintenance.c.number)
    )
    return [
        *(
            Mark(
                "incident",
                f"INC-{row.number}",
                f"INC-{row.number} {row.title}",
                row.started_at,
                row.resolved_at,
            )
            for row in tickets
        ),
        *(
            Mark(
                "maintenance",
                f"MNT-{row.number}",
                f"MNT-{row.number} {row.title}",
                row.starts_at,
                row.ends_at,
            )
            for row in windows
        ),
    ]


@contextmanager
def _speaking(url: str, token: str | None) -> Iterator[Any]:
    """Yield a `GrafanaApi`, whose methods carry no types; its refusals become `PushError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PushError("expected Grafana's address, such as https://grafana.example")
    # grafana-client joins path and `api` without a slash of its own.
    rooted = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/" if parts.path else ""))
    try:
        yield GrafanaApi.from_url(rooted, credential=token, timeout=TIMEOUT_SECONDS)
    except GrafanaException as error:
        raise PushError(f"Grafana at {parts.hostname} refused: {error.message}") from error
    except niquests.exceptions.RequestException as error:
        raise PushError(f"Grafana at {parts.hostname} cannot be reached") from error


def _ensure_folder(api: Any) -> None:
    try:
        api.folder.get_folder(FOLDER_UID)
    except GrafanaClientError as error:
        if error.status_code != 404:
            raise
        api.folder.create_folder(FOLDER_TITLE, uid=FOLDER_UID)


def _name(found: Mapping[str, Any]) -> str:
    return next((tag for tag in found["tags"] if tag.startswith(("INC-", "MNT-"))), "")


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    told = (found["time"], found["timeEnd"], found["text"])
    return told == (wanted["time_from"], wanted["time_to"], wanted["text"])


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
