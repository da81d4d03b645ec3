"""The page of metrics and what a running service exports say the same, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.probe_metrics import BROWSER_BUCKETS, HTTP_RUN_BUCKETS, HTTP_STEP_BUCKETS
from monitor.scheduler import LAG_BUCKETS
from tests.acceptance.town import Town, running_town

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\| (.*) \|$", PAGE, flags=re.MULTILINE)
PARTS = {"le", "quantile"}  # of a histogram or summary, not of what it tells
SELDOM = {  # exported by name from the start, with a value only in circumstances
    "monitor_canary_interval_seconds": "where canaries are sent",
    "monitor_canary_last_success_timestamp_seconds": "once one has arrived",
    "monitor_maintenance_active": "while there is maintenance",
    "probe_certificate_expiry_timestamp_seconds": "over TLS",
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A service in the middle of an outage, so that every family has a value."""
    with running_town(tmp_path_factory.mktemp("metrics")) as made:
        made.shop.set_fault("gateway_refuses")
        made.pass_time(10)
        made.service.scheduler.duty_runs[("sweep", "done")] += 1  # duties are done by hand here
        yield made


def exported(town: Town) -> dict[str, tuple[str, set[str]]]:
    """Return type and labels of every metric by name."""
    found = {}
    for family in town.service.metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels}
        found[name] = (family.type, labels - PARTS)
    return found


def documented() -> dict[str, tuple[str, set[str]]]:
    """Return type and labels of every metric of the page by name."""
    return {name: (kind, set(labels.replace(",", " ").split())) for name, kind, labels, _ in ROWS}


def test_the_page_names_every_metric_and_no_other(town: Town) -> None:
    """What is exported is told; what is told is exported."""
    assert set(documented()) == set(exported(town))


def test_the_page_says_what_each_metric_means() -> None:
    """A name alone helps nobody."""
    assert [name for name, _, _, meaning in ROWS if not meaning.strip()] == []


def test_the_page_gives_type_and_labels_as_they_are(town: Town) -> None:
    """Whoever writes a rule from the page writes one that works."""
    told, found = documented(), exported(town)
    for name in SELDOM:
        assert not found.pop(name)[1], f"{name} has a value now; leave it out of SELDOM"
        told.pop(name)
    assert told == found


@pytest.mark.parametrize(
    ("row", "bounds"),
    [
        ("step, HTTP", HTTP_STEP_BUCKETS),
        ("run, HTTP", HTTP_RUN_BUCKETS),
        ("step and run, browser", BROWSER_BUCKETS),
        ("scheduler lag", LAG_BUCKETS),
    ],
)
def test_the_page_gives_the_buckets_as_they_are(row: str, bounds: tuple[float, ...]) -> None:
    """An objective can be put exactly on a bound."""
    assert f"| {row} | {' '.join(f'{bound:g}' for bound in bounds)} |" in PAGE


def test_the_page_knows_how_many_series_a_journey_makes(town: Town) -> None:
    """The budget on the page holds to a few series for every shipped journey."""
    for journey in town.service.holder.current.journeys:
        told = 42 * len(journey.all_steps) + 34
        made = len(town.service.probes.samples(journey.name, "local"))
        assert abs(made - told) <= 3, (journey.name, made, told)
