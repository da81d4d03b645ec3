"""Prometheus's own test scripts, run unmodified against this evaluator."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from monitor.promql.testing import Outcome, Runner, Verdict
from tests.shared_data import SHARED

SCRIPTS = SHARED / "promqltest"
EXCEPTIONS: dict[tuple[str, int], str] = {}  # (file, line): why it cannot pass; keep it short
COUNTS = {  # in scope, out of scope
    "aggregators.test": (123, 37),
    "at_modifier.test": (78, 0),
    "histograms.test": (93, 92),
    "literals.test": (25, 0),
    "operators.test": (142, 72),
    "selectors.test": (31, 0),
    "staleness.test": (17, 0),
    "trig_functions.test": (19, 0),
}

pytestmark = pytest.mark.skipif(not SCRIPTS.is_dir(), reason="Prometheus's test scripts are absent")


@cache
def outcomes_of(name: str) -> list[Outcome]:
    """Return what became of every case of a script."""
    return list(Runner().run((SCRIPTS / name).read_text("utf-8")))


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_case_in_scope_passes(name: str) -> None:
    """What Prometheus expects of itself holds here, but for the pinned exceptions."""
    failed = {
        (name, o.case.line): f"{o.case.source}: {o.reason}"
        for o in outcomes_of(name)
        if o.verdict is Verdict.FAILED
    }
    assert failed.keys() == {key for key in EXCEPTIONS if key[0] == name}, failed


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_no_case_leaves_the_scope_unnoticed(name: str) -> None:
    """The number of cases out of scope is pinned, so that none is hidden there."""
    counts = Counter(outcome.verdict is Verdict.OUT_OF_SCOPE for outcome in outcomes_of(name))
    assert (counts[False], counts[True]) == COUNTS[name]


def test_every_script_at_hand_is_counted() -> None:
    """A script that is added is run as well."""
    assert {path.name for path in SCRIPTS.glob("*.test")} == COUNTS.keys()
