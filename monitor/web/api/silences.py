"""`/api/v2/silences` as an Alertmanager serves them, so that amtool and Grafana can use them.

Reading is for whoever may read alerts; making and ending one is for whoever may silence.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from incidents.alerts import silences_v2, v2
from incidents.alerts.matchers import BadMatcher
from incidents.alerts.silences import (
    AlreadyExpired,
    SilenceRefused,
    UnknownSilence,
    concerns,
)
from incidents.alerts.wire import Refusal
from monitor.storage.silences import listed_silences, load_silence
from monitor.use_cases.silences import Wanted, expire_silence, set_silence
from monitor.web.api.alert_lists import Filters, answer, read_matchers
from monitor.web.security import alert_reader, silencer
from monitor.web.services import Given, Services

router = APIRouter(tags=["alerts"])
READ = Depends(alert_reader)
By = Annotated[str, Depends(silencer)]


@router.get("/api/v2/silences", dependencies=[READ])
def get_silences(services: Given, filter_: Filters = ()) -> Response:
    """List silences: active ones, then pending ones, then those that expired within five days."""
    try:
        wanted = read_matchers(filter_)
    except BadMatcher as error:
        return answer(Refusal(400, str(error)))
    now = services.clock.now()
    with services.store.read() as connection:
        found = listed_silences(connection, now)
    return JSONResponse([silences_v2.gettable(s, now) for s in found if concerns(s, wanted)])


@router.post(
    "/api/v2/silences",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["comment", "createdBy", "endsAt", "matchers", "startsAt"],
                    }
                }
            },
        }
    },
)
async def post_silence(request: Request, services: Given, by: By) -> Response:
    """Make a silence, or change the one whose id is given."""
    refusal = v2.refuse_content_type(request.headers.get("content-type"))
    if refusal is not None:
        return answer(refusal)
    return await run_in_threadpool(_set, services, await request.body(), by)


@router.get("/api/v2/silence/{silence_id}", dependencies=[READ])
def get_silence(silence_id: str, services: Given) -> Response:
    """Return one silence."""
    if (refusal := silences_v2.refuse_id(silence_id)) is not None:
        return answer(refusal)
    try:
        with services.store.read() as connection:
            silence = load_silence(connection, silence_id)
    except UnknownSilence:
        return Response(status_code=404)
    return JSONResponse(silences_v2.gettable(silence, services.clock.now()))


@router.delete("/api/v2/silence/{silence_id}")
def delete_silence(silence_id: str, services: Given, by: By) -> Response:
    """End a silence now; ending it twice is no fault."""
    if (refusal := silences_v2.refuse_id(silence_id)) is not None:
        return answer(refusal)
    try:
        expire_silence(services.store, silence_id, services.clock.now(), by)
    except UnknownSilence:
        return answer(Refusal(500, "silence not found"))  # as Alertmanager has it
    except AlreadyExpired:
        pass  # it is as it was asked to be
    return Response(status_code=200)


def _set(services: Services, body: bytes, by: str) -> Response:
    now = services.clock.now()
    posted = silences_v2.parse(body, now)
    if isinstance(posted, Refusal):
        return answer(posted)
    wanted = Wanted(
        matchers=posted.matchers,
        starts_at=posted.starts_at,
        ends_at=posted.ends_at,
        created_by=posted.created_by,
        comment=posted.comment,
        id=posted.id,
    )
    try:
        made = set_silence(services.store, wanted, now, by)
    except UnknownSilence:
        return answer(Refusal(404, "silence not found"))
    except SilenceRefused as refused:
        return answer(Refusal(400, str(refused)))
    content: dict[str, Any] = {"silenceID": made.id}
    return JSONResponse(content)
