"""A person's own account: password and sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from monitor.storage.users import end_sessions_of, sessions_of, user_by_name
from monitor.web.accounts import authenticate, change_password
from monitor.web.errors import TooManyAttempts
from monitor.web.passwords import MIN_LENGTH, password_fault
from monitor.web.permissions import MAY, Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services
from monitor.web.sessions import begin_session, give_cookie, take_cookie

router = APIRouter(include_in_schema=False)
Owner = Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))]
NOT_YOURS = "That is not your present password."


@router.get("/console/account")
def account(request: Request, actor: Owner, services: Given, changed: bool = False) -> Response:
    """Show who is signed in, what the role allows, and where else they are signed in."""
    assert actor.user_id is not None
    with services.store.read() as connection:
        sessions = sessions_of(connection, actor.user_id)
    allowed = [permission for permission in MAY if actor.may(permission)]
    return page(
        request,
        "console/account.html",
        title="Your account",
        sessions=sessions,
        allowed=allowed,
        changed=changed,
    )


@router.get("/console/account/password")
def password_page(request: Request, actor: Owner) -> Response:
    """Show the form for a new password."""
    return _form(request, actor)


@router.post("/console/account/password")
def new_password(request: Request, actor: Owner, form: Submitted, services: Given) -> Response:
    """Store the new password, end all sessions and go on in a fresh one."""
    old, new = form.get("old", ""), form.get("new", "")
    if not _knows_old(request, services, actor, old):
        return _form(request, actor, {"old": NOT_YOURS})
    fault = password_fault(new, form.get("again", ""), name=actor.name, old=old)
    if fault:
        return _form(request, actor, {"new": fault})
    assert actor.user_id is not None
    change_password(services.store, actor.user_id, new)
    with services.store.read() as connection:
        user = user_by_name(connection, actor.name)
    assert user is not None
    session = begin_session(services.store, user, services.clock.now())
    answer = RedirectResponse(
        "/console" if actor.must_change_password else "/console/account?changed=true", 303
    )
    give_cookie(answer, session.secret, services.settings.public_url)
    return answer


@router.post("/console/account/sign-out-everywhere")
def sign_out_everywhere(actor: Owner, services: Given) -> Response:
    """End every session of the account, this one included."""
    assert actor.user_id is not None
    with services.store.begin() as tx:
        end_sessions_of(tx, actor.user_id)
    answer = RedirectResponse("/console/sign-in", 303)
    take_cookie(answer, services.settings.public_url)
    return answer


def _knows_old(request: Request, services: Services, actor: Actor, old: str) -> bool:
    """Return whether the present password is right; guessing is slowed as at sign-in."""
    throttle, now = request.app.state.throttle, services.clock.now()
    wait = throttle.wait(actor.name, f"session {actor.session}", now)
    if wait:
        raise TooManyAttempts(int(wait.total_seconds()) + 1)
    if authenticate(services.store, actor.name, old) is None:
        throttle.failed(actor.name, f"session {actor.session}", now)
        return False
    return True


def _form(request: Request, actor: Actor, faults: dict[str, str] | None = None) -> Response:
    return page(
        request,
        "console/password.html",
        422 if faults else 200,
        title="Choose a password",
        first=actor.must_change_password,
        faults=faults or {},
        min_length=MIN_LENGTH,
    )
