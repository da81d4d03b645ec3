"""The Statuspage v2 documents: every key present, in the closed sets that strict clients accept.

Facts about the format and about what breaks its clients: times carry three digits and `Z`, lists
of updates and components are never empty, and no word outside the documented ones appears. What we
know beyond the format (such as `unknown`) stands in extra keys that begin with `monitor_` or are
named `last_checked_at`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from incidents.notices.maintenance import Maintenance, State
from incidents.notices.published import (
    PublicComponent,
    PublicIncident,
    PublicPage,
    PublicUpdate,
    public_code,
    window_updates,
)
from incidents.notices.rollup import public_status
from incidents.notices.status import ComponentStatus as Status

Json = dict[str, Any]
NEWEST = 50  # how many incidents or windows the long lists hold

_WINDOW_STATUS = {
    State.SCHEDULED: "scheduled",
    State.IN_PROGRESS: "in_progress",
    State.VERIFYING: "verifying",
    State.COMPLETED: "completed",
    State.CANCELLED: "completed",  # the format has no word for it
}


def instant(at: datetime | None) -> str | None:
    """Return an instant in UTC with exactly three digits after the second."""
    if at is None:
        return None
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def summary(page: PublicPage) -> Json:
    """Return the document of `/api/v2/summary.json`."""
    windows = (*page.upcoming_windows, *page.running_windows)
    return {
        **_head(page),
        "components": components(page),
        "incidents": [incident(page, i) for i in page.open_incidents],
        "scheduled_maintenances": [maintenance(page, w) for w in windows],
        "status": status(page),
    }


def status_document(page: PublicPage) -> Json:
    """Return the document of `/api/v2/status.json`."""
    return {**_head(page), "status": status(page)}


def components_document(page: PublicPage) -> Json:
    """Return the document of `/api/v2/components.json`; one exporter reads the status there."""
    return {**_head(page), "components": components(page), "status": status(page)}


def incidents_document(page: PublicPage, incidents: Sequence[PublicIncident]) -> Json:
    """Return the document of `/api/v2/incidents.json` and of its `unresolved` sibling."""
    return {**_head(page), "incidents": [incident(page, i) for i in incidents[:NEWEST]]}


def maintenances_document(page: PublicPage, windows: Iterable[Maintenance]) -> Json:
    """Return the document of `/api/v2/scheduled-maintenances.json` and of its siblings."""
    shown = [maintenance(page, window) for window in list(windows)[:NEWEST]]
    return {**_head(page), "scheduled_maintenances": shown}


def _head(page: PublicPage) -> Json:
    return {
        "page": {
            "id": page.site.code,
            "name": page.site.name,
            "url": page.site.url,
            "time_zone": page.site.time_zone,
            "updated_at": instant(page.updated_at),
        }
    }


def status(page: PublicPage) -> Json:
    """Return the page's one line, with our own word for it beside it."""
    return {
        "indicator": page.rollup.indicator,
        "description": page.rollup.description,
        "monitor_state": page.rollup.worst.value,
    }


def components(page: PublicPage) -> list[Json]:
    """Return every group followed by its children, and the components that stand alone."""
    found: list[Json] = []
    for position, (name, children) in enumerate(page.groups, start=1):
        if name is None:
            found += [component(page, c, i) for i, c in enumerate(children, start=position)]
            continue
        found.append(_group(page, name, children, position))
        found += [component(page, c, i) for i, c in enumerate(children, start=1)]
    return found


def component(page: PublicPage, shown: PublicComponent, position: int) -> Json:
    """Return one leaf."""
    return {
        "id": shown.code,
        "name": shown.name,
        "status": public_status(shown.status).value,
        "created_at": instant(shown.created_at),
        "updated_at": instant(shown.updated_at),
        "position": position,
        "description": shown.description,
        "showcase": True,
        "start_date": shown.created_at.astimezone(UTC).date().isoformat(),
        "group_id": public_code("group", shown.group) if shown.group else None,
        "page_id": page.site.code,
        "group": False,
        "only_show_if_degraded": False,
        "monitor_state": shown.status.value,
        "last_checked_at": instant(shown.last_checked_at),
    }


