"""A forgotten password: asking for a link by mail, and choosing a new password with it.

Whoever asks is answered the same, and in the same time, whether there is such an account or not:
what is done about it is done after the answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask

from monitor.accounts.password_reset import LASTS, account_of_link, ask_for_reset, reset_by_link
from monitor.accounts.passwords import MIN_LENGTH, password_fault
from monitor.storage.users import User
from monitor.web.devices import remember_device
from monitor.web.pages.sign_in import sign_in_form
from monitor.web.rate_limit import limited
from monitor.web.rendering import page
from monitor.web.security import form_token, signed_form
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
ASK, CHOOSE = "forgotten", "reset"  # the purposes of the two forms
ASKED_AN_HOUR = 5  # by one client, for whatever accounts
TRIED_AN_HOUR = 20  # links, by one client
HOUR = timedelta(hours=1)
SET = "Your new password is set, and every session of yours has ended. Sign in with it."
Form = dict[str, str]


@router.get("/console/sign-in/forgot")
def forgot_page(request: Request, services: Given) -> Response:
    """Show the form, or what to do where no mail can be sent."""
    return _ask_page(request, services.settings.smtp_url is not None)


@router.post("/console/sign-in/forgot")
def forgot(
    request: Request, form: Annotated[Form, Depends(signed_form(ASK))], services: Given
) -> Response:
    """Say that a mail is on its way if there is such an account, and only then look."""
    now = services.clock.now()
    limited(request, ASK, ASKED_AN_HOUR, HOUR, now)
    if services.settings.smtp_url is None:
        return _ask_page(request, False)
    answer = _ask_page(request, True, asked=True)
    who, site = form.get("name", "")[:254], services.configuration.current.site.name
    answer.background = BackgroundTask(ask_for_reset, services.store, services.seal, who, site, now)
    return answer


@router.get("/console/sign-in/reset/{token}")
def reset_page(request: Request, token: str, services: Given) -> Response:
    """Show the form; looking uses nothing up, for programs look at links before people do."""
    now = services.clock.now()
    limited(request, CHOOSE, TRIED_AN_HOUR, HOUR, now)
    return _choose_page(request, account_of_link(services.store, token, now))


@router.post("/console/sign-in/reset/{token}")
def reset(
    request: Request,
    token: str,
    form: Annotated[Form, Depends(signed_form(CHOOSE))],
    services: Given,
) -> Response:
    """Set the new password; the second factor is still asked for at sign-in."""
    now, new = services.clock.now(), form.get("new", "")
    limited(request, CHOOSE, TRIED_AN_HOUR, HOUR, now)
    user = account_of_link(services.store, token, now)
    if user is None:
        return _choose_page(request, None)
    fault = password_fault(new, form.get("again", ""), name=user.name, old="")
    if fault:
        return _choose_page(request, user, fault)
    if reset_by_link(services.store, token, new, now) is None:
        return _choose_page(request, None)
    answer = sign_in_form(request, "", name=user.name, done=SET)
    # Whoever has the mail need not wait for what strangers do to the account.
    key, url = request.app.state.signing_key, services.settings.public_url
    remember_device(answer, key, user.name, url, now)
    return answer


def _ask_page(request: Request, can_mail: bool, *, asked: bool = False) -> Response:
    return page(
        request,
        "console/forgotten.html",
        title="Forgotten password",
        token=form_token(request, ASK),
        can_mail=can_mail,
        asked=asked,
        minutes=int(LASTS.total_seconds() // 60),
    )


def _choose_page(request: Request, user: User | None, fault: str = "") -> Response:
    return page(
        request,
        "console/reset.html",
        422 if fault else (200 if user else 410),
        title="Choose a new password" if user else "This link does not work any more",
        token=form_token(request, CHOOSE),
        user=user,
        fault=fault,
        min_length=MIN_LENGTH,
    )
