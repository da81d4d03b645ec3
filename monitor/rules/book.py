"""What is known of each rule between evaluations: its alerts, its series, how it is doing.

Rules are known by keys that outlive their files (`model.rule_keys`), so that a reload or a restart
finds what belongs to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from monitor.rules.alerts import Active, AlertState
from monitor.rules.model import Group, Labels, rule_keys
from monitor.rules.samples import RuleSamples
from monitor.rules.state import AlertStateStore, StoredAlert, difference
from monitor.rules.stats import GroupStats, RuleHealth


class RuleBook:
    """The state of all rules, and what of it the state store has."""

    def __init__(self, state: AlertStateStore) -> None:
        """Take up the alerts that `state` has kept."""
        self._state = state
        self._kept: dict[str, dict[Labels, Active]] = {}
        for stored in state.load():
            self._kept.setdefault(stored.rule_key, {})[stored.alert.labels] = stored.alert
        self.alerts = {key: dict(alerts) for key, alerts in self._kept.items()}
        self.hold_firing()
        self.health: dict[str, RuleHealth] = {}
        self.stats: dict[str, GroupStats] = {}
        self._ended: set[str] = set()
        self._keys: dict[tuple[str, int], str] = {}

    def reload(self, groups: tuple[Group, ...]) -> None:
        """Know these rules from now on; what is known of those that stay is kept."""
        known = set(self._keys.values())
        self._keys = rule_keys(groups)
        current = set(self._keys.values())
        self._ended = (self._ended | known) - current
        self.alerts = {key: self.alerts.get(key, {}) for key in current}
        self.health = {key: self.health.get(key, RuleHealth()) for key in current}
        self.stats = {
            group.key: replace(
                self.stats.get(group.key, GroupStats()),
                interval_seconds=group.interval_seconds,
                rules=len(group.rules),
            )
            for group in groups
        }

    def key(self, group: Group, position: int) -> str:
        """Return the key of a rule.

        Raises:
            KeyError: the group is not among those loaded last.
        """
        return self._keys[group.key, position]

    def end_removed(self, samples: RuleSamples, at: float) -> None:
        """End the series of rules that are no more."""
        for key in self._ended:
            samples.drop(key, at)
        self._ended.clear()

    def hold_firing(self) -> None:
        """Have the alerts that fire now held until they are found again, see `held`."""
        self._restored = {
            (key, labels)
            for key, alerts in self.alerts.items()
            for labels, alert in alerts.items()
            if alert.state is AlertState.FIRING
        }

    def held(
        self, key: str, found: Collection[Labels], *, still_holding: bool
    ) -> dict[Labels, Active]:
        """Return the rule's alerts from before the start that were not found but are not over.

        Once found again, or once `still_holding` is False, an alert is no longer held.
        """
        if not still_holding:
            self._restored.clear()
        if not self._restored:
            return {}
        self._restored -= {(key, labels) for labels in found}
        return {
            labels: alert
            for labels, alert in self.alerts[key].items()
            if (key, labels) in self._restored
        }

    def mark_sent(self, sent: Iterable[tuple[str, Labels]], at: float) -> None:
        """Remember that these alerts were told at `at`."""
        for key, labels in sent:
            self.alerts[key][labels] = replace(self.alerts[key][labels], last_sent_at=at)

    def keep(self) -> None:
        """Have the state store keep what changed since it last did."""
        changed: list[StoredAlert] = []
        removed: list[tuple[str, Labels]] = []
        for key in self.alerts.keys() | self._kept.keys():
            changes = difference(key, self._kept.get(key, {}), self.alerts.get(key, {}))
            changed += changes[0]
            removed += changes[1]
        if changed or removed:
            self._state.save(changed, removed)
        self._kept = {key: dict(alerts) for key, alerts in self.alerts.items() if alerts}
