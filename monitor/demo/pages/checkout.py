"""Answers for buying: address, shipping, payment, review, and the one confirmation."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitor.demo.inventory import OutOfStock
from monitor.demo.payments import PaymentFailed
from monitor.demo.pricing import SHIPPING_METHODS, find_shipping
from monitor.demo.sessions import Card
from monitor.demo.shop import CheckoutIncomplete, first_missing_page
from monitor.demo.web import (
    go_to,
    is_synthetic,
    missing_fields,
    read_form,
    render,
    session_of,
    shop_of,
)

STEPS = (
    ("/checkout/address", "Address"),
    ("/checkout/shipping", "Shipping"),
    ("/checkout/payment", "Payment"),
    ("/checkout/review", "Review"),
)
ADDRESS_FIELDS = {
    "name": "full name",
    "email": "e-mail address",
    "street": "street and number",
    "city": "town or city",
    "postcode": "postcode",
    "country": "country",
}
CARD_FIELDS = {
    "card_holder": "name on the card",
    "card_number": "card number",
    "card_expiry": "expiry date",
    "card_cvc": "security code",
}
COUNTRIES = (
    "Ghana",
    "Kenya",
    "Morocco",
    "Nigeria",
    "Rwanda",
    "Senegal",
    "South Africa",
    "Tanzania",
    "Uganda",
)


async def start(_request: Request) -> Response:
    """Send the visitor to the first page of the checkout."""
    return go_to("/checkout/address")


async def address_page(request: Request) -> Response:
    """Show the address form, filled in as far as we know the customer."""
    session, shop = session_of(request), shop_of(request)
    account = shop.accounts.find(session.email) if session.email else None
    known = {"name": account.name, "email": account.email} if account else {}
    return _page(request, "address", form=session.checkout.address or known)


async def save_address(request: Request) -> Response:
    """Keep the address and go on to shipping."""
    form = await read_form(request)
    errors = missing_fields(form, ADDRESS_FIELDS)
    if "email" not in errors and "@" not in form["email"]:
        errors["email"] = "This does not look like an e-mail address."
    if "country" not in errors and form["country"] not in COUNTRIES:
        errors["country"] = "We do not deliver there yet."
    if errors:
        return _page(request, "address", 422, form=form, errors=errors)
    address = {name: form[name] for name in ADDRESS_FIELDS}
    address["email"] = address["email"].casefold()
    session_of(request).checkout.address = address
    return go_to("/checkout/shipping")


async def shipping_page(request: Request) -> Response:
    """Show the ways to send the parcel."""
    return _page(request, "shipping")


async def save_shipping(request: Request) -> Response:
    """Keep the shipping method and go on to payment."""
    form = await read_form(request)
    method = find_shipping(form.get("shipping_method", ""))
    if method is None:
        return _page(request, "shipping", 422, errors={"shipping_method": "Please choose one."})
    session_of(request).checkout.shipping = method.slug
    return go_to("/checkout/payment")


async def payment_page(request: Request) -> Response:
    """Show the card form, always empty: card numbers are not sent back."""
    return _page(request, "payment")


async def save_payment(request: Request) -> Response:
    """Keep the card until the order is placed, and go on to the review."""
    form = await read_form(request)
    errors = missing_fields(form, CARD_FIELDS) or _card_faults(form)
    if errors:
        return _page(request, "payment", 422, errors=errors)
    session_of(request).checkout.card = Card(
        form["card_holder"], _digits(form["card_number"]), form["card_expiry"], form["card_cvc"]
    )
    return go_to("/checkout/review")


async def review_page(request: Request) -> Response:
    """Show everything once more, with the form that places the order."""
    return _page(request, "review")


async def confirm(request: Request) -> Response:
    """Pay and place the order once, however often the form is sent; then show it."""
    form = await read_form(request)
    session = session_of(request)
    key = form.get("idempotency_key") or session.checkout.idempotency_key
    try:
        order = await shop_of(request).place_order(session, key, is_test=is_synthetic(request))
    except CheckoutIncomplete as incomplete:
        return go_to(incomplete.missing_at)
    except OutOfStock as empty:
        session.notice = f"Sorry: there are only {empty.left} left of {empty.sku}."
        return go_to("/cart")
    except PaymentFailed as failure:
        return render(request, "payment_failed.html", failure.status, failure=failure)
    return go_to(f"/orders/{order.number}")


def _page(request: Request, step: str, status: int = 200, **facts: Any) -> Response:
    """Return a page of the checkout, or the way to an earlier one that is not filled in yet."""
    shop, session = shop_of(request), session_of(request)
    here = [path for path, _ in STEPS].index(f"/checkout/{step}")
    missing = first_missing_page(session)
    earlier = ["/cart", *(path for path, _ in STEPS[:here])]
    if missing in earlier:
        return go_to(missing)
    common = {
        "step": here,
        "steps": STEPS,
        "lines": shop.lines(session),
        "totals": shop.totals(session),
        "promo": shop.promo(session),
        "checkout": session.checkout,
        "shipping": find_shipping(session.checkout.shipping or ""),
        "methods": SHIPPING_METHODS,
        "countries": COUNTRIES,
        "errors": {},
        "form": {},
    }
    return render(request, f"checkout_{step}.html", status, **{**common, **facts})


def _digits(text: str) -> str:
    return re.sub(r"[ -]", "", text)


def _card_faults(form: dict[str, str]) -> dict[str, str]:
    patterns = {
        "card_number": (r"\d{12,19}", "A card number has 12 to 19 digits."),
        "card_expiry": (r"(0[1-9]|1[0-2])/\d\d", "Write the expiry date as MM/YY."),
        "card_cvc": (r"\d{3,4}", "The security code has 3 or 4 digits."),
    }
    return {
        name: saying
        for name, (pattern, saying) in patterns.items()
        if not re.fullmatch(pattern, _digits(form[name]), re.ASCII)
    }


ROUTES = [
    Route("/checkout", start),
    Route("/checkout/address", address_page),
    Route("/checkout/address", save_address, methods=["POST"]),
    Route("/checkout/shipping", shipping_page),
    Route("/checkout/shipping", save_shipping, methods=["POST"]),
    Route("/checkout/payment", payment_page),
    Route("/checkout/payment", save_payment, methods=["POST"]),
    Route("/checkout/review", review_page),
    Route("/checkout/confirm", confirm, methods=["POST"]),
]
