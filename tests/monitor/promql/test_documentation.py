"""docs/promql.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.promql import Options, UnsupportedError, parse
from monitor.promql.guard import MAX_LENGTH_BYTES, MAX_NESTING
from monitor.promql.testing import Runner, Verdict
from monitor.samples.store import DEFAULT_SERIES_LIMIT

TEXT = (Path(__file__).parents[3] / "docs" / "promql.md").read_text("utf-8")


def test_the_example_script_passes() -> None:
    """The script in the page is run as it stands."""
    blocks = re.findall(r"```text\n(load .*?)```", TEXT, re.S)
    outcomes = [outcome for block in blocks for outcome in Runner().run(block)]
    assert [outcome.verdict for outcome in outcomes] == [Verdict.PASSED]


@pytest.mark.parametrize(
    "number",
    [Options().max_samples, Options().max_steps, DEFAULT_SERIES_LIMIT, MAX_NESTING],
)
def test_bounds_are_those_of_the_code(number: int) -> None:
    """A changed default is changed in the page as well."""
    assert f"{number:,}" in TEXT
    assert f"{MAX_LENGTH_BYTES // 1024} KiB" in TEXT


@pytest.mark.parametrize("name", ["histogram_count", "info", "sort_by_label", "limitk"])
def test_functions_named_as_refused_are_refused(name: str) -> None:
    """The page and the parser name the same."""
    assert f"`{name}`" in TEXT
    arguments = {"limitk": "1, up", "sort_by_label": 'up, "a"'}.get(name, "up")
    with pytest.raises(UnsupportedError):
        parse(f"{name}({arguments})")
