"""The engine: evaluates when due and on events, tells what is news, forgets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.rules.engine import EngineSettings
from monitor.rules.state import MemoryStateStore
from monitor.samples import SampleStore
from tests.monitor.rules.running import Running, groups_of

DOWN = {"alert": "Down", "expr": "up_now == 0", "labels": {"severity": "critical"}}
PATIENT = {**DOWN, "for": "60s"}
COUNT = {"record": "j:down", "expr": "count by (journey) (up_now == 0)"}
ON_COUNT = {"alert": "Counted", "expr": "j:down >= 1"}


def test_alert_is_told_at_the_first_evaluation_that_finds_it_and_again_when_it_is_over(
    tmp_path: Path,
) -> None:
    """Firing with an end in the future, resolved with an end at its evaluation."""
    run = Running(groups_of(tmp_path, DOWN))
    [fired] = run.due(0, up_now=0)
    assert fired.labels == {"alertname": "Down", "journey": "a", "severity": "critical"}
    assert (fired.starts_at, fired.ends_at) == (run.at(0), run.at(240))
    [resolved] = run.due(30, up_now=1)
    assert (resolved.starts_at, resolved.ends_at) == (run.at(0), run.at(30))


def test_firing_alert_is_told_again_after_a_minute_and_a_resolution_for_a_quarter_of_an_hour(
    tmp_path: Path,
) -> None:
    """A receiver that missed the first message gets the next."""
    run = Running(groups_of(tmp_path, DOWN))
    told = [bool(run.due(now, up_now=0)) for now in range(0, 150, 15)]
    assert told == [True, False, False, False, False, True, False, False, False, False]
    told = [bool(run.due(now, up_now=1)) for now in range(150, 1200, 15)]
    assert told[0]
    assert sum(told) == 13  # at once, then every 75 s until 15 min are over


def test_event_evaluates_a_rule_at_once_and_its_recording_rules_before_it(tmp_path: Path) -> None:
    """The alert is written before what it builds upon, and fires all the same."""
    run = Running(groups_of(tmp_path, ON_COUNT, COUNT))
    run.due(0, up_now=1)
    [alert] = run.event(3.2, up_now=0)
    assert (alert.name, alert.starts_at) == ("Counted", run.at(3.2))
    [resolved] = run.event(4.1, up_now=1)
    assert resolved.ends_at == run.at(4.1)


def test_event_about_another_metric_or_journey_evaluates_nothing(tmp_path: Path) -> None:
    """Rules are not evaluated for what they cannot see."""
    other = {"alert": "Other", "expr": 'up_now{journey="b"} == 0'}
    run = Running(groups_of(tmp_path, DOWN, other))
    before = run.engine.stats()[0][1].evaluations
    run.engine.evaluate_for(["unrelated"], {"journey": "a"}, run.at(1))
    assert run.engine.stats()[0][1].evaluations == before
    run.event(2, up_now=0)
    assert run.engine.stats()[0][1].evaluations == before + 1


def test_hold_time_is_measured_across_events_and_slots(tmp_path: Path) -> None:
    """More evaluations make `for` finer, never shorter."""
    run = Running(groups_of(tmp_path, PATIENT))
    run.event(0, up_now=0)
    for now in (5, 20, 35, 59.9):
        assert run.event(now, up_now=0) == []
    [alert] = run.due(60, up_now=0)
    assert alert.starts_at == run.at(60)


def test_rule_over_ranges_alone_is_not_evaluated_at_every_event_but_soon_after(
    tmp_path: Path,
) -> None:
    """A flood of results costs one evaluation a second; the last one is not lost."""
    slow = {"alert": "Slow", "expr": "max_over_time(up_now[5m]) == 0"}
    groups = groups_of(tmp_path, slow, interval="1h")  # no slot of its own comes meanwhile
    run = Running(groups, timer=lambda: 0.0)
    run.due(0, up_now=1)
    counted = []
    for now in (0.1, 0.2, 0.3, 0.4):
        run.event(now, up_now=1)
        counted.append(run.engine.stats()[0][1].evaluations)
    for now in (0.9, 1.2, 1.3):
        run.due(now)
        counted.append(run.engine.stats()[0][1].evaluations)
    assert counted == [2, 2, 2, 2, 2, 3, 3]


def test_urgent_rule_is_evaluated_at_every_event_whatever_waits(tmp_path: Path) -> None:
    """The rest of rules over ranges never holds up a verdict."""
    slow = {"alert": "Slow", "expr": "max_over_time(hits[5m]) == 0"}
    run = Running(groups_of(tmp_path, slow, DOWN))
    run.due(0, up_now=1, hits=1)
    run.event(0.1, up_now=1, hits=1)
    assert [one.name for one in run.event(0.2, up_now=0, hits=1)] == ["Down"]
    assert len(run.event(0.3, up_now=1, hits=1)) == 1


def test_failing_rule_leaves_its_alerts_as_they_were(tmp_path: Path) -> None:
    """An error neither resolves nor fires; it shows in the rule's health and in the counts."""
    expr = "up_now == 0 and on (journey) (up_now * on (journey) side_one)"
    run = Running(groups_of(tmp_path, {"alert": "Joined", "expr": expr}))
    run.due(0, up_now=0, side_one=1)
    twins = [({"__name__": "side_one", "journey": "a", "twin": text}, 1.0) for text in "xy"]
    run.store.writer("twins").ingest(run.at(15).timestamp(), twins)
    assert run.due(15, up_now=1, side_one=1) == []
    [group] = run.engine.groups
    assert [one.state for one in run.engine.alerts(group, 0)] == ["firing"]
    assert "duplicate" in run.engine.health(group, 0).error
    assert run.engine.stats()[0][1].failures == 1