def _group(page: PublicPage, name: str, children: Sequence[PublicComponent], position: int) -> Json:
    worst = max((child.status for child in children), key=lambda s: s.severity)
    return {
        "id": public_code("group", name),
        "name": name,
        "status": public_status(worst).value,
        "created_at": instant(min(child.created_at for child in children)),
        "updated_at": instant(max(child.updated_at for child in children)),
        "position": position,
        "description": None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": page.site.code,
        "group": True,
        "only_show_if_degraded": False,
        "monitor_state": worst.value,
        "last_checked_at": None,
        "components": [child.code for child in children],
    }


def incident(page: PublicPage, shown: PublicIncident) -> Json:
    """Return one incident with its updates, newest first, and its components in full."""
    link = f"{page.site.url}/incidents/{shown.public_id}"
    affected = dict(shown.components)
    return {
        "id": shown.public_id,
        "name": shown.title,
        "status": shown.status,
        "created_at": instant(shown.created_at),
        "updated_at": instant(shown.updated_at),
        "monitoring_at": instant(shown.monitoring_at),
        "resolved_at": instant(shown.resolved_at),
        "impact": shown.impact,
        "shortlink": link,
        "started_at": instant(shown.started_at),
        "page_id": page.site.code,
        "incident_updates": [
            _update(u, shown.public_id, _changes(page, u, shown, affected)) for u in shown.updates
        ],
        "components": _affected(page, set(affected)),
        "reminder_intervals": None,
    }


def maintenance(page: PublicPage, window: Maintenance) -> Json:
    """Return one window in the incident's shape, with the announced times."""
    state = window.state(page.now)
    updates = window_updates(window, page.now)
    began = instant(window.created_at or window.starts_at)
    return {
        "id": window.public_id,
        "name": window.title,
        "status": _WINDOW_STATUS[state],
        "created_at": began,
        "updated_at": instant(max(updates[0].at, window.updated_at or updates[0].at)),
        "monitoring_at": None,
        "resolved_at": instant(window.cancelled_at or window.verified_at),
        "impact": "maintenance",
        "shortlink": f"{page.site.url}/maintenance/{window.public_id}",
        "started_at": began,
        "page_id": page.site.code,
        "incident_updates": [_update(u, window.public_id, None) for u in updates],
        "components": _affected(page, {scope.component for scope in window.scope}),
        "reminder_intervals": None,
        "scheduled_for": instant(window.starts_at),
        "scheduled_until": instant(window.ends_at),
        "monitor_state": state.value,
    }


def _update(shown: PublicUpdate, owner_id: str, affected: list[Json] | None) -> Json:
    at = instant(shown.at)
    return {
        "id": shown.public_id,
        "status": shown.status,
        "body": shown.body,
        "incident_id": owner_id,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": affected,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _changes(
    page: PublicPage, update: PublicUpdate, owner: PublicIncident, affected: dict[str, Status]
) -> list[Json]:
    """Return what the update changed: the first one broke the components, the closing one mended
    them.
    """
    is_first = update is owner.updates[-1]
    is_closing = update.status == "resolved"
    return [
        {
            "code": shown.code,
            "name": shown.full_name,
            "old_status": _published(Status.OPERATIONAL if is_first else affected[shown.id]),
            "new_status": _published(Status.OPERATIONAL if is_closing else affected[shown.id]),
        }
        for shown in page.components
        if shown.id in affected
    ]


def _published(status: Status) -> str:
    return public_status(status).value


def _affected(page: PublicPage, names: set[str]) -> list[Json]:
    """Return the named components in full; all of them where none is known, for the list may not
    be empty.
    """
    full = [c for c in components(page) if not c["group"]]
    codes = {public_code("component", name) for name in names}
    return [c for c in full if c["id"] in codes] or full
