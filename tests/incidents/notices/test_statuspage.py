"""The Statuspage v2 documents, key by key beside recorded ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from incidents.notices import statuspage
from incidents.notices.maintenance import Maintenance
from incidents.notices.published import PublicIncident, PublicPage
from incidents.notices.status import ComponentStatus as Status
from tests.incidents.notices.builders import (
    END,
    NOW,
    START,
    a_component,
    a_page,
    a_window,
    an_incident,
    an_update,
)
from tests.shared_data import shared_json

EXACT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UPCOMING = a_window(
    number=2,
    public_id="mnt00000000c",
    starts_at=START + timedelta(days=4),
    ends_at=END + timedelta(days=4),
)


def a_troubled_page(**changes: Any) -> PublicPage:
    """An incident on checkout, one window running on search and one ahead."""
    components = (
        a_component("login"),
        a_component("search", Status.UNDER_MAINTENANCE),
        a_component("checkout", Status.PARTIAL_OUTAGE, description="Cart and payment"),
    )
    return a_page(
        *components, open_incidents=(an_incident(),), windows=(a_window(), UPCOMING), **changes
    )


def documents() -> list[tuple[str, dict[str, Any]]]:
    """Every endpoint's document beside the name of its recorded twin."""
    page = a_troubled_page()
    return [
        ("summary_incident_and_maintenance", statuspage.summary(page)),
        ("status", statuspage.status_document(page)),
        ("components", statuspage.components_document(page)),
        ("incidents", statuspage.incidents_document(page, page.open_incidents)),
        ("incidents_unresolved", statuspage.incidents_document(page, page.open_incidents)),
        ("scheduled-maintenances", statuspage.maintenances_document(page, page.windows)),
        ("scheduled-maintenances_active", statuspage.maintenances_document(page, [a_window()])),
        ("scheduled-maintenances_upcoming", statuspage.maintenances_document(page, [UPCOMING])),
    ]


def missing(recorded: Any, ours: Any, place: str = "$") -> list[str]:
    """Return every key and type of `recorded` that `ours` lacks."""
    if isinstance(recorded, dict):
        if not isinstance(ours, dict):
            return [f"{place}: not an object"]
        lacking = [f"{place}.{key}" for key in recorded if key not in ours]
        shared = [key for key in recorded if key in ours and ours[key] is not None]
        return lacking + [
            m for key in shared for m in missing(recorded[key], ours[key], f"{place}.{key}")
        ]
    if isinstance(recorded, list):
        if not isinstance(ours, list):
            return [f"{place}: not a list"]
        return (
            [m for item in ours for m in missing(recorded[0], item, f"{place}[]")]
            if recorded
            else []
        )
    return [] if recorded is None or type(recorded) is type(ours) else [f"{place}: {type(ours)}"]


@pytest.mark.parametrize(("name", "document"), documents(), ids=lambda value: str(value)[:40])
def test_every_document_has_every_key_of_its_recorded_twin(
    name: str, document: dict[str, Any]
) -> None:
    """Keys and value types, all the way down; null is allowed where a client takes it."""
    recorded = shared_json(f"fixtures/statuspage/{name}.json")
    for component in recorded.get("components", []):
        component.pop("components", None)  # only groups carry it: tested on its own
    assert missing(recorded, document) == []


def walk(value: Any, key: str = "") -> list[tuple[str, Any]]:
    """Return every (key, leaf) of a document."""
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in walk(v, k)]
    if isinstance(value, list):
        return [leaf for v in value for leaf in walk(v, key)]
    return [(key, value)]


def test_every_time_has_three_digits_and_a_z() -> None:
    """A strict client refuses whole seconds, nanoseconds and other zones."""
    leaves = [leaf for _, document in documents() for leaf in walk(document)]
    times = [v for k, v in leaves if v and (k.endswith("_at") or k.startswith("scheduled_"))]
    assert times
    assert all(EXACT_TIME.fullmatch(at) for at in times)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (None, None),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "2026-01-02T03:04:05.999Z"),
        (
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02T01:04:05.000Z",
        ),
    ],
)
def test_an_instant_is_written_in_utc_and_cut_to_milliseconds(
    at: datetime | None, written: str | None
) -> None:
    """Never rounded up into the future."""
    assert statuspage.instant(at) == written


