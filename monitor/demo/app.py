"""Answers for the shop as one web application: its routes, its error pages and its door."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from monitor.demo.door import Door
from monitor.demo.pages import basket, bought, checkout, identity, panel, storefront
from monitor.demo.shop import Shop
from monitor.demo.web import render, shop_of, template_environment

STATIC = Path(__file__).with_name("static")
PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
WORDS = {
    403: ("This form is too old", "Please go back, load the page again and send it once more."),
    404: ("We could not find that", "The page may have moved, or the article is gone for good."),
    405: ("That does not work here", "Please go back and use the buttons on the page."),
    500: ("Something went wrong on our side", "We are sorry. Please try again in a moment."),
}


def shop_app(shop: Shop) -> Door:
    """Return the shop behind its door."""
    templates = template_environment(shop.settings.monitor_url)
    app = Starlette(
        routes=[
            *storefront.ROUTES,
            *identity.ROUTES,
            *basket.ROUTES,
            *checkout.ROUTES,
            *bought.ROUTES,
            Mount("/faults/static", StaticFiles(directory=STATIC)),  # the panel keeps its looks
            *panel.ROUTES,
            Route("/metrics", _metrics),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _refuse, Exception: _break},
    )
    app.state.shop, app.state.templates = shop, templates
    return Door(app, shop, templates)


async def _metrics(request: Request) -> Response:
    return Response(shop_of(request).metrics.render(), headers={"Content-Type": PROMETHEUS_TEXT})


async def _refuse(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _error_page(request, status)


async def _break(request: Request, _error: Exception) -> Response:
    return _error_page(request, 500)


def _error_page(request: Request, status: int) -> Response:
    title, saying = WORDS.get(status, ("That did not work", "Please go back and try again."))
    return render(request, "error.html", status, status=status, title=title, saying=saying)
