"""A critical alert explains the milder ones of its component, on both databases."""

from __future__ import annotations

from incidents.alerts.inhibition import InhibitRule
from incidents.alerts.matchers import parse_matcher
from incidents.lifecycle import Status
from tests.monitor.use_cases.desk import Desk, configuration
from tests.monitor.use_cases.test_silences import reasons, silence


def rule(source: str, target: str, *equal: str) -> InhibitRule:
    """A rule of one matcher a side."""
    return InhibitRule((parse_matcher(source),), (parse_matcher(target),), equal)


def test_a_warning_of_a_component_that_is_down_joins_and_the_line_says_suppressed(
    desk: Desk,
) -> None:
    """One batch, the mild one first: nobody is told of it, and it does not hide either."""
    desk.deliver(desk.firing(alertname="Slow", severity="warning"), desk.firing())
    assert reasons(desk) == ["suppressed_by_parent"]
    assert "inhibited by JourneyDown (checkout)" in desk.lines()[-1]["text"]
    assert len(desk.notified()) == 2


def test_the_warning_holds_the_incident_open_when_the_critical_one_ends(desk: Desk) -> None:
    """No false resolution: it eases."""
    desk.fire()
    desk.fire(alertname="Slow", severity="warning")
    desk.later(minutes=1).resolve()
    assert desk.incident().status is Status.INVESTIGATING
    assert desk.incident().components == {"checkout": "degraded_performance"}


def test_another_component_is_not_inhibited(desk: Desk) -> None:
    """They share no component."""
    desk.fire()
    desk.fire("search", alertname="Slow", severity="warning")
    assert len(desk.incidents()) == 2


def test_a_silenced_or_resolved_source_inhibits_nothing(desk: Desk) -> None:
    """What nobody is told of cannot stand for another."""
    silence(desk, "severity=critical")
    desk.fire()
    assert desk.fire(alertname="Slow", severity="warning").opened == [1]
    desk.fire("search", alertname="Gone")
    desk.resolve("search", alertname="Gone")
    assert "suppressed_by_parent" not in reasons(desk)


def test_a_source_that_opens_nothing_mutes_until_it_ends(desk: Desk) -> None:
    """An informational alert may explain others away: then they wait for its end."""
    made = rule("alertname=Upgrade", "severity=~critical|warning", "component")
    desk.configuration = configuration(inhibit_rules=(made,))
    desk.fire(alertname="Upgrade", severity="info")
    desk.fire()
    assert desk.incidents() == []
    assert desk.alerts()[-1]["muted_by"] == f"alert {desk.alerts()[0]['fingerprint']}"
    assert desk.later(seconds=2).sweep().opened == []
    desk.resolve(alertname="Upgrade", severity="info")
    assert desk.later(seconds=2).sweep().opened == [1]


def test_a_rule_whose_sides_overlap_never_inhibits_by_the_alert_itself(desk: Desk) -> None:
    """Nor two such alerts each other: then neither would be told."""
    desk.configuration = configuration(inhibit_rules=(rule("team=shop", "team=shop"),))
    assert desk.fire(team="shop").opened == [1]
    assert desk.fire("search", team="shop").opened == [2]


def test_a_source_of_another_component_takes_the_alert_in(desk: Desk) -> None:
    """A rule of one's own may cross components that do not need each other."""
    made = rule("alertname=NetworkDown", "severity=warning", "site")
    desk.configuration = configuration(inhibit_rules=(made,))
    desk.fire("search", alertname="NetworkDown", site="eu")
    desk.fire("back-office", alertname="Slow", severity="warning", site="eu")
    assert len(desk.incidents()) == 1
    assert "inhibited by NetworkDown (search)" in desk.lines()[-1]["text"]
