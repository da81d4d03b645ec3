"""People, teams, schedules and escalation as `monitor.yml` describes them."""

# ruff: noqa: E501 - a table of faults, one a line
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from incidents.oncall.schedule import gaps, who_is_on_call
from monitor.config.load import load_configuration
from monitor.config.oncall import HoursSettings, LayerSettings
from monitor.config.oncall_doubts import oncall_doubts
from tests.monitor.config.test_load import GOOD, faults, folder

ROOT = Path(__file__).parents[3]
PEOPLE = """\
  - {name: ann-phone, kind: console, audience: person}
people:
  - {name: ann, channels: [ann-phone]}
  - {name: ben, email: ben@shop.test}
teams:
  - {name: shop, title: Shop engineers, members: [ann, ben]}
schedules:
  - name: shop
    team: shop
    time_zone: Europe/Paris
    layers:
      - {people: [ann, ben], weekday: monday, handover: 09:00, from: 2026-03-02}
      - {people: [ben], rotates: daily, only: [{from: friday 18:00, to: monday 09:00}]}
escalation:
  - name: shop
    components: [checkout]
    severities: [critical]
    steps:
      - {tell: [{schedule: shop}], wait: 5m}
      - {tell: [{team: shop}, {person: ann}]}
    repeat: 2
    last_resort: [{channel: terminal}]
"""
WHOLE = GOOD + PEOPLE


def test_people_are_read_and_take_turns(tmp_path: Path) -> None:
    """On the wall clock of the schedule's zone, the weekend layer over the weekly one."""
    oncall = load_configuration(folder(tmp_path, WHOLE)).oncall
    shop = oncall.schedules["shop"]
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    found = [who_is_on_call(shop, noon + timedelta(days=days)).person for days in (0, 3, 7)]
    assert found == ["ann", "ben", "ben"]
    assert gaps(shop, noon, noon + timedelta(days=60)) == []
    (policy,) = oncall.policies
    assert (policy.rounds, policy.length, policy.steps[1].wait) == (3, 6, timedelta(minutes=5))
    assert policy.acknowledge_timeout == timedelta(minutes=30)


def test_a_folder_without_people_has_none(tmp_path: Path) -> None:
    """And its channels are told by severity as ever."""
    configuration = load_configuration(folder(tmp_path))
    assert not configuration.oncall.schedules
    assert not configuration.oncall.policies
    assert configuration.shared_channels == configuration.channels