def test_no_word_outside_the_format_appears_even_when_nothing_is_known() -> None:
    """Unknown is published as degraded, and said in an extra key."""
    page = a_page(a_component("login", Status.UNKNOWN), a_component("search", Status.UNKNOWN))
    document = statuspage.summary(page)
    leaves = [c for c in document["components"] if not c["group"]]
    assert {c["status"] for c in document["components"]} == {"degraded_performance"}
    assert {c["monitor_state"] for c in leaves} == {"unknown"}
    assert document["status"]["indicator"] in {"none", "minor", "major", "critical"}


def test_a_group_stands_before_its_children_and_carries_the_worst_of_them() -> None:
    """Its ids are theirs, and theirs point back."""
    group, *children = statuspage.summary(a_troubled_page())["components"]
    assert group["components"] == [child["id"] for child in children]
    assert {child["group_id"] for child in children} == {group["id"]}
    assert (group["status"], group["group"]) == ("partial_outage", True)


def test_a_component_without_a_group_stands_alone() -> None:
    """And belongs to none."""
    (alone,) = statuspage.summary(a_page(a_component("login", group=None)))["components"]
    assert (alone["group_id"], alone["group"], "components" in alone) == (None, False, False)


def test_ids_stay_the_same_and_are_twelve_lower_case_letters_and_digits() -> None:
    """Other programs keep them for years."""
    first, second = (statuspage.summary(a_troubled_page()) for _ in range(2))
    ids = [c["id"] for c in first["components"]] + [first["page"]["id"]]
    assert ids == [c["id"] for c in second["components"]] + [second["page"]["id"]]
    assert all(re.fullmatch("[0-9a-z]{12}", code) for code in ids)
    assert len(set(ids)) == len(ids)


def test_an_incident_without_components_names_them_all() -> None:
    """An empty list makes a reader lose the incident."""
    page = a_page(open_incidents=(an_incident(components=()),))
    (shown,) = statuspage.summary(page)["incidents"]
    assert [c["name"] for c in shown["components"]] == ["Login", "Search", "Checkout"]


def test_updates_tell_what_they_changed() -> None:
    """The first breaks the component, the closing one mends it."""
    updates = (an_update("resolved"), an_update("identified"), an_update())
    shown = statuspage.incident(a_troubled_page(), an_incident(updates=updates))
    changes = [u["affected_components"][0] for u in shown["incident_updates"]]
    assert [(c["old_status"], c["new_status"]) for c in changes] == [
        ("partial_outage", "operational"),
        ("partial_outage", "partial_outage"),
        ("operational", "partial_outage"),
    ]
    assert changes[0]["name"] == "Buyer journey - Checkout"


@pytest.mark.parametrize(
    ("window", "now", "status", "said"),
    [
        (a_window(), START - timedelta(1), "scheduled", ["scheduled"]),
        (a_window(), START, "in_progress", ["in_progress", "scheduled"]),
        (a_window(), END, "verifying", ["verifying", "in_progress", "scheduled"]),
        (
            a_window(verified_at=END),
            END,
            "completed",
            ["completed", "in_progress", "scheduled"],
        ),
        (a_window(cancelled_at=NOW - timedelta(1)), NOW, "completed", ["completed", "scheduled"]),
    ],
)
def test_a_window_has_said_what_its_instants_say(
    window: Maintenance, now: datetime, status: str, said: list[str]
) -> None:
    """Its updates follow from its state, newest first, never none."""
    shown = statuspage.maintenance(a_page(now=now), window)
    assert shown["status"] == status
    assert [u["status"] for u in shown["incident_updates"]] == said


def test_a_window_gives_its_announced_times_and_components() -> None:
    """The times are those that were announced, not those that were taken."""
    shown = statuspage.maintenance(a_troubled_page(), a_window())
    assert shown["scheduled_for"] == "2026-11-22T09:00:00.000Z"
    assert shown["scheduled_until"] == "2026-11-22T10:00:00.000Z"
    assert [c["name"] for c in shown["components"]] == ["Search"]


def test_the_long_lists_hold_the_fifty_newest() -> None:
    """The fifty-first is dropped."""
    many: list[PublicIncident] = [an_incident(public_id=f"inc{n:09d}") for n in range(51)]
    shown = statuspage.incidents_document(a_page(), many)["incidents"]
    assert [len(shown), shown[-1]["id"]] == [50, "inc000000049"]
