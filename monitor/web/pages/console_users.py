"""The accounts of the console, for administrators: who there is, and what can be done for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.errors import InvalidInputError, UnknownObjectError
from monitor.accounts import people
from monitor.accounts.contact import Contact, save_contact, zone_choices
from monitor.accounts.people import is_outdated
from monitor.accounts.roles import ACCOUNT_ROLES
from monitor.storage.second_factors import have_factors
from monitor.storage.users import User, all_users, last_seen, sessions_of, user_by_id
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services
from monitor.web.sessions import LONGEST_IDLE

router = APIRouter(include_in_schema=False)
Administrator = Annotated[Actor, Depends(require(Permission.MANAGE_USERS))]
USERS = "/console/users"
DONE = {
    "role": "The role is changed, and every session has ended.",
    "contact": "Saved.",
    "second-factor": "There is no second factor any more, and every session has ended.",
    "sessions": "Every session has ended.",
    "shut": "The account is shut: nobody signs in with it, and every session has ended.",
    "open": "The account is open again.",
}


@router.get(USERS)
def users(request: Request, _actor: Administrator, services: Given) -> Response:
    """List every account with its role, second factor and last use."""
    with services.store.read() as connection:
        listed = all_users(connection)
        factors, seen = have_factors(connection), last_seen(connection)
    return page(
        request, "console/users.html", title="People", users=listed, factors=factors, seen=seen
    )


@router.get(f"{USERS}/new")
def new(request: Request, _actor: Administrator) -> Response:
    """Show the form for another account."""
    return _new_form(request, {})


@router.post(USERS)
def add(request: Request, actor: Administrator, form: Submitted, services: Given) -> Response:
    """Make an account, and show its one-time password this one time."""
    name, contact = form.get("name", "").strip().lower(), Contact.entered(form)
    if faults := contact.faults():
        return _new_form(request, form, faults)
    now, role = services.clock.now(), form.get("role", "")
    try:
        password = people.add_user(services.store, name, role, now, contact=contact, by=actor.name)
    except InvalidInputError as error:
        return _new_form(request, form, {"name": f"{str(error).capitalize()}."})
    return _password(request, people.known_user(services.store, name), password, "Account made")


@router.get(f"{USERS}/{{user_id}}")
def user(
    request: Request, user_id: Number, _actor: Administrator, services: Given, done: str = ""
) -> Response:
    """Show one account and what can be done for it."""
    return _user_page(request, services, user_id, done=DONE.get(done, ""))


@router.post(f"{USERS}/{{user_id}}/contact")
def contact(
    request: Request, user_id: Number, actor: Administrator, form: Submitted, services: Given
) -> Response:
    """Store how a person is reached; whoever reads the address can reset the password."""
    known, entered = _known(services, user_id), Contact.entered(form)
    faults = entered.faults()
    if not faults:
        try:
            save_contact(services.store, known, entered, services.clock.now(), by=actor.name)
        except InvalidInputError as error:
            faults = {"email": f"{str(error).capitalize()}."}
    if faults:
        return _user_page(request, services, user_id, entered=entered, faults=faults)
    return _done(user_id, "contact")


@router.post(f"{USERS}/{{user_id}}/role")
def role(user_id: Number, actor: Administrator, form: Submitted, services: Given) -> Response:
    """Give another role."""
    name, wanted = _known(services, user_id).name, form.get("role", "")
    people.change_role(services.store, name, wanted, services.clock.now(), by=actor.name)
    return _done(user_id, "role")


@router.post(f"{USERS}/{{user_id}}/password")
def password(request: Request, user_id: Number, actor: Administrator, services: Given) -> Response:
    """Give a new one-time password, and show it this one time."""
    known = _known(services, user_id)
    made = people.reset_password(services.store, known.name, services.clock.now(), by=actor.name)
    return _password(request, known, made, "New password made")


@router.post(f"{USERS}/{{user_id}}/second-factor")
def second_factor(user_id: Number, actor: Administrator, services: Given) -> Response:
    """Take the second factor away, for whoever lost phone and recovery codes."""
    return _do(people.reset_second_factor, services, user_id, actor, "second-factor")


@router.post(f"{USERS}/{{user_id}}/sessions")
def sessions(user_id: Number, actor: Administrator, services: Given) -> Response:
    """End every session of an account."""
    return _do(people.end_sessions, services, user_id, actor, "sessions")


@router.post(f"{USERS}/{{user_id}}/shut")
def shut(user_id: Number, actor: Administrator, services: Given) -> Response:
    """Shut an account."""
    return _do(people.shut_account, services, user_id, actor, "shut")


@router.post(f"{USERS}/{{user_id}}/open")
def open_again(user_id: Number, actor: Administrator, services: Given) -> Response:
    """Open an account again."""
    return _do(people.open_account, services, user_id, actor, "open")


def _do(
    what: Callable[..., object], services: Services, user_id: int, actor: Actor, done: str
) -> Response:
    what(services.store, _known(services, user_id).name, services.clock.now(), by=actor.name)
    return _done(user_id, done)


def _done(user_id: int, what: str) -> Response:
    return RedirectResponse(f"{USERS}/{user_id}?done={what}", 303)


def _known(services: Services, user_id: int) -> User:
    with services.store.read() as connection:
        known = user_by_id(connection, user_id)
    if known is None:
        raise UnknownObjectError(f"account number {user_id}")
    return known


def _user_page(
    request: Request,
    services: Services,
    user_id: int,
    *,
    done: str = "",
    entered: Contact | None = None,
    faults: Mapping[str, str] | None = None,
) -> Response:
    known, now = _known(services, user_id), services.clock.now()
    with services.store.read() as connection:
        open_sessions = sessions_of(connection, known.id, now - LONGEST_IDLE)
        has_factor = known.id in have_factors(connection)
    return page(
        request,
        "console/user.html",
        422 if faults else 200,
        title=known.called,
        user=known,
        contact=entered or Contact.of(known),
        faults=faults or {},
        zones=zone_choices(services.configuration.current.site.time_zone),
        roles=[(name, name.capitalize()) for name in ACCOUNT_ROLES],
        sessions=[one for one in open_sessions if one.expires_at > now],
        has_factor=has_factor,
        outdated=is_outdated(known, now),
        done=done,
    )


def _new_form(
    request: Request, form: Mapping[str, str], faults: Mapping[str, str] | None = None
) -> Response:
    return page(
        request,
        "console/user_new.html",
        422 if faults else 200,
        title="Add a person",
        form={name: form.get(name, "") for name in ("name", "role", "email", "display_name")},
        roles=[(name, name.capitalize()) for name in ACCOUNT_ROLES],
        faults=faults or {},
    )


def _password(request: Request, user: User, password: str, title: str) -> Response:
    lasts = people.ONE_TIME_LASTS
    return page(
        request,
        "console/user_password.html",
        title=title,
        user=user,
        password=password,
        lasts=lasts,
    )
