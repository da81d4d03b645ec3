"""The reference of journey files tells every key, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from probes.expectations import (
    CssCheck,
    Expect,
    JsonCheck,
    NumberCheck,
    SizeCheck,
    TextCheck,
    UrlCheck,
)
from probes.journey import Journey, Tls, parse_journey
from probes.result import OUR_REASONS, Reason
from probes.step import Save, Step
from probes.templates import BUILT_IN

DOCS = (Path(__file__).parents[2] / "docs" / "journeys.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCS, flags=re.DOTALL)

AFTER: dict[type[BaseModel], str] = {
    Journey: "## The journey",
    Tls: "Under `tls`:",
    Step: "## Steps",
    Expect: "## Expectations",
    TextCheck: "Conditions on text",
    UrlCheck: "Conditions on text",
    CssCheck: "Under `css`:",
    JsonCheck: "Under `json`:",
    SizeCheck: "Under `size`:",
    NumberCheck: "**Numbers**",
    Save: "## Saved values",
}


def keys_after(heading: str) -> set[str]:
    """Return the keys of the tables from a heading to the next one of those above."""
    start = DOCS.index(heading)
    ends = [DOCS.find(other, start + 1) for other in {*AFTER.values(), "## Names"}]
    section = DOCS[start : min(end for end in ends if end > 0)]
    first_cells = re.findall(r"^\| ((?:`[^`]+` ?)+)\|", section, flags=re.MULTILINE)
    return {key for cell in first_cells for key in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("model", AFTER, ids=lambda model: model.__name__)
def test_every_key_is_documented_and_none_is_invented(model: type[BaseModel]) -> None:
    """The tables and the models name the same keys."""
    names = {info.alias or name for name, info in model.model_fields.items()}
    assert keys_after(AFTER[model]) == names


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0])
def test_every_example_is_a_valid_journey(example: str) -> None:
    """What is copied from the page works."""
    assert parse_journey(example).steps


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_documented_with_whom_it_accuses(reason: Reason) -> None:
    """The table of reasons says the same as the code."""
    accused = "prober" if reason in OUR_REASONS else "shop"
    assert f"| `{reason}` | {accused} |" in DOCS


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_name_is_documented(name: str) -> None:
    """Nothing is known only to the code."""
    assert f"`${{{name}}}`" in DOCS