def test_a_persons_own_channel_is_not_told_by_severity(tmp_path: Path) -> None:
    """It is there for whoever calls that person."""
    configuration = load_configuration(folder(tmp_path, WHOLE))
    assert [channel.name for channel in configuration.shared_channels] == ["terminal"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("people: [ann, ben], week", "people: [ann, bne], week", "monitor.yml:18: schedules.0.layers.0.people: found 'bne'; expected a person of monitor.yml (one of ['ann', 'ben'])"),
        ("members: [ann, ben]", "members: [zoe]", "monitor.yml:12: teams.0.members: found 'zoe'"),
        ("channels: [ann-phone]}", "channels: [fax]}", "monitor.yml:9: people.0.channels: found 'fax'"),
        ("    team: shop", "    team: nobody", "monitor.yml:15: schedules.0.team: found 'nobody'"),
        ("{schedule: shop}", "{schedule: shpo}", "monitor.yml:25: escalation.0.steps.0.tell.0.schedule: found 'shpo'"),
        ("[{channel: terminal}]", "[{channel: siren}]", "escalation.0.last_resort.0.channel: found 'siren'"),
        ("[{channel: terminal}]", "[]", "escalation.0.last_resort"),
        ("{schedule: shop}", "{schedule: shop, person: ann}", "exactly one of schedule, person, team or channel"),
        ("components: [checkout]", "components: [cellar]", "escalation.0.components: found 'cellar'"),
        ("Europe/Paris", "Europe/Pairs", "schedules.0.time_zone: found 'Europe/Pairs'"),
        ("handover: 09:00", "handover: nine", "expected a time of day such as 09:00"),
        ("handover: 09:00", "handover: 25:00", "expected a time of day such as 09:00"),
        ("weekday: monday", "weekday: someday", "expected one of monday, tuesday"),
        ("weekday: monday", "weekday: tuesday", "a date for from that is a tuesday"),
        ("rotates: daily", "rotates: 90m", "expected whole hours"),
        ("rotates: daily", "rotates: often", "expected hourly, daily, weekly, or a length"),
        ("rotates: daily", "rotates: daily, weekday: friday", "a weekday only where the turns are whole weeks"),
        ("from: friday 18:00, to", "from: 18:00, to", "either days with times"),
        ("friday 18:00", "frday 18:00", "or a day and a time such as friday 18:00"),
        ("to: monday 09:00}]", "to: monday 09:00}, {days: [sunday]}]", "hours in only that do not overlap"),
        ("from: 2026-03-02", "from: 2026-03-02, until: 2026-03-01", "an until later than from"),
        ("email: ben@shop.test", "email: ben", "a mail address such as"),
        ("email: ben@shop.test", "quiet_hours: {from: '22:00', until: '22:00'}", "people.1.quiet_hours"),
        ("wait: 5m", "wait: 1s", "escalation.0.steps.0.wait"),
        ("{name: ben, ", "{name: ann, ", "a name that is not used twice"),
        ("name: ann-phone", "name: person", "another name: this one is for mail to single people"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    """Names nobody bears, hours that overlap, times that are none: each at its file and line."""
    assert old in WHOLE
    said = faults(folder(tmp_path, WHOLE.replace(old, new, 1)))
    assert any(fault in one for one in said), said


def test_days_with_hours_reach_into_the_next_day() -> None:
    """`to` not after `from` is the day after; without hours it is the whole day."""
    nights = HoursSettings.model_validate({"days": ["sunday"], "from": "18:00", "to": "09:00"})
    (night,) = nights.hours()
    assert (night.starts, night.lasts) == (timedelta(days=6, hours=18), timedelta(hours=15))
    weekend = HoursSettings.model_validate({"days": ["saturday", "sunday"]}).hours()
    assert [part.lasts for part in weekend] == [timedelta(days=1), timedelta(days=1)]


@pytest.mark.parametrize(
    ("old", "new", "doubt"),
    [
        ("", "", ""),
        ("{people: [ann, ben], weekday", "{people: [ann], only: [{days: [monday]}], weekday", "schedule shop has 2 gaps in the next 14 days, the first from Tuesday 24 November 00:00"),
        ("{people: [ann, ben], weekday: monday, handover: 09:00, from: 2026-03-02}", "{people: [ann], until: 2026-04-01}", "schedule shop has 2 gaps"),
        ("[{schedule: shop}]", "[{person: ann}]", "no escalation policy calls schedule shop"),
        ("escalation:\n", "escalation:\n  - {name: all, steps: [{tell: [{schedule: shop}]}], last_resort: [{channel: terminal}]}\n", "escalation shop never applies: all"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_said(tmp_path: Path, old: str, new: str, doubt: str) -> None:
    """Gaps ahead, and what nothing ever comes to; a sound folder says nothing."""
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    made = load_configuration(folder(tmp_path, WHOLE.replace(old, new, 1) if old else WHOLE))
    said = list(oncall_doubts(made, sunday))
    assert any(doubt in one for one in said) if doubt else said == []


def _example_of_the_docs() -> str:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "on-call.md").read_text(), re.S)
    return "".join(blocks)


def _example_of_the_starter() -> str:
    starter = (ROOT / "monitor" / "config" / "starter" / "monitor.yml").read_text()
    commented = starter[starter.index("# people:") : starter.index("# Exporters")]
    lines = [line.removeprefix("# ") for line in commented.splitlines()]
    phone = "  - {name: thandi-phone, kind: console, audience: person}"
    return "\n".join(["channels:", "  - {name: terminal, kind: console}", phone, *lines]) + "\n"


@pytest.mark.parametrize("example", [_example_of_the_docs, _example_of_the_starter])
def test_what_we_show_is_valid(tmp_path: Path, example: Callable[[], str]) -> None:
    """The example of the documentation, and the commented one of a fresh folder, uncommented."""
    site = GOOD[: GOOD.index("channels:")]
    oncall = load_configuration(folder(tmp_path, site + example())).oncall
    assert list(oncall.schedules) == ["shop"]
    assert oncall.names == ("thandi", "sipho")


def test_a_layer_without_people_is_refused() -> None:
    """A rotation needs somebody to turn."""
    with pytest.raises(ValidationError):
        LayerSettings.model_validate({"people": []})
