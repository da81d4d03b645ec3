"""When groups are due: at their own offset plus multiples of their interval, as in Prometheus."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.rules.model import Group


class Slots:
    """The last slot that each group used."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def take(self, group: Group, now: float) -> int | None:
        """Use the group's present slot and return how many were missed; None if it was used.

        A group without history is due at once. A clock that went back by more than a slot begins
        a new history.
        """
        slot = int((now - group.offset_seconds()) // group.interval_seconds)
        last = self._last.get(group.key)
        if last is not None and last - 1 <= slot <= last:
            return None
        self._last[group.key] = slot
        return 0 if last is None else max(0, slot - last - 1)

    def forget_all_but(self, keys: Iterable[str]) -> None:
        """Forget groups that are no longer loaded."""
        kept = set(keys)
        self._last = {key: slot for key, slot in self._last.items() if key in kept}
