"""A person's own second factor: set it up, see it work, renew recovery codes, switch it off."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from incidents.errors import InvalidInputError
from monitor.accounts import factors
from monitor.accounts.factors import offer_secret, offered_secret
from monitor.accounts.second_factor import grouped, new_secret, provisioning_uri, qr_svg
from monitor.storage.second_factors import factor_of, recovery_codes_left
from monitor.web.confirming import own_account, unconfirmed
from monitor.web.entering import Guesser
from monitor.web.pages.account import go_on
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
Owner = Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))]
WRONG_CODE = "That is not the code for now. Check the clock of your phone, and try the next one."
PAGE = "/console/account/second-factor"


@router.get(PAGE)
def second_factor(request: Request, actor: Owner, services: Given) -> Response:
    """Show the code to scan, or what is in force and how to switch it off."""
    with services.store.read() as connection:
        factor = factor_of(connection, actor.user_id or 0)
    if factor is None:
        return _set_up(request, actor, services, new_secret())
    return _in_force(request, actor, services)


@router.post(PAGE)
def switch_on(request: Request, actor: Owner, form: Submitted, services: Given) -> Response:
    """Put the second factor in force once a code of it was typed; show its recovery codes.

    Every other session ends, and this one goes on under a new name.
    """
    user, now = own_account(services, actor), services.clock.now()
    with services.store.read() as connection:
        if factor_of(connection, user.id) is not None:
            raise InvalidInputError("your account has a second factor; switch it off first")
    secret = offered_secret(services.seal, form.get("offer", ""), actor.session)
    if fault := unconfirmed(request, services, actor, form, "password"):
        return _set_up(request, actor, services, secret, {"password": fault})
    typed = form.get("code", "")
    codes = factors.switch_on(services.store, services.seal, user, secret, typed, now)
    if codes is None:
        return _set_up(request, actor, services, secret, {"code": WRONG_CODE})
    answer = _codes(request, codes, fresh=True)
    go_on(request, answer, services, user, actor.method)
    return answer


@router.post(f"{PAGE}/recovery-codes")
def renew(request: Request, actor: Owner, form: Submitted, services: Given) -> Response:
    """Replace the recovery codes; the old ones are worth nothing from now on."""
    if faults := _unproven(request, actor, form, services):
        return _in_force(request, actor, services, faults)
    user, now = own_account(services, actor), services.clock.now()
    return _codes(request, factors.renew_recovery_codes(services.store, user, now))


@router.post(f"{PAGE}/off")
def switch_off(request: Request, actor: Owner, form: Submitted, services: Given) -> Response:
    """Forget the second factor, for whoever knows the password and has a code."""
    if faults := _unproven(request, actor, form, services):
        return _in_force(request, actor, services, faults)
    user = own_account(services, actor)
    factors.switch_off(services.store, user, services.clock.now())
    answer = RedirectResponse("/console/account?done=factor-off", 303)
    go_on(request, answer, services, user, actor.method)
    return answer


def _unproven(
    request: Request, actor: Actor, form: Submitted, services: Services
) -> dict[str, str]:
    """Return what is missing for a change to the factor: the password, or a code that is good."""
    if fault := unconfirmed(request, services, actor, form, "password"):
        return {"password": fault}
    guesser = Guesser.at(request, actor.name, "second factor")
    guesser.may_try()
    user, typed = own_account(services, actor), form.get("code", "")[:60]
    now = services.clock.now()
    if factors.check(services.store, services.seal, user, typed, now) is None:
        guesser.failed()
        return {"code": WRONG_CODE}
    guesser.succeeded()
    return {}


def _set_up(
    request: Request,
    actor: Actor,
    services: Services,
    secret: str,
    faults: dict[str, str] | None = None,
) -> Response:
    issuer = f"{services.configuration.current.site.name} monitor"
    user = own_account(services, actor)
    return page(
        request,
        "console/second_factor_on.html",
        422 if faults else 200,
        title="Set up a second factor",
        required=actor.must_enrol,
        has_password=bool(user.password_hash),
        qr=Markup(qr_svg(provisioning_uri(secret, user.name, issuer))),
        secret=grouped(secret),
        offer=offer_secret(services.seal, secret, actor.session),
        faults=faults or {},
    )


def _in_force(
    request: Request, actor: Actor, services: Services, faults: dict[str, str] | None = None
) -> Response:
    user = own_account(services, actor)
    with services.store.read() as connection:
        factor = factor_of(connection, user.id)
        left = recovery_codes_left(connection, user.id)
    if factor is None:
        return RedirectResponse(PAGE, 303)
    return page(
        request,
        "console/second_factor.html",
        422 if faults else 200,
        title="Your second factor",
        since=factor.since,
        codes_left=left,
        has_password=bool(user.password_hash),
        faults=faults or {},
    )


def _codes(request: Request, codes: list[str], *, fresh: bool = False) -> Response:
    title = "Your second factor is on" if fresh else "Your new recovery codes"
    return page(request, "console/recovery_codes.html", title=title, codes=codes, fresh=fresh)
