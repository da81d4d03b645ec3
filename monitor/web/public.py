"""Answers for everybody: made at most once a second, told apart by content, open to every origin.

A crowd that comes to look costs what one reader costs. An answer is made again when a commit
touched what it shows, when the configuration changed, or when it is a second old, because ages
stand in it. Where the database cannot be read, readers get the last answer for five minutes, which
says how old it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import blake2b
from threading import Lock
from typing import cast

from fastapi import Request
from fastapi.responses import Response

from incidents.notices.published import PublicPage
from monitor.storage.store import DATABASE_AWAY
from monitor.use_cases.status import public_page
from monitor.web.services import Services, services_of

LIVES = timedelta(seconds=1)
OUTLIVES = timedelta(minutes=5)  # the database; older is no news but a false calm
MAKERS = 16  # answers that may be in the making at the same time
STALE_MARK = b"<!-- how old -->"  # where a page of the public says that it is not the present one
MOST_KEPT = 256  # addresses; the one longest untouched goes first
SHOWN = frozenset({"incidents", "maintenance", "status", "runs"})
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
# A page that a person reloads is the present one: browsers ask again, caches before us need not.
PAGE_CACHE = "public, max-age=0, s-maxage=15, must-revalidate"
DATA_CACHE = "public, max-age=15, stale-while-revalidate=60"
OPEN_TO_ALL = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag, last-modified",
    "cross-origin-resource-policy": "cross-origin",
}


@dataclass(frozen=True)
class Made:
    """One answer's content."""

    body: bytes
    etag: str
    at: datetime
    configuration: object


class PublicCache:
    """Answers by address, dropped when a commit touches what they show."""

    def __init__(self, services: Services) -> None:
        self._made: OrderedDict[str, Made] = OrderedDict()
        self._last: OrderedDict[str, Made] = OrderedDict()  # whatever was committed since
        self._lock = Lock()
        self._makers = tuple(Lock() for _ in range(MAKERS))
        self._generation = 0
        services.store.subscribe(self._committed)

    def get(
        self, address: str, configuration: object, now: datetime, make: Callable[[], bytes]
    ) -> Made:
        """Return the answer at `address`, made anew if it is not fresh.

        However many ask at once, one makes it and the others wait for that.
        """
        with self._makers[hash(address) % MAKERS]:
            try:
                return self._get(address, configuration, now, make)
            except DATABASE_AWAY:
                with self._lock:
                    last = self._last.get(address)
                if last is None or not timedelta(0) <= now - last.at < OUTLIVES:
                    raise
                return last

    def _get(
        self, address: str, configuration: object, now: datetime, make: Callable[[], bytes]
    ) -> Made:
        with self._lock:
            found = self._made.get(address)
            generation = self._generation
        is_ours = found is not None and found.configuration is configuration
        if found is not None and is_ours and timedelta(0) <= now - found.at < LIVES:
            return found
        body = make()
        made = Made(body, f'"{blake2b(body, digest_size=12).hexdigest()}"', now, configuration)
        with self._lock:
            _keep(self._last, address, made)
            if generation == self._generation:  # else it may show what a commit has changed
                _keep(self._made, address, made)
        return made

    def _committed(self, topics: frozenset[str]) -> None:
        if topics & SHOWN:
            with self._lock:
                self._generation += 1
                self._made.clear()


def _keep(answers: OrderedDict[str, Made], address: str, made: Made) -> None:
    answers[address] = made
    answers.move_to_end(address)
    while len(answers) > MOST_KEPT:
        answers.popitem(last=False)


def _cache(request: Request, services: Services) -> PublicCache:
    """Return the application's cache; it is made with the first public answer."""
    state = request.app.state
    if not hasattr(state, "public_cache"):
        state.public_cache = PublicCache(services)
    return cast("PublicCache", state.public_cache)


def publish(
    request: Request,
    make: Callable[[], bytes],
    *,
    media_type: str,
    cache_control: str = DATA_CACHE,
    open_to_all: bool = True,
) -> Response:
    """Return a public answer: 304 where the reader has it already, without a body for HEAD."""
    services = services_of(request)
    address = f"{request.url.path}?{request.url.query}"
    configuration, now = services.configuration.current, services.clock.now()
    made = _cache(request, services).get(address, configuration, now, make)
    headers = {
        "etag": made.etag,
        "cache-control": cache_control,
        "last-modified": format_datetime(made.at.astimezone(UTC), usegmt=True),
        **(OPEN_TO_ALL if open_to_all else {}),
    }
    age = int((now - made.at).total_seconds())
    if timedelta(seconds=age) > LIVES:
        made = _said_to_be_old(made, media_type)
        headers |= {"etag": made.etag, "age": str(age), "cache-control": "no-store"}
    if _has_it(request, made.etag):
        return Response(status_code=304, headers=headers)
    headers["content-length"] = str(len(made.body))
    body = b"" if request.method == "HEAD" else made.body
    return Response(body, media_type=media_type, headers=headers)


def _said_to_be_old(made: Made, media_type: str) -> Made:
    """Return a last answer so that its readers see from when it is."""
    if media_type != HTML:
        return made
    words = f"Nothing newer than {made.at:%H:%M:%S} UTC can be read at the moment."
    notice = f'<p class="notice tone-minor" role="status">{words}</p>'.encode()
    return replace(
        made, body=made.body.replace(STALE_MARK, notice, 1), etag=made.etag[:-1] + '-old"'
    )


def _has_it(request: Request, etag: str) -> bool:
    """Return whether `If-None-Match` names this content, weakly or not."""
    shown = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in shown.split(",")]
    return etag in tags or "*" in tags


def load_page(services: Services) -> PublicPage:
    """Return everything that the public may know now."""
    with services.store.read() as connection:
        return public_page(
            connection,
            services.configuration.current,
            services.settings.public_url,
            services.clock.now(),
        )
