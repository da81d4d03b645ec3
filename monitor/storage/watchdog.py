"""When the alert that always fires last arrived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.storage.schema import alerts

NAME = "Watchdog"


class WatchdogLookup:
    """Finds the alert once among all that are open, then by its identity."""

    def __init__(self) -> None:
        self._fingerprints: list[str] = []

    def seen_at(self, connection: Connection) -> datetime | None:
        """Return when the source last told of it; None while it is not open."""
        return self._last(connection) or self._found_anew(connection)

    def _last(self, connection: Connection) -> datetime | None:
        if not self._fingerprints:
            return None
        statement = select(func.max(alerts.c.updated_at)).where(
            alerts.c.fingerprint.in_(self._fingerprints), alerts.c.open_marker == 1
        )
        found: datetime | None = connection.execute(statement).scalar_one()
        return found

    def _found_anew(self, connection: Connection) -> datetime | None:
        name = alerts.c.labels["alertname"].as_string()
        statement = select(alerts.c.fingerprint).where(alerts.c.open_marker == 1, name == NAME)
        self._fingerprints = list(connection.execute(statement).scalars())
        return self._last(connection)
