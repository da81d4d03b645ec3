"""Signing in, in one step or two, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from monitor.accounts import factors
from monitor.accounts.people import authenticate
from monitor.accounts.records import record_entry, record_of
from monitor.log import logger
from monitor.storage.audit import record
from monitor.storage.proofs import count_failure
from monitor.storage.users import end_session, user_by_name
from monitor.web.entering import (
    Guesser,
    client_address,
    end_half,
    enter,
    half_secret,
    half_signed_in,
    let_in,
)
from monitor.web.permissions import Actor, Permission
from monitor.web.redirects import safe_next
from monitor.web.rendering import page
from monitor.web.security import form_token, require, signed_form, who_asks
from monitor.web.services import Given, Services, services_of
from monitor.web.sessions import take_cookie

router = APIRouter(include_in_schema=False)
log = logger("sign-in")
PURPOSE = "sign-in"
CODE_PURPOSE = "sign-in-code"
WRONG = "Name and password do not belong together. Check both and try again."
WRONG_CODE = "That code is not right, or was used already. Wait for the next one and try again."
AGAIN = "Too much time or too many wrong codes: sign in again."
STRANGER = "somebody"  # who tried to sign in and did not
MOST_WRONG_CODES = 5  # then the password is asked for again
Form = dict[str, str]


@router.get("/console/sign-in")
def sign_in_page(request: Request, next: str = "/console") -> Response:  # noqa: A002 - a URL's word
    """Show the form; who is signed in already goes on."""
    if who_asks(request):
        return RedirectResponse(safe_next(next), 303)
    return sign_in_form(request, next)


@router.post("/console/sign-in")
def sign_in(
    request: Request, form: Annotated[Form, Depends(signed_form(PURPOSE))], services: Given
) -> Response:
    """Take the first step with the right name and password; slow down whoever guesses."""
    name = form.get("name", "")[:120].strip()
    guesser = Guesser.at(request, name)
    guesser.may_try()
    user = authenticate(services.store, name, form.get("password", ""), services.clock.now())
    if user is None:
        guesser.failed()
        _note_refusal(request, services, name)
        return sign_in_form(request, form.get("next", ""), name=name, fault=WRONG, status=403)
    guesser.succeeded()
    return enter(request, user, form.get("next", ""), method="password")


@router.get("/console/sign-in/code")
def code_page(request: Request) -> Response:
    """Ask for the second factor; whoever has not taken the first step goes back to it."""
    if half_signed_in(request) is None:
        return RedirectResponse("/console/sign-in", 303)
    return _code_form(request)


@router.post("/console/sign-in/code")
def code(
    request: Request, form: Annotated[Form, Depends(signed_form(CODE_PURPOSE))], services: Given
) -> Response:
    """Take the second step; after some wrong codes the first has to be taken again."""
    half = half_signed_in(request)
    if half is None:
        return sign_in_form(request, "", fault=AGAIN, status=403)
    proof, user = half
    guesser = Guesser.at(request, user.name, "second factor")
    guesser.may_try()
    now, typed = services.clock.now(), form.get("code", "")[:60]
    given = factors.check(services.store, services.seal, user, typed, now)
    if given is None:
        guesser.failed()
        log.warning("second factor refused", account=user.name, client=client_address(request))
        record_entry(services.store, user.name, "second_factor_refused", now)
        with services.store.begin() as tx:
            wrong = count_failure(tx, half_secret(request))
        if wrong >= MOST_WRONG_CODES:
            end_half(request)
            return sign_in_form(request, "", fault=AGAIN, status=403)
        return _code_form(request, WRONG_CODE)
    if not end_half(request):
        return sign_in_form(request, "", fault=AGAIN, status=403)
    guesser.succeeded()
    return let_in(request, user, proof.data["next"], method=proof.data["method"])


@router.post("/console/sign-out")
def sign_out(
    actor: Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))], services: Given
) -> Response:
    """End this session on our side and in the browser."""
    with services.store.begin() as tx:
        end_session(tx, actor.session)
        record_of(tx, actor.name, "signed_out", actor.name, services.clock.now())
    answer = RedirectResponse("/console/sign-in", 303)
    take_cookie(answer, services.settings.public_url)
    return answer


def _note_refusal(request: Request, services: Services, name: str) -> None:
    """Leave a trace of a refused sign-in; what names no account may be a mistyped password.

    Both cases write a row, so that they take the same time.
    """
    now = services.clock.now()
    with services.store.begin() as tx:
        known = user_by_name(tx.connection, name.lower())
        target = f"user:{known.name}" if known else ""
        if not request.app.state.refusals.take("all", now):
            record(tx, actor=STRANGER, action="user.sign_in_refused", target=target, at=now)
    log.warning(
        "sign-in refused",
        account=known.name if known else "(no such account)",
        client=client_address(request),
    )


def sign_in_form(
    request: Request,
    next_: str,
    *,
    name: str = "",
    fault: str = "",
    done: str = "",
    status: int = 200,
) -> Response:
    """Return the page with the sign-in form."""
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
        done=done,
        openid=services_of(request).configuration.current.sign_in.openid,
    )


def _code_form(request: Request, fault: str = "") -> Response:
    token = form_token(request, CODE_PURPOSE)
    status = 403 if fault else 200
    return page(
        request, "console/sign_in_code.html", status, title="Second step", token=token, fault=fault
    )
