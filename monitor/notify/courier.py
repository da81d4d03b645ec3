"""One delivery from its claim to its mark: check again, send, record what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from incidents.digest import DIGEST
from incidents.outbox import Event
from monitor.notify.breaker import Breaker
from monitor.notify.kinds import REPORTER
from monitor.notify.message import Context, Message, NotifyError
from monitor.notify.noting import note, note_failure
from monitor.notify.pacer import Pacer, Quiet, nobody_is_quiet
from monitor.notify.recheck import Facts, Unsent, Verdict, recheck
from monitor.notify.retry import next_attempt
from monitor.notify.routes import Route
from monitor.notify.stats import DeliveryStats, Outcome
from monitor.storage import deliveries, outages
from monitor.storage.deliveries import Delivery
from monitor.storage.store import Store, Transaction

OVERTIME = timedelta(hours=1)  # past its deadline by this much, its worker died again and again

Mute = Callable[[Connection, Delivery, datetime], str]
"""Returns the name of what mutes a delivery since it was queued, or an empty text."""
Link = Callable[[Connection, Delivery, datetime], str]
"""Returns where the reader of a delivery acknowledges its incident, or an empty text."""


def mute_nothing(_connection: Connection, _delivery: Delivery, _now: datetime) -> str:
    """Return that nothing is muted."""
    return ""


def no_link(_connection: Connection, _delivery: Delivery, _now: datetime) -> str:
    """Return that there is nowhere to acknowledge."""
    return ""


@dataclass(frozen=True)
class Courier:
    """Delivers claimed rows; holds nothing between two deliveries but its counts."""

    store: Store
    context: Context
    stats: DeliveryStats
    chance: Callable[[], float]
    mute: Mute = field(default=mute_nothing)
    link: Link = field(default=no_link)
    quiet: Quiet = field(default=nobody_is_quiet)

    def deliver(self, delivery: Delivery, route: Route | None, now: datetime) -> Outcome:
        """Send a claimed row if it is still worth sending, and record the outcome."""
        verdict = self._check(delivery, now)
        if verdict.drop:
            outcome = self._drop(delivery, verdict, now)
        elif route is None:
            error = NotifyError("the channel is not configured", retryable=False)
            outcome = self._refused(delivery, None, error, now)
        elif paced := self._pacer.pace(delivery, route, now):
            self._breaker.not_asked(delivery, now)
            return paced
        else:
            outcome = self._send(delivery, route, verdict.remark, now)
        if outcome is Outcome.DROPPED:
            self._breaker.not_asked(delivery, now)
        self.stats.add(delivery.channel, outcome)
        return outcome

    @property
    def _pacer(self) -> Pacer:
        return Pacer(self.store, self.context, self.stats, self.quiet)

    @property
    def _breaker(self) -> Breaker:
        return Breaker(self.store, self.stats)

    def _check(self, delivery: Delivery, now: datetime) -> Verdict:
        if delivery.incident_id is None:
            return recheck(Facts(delivery.event, mails=bool(self.context.mail.smtp_url)))
        with self.store.read() as connection:
            closing = delivery.event == Event.RESOLVED
            follows = closing or delivery.event == Event.ACKNOWLEDGED
            opening = deliveries.opening_of(connection, delivery) if follows else None
            stands = deliveries.incident_stands(connection, delivery.incident_id)
            facts = Facts(
                event=delivery.event,
                incident_status=stands.status,
                taken_by=stands.taken_by,
                opening=opening[:2] if opening else None,
                opening_tried=opening is not None and opening.was_tried,
                muted_by="" if closing else self.mute(connection, delivery, now),
            )
        return recheck(facts)

    def _send(self, delivery: Delivery, route: Route, remark: str, now: datetime) -> Outcome:
        deadline = delivery.created_at + timedelta(seconds=route.settings.deadline)
        if delivery.attempts > 1 and now > deadline + OVERTIME:
            return self._give_up(delivery, now)
        message = self._message(delivery, route, now)
        if remark:
            message = replace(message, body=f"{remark}\n\n{message.body}")
        try:
            receipt = route.send(message, self.context)
        except NotifyError as error:
            return self._refused(delivery, route, error, now)
        with self.store.begin() as tx:
            reference = receipt.reference
            if deliveries.finish(tx, delivery, state="sent", now=now, reference=reference):
                text = f"Told {delivery.who}: {delivery.what} ({receipt})."
                note(tx, delivery, now, "notification_sent", text)
            is_back = self._breaker.answered(tx, delivery.channel)
            held = self._pacer.gather(tx, delivery, route, now)
            if is_back:
                outages.release(tx, delivery.channel, now)
        self.stats.add(delivery.channel, Outcome.HELD, held)
        return Outcome.SENT

    def _give_up(self, delivery: Delivery, now: datetime) -> Outcome:
        error = NotifyError("not accepted before the channel's deadline", retryable=True)
        self._breaker.not_asked(delivery, now)
        with self.store.begin() as tx:
            self._fail(tx, delivery, error, now)
        return Outcome.FAILED

    def _message(self, delivery: Delivery, route: Route, now: datetime) -> Message:
        """Return the row as its kind sees it."""
        message = as_message(delivery)
        if delivery.event == DIGEST and (delivery.attempts > 1 or delivery.held):
            return self._pacer.retold(delivery, message)
        if delivery.incident_id is None:
            complete = self.context.complete
            return replace(message, body=complete(message.event, message.body, message.payload))
        with self.store.read() as connection:
            url = self.link(connection, delivery, now)
            opening = deliveries.opening_of(connection, delivery) if route.kind.replies else None
        reference = opening.reference if opening else ""
        return replace(message, acknowledge_url=url, opening_reference=reference)

    def _refused(
        self, delivery: Delivery, route: Route | None, error: NotifyError, began_at: datetime
    ) -> Outcome:
        """Put the row back for another attempt, or close it as failed."""
        now = max(began_at, self.context.clock.now())  # a receiver that hangs took its time
        chance = self.chance()
        with self.store.begin() as tx:
            if route is None or not error.retryable:
                self._fail(tx, delivery, error, now)
                if self._breaker.answered(tx, delivery.channel):
                    outages.release(tx, delivery.channel, now)
                return Outcome.FAILED
            outage = self._breaker.fail(
                tx, delivery, error, began_at=began_at, now=now, chance=chance
            )
            again = next_attempt(
                now=now,
                created_at=delivery.created_at,
                deadline_seconds=route.settings.deadline,
                attempt=delivery.attempts,
                error=error,
                chance=chance,
            )
            if again is None:
                self._fail(tx, delivery, error, now)
            else:
                due_at = outage.probe_at if outage.rests else again
                self._put_back(tx, delivery, error, due_at, now)
            if outage.rests:
                self._breaker.give_up(tx, outage, route.settings.deadline, now)
        return Outcome.FAILED if again is None else Outcome.RETRIED

    @staticmethod
    def _put_back(
        tx: Transaction, delivery: Delivery, error: NotifyError, due_at: datetime, now: datetime
    ) -> None:
        ours = deliveries.put_back(tx, delivery, due_at=due_at, error=str(error))
        if ours and delivery.attempts == 1:
            text = f"Not yet told {delivery.who}: {error}. It is tried again."
            note(tx, delivery, now, "notification_delayed", text)

    @staticmethod
    def _fail(tx: Transaction, delivery: Delivery, error: NotifyError, now: datetime) -> None:
        why = Unsent.DEADLINE if error.retryable else Unsent.REJECTED
        if deliveries.finish(tx, delivery, state="failed", now=now, why=why, error=str(error)):
            note_failure(tx, delivery, now, str(error), why)

    def _drop(self, delivery: Delivery, verdict: Verdict, now: datetime) -> Outcome:
        with self.store.begin() as tx:
            if deliveries.drop(tx, delivery, now=now, why=verdict.drop):
                text = f"Not sent to {delivery.who}: {delivery.what}; {verdict.text}."
                note(tx, delivery, now, "notification_dropped", text, verdict.drop)
        return Outcome.DROPPED


def as_message(delivery: Delivery) -> Message:
    """Return the row as kinds see it."""
    return Message(
        key=delivery.key,
        event=delivery.event,
        subject=delivery.subject,
        body=delivery.body,
        created_at=delivery.created_at,
        severity=delivery.severity,
        recipient=delivery.recipient,
        thread=delivery.thread,
        attempt=delivery.attempts,
        payload=delivery.payload,
        channel="" if delivery.channel == REPORTER else delivery.channel,
    )
