"""`monitor grafana push`: dashboards, incidents and maintenance of this installation to Grafana."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta

from monitor.clock import Clock, SystemClock
from monitor.database import open_database
from monitor.grafana import PushError, load_marks, push
from monitor.settings import Settings
from monitor.storage.store import Store
from probes.secrets import EnvironmentSecrets, MissingSecret, UnfitSecret

TOKEN = "GRAFANA"  # the secret with a service account's token: MONITOR_SECRET_GRAFANA


def push_to_grafana(
    settings: Settings,
    environ: Mapping[str, str],
    url: str,
    *,
    days: float = 30,
    clock: Clock | None = None,
) -> int:
    """Push dashboards and the marks of the last `days`; print what was done; return 0, or 1.

    The database is read, so this works beside a running service and without one.
    """
    now = (clock or SystemClock()).now()
    store = Store(open_database(settings))
    try:
        token = EnvironmentSecrets(environ).get(TOKEN)
        with store.read() as connection:
            marks = load_marks(connection, now - timedelta(days=days))
        monitor_url = settings.listening_on(settings.port).public_url
        done = push(url, token, marks=marks, monitor_url=monitor_url, now=now)
    except (PushError, MissingSecret, UnfitSecret) as error:
        print(f"not pushed: {error}", file=sys.stderr)
        return 1
    finally:
        store.close()
    for title in done.dashboards:
        print(f"dashboard    {title}")
    print(f"annotations  {done.marks_added} added, {done.marks_changed} changed")
    return 0
