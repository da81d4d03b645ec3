"""What becomes of several notifications that were held."""

from __future__ import annotations

from typing import Any

from incidents.digest import MOST_LISTED, Waiting, fold
from incidents.pacing import Held


def waiting(number: int, event: str = "incident_opened", **given: Any) -> Waiting:
    usual: dict[str, Any] = {
        "id": number * 10 + len(event) % 10,
        "event": event,
        "incident_id": number,
        "name": f"INC-{number}",
        "title": f"Part {number} fails",
        "severity": "warning",
    }
    return Waiting(**{**usual, **given})


def test_a_storm_says_how_many_which_and_where() -> None:
    """The worst first, then as they came."""
    digest = fold(
        [waiting(1), waiting(2, severity="critical"), waiting(3), waiting(4)],
        Held.STORM,
        "https://m.example/console/incidents",
    )
    assert digest.subject == "4 incidents opened at once: INC-2, INC-1, INC-3 and 1 more"
    assert digest.body.splitlines()[2:4] == [
        "INC-2 [critical] opened: Part 2 fails",
        "INC-1 [warning] opened: Part 1 fails",
    ]
    assert digest.body.endswith("All of them: https://m.example/console/incidents\n")
    assert (digest.severity, digest.payload["count"]) == ("critical", 4)


def test_a_long_storm_is_cut_with_the_number_of_the_rest() -> None:
    """A message is for reading; the page has all of them."""
    digest = fold([waiting(n) for n in range(1, 1001)], Held.STORM)
    assert digest.body.endswith(f"… and {1000 - MOST_LISTED} more.\n")
    assert len(digest.together) == 1000


def test_ends_told_together_are_good_news() -> None:
    """Three resolutions are one message."""
    ends = [waiting(n, "incident_resolved", is_over=True) for n in (1, 2, 3)]
    assert fold(ends, Held.STORM).subject == "3 incidents are over: INC-1, INC-2, INC-3"


def test_what_began_and_ended_in_quiet_hours_is_told_to_nobody() -> None:
    """Opening and end of it are dropped; an end of what was told before is not."""
    begun = [waiting(1, is_over=True), waiting(1, "incident_resolved", is_over=True)]
    known = waiting(2, "incident_resolved", is_over=True)
    digest = fold([*begun, known, waiting(3)], Held.QUIET_HOURS)
    assert (digest.over, digest.together) == (tuple(begun), (known, waiting(3)))
    assert "INC-2 [warning] resolved" in digest.body


def test_what_ended_during_a_storm_is_told_all_the_same() -> None:
    """Its first page went out, so the rest says how it went on."""
    digest = fold([waiting(1, is_over=True), waiting(2)], Held.STORM)
    assert "INC-1 [warning] opened and already over: Part 1 fails" in digest.body


def test_one_incident_needs_no_digest() -> None:
    """It is told as it would have been."""
    alone = (waiting(1), waiting(1, "incident_update", text="a fix is on its way"))
    digest = fold(alone, Held.QUIET_HOURS)
    assert (digest.singly, digest.together) == (alone, ())


def test_an_update_brings_its_words() -> None:
    """What a person wrote is part of the line."""
    held = [waiting(1, "incident_update", text="a fix is on its way"), waiting(2)]
    assert "INC-1 [warning] updated (a fix is on its way)" in fold(held, Held.QUIET_HOURS).body
