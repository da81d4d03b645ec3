"""Whether a claimed notification goes out now, waits, or is told together with others.

In this order: quiet hours, the storm, the channel's limit. A row is asked once: what had its turn,
and what is tried again, goes; but once a receiver that was away takes a message again, all that has
waited for it meanwhile is told together. Every decision is a line on the timeline with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from incidents.digest import DIGEST, fold, tell
from incidents.outbox import OPENINGS, Event
from incidents.pacing import Grouping, Held, goes_first, is_pent_up, is_storm
from incidents.quiet_hours import quiet_until
from monitor.notify.message import Context, Message
from monitor.notify.recheck import Unsent
from monitor.notify.routes import Route
from monitor.notify.stats import DeliveryStats, Outcome
from monitor.storage import deliveries, holding
from monitor.storage.deliveries import TOLD_TOGETHER, Delivery
from monitor.storage.holding import Line
from monitor.storage.store import Store, Transaction

GROUPS = (frozenset(OPENINGS), frozenset({Event.RESOLVED}))  # what is told together
PENT_UP = frozenset().union(*GROUPS)
NEVER_THROTTLED = frozenset({*OPENINGS, DIGEST})


Quiet = Callable[[Connection, Delivery, datetime], datetime | None]
"""Returns when the person whom a delivery reaches may be disturbed again, or None: now."""


def nobody_is_quiet(_connection: Connection, _delivery: Delivery, _now: datetime) -> None:
    """Disturb everybody."""


@dataclass(frozen=True)
class Pacer:
    """Decides over claimed rows, and writes down what it decided."""

    store: Store
    context: Context
    stats: DeliveryStats
    quiet: Quiet = nobody_is_quiet

    def pace(self, delivery: Delivery, route: Route, now: datetime) -> Outcome | None:
        """Return what became of a row that does not go out now, counted already; None: it goes."""
        waited = delivery.held == Held.NO_ANSWER
        if (delivery.attempts > 1 or waited) and delivery.held != Held.OUTAGE:
            outcome = self._join(delivery, route, now)
            if outcome is not None or delivery.attempts > 1:
                return outcome
        if delivery.held in TOLD_TOGETHER:
            return self._tell_together(delivery, now) if delivery.incident_id else None
        if until := self._quiet_until(delivery, route, now):
            return self._hold(delivery, Held.QUIET_HOURS, until, now)
        if delivery.held and not waited:
            return None  # its turn has come
        if route.grouping is not None and delivery.incident_id is not None:
            outcome = self._weather(delivery, route.grouping, now)
            if outcome is not None:
                return outcome
        return self._limit(delivery, route, now)

    # Quiet hours and turns ----------------------------------------------------------------------

    def _quiet_until(self, delivery: Delivery, route: Route, now: datetime) -> datetime | None:
        """Return when the channel's hours and those of the person who is told are both over."""
        hours = route.quiet_hours(self.context.time_zone)
        with self.store.read() as connection:
            return quiet_until(
                [
                    lambda at: hours.until(at, delivery.severity) if hours else None,
                    lambda at: self.quiet(connection, delivery, at),
                ],
                now,
            )

    def _hold(self, delivery: Delivery, held: Held, until: datetime, now: datetime) -> Outcome:
        with self.store.begin() as tx:
            if holding.hold(tx, delivery, held, until):
                self._note(tx, delivery, _waits(delivery, held, until), now)
        return self._counted(delivery, Outcome.HELD)

    def _limit(self, delivery: Delivery, route: Route, now: datetime) -> Outcome | None:
        limit = route.limit
        if limit is None:
            return None
        deadline = delivery.created_at + timedelta(seconds=route.settings.deadline)
        with self.store.begin() as tx:
            at = holding.take_turn(tx, delivery.channel, limit, now)
            if at <= now or delivery.event in NEVER_THROTTLED:
                return None
            if at > deadline:
                why = Unsent.THROTTLED
                if deliveries.drop(tx, delivery, now=now, why=why):
                    words = f"{delivery.channel} takes no more until after its deadline"
                    text = f"Not sent to {delivery.who}: {delivery.what}; {words}."
                    self._note(tx, delivery, Line("notification_dropped", text, why), now)
                return self._counted(delivery, Outcome.DROPPED)
            if holding.hold(tx, delivery, Held.THROTTLED, at):
                self._note(tx, delivery, _waits(delivery, Held.THROTTLED, at), now)
        return self._counted(delivery, Outcome.HELD)

    # Storms -------------------------------------------------------------------------------------

    def _weather(self, delivery: Delivery, grouping: Grouping, now: datetime) -> Outcome | None:
        """Hold what is one of too many, and all of those behind; None lets it go."""
        events = next((group for group in GROUPS if delivery.event in group), None)
        if events is None:
            return None
        since = now - grouping.within
        with self.store.read() as connection:
            crowd = holding.crowd_of(connection, delivery, events, since)
        if not is_storm(grouping, crowd):
            return None
        first = goes_first(crowd)
        with self.store.begin() as tx:
            until = holding.group_ends(tx.connection, delivery, Held.STORM) or now + grouping.wait
            line = _waits(delivery, Held.STORM, until)
            behind = holding.hold_all_behind(tx, delivery, events, line, until=until, now=now)
            if not first and holding.hold(tx, delivery, Held.STORM, until):
                self._note(tx, delivery, line, now)
        self.stats.add(delivery.channel, Outcome.HELD, behind)
        return None if first else self._counted(delivery, Outcome.HELD)

    def _tell_together(self, delivery: Delivery, now: datetime) -> Outcome | None:
        """Fold what was held for this recipient into one message; None: it goes by itself."""
        held = Held(delivery.held)
        with self.store.begin() as tx:
            waiting = holding.waiting_with(tx, delivery, now)
            if not waiting:
                return Outcome.HELD  # another worker has it
            digest = fold(waiting, held, self._page)
            if digest.over:
                holding.drop_over(tx, digest.over, Unsent.OVER_MEANWHILE, now)
                text = f"Not sent to {delivery.who}: it was over before the quiet hours were."
                line = Line("notification_dropped", text, Unsent.OVER_MEANWHILE)
                holding.note_all(tx, [one.incident_id for one in digest.over], line, now, delivery)
            if digest.together:
                key = f"digest:{delivery.id}-{digest.together[-1].id}:{len(digest.together)}"
                holding.put_digest(tx, delivery, digest, key, now)
                count = digest.payload["count"]
                one = f"Folded into one message to {delivery.who} about {count} incidents"
                text = f"{one}: {held.words}."
                line = Line("notification_folded", text, held.value)
                incidents = [one.incident_id for one in digest.together]
                holding.note_all(tx, incidents, line, now, delivery)
            holding.let_go(tx, digest.singly, delivery.id, now)
        self.stats.add(delivery.channel, Outcome.DROPPED, len(digest.over))
        self.stats.add(delivery.channel, Outcome.FOLDED, len(digest.together))
        if delivery.id in {one.id for one in digest.singly}:
            return None
        return Outcome.FOLDED if digest.together else Outcome.DROPPED

    # Receivers that were away --------------------------------------------------------------------

    def gather(self, tx: Transaction, delivery: Delivery, route: Route, now: datetime) -> int:
        """Have all that waited for this recipient told together, once one message has arrived.

        Returns how many rows wait for that now; none where they are too few.
        """
        grouping = route.grouping
        if grouping is None or not delivery.event.startswith("incident_"):
            return 0
        if not is_pent_up(grouping, *holding.pent_up(tx.connection, delivery, PENT_UP)):
            return 0
        return self._gather(tx, delivery, now + grouping.wait, now)

    def _join(self, delivery: Delivery, route: Route, now: datetime) -> Outcome | None:
        """Hold one more of those that are told together since their receiver is back."""
        grouping = route.grouping
        if grouping is None or delivery.event not in {*PENT_UP, DIGEST}:
            return None
        with self.store.read() as connection:
            until = holding.group_ends(connection, delivery, Held.OUTAGE)
            if until is None:
                incidents, messages = holding.pent_up(connection, delivery, PENT_UP)
                many = is_pent_up(grouping, incidents + 1, messages + 1)
                if not many or not holding.is_back(connection, delivery, now - grouping.within):
                    return None
        until = until or now + grouping.wait
        with self.store.begin() as tx:
            if holding.hold(tx, delivery, Held.OUTAGE, until):
                self._note(tx, delivery, _waits(delivery, Held.OUTAGE, until), now)
            behind = self._gather(tx, delivery, until, now)
        self.stats.add(delivery.channel, Outcome.HELD, behind)
        return self._counted(delivery, Outcome.HELD)

    @staticmethod
    def _gather(tx: Transaction, delivery: Delivery, until: datetime, now: datetime) -> int:
        line = _waits(delivery, Held.OUTAGE, until)
        return holding.gather(tx, delivery, PENT_UP, line, until=until, now=now)

    def retold(self, delivery: Delivery, message: Message) -> Message:
        """Return a message about several, that waited for another try, as things stand by now."""
        with self.store.read() as connection:
            told = holding.told_by(connection, delivery.id)
        if not told:
            return message
        digest = tell(told, Held(delivery.payload["reason"]), self._page)
        payload = {**message.payload, **digest.payload}
        return replace(message, subject=digest.subject, body=digest.body, payload=payload)

    @property
    def _page(self) -> str:
        return f"{self.context.site_url}/console/incidents" if self.context.site_url else ""

    def _counted(self, delivery: Delivery, outcome: Outcome) -> Outcome:
        self.stats.add(delivery.channel, outcome)
        return outcome

    @staticmethod
    def _note(tx: Transaction, delivery: Delivery, line: Line, now: datetime) -> None:
        holding.note_all(tx, [delivery.incident_id], line, now, delivery)


def _waits(delivery: Delivery, held: Held, until: datetime) -> Line:
    at = f"{until:%Y-%m-%d %H:%M:%S} UTC"
    text = f"Not yet told {delivery.who}: {held.words}. It is due at {at}."
    return Line("notification_delayed", text, held.value)
