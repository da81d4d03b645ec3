"""Answers for breaking the shop on purpose: the fault panel as a page and as a JSON interface."""

import json
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.demo.faults import (
    FAULT_KINDS,
    FaultKind,
    FaultPanel,
    FaultValueRefused,
    UnknownFault,
    find_fault,
)
from monitor.demo.web import go_to, read_form, render, session_of, shop_of


async def panel_page(request: Request) -> Response:
    """Show every fault with its switch."""
    faults = shop_of(request).faults
    groups = [
        (group, list(kinds)) for group, kinds in groupby(FAULT_KINDS.values(), lambda k: k.group)
    ]
    active = faults.active()
    return render(
        request,
        "faults.html",
        groups=groups,
        faults=faults,
        active=active,
        titles=[FAULT_KINDS[name].title.lower() for name in active],
        address=str(request.base_url).rstrip("/"),
    )


async def switch(request: Request) -> Response:
    """Switch one fault by form."""
    form = await read_form(request)
    name, session = request.path_params["name"], session_of(request)
    try:
        kind = find_fault(name)
        value = _number(form.get("value", "")) if kind.default is not None else None
        shop_of(request).faults.set(name, form.get("on") == "1", value)
    except (UnknownFault, FaultValueRefused, ValueError) as refused:
        session.notice = f"Nothing was changed: {refused}."
    return go_to("/faults")


async def switch_all_off(request: Request) -> Response:
    """Repair everything by form."""
    await read_form(request)
    shop_of(request).faults.clear()
    session_of(request).notice = "Everything is repaired."
    return go_to("/faults")


async def list_faults(request: Request) -> Response:
    """Give every fault with its state."""
    return JSONResponse(_all(shop_of(request).faults))


async def put_fault(request: Request) -> Response:
    """Switch one fault; body `{"on": true, "value": 8}`, the value is optional."""
    faults, name = shop_of(request).faults, request.path_params["name"]
    try:
        on, value = _asked(await request.json())
        faults.set(name, on, value)
    except UnknownFault as unknown:
        return JSONResponse({"error": str(unknown)}, 404)
    except (FaultValueRefused, ValueError) as refused:  # bad JSON is a ValueError
        return JSONResponse({"error": str(refused)}, 422)
    return JSONResponse(_view(find_fault(name), faults))


async def delete_faults(request: Request) -> Response:
    """Repair everything."""
    faults = shop_of(request).faults
    faults.clear()
    return JSONResponse(_all(faults))


def _asked(body: Any) -> tuple[bool, float | None]:
    if not isinstance(body, dict) or not isinstance(body.get("on"), bool):
        raise ValueError('expected {"on": true} or {"on": false}, and perhaps a "value"')  # noqa: TRY004 - one kind of refusal
    value = body.get("value")
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return body["on"], value
    raise ValueError(f"expected a number as value, not {json.dumps(value)}")


def _number(text: str) -> float | None:
    return float(text) if text else None


def _all(faults: FaultPanel) -> dict[str, Any]:
    return {"faults": [_view(kind, faults) for kind in FAULT_KINDS.values()]}


def _view(kind: FaultKind, faults: FaultPanel) -> dict[str, Any]:
    view: dict[str, Any] = {
        "name": kind.name,
        "title": kind.title,
        "effect": kind.effect,
        "on": faults.is_on(kind.name),
    }
    if kind.default is not None:
        value = faults.value(kind.name) if view["on"] else None
        view |= {"value": value, "default": kind.default, "lowest": kind.lowest}
        view |= {"highest": kind.highest, "unit": kind.unit}
    return view


ROUTES = [
    Route("/faults", panel_page),
    Route("/faults/off", switch_all_off, methods=["POST"]),
    Route("/faults/{name}", switch, methods=["POST"]),
    Route("/api/faults", list_faults),
    Route("/api/faults", delete_faults, methods=["DELETE"]),
    Route("/api/faults/{name}", put_fault, methods=["PUT"]),
]
