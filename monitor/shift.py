"""What one replica at a time does: a lease in the database says which.

The holder prolongs its lease every `RENEW_SECONDS`; a replica that dies is followed by another
`LEASE` after its last word at the latest, one that stops in good order at the next renewal. A
holder that cannot reach the database stops by itself `MARGIN` before others may begin, as far as
their clocks agree to within that. On SQLite there is one process, which holds everything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from monitor.clock import Clock
from monitor.log import logger
from monitor.storage.facts import give_up_lease, take_lease
from monitor.storage.store import Store

RENEW_SECONDS = 2.0
LEASE = timedelta(seconds=10)
MARGIN = timedelta(seconds=2)

log = logger("shift")


class Shift:
    """Whether this process is the one that has a duty.

    `begins` and `ends` are called in the thread that renews, when the duty is taken or lost.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        duty: str,
        holder: str,
        *,
        alone: bool,
        begins: Callable[[], object] = lambda: None,
        ends: Callable[[], object] = lambda: None,
    ) -> None:
        self._store, self._clock = store, clock
        self._duty, self._holder, self._alone = duty, holder, alone
        self._begins, self._ends = begins, ends
        self._until = 0.0 if not alone else float("inf")
        self._began = False

    @property
    def held(self) -> bool:
        """Whether the duty is this process's now."""
        return self._clock.monotonic() < self._until

    def renew(self) -> None:
        """Take the duty if nobody has it, or prolong it; call what follows from that."""
        if not self._alone:
            self._ask()
        if self.held and not self._began:
            self._began = True
            if not self._alone:
                log.info("duty taken", duty=self._duty)
            self._begins()
        elif self._began and not self.held:
            self._began = False
            log.warning("duty lost", duty=self._duty)
            self._ends()

    def _ask(self) -> None:
        asked = self._clock.monotonic()
        with self._store.begin() as tx:
            ours = take_lease(tx, self._duty, self._holder, self._clock.now(), LEASE)
        self._until = asked + (LEASE - MARGIN).total_seconds() if ours else 0.0

    def move(self, duty: str) -> None:
        """Have another duty from the next renewal on, in place of this one."""
        if duty != self._duty:
            self.give_up()
            self._duty = duty

    def give_up(self) -> None:
        """Let another replica have the duty at once."""
        if not self._alone and self.held:
            self._until = 0.0
            with self._store.begin() as tx:
                give_up_lease(tx, self._duty, self._holder)

    def when_held(self, work: Callable[[], object]) -> Callable[[], object]:
        """Return `work` as it is done while the duty is held, and left to others otherwise."""
        return lambda: work() if self.held else None