def test_rule_with_more_alerts_than_its_limit_fails_and_has_none(tmp_path: Path) -> None:
    """`limit` protects receivers from a rule gone wild."""
    expr = 'label_replace({__name__=~"a.*"} == 0, "metric", "$1", "__name__", "(.*)")'
    run = Running(groups_of(tmp_path, {"alert": "Many", "expr": expr}, limit=1))
    run.due(0, a1=0)
    assert run.due(15, a1=0, a2=0) == []
    [group] = run.engine.groups
    assert run.engine.alerts(group, 0) == ()
    assert "exceeded limit of 1 with 2" in run.engine.health(group, 0).error


def test_alerts_show_as_series_and_end_with_a_stale_marker(tmp_path: Path) -> None:
    """ALERTS and ALERTS_FOR_STATE are there while the alert is live, and gone with it."""
    run = Running(groups_of(tmp_path, DOWN))
    run.due(0, up_now=0)
    [(labels, value)] = run.value('ALERTS{alertname="Down"}', 1).items()
    assert (dict(labels)["alertstate"], value) == ("firing", 1)
    assert list(run.value("ALERTS_FOR_STATE", 1).values()) == [run.at(0).timestamp()]
    run.due(15, up_now=1)
    assert run.value("ALERTS", 16) == run.value("ALERTS_FOR_STATE", 16) == {}


def test_recorded_series_that_vanishes_ends_at_once(tmp_path: Path) -> None:
    """Nobody reads for five minutes more what is no longer so."""
    run = Running(groups_of(tmp_path, COUNT))
    run.due(0, up_now=0)
    assert list(run.value("j:down", 1).values()) == [1]
    run.due(15, up_now=1)
    assert run.value("j:down", 16) == {}


def test_restart_forgets_neither_firing_nor_pending_nor_what_was_told(tmp_path: Path) -> None:
    """The alert keeps its beginning, and is not told as if it were new."""
    groups, state, store = (
        groups_of(tmp_path, DOWN, {**PATIENT, "alert": "P"}),
        MemoryStateStore(),
        SampleStore(),
    )
    Running(groups, state=state, store=store).due(0, up_now=0)
    again = Running(groups, state=state, store=store)
    assert again.due(30, up_now=0) == []
    [pending] = again.due(60, up_now=0)
    assert (pending.name, pending.starts_at) == ("P", again.at(60))
    [fired] = [one for one in again.due(75, up_now=0) if one.name == "Down"]
    assert fired.starts_at == again.at(0)


