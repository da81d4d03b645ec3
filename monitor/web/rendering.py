"""Templates: one environment, strict about missing values, escaping everything.

`page(request, "console/home.html", title="…")` is all a page module needs. Times are shown with
their zone by the `when` filter; durations by `seconds`. Nothing here reads the database but
the banner of open incidents, which every console page may ask for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from incidents.reports.conversation import clock_words
from monitor.web.markdown import render_markdown
from monitor.web.permissions import Actor, Permission, navigation
from monitor.web.services import Services, services_of
from monitor.web.static_files import static_url
from monitor.web.trouble import Banner, banner_troubles


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the template environment, built once."""
    env = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["static_url"] = static_url
    env.globals["navigation"] = navigation
    env.filters |= {
        "when": when,
        "moment": moment,
        "ago": ago,
        "lasted": lasted,
        "seconds": seconds,
        "fact": fact,
        "markdown": render_markdown,
    }
    return env


def page(request: Request, template: str, status_code: int = 200, **context: Any) -> HTMLResponse:
    """Return a rendered page; `site`, `now`, `zone`, `public_url` and `actor` are always there."""
    return HTMLResponse(render(request, template, **context), status_code=status_code)


def render(request: Request, template: str, **context: Any) -> str:
    """Return a template's text with what every template may use."""
    services = services_of(request)
    site = services.configuration.current.site
    actor, path = getattr(request.state, "actor", None), request.url.path
    base = {
        "site": site,
        "zone": zone_of(actor, site.time_zone),
        "now": services.clock.now(),
        "public_url": services.settings.public_url,
        "path": path,
        "actor": actor,
        "banner": lambda: _banner(services, actor, path),
        "mark": getattr(request.state, "mark", ""),
    }
    return environment().get_template(template).render(base | context)


def _banner(services: Services, actor: Actor | None, path: str) -> Banner:
    """Return what is open, for whoever has really come in; asked only by pages of the console."""
    if actor is None or actor.must_change_password or actor.must_enrol:
        return Banner()
    return banner_troubles(services, path) if actor.may(Permission.VIEW) else Banner()


def zone_of(actor: Actor | None, site_zone: str) -> ZoneInfo:
    """Return the zone a reader's times are shown in: their own, else the site's.

    A zone that this machine's tables do not know (any more) counts as none.
    """
    try:
        return ZoneInfo((actor.time_zone if actor else "") or site_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(site_zone)


@pass_context
def when(context: Context, moment: datetime | None, style: str = "short") -> Markup:
    """Return a moment as a `<time>` element in the reader's zone, with the zone's name.

    `style` is `short` (22 Nov 10:43 SAST), `long` (with weekday, year and seconds),
    `seconds` (22 Nov 10:43:07 SAST), or `clock` (10:43:07 SAST).
    """
    if moment is None:
        return Markup('<span class="quiet">never</span>')
    local = moment.astimezone(context["zone"])
    formats = {
        "short": "%-d %b %H:%M %Z",
        "long": "%A %-d %B %Y %H:%M:%S %Z",
        "seconds": "%-d %b %H:%M:%S %Z",
        "clock": "%H:%M:%S %Z",
    }
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), local.strftime(formats["long"]), local.strftime(formats[style])
    )


@pass_context
def moment(context: Context, at: datetime | None) -> Markup:
    """Return a moment as a `<time>` element in UTC, with the site's own clock beside it."""
    if at is None:
        return Markup("never")
    zone = str(context["zone"])
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), clock_words(at, zone, now=context["now"])
    )


@pass_context
def ago(context: Context, moment: datetime | None) -> str:
    """Return how long before `now` a moment was: `4 min ago`."""
    if moment is None:
        return "never"
    gap = round((context["now"] - moment).total_seconds())
    return "just now" if gap < 1 else f"{seconds(gap)} ago"


def lasted(start: datetime, end: datetime) -> str:
    """Return the time between two moments in words."""
    return seconds((end - start).total_seconds())


def fact(value: object) -> str:
    """Return a JSON value as people read it: `yes`, `none`, `login, search`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(fact(one) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {fact(one)}" for name, one in value.items()) or "none"
    return "none" if value is None else str(value)


UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def seconds(value: float | timedelta | None) -> str:
    """Return a duration for people: `230 ms`, `4.1 s`, `4 min`, `2 h 5 min`, `3 d 1 h`.

    Whole seconds stay whole.
    """
    if value is None:
        return "–"
    total = value.total_seconds() if isinstance(value, timedelta) else value
    if total < 1:
        return f"{total * 1000:.0f} ms"
    if total < 10 and total != int(total):
        return f"{total:.1f} s"
    whole = round(total)
    at = next(i for i, (size, _) in enumerate(UNITS) if whole >= size)
    size, unit = UNITS[at]
    head = f"{whole // size} {unit}"
    if at >= 2 or whole % size < UNITS[at + 1][0]:
        return head
    small, small_unit = UNITS[at + 1]
    return f"{head} {whole % size // small} {small_unit}"
