"""Points of the past become episodes, and episodes become disturbances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from incidents.alerts.history import Episode, disturbances, spans

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def episode(start: int, end: int, severity: str = "critical", **labels: str) -> Episode:
    """An alert of checkout that fired between two minutes."""
    given = {"alertname": "Down", "severity": severity, "component": "checkout", **labels}
    return Episode(given, str(given), NOW + start * MINUTE, NOW + end * MINUTE)


def test_a_hole_as_wide_as_the_bridge_is_none() -> None:
    """One minute wider, and there are two stretches."""
    points = [NOW + n * MINUTE for n in (0, 1, 6, 12)]
    assert spans(points, 5 * MINUTE) == [(points[0], points[2]), (points[3], points[3])]


def test_episodes_of_one_component_within_the_window_are_one_disturbance() -> None:
    """As an incident would have been joined and reopened; later there is another."""
    found = disturbances(
        [episode(0, 5), episode(3, 9, alertname="Slow"), episode(20, 21), episode(40, 41)],
        15 * MINUTE,
    )
    assert [len(one.episodes) for one in found] == [3, 1]
    assert (found[0].starts_at, found[0].ends_at) == (NOW, NOW + 21 * MINUTE)


def test_other_components_are_disturbances_of_their_own_and_information_is_none() -> None:
    """What opens nothing rebuilds nothing."""
    found = disturbances(
        [episode(0, 5), episode(0, 5, component="search"), episode(0, 5, severity="info")],
        MINUTE,
    )
    assert [one.first.labels["component"] for one in found] == ["checkout", "search"]


def test_a_disturbance_is_named_after_its_worst_alert() -> None:
    """Not after the one that happened to come first."""
    found = disturbances([episode(0, 5, "warning", alertname="Slow"), episode(1, 5)], MINUTE)
    assert found[0].first.labels["alertname"] == "Down"
