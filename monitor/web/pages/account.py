"""A person's own account: password, sessions, how they are reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from monitor.accounts.contact import Contact, save_contact, zone_choices
from monitor.accounts.passwords import MIN_LENGTH, password_fault
from monitor.accounts.people import change_password, end_sessions
from monitor.accounts.records import record_of
from monitor.storage.second_factors import factor_of, recovery_codes_left
from monitor.storage.users import User, end_session_of, sessions_of
from monitor.web.browsers import browser_words
from monitor.web.confirming import own_account, unconfirmed
from monitor.web.entering import client_address
from monitor.web.permissions import MAY, Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services
from monitor.web.sessions import LONGEST_IDLE, begin_session, give_cookie, take_cookie

router = APIRouter(include_in_schema=False)
Owner = Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))]
DONE = {
    "password": "Your password is changed, and every other session of yours has ended.",
    "contact": "Saved.",
    "session": "That session has ended.",
    "factor-off": "Your second factor is switched off, and every other session of yours has ended.",
}


@router.get("/console/account")
def account(request: Request, actor: Owner, services: Given, done: str = "") -> Response:
    """Show who is signed in, what the role allows, and where else they are signed in."""
    return _overview(request, actor, services, done=DONE.get(done, ""))


@router.post("/console/account/contact")
def contact(request: Request, actor: Owner, form: Submitted, services: Given) -> Response:
    """Store how the owner is reached; the e-mail address is for administrators to change."""
    user = own_account(services, actor)
    entered = replace(Contact.entered(form), email=user.email or "")
    if faults := entered.faults():
        return _overview(request, actor, services, entered=entered, faults=faults)
    save_contact(services.store, user, entered, services.clock.now(), by=user.name)
    return RedirectResponse("/console/account?done=contact", 303)


@router.get("/console/account/password")
def password_page(request: Request, actor: Owner, services: Given) -> Response:
    """Show the form for a new password."""
    return _form(request, actor, own_account(services, actor))


@router.post("/console/account/password")
def new_password(request: Request, actor: Owner, form: Submitted, services: Given) -> Response:
    """Store the new password, end all sessions and go on in a fresh one."""
    user, new = own_account(services, actor), form.get("new", "")
    if fault := unconfirmed(request, services, actor, form, "old"):
        return _form(request, actor, user, {"old": fault})
    old = form.get("old", "")
    if fault := password_fault(new, form.get("again", ""), name=actor.name, old=old) or "":
        return _form(request, actor, user, {"new": fault})
    change_password(services.store, user, new, services.clock.now())
    first = actor.must_change_password
    answer = RedirectResponse("/console" if first else "/console/account?done=password", 303)
    go_on(request, answer, services, user, actor.method)
    return answer


@router.post("/console/account/sessions/end")
def end_one(actor: Owner, form: Submitted, services: Given) -> Response:
    """End one session of the account; this one ends as by signing out."""
    assert actor.user_id is not None
    which = form.get("session", "")
    with services.store.begin() as tx:
        if end_session_of(tx, actor.user_id, which):
            record_of(tx, actor.name, "session_ended", actor.name, services.clock.now())
    if which == actor.session:
        answer = RedirectResponse("/console/sign-in", 303)
        take_cookie(answer, services.settings.public_url)
        return answer
    return RedirectResponse("/console/account?done=session", 303)


@router.post("/console/account/sign-out-everywhere")
def sign_out_everywhere(actor: Owner, services: Given) -> Response:
    """End every session of the account, this one included."""
    end_sessions(services.store, actor.name, services.clock.now(), by=actor.name)
    answer = RedirectResponse("/console/sign-in", 303)
    take_cookie(answer, services.settings.public_url)
    return answer


def go_on(request: Request, answer: Response, services: Services, user: User, method: str) -> None:
    """Give the browser a fresh session in place of those that have just ended."""
    session = begin_session(
        services.store,
        user,
        services.clock.now(),
        method=method,
        client=browser_words(request.headers.get("user-agent", "")),
        address=client_address(request),
    )
    give_cookie(answer, session.secret, services.settings.public_url)


def _overview(
    request: Request,
    actor: Actor,
    services: Services,
    *,
    done: str = "",
    entered: Contact | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    user, now = own_account(services, actor), services.clock.now()
    with services.store.read() as connection:
        sessions = sessions_of(connection, user.id, now - LONGEST_IDLE)
        factor = factor_of(connection, user.id)
        codes_left = recovery_codes_left(connection, user.id)
    return page(
        request,
        "console/account.html",
        422 if faults else 200,
        title="Your account",
        user=user,
        contact=entered or Contact.of(user),
        faults=faults or {},
        zones=zone_choices(services.configuration.current.site.time_zone),
        sessions=[one for one in sessions if one.expires_at > now],
        factor=factor,
        codes_left=codes_left,
        allowed=[permission for permission in MAY if actor.may(permission)],
        done=done,
    )


def _form(
    request: Request, actor: Actor, user: User, faults: dict[str, str] | None = None
) -> Response:
    return page(
        request,
        "console/password.html",
        422 if faults else 200,
        title="Choose a password",
        first=actor.must_change_password,
        has_password=bool(user.password_hash),
        faults=faults or {},
        min_length=MIN_LENGTH,
    )
