"""What every request to work on incidents has in common: who asks, what for, and whether again.

A POST that carries the header `Idempotency-Key` is carried out once, however often it is sent
within a day; a repetition is answered with the incident as it stands now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from monitor.storage.idempotency import AlreadyDone, Once
from monitor.storage.incidents import Incident, load_incident
from monitor.use_cases.incidents import IncidentDesk
from monitor.web.api.incident_views import IncidentDetail, detail_of
from monitor.web.permissions import Actor, Permission
from monitor.web.security import require
from monitor.web.services import Given, Services

LARGEST = 2**31 - 1  # what an integer column holds
Number = Annotated[int, Path(ge=1, le=LARGEST)]

Viewer = Depends(require(Permission.VIEW))
Responder = Annotated[Actor, Depends(require(Permission.WORK_INCIDENTS))]
Writer = Annotated[Actor, Depends(require(Permission.NOTE))]
Publisher = Annotated[Actor, Depends(require(Permission.PUBLISH))]
Instant = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC)),
]
Desk = TypeVar("Desk", bound=IncidentDesk)


class Body(BaseModel):
    """What a request carries: nothing that is not described."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked:
    """A request to work on an incident: who asks, and whether it was carried out before."""

    def __init__(
        self,
        request: Request,
        services: Given,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> None:
        self._request = request
        self._services = services
        self._key = idempotency_key

    @property
    def desk(self) -> IncidentDesk:
        """Where the work is done."""
        return self.at(IncidentDesk)

    def at(self, desk: type[Desk]) -> Desk:
        """Return the desk at which this kind of work is done."""
        return desk_of(self._services, desk)

    @property
    def now(self) -> datetime:
        """The present."""
        return self._services.clock.now()

    def once(self, actor: Actor, body: Body | None = None) -> Once | None:
        """Return what makes this request one that is carried out once."""
        path = self._request.url.path
        key = f"{actor.name}\n{self._key}" if self._key else None
        return Once.of(key, path, body.model_dump_json() if body else "")

    def answer(self, work: Callable[[], Incident]) -> IncidentDetail:
        """Carry the work out, unless it was before, and show the incident."""
        try:
            number = work().number
        except AlreadyDone as done:
            number = done.number
        with self._services.store.read() as connection:
            return detail_of(self._services, connection, load_incident(connection, number))


Asks = Annotated[Asked, Depends()]


def desk_of(services: Services, desk: type[Desk]) -> Desk:
    """Return where people work on incidents, for API and console alike."""
    return desk(services.store, services.configuration.current, services.policy)
