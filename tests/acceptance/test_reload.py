"""A running service takes over a changed folder: what differs changes, what does not goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.town import Town, running_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town in which everything works."""
    with running_town(tmp_path) as made:
        yield made


def rewrite(town: Town, name: str, *changes: tuple[str, str]) -> None:
    """Change a file of the folder and have it read again."""
    path = town.service.holder.current.folder / name
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    town.service.reload()
    assert town.service.holder.last_reload.successful, town.service.holder.last_reload


def series(town: Town, *parts: str) -> list[str]:
    """Return the lines of `/metrics` that hold every one of `parts`."""
    lines = [line for line in town.metrics().splitlines() if not line.startswith("#")]
    return [line for line in lines if all(part in line for part in parts)]


def test_a_removed_journey_is_gone_at_once_and_the_others_keep_their_counts(town: Town) -> None:
    """No series of it is left, in the text or in the samples; no counter starts again."""
    before = series(town, "probe_runs_total", 'journey="login"')
    (town.service.holder.current.folder / "journeys" / "search.yml").unlink()
    town.service.reload()
    assert series(town, 'journey="search"') == []
    assert series(town, "probe_runs_total", 'journey="login"') == before
    assert town.service.scheduler.next_run("search") is None


def test_an_added_journey_is_there_at_zero(town: Town) -> None:
    """Its first failure will show as an increase."""
    folder = town.service.holder.current.folder / "journeys"
    text = (folder / "login.yml").read_text("utf-8").replace("name: login", "name: again", 1)
    (folder / "again.yml").write_text(text, "utf-8")
    town.service.reload()
    counted = series(town, "probe_runs_total", 'journey="again"')
    assert len(counted) == 3
    assert all(line.endswith(" 0.0") for line in counted)
    assert town.service.scheduler.next_run("again") is not None


def test_a_journey_of_another_location_is_not_run_here(town: Town) -> None:
    """It is left to the prober that stands there."""
    here = "    title: This machine\n"
    rewrite(town, "monitor.yml", (here, f"{here}  - {{name: moon}}\n"))
    rewrite(town, "journeys/search.yml", ("name: search\n", "name: search\nlocations: moon\n"))
    assert town.service.scheduler.next_run("search") is None
    assert series(town, 'journey="search"') == []
    assert town.service.scheduler.next_run("login") is not None


def test_a_process_that_moves_counts_and_judges_at_its_new_location(town: Town) -> None:
    """Metrics, verdicts and slots all name the place where the journeys run now."""
    place = "location: moon\nlocations:\n  - {name: moon}\n"
    rewrite(town, "monitor.yml", ("locations:\n", place))
    town.pass_time(5)
    assert series(town, "probe_up", 'location="local"') == []
    assert series(town, "probe_up{", 'journey="login"', 'location="moon"')[0].endswith(" 1.0")


def test_bounds_come_into_force_without_a_restart(town: Town) -> None:
    """Workers, series and how long samples are kept."""
    limits = "limits: {http_workers: 3, browser_workers: 1, series: 5000}\nlocations:\n"
    rewrite(town, "monitor.yml", ("locations:\n", limits), ("samples: 4d", "samples: 5d"))
    assert series(town, "monitor_pool_capacity", 'pool="http"')[0].endswith(" 3.0")
    assert series(town, "monitor_samples_series_limit")[0].endswith(" 5000.0")
    assert town.service.built_in is not None
    assert town.service.built_in.samples.retention_seconds == 5 * 86_400


def test_a_changed_channel_and_name_are_used_from_the_next_notification_on(town: Town) -> None:
    """The engineer on call hears of the outage at the new address, from the new name."""
    rewrite(
        town,
        "monitor.yml",
        ("name: Kijani Market", "name: Kijani & Sons"),
        (town.sink.url, f"{town.sink.url}/new"),
    )
    town.shop.set_fault("site_down")
    town.pass_time(10)
    post = town.sink.posts[-1]
    assert (post.path.endswith("/new"), b"Kijani & Sons" in post.body) == (True, True)


def test_a_faulty_folder_changes_nothing_and_says_so(town: Town) -> None:
    """The old configuration goes on, and a metric tells."""
    path = town.service.holder.current.folder / "monitor.yml"
    path.write_text(path.read_text("utf-8") + "nonsense: 1\n", "utf-8")
    town.service.reload()
    assert series(town, "monitor_config_last_reload_successful")[0].endswith(" 0.0")
    assert len(series(town, "probe_up{")) == 3


def test_a_service_whose_database_cannot_be_read_is_not_ready(town: Town) -> None:
    """It says why, and is ready again when it can be."""
    assert town.service.reasons_not_ready() == []
    town.service.store.close()
    path = town.service.settings.data / "monitor.db"
    path.rename(path.with_suffix(".away"))
    (path.parent / "monitor.db").mkdir()
    assert "database" in town.service.reasons_not_ready()[0]
    (path.parent / "monitor.db").rmdir()
    path.with_suffix(".away").rename(path)
    assert town.service.reasons_not_ready() == []
