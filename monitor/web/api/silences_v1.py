"""Silences in our own words, as JSON: recurring ones too, and what one would mute before it bites.

`/api/v2/silences` speaks Alertmanager's language, which knows neither. A write that carries the
header `Idempotency-Key` is carried out once, however often it is sent within a day; a repetition
is answered with the silence as it stands now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from incidents.alerts.matchers import Matcher, parse_matcher
from incidents.alerts.recurrence import Recurrence
from incidents.alerts.silences import Silence, SilenceState, check_matchers
from incidents.texts import checked, storable
from monitor.storage.idempotency import AlreadyDone, Once
from monitor.storage.incidents import load_incidents
from monitor.storage.silences import listed_silences, load_silence, silence_of_row
from monitor.use_cases.silences import Wanted, expire_silence, set_silence
from monitor.web.api.incident_asked import Body
from monitor.web.api.silence_views import (
    MatchersGiven,
    PreviewView,
    SilenceGiven,
    Silences,
    SilenceView,
    view_of,
)
from monitor.web.permissions import Actor, Permission
from monitor.web.security import require
from monitor.web.services import Given
from monitor.web.silencing import LISTED, LONGEST_COMMENT, preview_of

router = APIRouter(prefix="/api/v1/silences", tags=["silences"])
Viewer = Depends(require(Permission.VIEW))
Silencer = Annotated[Actor, Depends(require(Permission.SILENCE))]
SilenceId = Annotated[str, Path(max_length=64)]
MOST_LISTED = 500


class Asked:
    """A request to change a silence, and whether it was carried out before."""

    def __init__(
        self,
        request: Request,
        services: Given,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> None:
        self._door, self._key = f"{request.method} {request.url.path}", idempotency_key
        self._services = services
        self.now = services.clock.now()

    def once(self, actor: Actor, body: Body | None = None) -> Once | None:
        """Return what makes this request one that is carried out once."""
        key = f"{actor.name}\n{self._key}" if self._key else None
        return Once.of(key, self._door, body.model_dump_json() if body else "")

    def answer(self, work: Callable[[], Silence]) -> SilenceView:
        """Carry the work out, unless it was before, and show the silence."""
        try:
            return view_of(work(), self.now)
        except AlreadyDone as done:
            with self._services.store.read() as connection:
                return view_of(silence_of_row(connection, done.number), self.now)


Asks = Annotated[Asked, Depends()]


@router.get("", dependencies=[Viewer])
def list_silences(
    services: Given,
    *,
    state: Annotated[SilenceState | None, Query(description="All of them without it.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> Silences:
    """List silences; those that are over for 30 days."""
    now = services.clock.now()
    with services.store.read() as connection:
        listed = listed_silences(connection, now, since=LISTED)
    found = [silence for silence in listed if state in (None, silence.state(now))]
    return Silences(silences=[view_of(one, now) for one in found[:limit]], count=len(found))


@router.post("/preview")
def preview_silence(body: MatchersGiven, _by: Silencer, services: Given) -> PreviewView:
    """Say which alerts and rules a silence would mute now, and make none."""
    matchers = _matchers(body.matchers)
    check_matchers(matchers)
    found = preview_of(services, matchers)
    with services.store.read() as connection:
        incidents = load_incidents(connection, found.incidents).values()
    return PreviewView(
        alerts=found.alerts,
        examples=list(found.examples),
        rules=list(found.rules),
        incidents=sorted(incident.number for incident in incidents),
        warnings=list(found.warnings),
    )


@router.post("", status_code=201)
def create_silence(
    body: SilenceGiven, by: Silencer, services: Given, ask: Asks, answer: Response
) -> SilenceView:
    """Mute matching alerts for a time, once or again and again."""
    view = ask.answer(
        lambda: set_silence(
            services.store, _wanted(body, by, ask.now), ask.now, by.name, once=ask.once(by, body)
        )
    )
    answer.headers["location"] = f"{router.prefix}/{view.id}"
    return view


@router.get("/{silence_id}", dependencies=[Viewer])
def get_silence(silence_id: SilenceId, services: Given) -> SilenceView:
    """Give one silence."""
    with services.store.read() as connection:
        return view_of(load_silence(connection, silence_id), services.clock.now())


@router.put("/{silence_id}")
def change_silence(
    silence_id: SilenceId, body: SilenceGiven, by: Silencer, services: Given, ask: Asks
) -> SilenceView:
    """Change a silence that is not over; the answer's id is what it is called from now on.

    The id stays while only the end or the comment changes, of a recurring one during its first
    occurrence or before one. Anything else ends it now and makes a new one, so that whoever looks
    back sees what was really muted when. Without a start it keeps the one it is shown with.
    """

    def change() -> Silence:
        with services.store.read() as connection:
            start, _ = load_silence(connection, silence_id).period(ask.now)
        wanted = _wanted(body, by, start, silence_id)
        once = ask.once(by, body)
        return set_silence(services.store, wanted, ask.now, by.name, revive=False, once=once)

    return ask.answer(change)


@router.post("/{silence_id}/expire")
def expire(silence_id: SilenceId, by: Silencer, services: Given, ask: Asks) -> SilenceView:
    """End a silence now, all its occurrences to come included."""
    return ask.answer(
        lambda: expire_silence(services.store, silence_id, ask.now, by.name, once=ask.once(by))
    )


def _wanted(body: SilenceGiven, by: Actor, start: datetime, silence_id: str = "") -> Wanted:
    """Return what a request asks for; without a start of its own it is `start`.

    Raises:
        InvalidInputError: a matcher is none, or the comment is blank.
    """
    given = body.recurrence
    return Wanted(
        matchers=_matchers(body.matchers),
        starts_at=body.starts_at.astimezone(UTC) if body.starts_at else start,
        ends_at=body.ends_at.astimezone(UTC),
        created_by=by.name,
        comment=checked(body.comment, "the comment", LONGEST_COMMENT),
        recurrence=Recurrence(given.rule, given.time_zone) if given else None,
        id=silence_id,
    )


def _matchers(texts: list[str]) -> tuple[Matcher, ...]:
    return tuple(parse_matcher(storable(text)) for text in texts)
