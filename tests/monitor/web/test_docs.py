"""`docs/console.md` and `docs/security.md` say what the code does."""

from __future__ import annotations

from pathlib import Path

from monitor.web.permissions import MAY, Role
from monitor.web.sessions import LONGEST, LONGEST_IDLE
from tests.monitor.web.test_doors import DOORS, GUARDED

DOCS = Path(__file__).parents[3] / "docs"


def test_the_documented_table_of_roles_is_the_one_in_force() -> None:
    """Every permission and every role, tick by tick."""
    text = (DOCS / "console.md").read_text("utf-8")
    lines = [line.strip("| \n") for line in text.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.split(" |")] for line in lines]
    told = {row[0]: tuple("✓" in cell for cell in row[1:]) for row in rows}
    roles = list(Role)
    for permission, allowed in MAY.items():
        ticks = (*told[permission.value], *[False] * len(roles))[: len(roles)]
        assert ticks == tuple(role in allowed for role in roles), permission


def test_the_documented_lengths_of_a_session_are_those_in_force() -> None:
    """Twelve hours without use, seven days at the latest."""
    assert (LONGEST_IDLE.total_seconds(), LONGEST.days) == (12 * 3600, 7)


def test_nothing_below_the_console_is_open_but_signing_in() -> None:
    """The second line of the documented doors."""
    open_ = {door for door in DOORS if " /console" in door} - set(GUARDED)
    assert all(" /console/sign-in" in door for door in open_)
