"""Answers for looking around: home, search, products, their pictures, and search as JSON."""

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.demo.catalogue import Product
from monitor.demo.pricing import CURRENCY
from monitor.demo.search import SORTS, Found, find_products, parse_query
from monitor.demo.web import render, shop_of

FEATURED = ("KM-1001", "KM-1101", "KM-1301", "KM-1401", "KM-1201", "KM-1106", "KM-1705", "KM-1601")
ALSO_SHOWN = 4
PICTURE_AGE_SECONDS = 86_400


async def home(request: Request) -> Response:
    """Show the shop window."""
    shop = shop_of(request)
    featured = [product for sku in FEATURED if (product := shop.catalogue.find(sku))]
    return render(
        request,
        "home.html",
        featured=featured,
        sellers=shop.catalogue.sellers,
        stock=shop.inventory,
    )


async def search(request: Request) -> Response:
    """Show a page of search results with its filters."""
    found = await _search(request)
    category = shop_of(request).catalogue.category(found.query.category)
    return render(
        request,
        "search.html",
        found=found,
        query=found.query,
        category=category,
        sorts=SORTS,
        stock=shop_of(request).inventory,
    )


async def search_json(request: Request) -> Response:
    """Give a page of search results as JSON."""
    found = await _search(request)
    return JSONResponse(
        {
            "query": found.query.words,
            "count": found.count,
            "page": found.query.page,
            "page_count": found.page_count,
            "results": [_summary(request, product) for product in found.products],
        }
    )


async def product(request: Request) -> Response:
    """Show one product."""
    shop, shown = shop_of(request), _asked_product(request)
    same_shelf = [
        other
        for other in shop.catalogue.products
        if other.category == shown.category and other.sku != shown.sku
    ]
    return render(
        request,
        "product.html",
        product=shown,
        left=shop.inventory.left(shown.sku),
        others=same_shelf[:ALSO_SHOWN],
        stock=shop.inventory,
    )


async def picture(request: Request) -> Response:
    """Draw a product."""
    drawn = _asked_product(request)
    template = request.app.state.templates.get_template("picture.svg")
    image = template.render(product=drawn, tint=drawn.category.tint)
    headers = {"Cache-Control": f"public, max-age={PICTURE_AGE_SECONDS}"}
    return Response(image, media_type="image/svg+xml", headers=headers)


async def _search(request: Request) -> Found:
    shop = shop_of(request)
    await asyncio.sleep(shop.faults.value("search_slow"))
    shelf = () if shop.faults.is_on("search_empty") else shop.catalogue.products
    query = parse_query(request.query_params)
    return find_products(shelf, query, lambda product: shop.inventory.left(product.sku) > 0)


def _asked_product(request: Request) -> Product:
    found = shop_of(request).catalogue.find(request.path_params["sku"])
    if found is None:
        raise HTTPException(404)
    return found


def _summary(request: Request, product: Product) -> dict[str, Any]:
    return {
        "sku": product.sku,
        "name": product.name,
        "category": product.category.slug,
        "seller": product.seller.name,
        "price_cents": product.cents,
        "currency": CURRENCY,
        "in_stock": shop_of(request).inventory.left(product.sku) > 0,
        "url": f"/products/{product.sku}",
    }


ROUTES = [
    Route("/", home),
    Route("/search", search),
    Route("/api/search", search_json),
    Route("/products/{sku}", product),
    Route("/pictures/{sku}.svg", picture),
]
