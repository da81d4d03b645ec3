"""Answers for who the visitor is: log in, register, log out, and the account with its orders."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitor.demo.accounts import Account, EmailTaken
from monitor.demo.web import (
    go_to,
    local_path,
    missing_fields,
    read_form,
    render,
    session_of,
    shop_of,
)

SHORTEST_PASSWORD = 10


class AccountServiceDown(Exception):
    """The fault `login_500` as the shop sees it."""


async def login_page(request: Request) -> Response:
    """Show the log-in form."""
    return _login(request, local_path(request.query_params.get("next"), "/account"))


async def log_in(request: Request) -> Response:
    """Log the visitor in and send them where they wanted to go."""
    form = await read_form(request)
    shop = shop_of(request)
    if shop.faults.is_on("login_500"):
        raise AccountServiceDown
    then = local_path(form.get("next"), "/account")
    account = await asyncio.to_thread(
        shop.accounts.log_in, form.get("email", ""), form.get("password", "")
    )
    if account is None:
        return _login(request, then, email=form.get("email", ""), failed=True)
    _welcome(request, account)
    return go_to(then)


async def register_page(request: Request) -> Response:
    """Show the form for a new account."""
    return render(request, "register.html", form={}, errors={})


async def register(request: Request) -> Response:
    """Open an account and log the visitor in."""
    form = await read_form(request)
    labels = {"name": "your name", "email": "your e-mail address", "password": "a password"}
    errors = missing_fields(form, labels)
    if "email" not in errors and "@" not in form["email"]:
        errors["email"] = "This does not look like an e-mail address."
    if "password" not in errors and len(form["password"]) < SHORTEST_PASSWORD:
        errors["password"] = f"Please choose at least {SHORTEST_PASSWORD} characters."
    if not errors:
        try:
            account = shop_of(request).accounts.register(
                form["email"], form["name"], form["password"]
            )
        except EmailTaken:
            errors["email"] = "There is an account with this address. Log in instead."
        else:
            _welcome(request, account)
            return go_to("/account")
    return render(request, "register.html", 422, form=form, errors=errors)


async def log_out(request: Request) -> Response:
    """Forget who the visitor is, and their cart."""
    await read_form(request)
    session, shop = session_of(request), shop_of(request)
    shop.sessions.end(session)
    session.email, session.cart, session.orders = None, {}, set()
    shop.sessions.renew(session)
    return go_to("/")


async def account_page(request: Request) -> Response:
    """Show the visitor's account, or the way to log in."""
    session, shop = session_of(request), shop_of(request)
    if session.email is None:
        return go_to("/login?next=/account")
    return render(request, "account.html", orders=shop.orders.of_account(session.email))


def _login(request: Request, then: str, email: str = "", failed: bool = False) -> Response:
    shown = not shop_of(request).faults.is_on("login_form_missing")
    return render(
        request,
        "login.html",
        401 if failed else 200,
        then=then,
        email=email,
        failed=failed,
        form_shown=shown,
    )


def _welcome(request: Request, account: Account) -> None:
    session = session_of(request)
    shop_of(request).sessions.renew(session)
    session.email = account.email
    session.notice = f"Welcome, {account.name}."


ROUTES = [
    Route("/login", login_page),
    Route("/login", log_in, methods=["POST"]),
    Route("/register", register_page),
    Route("/register", register, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
    Route("/account", account_page),
]
