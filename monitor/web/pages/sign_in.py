"""Signing in and out."""

from __future__ import annotations

import math
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from monitor.log import logger
from monitor.storage.users import end_session
from monitor.web.accounts import authenticate
from monitor.web.errors import TooManyAttempts
from monitor.web.permissions import Actor, Permission
from monitor.web.redirects import safe_next
from monitor.web.rendering import page
from monitor.web.security import form_token, require, signed_form, who_asks
from monitor.web.services import Given
from monitor.web.sessions import begin_session, cookie_name, give_cookie, take_cookie
from monitor.web.throttle import Throttle

router = APIRouter(include_in_schema=False)
log = logger("sign-in")
PURPOSE = "sign-in"
WRONG = "Name and password do not belong together. Check both and try again."


@router.get("/console/sign-in")
def sign_in_page(request: Request, next: str = "/console") -> Response:  # noqa: A002 - a URL's word
    """Show the form; who is signed in already goes on."""
    if who_asks(request):
        return RedirectResponse(safe_next(next), 303)
    return _form(request, next)


@router.post("/console/sign-in")
def sign_in(
    request: Request,
    form: Annotated[dict[str, str], Depends(signed_form(PURPOSE))],
    services: Given,
) -> Response:
    """Begin a session for the right name and password; slow down whoever guesses."""
    name, client = form.get("name", "")[:120].strip(), _client(request)
    throttle, now = cast("Throttle", request.app.state.throttle), services.clock.now()
    wait = throttle.wait(name, client, now)
    if wait:
        raise TooManyAttempts(math.ceil(wait.total_seconds()))
    user = authenticate(services.store, name, form.get("password", ""))
    if user is None:
        throttle.failed(name, client, now)
        log.warning("sign-in refused", account=name, client=client)
        return _form(request, form.get("next", ""), name=name, fault=WRONG, status=403)
    throttle.succeeded(name, client)
    log.info("signed in", account=user.name, client=client)
    public_url = services.settings.public_url
    replaced = request.cookies.get(cookie_name(public_url), "")
    session = begin_session(services.store, user, now, instead_of=replaced)
    answer = RedirectResponse(safe_next(form.get("next", "")), 303)
    give_cookie(answer, session.secret, public_url)
    return answer


@router.post("/console/sign-out")
def sign_out(
    actor: Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))], services: Given
) -> Response:
    """End this session on our side and in the browser."""
    with services.store.begin() as tx:
        end_session(tx, actor.session)
    answer = RedirectResponse("/console/sign-in", 303)
    take_cookie(answer, services.settings.public_url)
    return answer


def _form(
    request: Request, next_: str, *, name: str = "", fault: str = "", status: int = 200
) -> Response:
    token = form_token(request, PURPOSE)
    return page(
        request,
        "console/sign_in.html",
        status,
        title="Sign in",
        token=token,
        next=safe_next(next_),
        name=name,
        fault=fault,
    )


def _client(request: Request) -> str:
    return request.client.host if request.client else ""
