"""Valid values of what the public is told; a test overrides only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from incidents.notices.maintenance import Effect, Maintenance, Scope
from incidents.notices.published import (
    PublicComponent,
    PublicIncident,
    PublicPage,
    PublicUpdate,
    Site,
)
from incidents.notices.rollup import roll_up
from incidents.notices.status import ComponentStatus, JourneySignal

NOW = datetime(2026, 11, 22, 9, 14, 5, 120_000, tzinfo=UTC)
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
END = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def a_window(effect: Effect = Effect.EXPECTED_DOWN, **changes: Any) -> Maintenance:
    """A window over search from 09:00 to 10:00 UTC, planned two days ahead."""
    planned = START - timedelta(days=2)
    facts: dict[str, Any] = {
        "number": 1,
        "public_id": "mnt00000000a",
        "title": "Search index upgrade",
        "description": "We will upgrade the search index.",
        "starts_at": START,
        "ends_at": END,
        "scope": (Scope("search", effect),),
        "created_at": planned,
        "updated_at": planned,
    }
    return Maintenance(**{**facts, **changes})


def a_signal(verdict: str = "up", *, age_seconds: float = 1, **changes: Any) -> JourneySignal:
    """What the checkout journey saw at NOW less `age_seconds`."""
    at = NOW - timedelta(seconds=age_seconds)
    facts: dict[str, Any] = {
        "journey": "checkout",
        "component": "checkout",
        "location": "local",
        "interval_seconds": 60,
        "last_run_at": at,
        "last_success_at": at if verdict == "up" else None,
    }
    return JourneySignal(verdict=verdict, **{**facts, **changes})


def a_component(
    name: str = "checkout", status: ComponentStatus = ComponentStatus.OPERATIONAL, **changes: Any
) -> PublicComponent:
    """A component of the group “Buyer journey”."""
    facts: dict[str, Any] = {
        "name": name.capitalize(),
        "created_at": datetime(2026, 11, 1, 8, tzinfo=UTC),
        "updated_at": START,
        "group": "Buyer journey",
        "last_checked_at": NOW,
    }
    return PublicComponent(id=name, status=status, **{**facts, **changes})


def an_update(status: str = "investigating", body: str = "We look into it.") -> PublicUpdate:
    """A published note at 09:12 UTC."""
    return PublicUpdate("upd00000000a", status, body, START + timedelta(minutes=12))


def an_incident(**changes: Any) -> PublicIncident:
    """An open incident of checkout with one update."""
    facts: dict[str, Any] = {
        "public_id": "inc00000000a",
        "title": "Some payments are failing at checkout",
        "status": "identified",
        "impact": "major",
        "started_at": START + timedelta(minutes=1),
        "created_at": START + timedelta(minutes=3),
        "updated_at": START + timedelta(minutes=12),
        "updates": (an_update(),),
        "components": (("checkout", ComponentStatus.PARTIAL_OUTAGE),),
    }
    return PublicIncident(**{**facts, **changes})


def a_page(*components: PublicComponent, **changes: Any) -> PublicPage:
    """A page over `components` (login, search and checkout when none is given)."""
    shown = components or (a_component("login"), a_component("search"), a_component("checkout"))
    incidents = changes.get("open_incidents", ())
    facts: dict[str, Any] = {
        "site": Site("Example Marketplace", "https://status.example.test", "Africa/Johannesburg"),
        "now": NOW,
        "updated_at": NOW,
        "rollup": roll_up([c.status for c in shown], has_open_incident=bool(incidents)),
        "components": shown,
    }
    return PublicPage(**{**facts, **changes})