def test_an_alert_told_just_before_a_kill_is_ended_by_the_next_process(tmp_path: Path) -> None:
    """What was told is known to be firing, even where nothing was kept after the telling."""
    groups, state, store = groups_of(tmp_path, DOWN), MemoryStateStore(), SampleStore()
    killed = Running(groups, state=state, store=store)
    killed.refuse = RuntimeError("killed once the receiver had committed it")
    with pytest.raises(RuntimeError):
        killed.due(0, up_now=0)
    at_once = EngineSettings(restore_hold_seconds=0)
    again = Running(groups, state=state, store=store, settings=at_once)
    [ended] = again.due(15, up_now=1)
    assert (ended.starts_at, ended.ends_at) == (again.at(0), again.at(15))


@pytest.mark.parametrize(("seconds", "resolved"), [(59, False), (61, True)])
def test_alert_is_not_resolved_for_want_of_data_just_after_a_restart(
    tmp_path: Path, seconds: float, resolved: bool
) -> None:
    """Probes get a minute to report before their silence counts."""
    groups, state = groups_of(tmp_path, DOWN, interval="1s"), MemoryStateStore()
    Running(groups, state=state).due(0, up_now=0)
    again = Running(groups, state=state, settings=EngineSettings(restore_hold_seconds=60))
    again.due(100)
    told = again.due(100 + seconds)
    assert any(one.is_resolved(again.at(100 + seconds)) for one in told) is resolved


def test_alert_that_the_receiver_refused_is_told_at_the_next_evaluation(tmp_path: Path) -> None:
    """What was not taken was not told."""
    run = Running(groups_of(tmp_path, DOWN))
    run.refuse = RuntimeError("database is locked")
    with pytest.raises(RuntimeError):
        run.due(0, up_now=0)
    run.refuse = None
    assert [one.name for one in run.due(15, up_now=0)] == ["Down"]


def test_reload_carries_alerts_over_by_name_and_labels(tmp_path: Path) -> None:
    """A changed expression does not make one outage two; a renamed rule is another."""
    run = Running(groups_of(tmp_path, DOWN))
    run.due(0, up_now=0)
    run.engine.reload(groups_of(tmp_path, {**DOWN, "expr": "up_now < 1"}, name="moved"))
    assert [one.starts_at for one in run.due(61, up_now=0)] == [run.at(0)]
    run.engine.reload(groups_of(tmp_path, {**DOWN, "alert": "Renamed"}, name="moved"))
    assert [one.name for one in run.due(120, up_now=0)] == ["Renamed"]
    assert run.value('ALERTS{alertname="Down"}', 121) == {}


def test_external_labels_are_added_where_the_alert_has_none(tmp_path: Path) -> None:
    """An alert's own label wins; links begin with our address."""
    settings = EngineSettings(
        external_labels={"severity": "x", "region": "eu"}, external_url="http://m.example"
    )
    [alert] = Running(groups_of(tmp_path, DOWN), settings=settings).due(0, up_now=0)
    assert (alert.labels["region"], alert.labels["severity"]) == ("eu", "critical")
    assert alert.generator_url == "http://m.example/graph?g0.expr=up_now+%3D%3D+0&g0.tab=1"


def test_missed_slots_are_counted_and_not_made_up_for(tmp_path: Path) -> None:
    """After a pause there is one evaluation and a number of missed ones."""
    run = Running(groups_of(tmp_path, DOWN))
    run.due(0, up_now=1)
    run.due(150, up_now=1)
    [(key, stats)] = run.engine.stats()
    assert key.endswith("rules.yml;g")
    assert (stats.iterations, stats.missed, stats.rules) == (2, 9, 1)


def test_alert_with_a_broken_template_is_told_with_the_error_in_its_place(tmp_path: Path) -> None:
    """Words that cannot be filled in hold nothing back."""
    rule = {**DOWN, "annotations": {"summary": '{{ query "nothing" | first | value }}'}}
    [alert] = Running(groups_of(tmp_path, rule)).due(0, up_now=0)
    assert alert.annotations["summary"].startswith("<error expanding template: ")
