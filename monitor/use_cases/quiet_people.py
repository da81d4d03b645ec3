"""Quiet hours of people: they hold for every way that leads to one person alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from incidents.oncall.contacts import PERSON_MAIL
from monitor.config.model import Configuration
from monitor.config.oncall import PersonSettings
from monitor.storage.deliveries import Delivery
from monitor.storage.oncall import people_mail, people_zones


@dataclass(frozen=True)
class QuietPeople:
    """Tells until when whoever a delivery reaches is not to be disturbed by it."""

    configuration: Callable[[], Configuration]

    def __call__(
        self, connection: Connection, delivery: Delivery, now: datetime
    ) -> datetime | None:
        """Return when one of those it reaches may be told; None: now, or it is nobody's own.

        A channel that several people share is quiet while all of them are.
        """
        configuration = self.configuration()
        if all(person.quiet_hours is None for person in configuration.oncall.people):
            return None
        reached = _reached(connection, configuration, delivery)
        zones = people_zones(connection) if reached else {}
        waits: list[datetime] = []
        for person in reached:
            zone = zones.get(person.name, configuration.site.time_zone)
            hours = person.quiet_hours.made(zone) if person.quiet_hours else None
            until = hours.until(now, delivery.severity) if hours else None
            if until is None:
                return None
            waits.append(until)
        return min(waits, default=None)


def _reached(
    connection: Connection, configuration: Configuration, delivery: Delivery
) -> list[PersonSettings]:
    people = configuration.oncall.people
    if delivery.channel == PERSON_MAIL:
        known = people_mail(connection)
        return [p for p in people if (p.email or known.get(p.name, "")) == delivery.recipient]
    channel = next((c for c in configuration.channels if c.name == delivery.channel), None)
    if channel is None or channel.audience != "person":
        return []
    return [person for person in people if channel.name in person.channels]
