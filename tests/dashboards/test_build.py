"""The checked-in dashboards: up to date, complete, and made of queries that can be asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from dashboards.build import DASHBOARDS, FOLDER, render
from tests.dashboards.queries import queries_of

LOADED = {name: json.loads((FOLDER / name).read_text("utf-8")) for name in DASHBOARDS}
EVERY = pytest.mark.parametrize("name", sorted(DASHBOARDS))
PANELS = [
    pytest.param(name, panel, id=f"{name}-{panel['title']}")
    for name, board in LOADED.items()
    for panel in board["panels"]
]


@EVERY
def test_the_file_is_what_the_builder_makes(name: str) -> None:
    """`make dashboards` was run after the last change."""
    assert (FOLDER / name).read_text("utf-8") == render(DASHBOARDS[name])


@EVERY
def test_a_dashboard_answers_one_question_in_at_most_five_panels(name: str) -> None:
    """The question is its description; panels do not overlap and fill whole rows."""
    board = LOADED[name]
    assert board["description"].endswith("?")
    assert 1 <= len(board["panels"]) <= 5
    cells = [cell for panel in board["panels"] for cell in cells_of(panel["gridPos"])]
    assert len(cells) == len(set(cells)) == 24 * len({y for _, y in cells})


@EVERY
def test_uids_panel_ids_and_query_ids_are_unique(name: str) -> None:
    """Grafana tells dashboards, panels and queries apart by them."""
    board = LOADED[name]
    assert len({other["uid"] for other in LOADED.values()}) == len(LOADED)
    assert sorted({panel["id"] for panel in board["panels"]}) == list(
        range(1, len(board["panels"]) + 1)
    )
    for panel in board["panels"]:
        ids = [target["refId"] for target in panel["targets"]]
        assert all(ids)
        assert len(ids) == len(set(ids))


@EVERY
def test_component_journey_and_location_can_be_chosen_and_maintenance_is_marked(name: str) -> None:
    """Every dashboard offers the same choices and marks the same events."""
    board = LOADED[name]
    names = [variable["name"] for variable in board["templating"]["list"]]
    marks = [mark["name"] for mark in board["annotations"]["list"]]
    assert names[:4] == ["datasource", "component", "journey", "location"]
    assert {"Incidents", "Maintenance"} <= set(marks)


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_says_what_it_shows_and_uses_the_chosen_source(
    name: str, panel: dict[str, Any]
) -> None:
    """A title, an explanation, and the data source of the variable."""
    assert panel["title"]
    assert panel["description"].endswith(".")
    for target in panel["targets"]:
        assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@EVERY
def test_every_query_is_valid_promql_and_only_uses_known_variables(name: str) -> None:
    """With the variables filled in nothing is left of Grafana's own syntax."""
    for expression in queries_of(LOADED[name]):
        assert "$" not in expression
        promql_parser.parse(expression)


@EVERY
def test_every_variable_in_a_text_is_defined(name: str) -> None:
    """A link to `${monitor}` would be dead without the variable."""
    board = LOADED[name]
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(board)))
    assert used <= defined


def test_provisioning_points_at_the_data_source_and_folder_the_dashboards_use() -> None:
    """Uids and folders of the provisioning files agree with the rest."""
    folder = FOLDER / "provisioning"
    source = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())
    provider = yaml.safe_load((folder / "dashboards" / "saypro.yml").read_text())["providers"][0]
    assert [s["type"] for s in source["datasources"]] == ["prometheus"]
    assert provider["type"] == "file"
    assert provider["folderUid"] == "saypro-monitor"


def cells_of(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the cells of the grid that a panel covers."""
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y
