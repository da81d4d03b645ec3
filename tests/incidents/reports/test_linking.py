"""Which incident a report joins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.reports.linking import Candidate, choose_incident

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
CHECKOUT = Candidate(1, ["checkout"], AT, is_public=True)
NEWER = Candidate(2, ["checkout", "login"], AT + timedelta(minutes=5), is_public=True)
SEARCH = Candidate(3, ["search"], AT, is_public=True)
DRAFT = Candidate(4, ["search"], AT, is_public=False)


@pytest.mark.parametrize(
    ("component", "candidates", "fails", "chosen", "kind", "incident"),
    [
        ("checkout", [], True, None, "none", None),
        ("checkout", [CHECKOUT], True, None, "linked", 1),
        ("checkout", [CHECKOUT], False, None, "suggested", 1),
        ("checkout", [CHECKOUT, NEWER], True, None, "linked", 2),
        ("checkout", [SEARCH], True, None, "none", None),
        ("checkout", [SEARCH], True, 3, "linked", 3),
        ("checkout", [CHECKOUT, SEARCH], False, 3, "linked", 3),
        ("checkout", [CHECKOUT], True, 99, "linked", 1),
        ("search", [DRAFT], True, None, "linked", 4),
        (None, [CHECKOUT], True, None, "suggested", 1),
        (None, [CHECKOUT, SEARCH], True, None, "none", None),
        (None, [DRAFT], True, None, "none", None),
        (None, [CHECKOUT, DRAFT], True, None, "suggested", 1),
    ],
)
def test_a_report_joins_the_incident_of_its_component_or_the_one_its_writer_chose(
    component: str | None,
    candidates: list[Candidate],
    fails: bool,
    chosen: int | None,
    kind: str,
    incident: int | None,
) -> None:
    """Linked, suggested or neither; a draft is never suggested to the public."""
    link = choose_incident(component, candidates, tells_of_failure=fails, chosen_id=chosen)
    assert (link.kind, link.incident_id) == (kind, incident)
    assert bool(link.reason) == (incident is not None)
