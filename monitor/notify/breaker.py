"""A channel that does not answer is asked by one message at a time; the others wait, and say why.

When a channel rests is decided in `incidents.outage`, and kept in the database: all workers of all
replicas together send one probe at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.outage import Outage
from incidents.pacing import Held
from monitor.notify.message import NotifyError
from monitor.notify.noting import note, note_failure
from monitor.notify.recheck import Unsent
from monitor.notify.retry import wait_seconds
from monitor.notify.stats import DeliveryStats, Outcome
from monitor.storage import outages
from monitor.storage.deliveries import Delivery, as_delivery
from monitor.storage.store import Store, Transaction


@dataclass(frozen=True)
class Breaker:
    """Lets channels rest, and ends their rest."""

    store: Store
    stats: DeliveryStats

    def fail(
        self,
        tx: Transaction,
        delivery: Delivery,
        error: NotifyError,
        *,
        began_at: datetime,
        now: datetime,
        chance: float,
    ) -> Outage:
        """Return how the channel stands after a message was not taken; what waits says why."""
        outage = outages.record_failure(
            tx,
            delivery.channel,
            first_try=delivery.attempts == 1,
            began_at=began_at,
            now=now,
            wait_seconds=lambda probes: wait_seconds(probes, error, chance),
        )
        if outage.rests:
            self._explain(tx, outage, now)
        return outage

    def _explain(self, tx: Transaction, outage: Outage, now: datetime) -> None:
        marked = outages.hold_waiting(tx, outage.channel, outages.MOST_EXPLAINED)
        for one in map(as_delivery, marked):
            text = (
                f"Not yet told {one.who}: {one.what}; {outage.words}. It goes out once that does."
            )
            note(tx, one, now, "notification_delayed", text, Held.NO_ANSWER)
        self.stats.add(outage.channel, Outcome.HELD, len(marked))

    def give_up(
        self, tx: Transaction, outage: Outage, deadline_seconds: float, now: datetime
    ) -> None:
        """Close what has waited for a channel until its deadline, though it was never tried."""
        before = now - timedelta(seconds=deadline_seconds)
        why = Unsent.DEADLINE
        channel, words = outage.channel, outage.words
        closed = outages.give_up(tx, channel, before=before, why=why, error=words, now=now)
        for one in map(as_delivery, closed):
            note_failure(tx, one, now, words, why)
        self.stats.add(channel, Outcome.FAILED, len(closed))

    def answered(self, tx: Transaction, channel: str) -> bool:
        """End what is known of the channel's outage; returns whether it rested, and is back."""
        outage = outages.end(tx, channel)
        if outage is None or not outage.rests:
            return False
        outages.hold_waiting(tx, channel)  # told together with what has waited longer
        return True

    def not_asked(self, delivery: Delivery, now: datetime) -> None:
        """Let another message ask, where this one was to do so and did not leave."""
        if delivery.is_probe:
            with self.store.begin() as tx:
                outages.give_probe_back(tx, delivery.channel, now)
