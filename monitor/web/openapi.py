"""The API's description: what every operation may answer besides what its route says itself.

Routes describe their successes. Refusals come from the doors and error handlers that stand in
front of all routes, so they are described here once, from the same dependencies that guard the
routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIRouter

from monitor.web.permissions import MAY, Permission
from monitor.web.security import alert_sender, metrics_reader

PROMETHEUS, ALERTS, EVENTS = "prometheus", "alerts", "events"  # tags: refusals of foreign shapes
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
GUARDED = {401: "Nobody is signed in and no valid token was shown."}
ERRORS = {
    400: "The request could not be read.",
    404: "There is no such object, or it is not for this reader.",
    409: "The object's state does not allow it, or the idempotency key stands for something else.",
    413: "The body is larger than this operation takes.",
    415: "The body is not of a content type that this operation reads.",
    422: "A field is missing or not what was expected; the message names each.",
    429: "Too often; the header `Retry-After` says how many seconds to wait.",
    503: "Nothing was stored: too much is waiting. `Retry-After` says when to send it again.",
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of the API."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "monitor_session",
        "description": "A person's session; whoever writes also sends `X-CSRF-Token`.",
    },
}
HOUSE_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "The status in words: `not_found`."},
                "message": {"type": "string", "description": "What to do next."},
            },
        }
    },
}
PROMETHEUS_ERROR = {
    "type": "object",
    "description": "As Prometheus's HTTP API refuses.",
    "required": ["status", "errorType", "error"],
    "properties": {
        "status": {"const": "error"},
        "errorType": {"type": "string"},
        "error": {"type": "string"},
    },
}
PAGERDUTY_ERROR = {
    "description": "As PagerDuty's Events API v2 refuses.",
    "anyOf": [
        {
            "type": "object",
            "required": ["status", "message", "errors"],
            "properties": {
                "status": {"type": "string"},
                "message": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "string"}},
            },
        },
        {"$ref": "#/components/schemas/Error"},
    ],
}
ALERTMANAGER_ERROR = {
    "description": "As an Alertmanager refuses: a text, or a code with a message.",
    "anyOf": [
        {"type": "string"},
        {"type": "object", "required": ["code", "message"]},
        {"$ref": "#/components/schemas/Error"},
    ],
}


def operation_id(route: APIRoute) -> str:
    """Return a name for each method of each route, so that generated clients have one."""
    return f"{route.name}_{'_'.join(sorted(route.methods or ()))}{route.path_format}".translate(
        {ord(letter): "_" for letter in "/{}-.:"}
    ).lower()


def install(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Have the application describe its refusals as well."""
    describe = app.openapi
    by_door = {door: route for router in routers for door, route in _doors(router)}

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = describe()
            parts = document.setdefault("components", {})
            parts["securitySchemes"] = SCHEMES
            parts.setdefault("schemas", {}).update(
                Error=HOUSE_ERROR,
                PrometheusError=PROMETHEUS_ERROR,
                AlertmanagerError=ALERTMANAGER_ERROR,
                PagerDutyError=PAGERDUTY_ERROR,
            )
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    _complete(operation, method.upper(), by_door[method.upper(), path])
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign] # as FastAPI tells to extend it


def _doors(router: APIRouter) -> Iterator[tuple[tuple[str, str], APIRoute]]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                yield (method, route.path_format), route


def _complete(operation: dict[str, Any], method: str, route: APIRoute) -> None:
    """Add to one operation who may use it and what it refuses."""
    calls = set(_calls(route.dependant))
    permission = next((call.permission for call in calls if hasattr(call, "permission")), None)
    guarded = permission is not None or calls & {alert_sender, metrics_reader}
    answers = dict(GUARDED) if guarded else {}
    if permission is not None:
        roles = ", ".join(sorted(MAY[Permission(permission)]))
        answers[403] = f"Only these may {permission}: {roles}."
    elif metrics_reader in calls:
        answers[403] = "The account may not look at metrics."
    if guarded:
        operation["security"] = [{"token": []}, {"session": []}]
    foreign = {
        PROMETHEUS: "PrometheusError",
        ALERTS: "AlertmanagerError",
        EVENTS: "PagerDutyError",
    }
    shape = next((foreign[tag] for tag in route.tags if tag in foreign), "Error")
    answers |= {status: ERRORS[status] for status in _refusals(method, route, shape)}
    responses = operation["responses"]
    for status, text in answers.items():
        name = "Error" if status in (401, 403) else shape
        found = responses.setdefault(str(status), {"description": text})
        if "HTTPValidationError" in str(found):
            found["description"] = text
            found.pop("content")
        reference = {"$ref": f"#/components/schemas/{name}"}
        found.setdefault("content", {"application/json": {"schema": reference}})


def _refusals(method: str, route: APIRoute, shape: str) -> set[int]:
    """Return the statuses with which a route may refuse, besides those of its guard."""
    statuses = {429}
    if shape == "PrometheusError":
        return statuses | {400, 404, 422, 503}
    if route.dependant.path_params:
        statuses |= {404, 422}
    if route.dependant.query_params:
        statuses.add(422)
    if method in WRITES:
        statuses |= {400, 409, 413, 422}
    if shape == "AlertmanagerError":
        statuses.add(400)
    if shape == "AlertmanagerError" and method in WRITES:
        statuses |= {400, 415, 503}
    if shape == "PagerDutyError":
        statuses.add(503)
    return statuses


def _calls(dependant: Dependant) -> Iterator[Any]:
    if dependant.call is not None:
        yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)
