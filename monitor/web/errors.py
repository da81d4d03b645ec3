"""What the web itself refuses, and how every refusal becomes an answer.

Pages get a friendly page that says what to do next; `/api` gets JSON of one shape:
`{"error": {"code": …, "message": …}}`.
"""

# ruff: noqa: N818 - a refusal is named for what it refuses
from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from incidents.errors import IncidentError
from monitor.storage.store import DATABASE_AWAY
from monitor.web.middleware import SAFE_HEADERS
from monitor.web.redirects import safe_next
from monitor.web.rendering import page

log = structlog.get_logger(__name__)
RETRY_SECONDS = 5
SIGNED_IN_PATHS = ("/console", "/runbooks")
ADVICE = {
    401: "Programs show their token in the Authorization header.",
    400: "Go back, check what you entered, and send it again.",
    403: "Ask an administrator of this monitor for a role that may do this.",
    404: "The address may be mistyped, or what it named is gone.",
    405: "Go back, and use the page's own links and buttons.",
    409: "Somebody may have been faster. Reload the page and look again.",
    413: "What was sent is too large. Shorten it and send it again.",
    429: "Wait as long as it says above, then try again.",
    500: "This is our fault and has been logged. Try again in a moment.",
    503: "Try again in a moment. What you typed is still there when you go back.",
}

HEADINGS = {  # where HTTP's own phrase tells a person nothing
    400: "That cannot be read",
    403: "This is not for you to do",
    405: "Not this way",
    409: "That is not possible now",
    413: "That is too large",
    422: "Something is not right yet",
    429: "Too many attempts",
    500: "Our mistake",
    503: "Not just now",
}

PLAIN = {
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
}


class WebError(Exception):
    """A request that the web refuses before any use case sees it."""

    status = 400

    def __init__(self, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}


class NotSignedIn(WebError):
    """Nobody is signed in, or the session has ended."""

    status = 401

    def __init__(self) -> None:
        super().__init__("Sign in, or send a valid bearer token.", {"www-authenticate": "Bearer"})


class NotAllowed(WebError):
    """Who is signed in may not do this."""

    status = 403


class MustChangePassword(WebError):
    """The account still has its one-time password."""

    status = 403

    def __init__(self) -> None:
        super().__init__("Choose a password of your own first.")


class MustEnrol(WebError):
    """The account's role asks for a second factor, and it has none yet."""

    status = 403

    def __init__(self) -> None:
        super().__init__("Your role asks for a second factor. Set one up first.")


class BadFormToken(WebError):
    """A form came back without the token it was given, or too late."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This form is no longer valid. Open the page again and send it anew.")


class NotFound(WebError):
    """What was asked for does not exist, or is not for this reader."""

    status = 404


class NotNow(WebError):
    """The database cannot be asked; whoever sent this keeps it and sends it again."""

    status = 503

    def __init__(self) -> None:
        super().__init__("Nothing was stored: try again in a few seconds.", {"retry-after": "5"})


class TooManyAttempts(WebError):
    """Somebody has tried too often."""

    status = 429

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(
            f"Too many attempts. Try again in {wait_seconds} s.",
            {"retry-after": str(wait_seconds)},
        )


def wants_json(request: Request) -> bool:
    """Return whether the answer goes to a program."""
    return request.url.path.startswith("/api/")


def refusal(
    request: Request, status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Return a refusal in the form its reader understands."""
    phrase = HTTPStatus(status).phrase
    if wants_json(request):
        code = phrase.lower().replace(" ", "_").replace("-", "_")
        body = {"error": {"code": code, "message": message}}
        return JSONResponse(body, status_code=status, headers=headers)
    advice = ADVICE.get(status, ADVICE[400] if status < 500 else ADVICE[500])
    answer = page(
        request,
        "error.html",
        status,
        status=status,
        heading=HEADINGS.get(status, phrase),
        message=message,
        advice=advice,
        back=_way_back(request),
    )
    answer.headers.update(headers or {})
    return answer


def _way_back(request: Request) -> str:
    """Return the page the form was on, as far as the browser says so, else the start."""
    inside = request.url.path.startswith(SIGNED_IN_PATHS)
    try:
        came_from = urlsplit(request.headers.get("referer", "")).path
    except ValueError:  # not an address at all
        came_from = ""
    return safe_next(came_from) if inside else "/"


async def on_web_error(request: Request, error: Exception) -> Response:
    """Turn our own refusals into answers; a browser that is not signed in is sent to sign in."""
    assert isinstance(error, WebError)
    if isinstance(error, NotSignedIn) and request.url.path.startswith(SIGNED_IN_PATHS):
        wanted = request.url.path if request.method == "GET" else "/console"
        return RedirectResponse(f"/console/sign-in?next={quote(wanted, safe='/')}", 303)
    if isinstance(error, MustChangePassword) and not wants_json(request):
        return RedirectResponse("/console/account/password", 303)
    if isinstance(error, MustEnrol) and not wants_json(request):
        return RedirectResponse("/console/account/second-factor", 303)
    return refusal(request, error.status, error.message, error.headers)


async def on_incident_error(request: Request, error: Exception) -> Response:
    """Turn a refusal of our rules into 409, or the status the refusal names."""
    return refusal(request, getattr(error, "http_status", 409), str(error))


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Turn the framework's refusals into answers of our shape."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    own = error.detail if error.detail != phrase else ""
    message = own or PLAIN.get(error.status_code, f"{phrase}.")
    return refusal(request, error.status_code, message, dict(error.headers or {}))


async def on_invalid(request: Request, error: Exception) -> Response:
    """Say which fields were not understood, with status 422."""
    assert isinstance(error, RequestValidationError)
    places = (".".join(str(part) for part in e["loc"]) + f": {e['msg']}" for e in error.errors())
    return refusal(request, 422, "; ".join(places))


async def on_database_away(request: Request, error: Exception) -> Response:
    """Answer 503: the database is gone, locked or full, and nothing was stored."""
    log.warning("database_away", path=request.url.path, method=request.method, error=str(error))
    message = "We cannot read or save anything at the moment."
    return refusal(request, 503, message, {"retry-after": str(RETRY_SECONDS)})


async def on_bug(request: Request, error: Exception) -> Response:
    """Answer 500 without a word of what went wrong inside; the log has it."""
    log.error("request_failed", path=request.url.path, method=request.method, exc_info=error)
    # This handler stands outside all middleware: it gives the headers itself.
    return refusal(request, 500, "Something went wrong on our side.", dict(SAFE_HEADERS))


def install(app: FastAPI) -> None:
    """Give the application its handlers."""
    app.add_exception_handler(WebError, on_web_error)
    app.add_exception_handler(IncidentError, on_incident_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(RequestValidationError, on_invalid)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, on_database_away)
    app.add_exception_handler(Exception, on_bug)
