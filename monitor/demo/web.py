"""Answers for what all pages share: shop and session, forms with CSRF tokens, templates."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from monitor.demo.pricing import format_cents
from monitor.demo.sessions import Session
from monitor.demo.shop import Shop
from monitor.web.sent_forms import sent_fields

SHOP_NAME = "Kijani Market"
TEMPLATES = Path(__file__).with_name("templates")
LONGEST_FIELD = 200  # characters; longer input is cut
SYNTHETIC_HEADER = "x-synthetic-run"


def template_environment(monitor_url: str | None) -> jinja2.Environment:
    """Return the templates with the shop's filters and what every page knows."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = format_cents
    environment.globals.update(shop_name=SHOP_NAME, monitor_url=monitor_url)
    return environment


def shop_of(request: Request) -> Shop:
    """Return the shop this request came to."""
    shop: Shop = request.app.state.shop
    return shop


def session_of(request: Request) -> Session:
    """Return the visitor's session, opened at the door."""
    session: Session = request.scope["shop_session"]
    return session


def is_synthetic(request: Request) -> bool:
    """Return whether a probe sends this: by its header, or by the account it is logged in with."""
    shop, email = shop_of(request), session_of(request).email
    account = shop.accounts.find(email) if email else None
    return SYNTHETIC_HEADER in request.headers or bool(account and account.is_probe)


def render(request: Request, name: str, code: int = 200, **facts: Any) -> HTMLResponse:
    """Return a page; the CSRF token and the cart's size are known to every template."""
    shop, session = shop_of(request), session_of(request)
    template = request.app.state.templates.get_template(name)
    page = template.render(
        csrf_field=lambda: Markup('<input type="hidden" name="csrf_token" value="{}">').format(
            session.token()
        ),
        account=shop.accounts.find(session.email) if session.email else None,
        cart_count=sum(session.cart.values()),
        categories=shop.catalogue.categories,
        notice=session.take_notice(),
        path=request.url.path,
        **facts,
    )
    return HTMLResponse(page, code)


def go_to(path: str) -> RedirectResponse:
    """Return the answer that sends a browser on after a form (303)."""
    return RedirectResponse(path, 303)


async def read_form(request: Request) -> dict[str, str]:
    """Return the text fields of a form that came from one of our pages.

    Raises:
        HTTPException: 403, the session's CSRF token is missing or wrong; 400, no form can be read.
    """
    sent = await sent_fields(request, most=40)
    fields = {name: value.strip()[:LONGEST_FIELD] for name, value in sent}
    given = fields.pop("csrf_token", "").encode()
    if not hmac.compare_digest(given, session_of(request).csrf_token.encode()):
        raise HTTPException(403, "csrf")
    return fields


def local_path(path: str | None, otherwise: str) -> str:
    """Return the path if it stays in this shop, else the other one: no redirect leads away."""
    if path is None or not path.startswith("/") or path.startswith("//"):
        return otherwise
    return otherwise if any(sign in path for sign in "\\\r\n\t") else path


def missing_fields(form: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return what to tell about each required field that is empty."""
    return {
        name: f"Please fill in: {label}."
        for name, label in labels.items()
        if not form.get(name, "").strip()
    }


def whole_number(text: str, lowest: int, highest: int) -> int | None:
    """Return a number within bounds (included), else nothing."""
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        return None
    return int(text) if lowest <= int(text) <= highest else None
