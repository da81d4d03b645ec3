"""Answers for the cart: add, change, remove, and promo codes."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitor.demo.pricing import PromoRefused, check_promo
from monitor.demo.web import go_to, read_form, render, session_of, shop_of, whole_number

MOST_OF_ONE = 20  # pieces of one article in one cart


async def cart(request: Request) -> Response:
    """Show the cart."""
    return _cart(request)


async def add(request: Request) -> Response:
    """Put some pieces into the cart, as many as the shelf holds."""
    form = await read_form(request)
    shop, session = shop_of(request), session_of(request)
    product = shop.catalogue.find(form.get("sku", ""))
    quantity = whole_number(form.get("quantity", "1"), 1, MOST_OF_ONE)
    if product is None:
        raise HTTPException(404)
    if quantity is None:
        session.notice = f"Please choose 1 to {MOST_OF_ONE} pieces."
        return go_to(f"/products/{product.sku}")
    most = min(MOST_OF_ONE, shop.inventory.left(product.sku))
    if most == 0:
        session.notice = f"{product.name} is sold out at the moment."
        return go_to(f"/products/{product.sku}")
    wanted = session.cart.get(product.sku, 0) + quantity
    session.notice = f"{product.name} is in your cart."
    if wanted > most:
        session.notice += f" There are only {most} of it, so that is what we put in."
    if not shop.faults.is_on("cart_loses_items"):
        session.cart[product.sku] = min(wanted, most)
    return go_to("/cart")


async def update(request: Request) -> Response:
    """Change how many pieces of a product are in the cart; none removes it."""
    form = await read_form(request)
    shop, session, sku = shop_of(request), session_of(request), form.get("sku", "")
    quantity = whole_number(form.get("quantity", ""), 0, MOST_OF_ONE)
    if quantity is None or sku not in session.cart:
        session.notice = f"Please choose 0 to {MOST_OF_ONE} pieces."
    elif quantity == 0:
        del session.cart[sku]
    else:
        session.cart[sku] = min(quantity, shop.inventory.left(sku)) or 1
        session.notice = "Your cart is up to date."
    return go_to("/cart")


async def remove(request: Request) -> Response:
    """Take a product out of the cart."""
    form = await read_form(request)
    session_of(request).cart.pop(form.get("sku", ""), None)
    return go_to("/cart")


async def apply_promo(request: Request) -> Response:
    """Remember a promo code, or say why it does not apply (422)."""
    form = await read_form(request)
    shop, session = shop_of(request), session_of(request)
    lines_cents = sum(line.cents for line in shop.lines(session))
    try:
        promo = check_promo(form.get("promo_code", ""), lines_cents, shop.now())
    except PromoRefused as refused:
        return _cart(request, 422, promo_error=str(refused), promo_tried=form.get("promo_code", ""))
    session.promo_code = promo.code
    session.notice = f"{promo.code}: {promo.saying}."
    return go_to("/cart")


async def drop_promo(request: Request) -> Response:
    """Forget the promo code."""
    await read_form(request)
    session_of(request).promo_code = None
    return go_to("/cart")


def _cart(
    request: Request, status: int = 200, promo_error: str | None = None, promo_tried: str = ""
) -> Response:
    shop, session = shop_of(request), session_of(request)
    if shop.faults.is_on("cart_loses_items"):
        session.cart.clear()
    return render(
        request,
        "cart.html",
        status,
        lines=shop.lines(session),
        totals=shop.totals(session),
        promo=shop.promo(session),
        promo_code=session.promo_code,
        promo_error=promo_error,
        promo_tried=promo_tried,
        most=MOST_OF_ONE,
    )


ROUTES = [
    Route("/cart", cart),
    Route("/cart/add", add, methods=["POST"]),
    Route("/cart/update", update, methods=["POST"]),
    Route("/cart/remove", remove, methods=["POST"]),
    Route("/cart/promo", apply_promo, methods=["POST"]),
    Route("/cart/promo/remove", drop_promo, methods=["POST"]),
]
