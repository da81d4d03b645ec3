"""Answers for what comes after buying: finding an order again, seeing it, cancelling it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitor.demo.orders import Order
from monitor.demo.payments import PaymentFailed
from monitor.demo.web import go_to, read_form, render, session_of, shop_of


async def lookup_page(request: Request) -> Response:
    """Show the form that finds an order by number and e-mail."""
    number = request.query_params.get("number", "")[:40]
    return render(request, "lookup.html", number=number, email="", failed=False)


async def look_up(request: Request) -> Response:
    """Open an order to whoever knows its number and e-mail; anything else is not found (404)."""
    form = await read_form(request)
    number, email = form.get("order_number", ""), form.get("email", "")
    order = shop_of(request).orders.look_up(number, email)
    if order is None:
        return render(request, "lookup.html", 404, number=number, email=email, failed=True)
    session_of(request).orders.add(order.number)
    return go_to(f"/orders/{order.number}")


async def order_page(request: Request) -> Response:
    """Show an order to those who may see it; others are asked for number and e-mail."""
    order = _visible_order(request)
    if order is None:
        return go_to(f"/orders/lookup?number={request.path_params['number']}")
    return render(request, "order.html", order=order, failure=None)


async def cancel(request: Request) -> Response:
    """Refund and cancel an order; if the refund fails the order stands and the page says so."""
    await read_form(request)
    order = _visible_order(request)
    if order is None:
        return go_to(f"/orders/lookup?number={request.path_params['number']}")
    try:
        await shop_of(request).cancel_order(order)
    except PaymentFailed as failure:
        return render(request, "order.html", failure.status, order=order, failure=failure)
    session_of(request).notice = "Your order is cancelled and the money is on its way back."
    return go_to(f"/orders/{order.number}")


def _visible_order(request: Request) -> Order | None:
    session, number = session_of(request), request.path_params["number"]
    order = shop_of(request).orders.find(number)
    if order is None:
        return None
    is_own = session.email is not None and order.account_email == session.email
    return order if is_own or order.number in session.orders else None


ROUTES = [
    Route("/orders/lookup", lookup_page),
    Route("/orders/lookup", look_up, methods=["POST"]),
    Route("/orders/{number:str}", order_page),
    Route("/orders/{number:str}/cancel", cancel, methods=["POST"]),
]
