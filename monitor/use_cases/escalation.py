"""Escalations inside a transaction: who is told first, who next, and what the timeline says of it.

What is next is decided by `incidents.oncall.escalation`; here the decision is carried out with the
incident's `Ledger`, so that step, line and outbox rows are committed together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from incidents import outbox
from incidents.notices.uptime import duration_words
from incidents.oncall import escalation as deciding
from incidents.oncall.contacts import PERSON_MAIL, Directory, Reach, Told, reach
from incidents.oncall.escalation import Call, Escalation, Move, State, Why
from incidents.oncall.policy import Policy, policy_for
from incidents.outbox import Event, NotSent, Recipient
from incidents.timeline import AUTOMATION, Kind
from monitor.config.model import Configuration
from monitor.notify.recheck import OVER, Unsent, taken_words
from monitor.storage import escalations as rows
from monitor.storage.deliveries import recall_pages
from monitor.storage.incidents import Incident
from monitor.storage.oncall import overrides_between, people_mail

if TYPE_CHECKING:
    from monitor.use_cases.ledger import Ledger

_BECAUSE = {
    Event.OPENED: Why.OPENED,
    Event.REOPENED: Why.REOPENED,
    Event.ESCALATED: Why.WORSENED,
}
_WHY_WORDS = {
    Why.OPENED: "it has opened",
    Why.REOPENED: "it has reopened",
    Why.WORSENED: "it has become worse",
    Why.WAITED: "nobody has taken it",
    Why.UNREACHABLE: "no message of the step before could be delivered",
    Why.TIMED_OUT: "the acknowledgement has run out",
    Why.DEMANDED: "{by} asked for it",
    Why.REASSIGNED: "{by} hands it over",
}


@dataclass(frozen=True)
class Paging:
    """A call carried out as far as recipients: whom it reaches, and what they are told."""

    move: Move
    call: Call
    reach: Reach
    words: str

    @property
    def text(self) -> str:
        """Return what recipients read of the call itself."""
        names = ", ".join(self.reach.names) or "nobody"
        by = _WHY_WORDS[self.call.why].format(by=self.call.by)
        return f"Called: {names} ({self.words}, because {by})."


def directory(
    connection: Connection, configuration: Configuration, now: datetime, *, mails: bool
) -> Directory:
    """Return everybody and everything a step can name now; `mails`: there is a mail server."""
    oncall = configuration.oncall
    addresses = people_mail(connection) if mails else {}
    people = {}
    for person in oncall.people:
        mail = (person.email or addresses.get(person.name, "")) if mails else ""
        own = tuple(Recipient(channel) for channel in person.channels)
        people[person.name] = (*own, Recipient(PERSON_MAIL, mail)) if mail else own
    return Directory(
        schedules=oncall.schedules,
        teams={team.name: team.members for team in oncall.teams},
        people=people,
        channels=frozenset(channel.name for channel in configuration.channels),
        overrides=overrides_between(connection, now),
    )


def announce(ledger: Ledger, incident: Incident, event: Event) -> None:
    """Tell the channels that take the severity, and call whoever the policy names first.

    Where no policy covers the incident, channels are all there is. An escalation that runs already
    goes on, and whoever it has called hears that the incident has become worse.
    """
    known = _known(ledger, incident) if event is not Event.OPENED else None
    paging = _first_call(ledger, incident, event, known)
    channels = ledger.configuration.shared_channels
    facts = ledger.facts(incident)
    called: set[Recipient] = set()
    if event is Event.ESCALATED and known is not None:
        called = rows.called_over(ledger.tx.connection, incident.id)
    plan = outbox.openings(
        event,
        facts,
        channels,
        text=paging.text if paging else "",
        also=[r for r in ledger.told(incident) if r in called] if called else (),
        paged=paging is not None and bool(paging.reach.recipients),
    )
    ledger.tell(incident, plan)
    if paging is not None:
        carry_out(ledger, incident, paging, told={_of(sent) for sent in plan.notifications})


def _known(ledger: Ledger, incident: Incident) -> Escalation | None:
    return rows.load_escalation(ledger.tx.connection, incident.id)


def _of(sent: outbox.Notification) -> Recipient:
    return Recipient(sent.channel, sent.recipient)


def policy_of(configuration: Configuration, incident: Incident) -> Policy | None:
    """Return the policy that covers an incident as it stands, None where none does."""
    own = (incident.component,) if incident.component else ()
    names = {*incident.components, *own}
    return policy_for(configuration.oncall.policies, names, incident.severity)


def _first_call(
    ledger: Ledger, incident: Incident, event: Event, known: Escalation | None
) -> Paging | None:
    policy = policy_of(ledger.configuration, incident)
    if policy is None:
        return None
    if event is Event.ESCALATED and known is not None:
        if known.state is State.RUNNING and known.policy.name == policy.name:
            return None
        if incident.acknowledged_at is not None:
            _void(ledger, incident, _WHY_WORDS[Why.WORSENED])
    sequence = known.sequence if known else 0
    move = deciding.begin(policy, _BECAUSE[event], ledger.now, sequence=sequence)
    return prepare(ledger, move)


def prepare(ledger: Ledger, move: Move) -> Paging:
    """Return whom a move's call reaches now, the last resort included where nobody is on call."""
    call, policy = move.call, move.after.policy
    assert call is not None  # only moves that call somebody are prepared
    known = directory(ledger.tx.connection, ledger.configuration, ledger.now, mails=ledger.mails)
    found = reach(call.targets, known, ledger.now)
    lonely = not found.told or any(missed.nobody_on_call for missed in found.missed)
    if lonely and call.position != policy.length:
        last = reach(policy.last_resort, known, ledger.now)
        found = Reach((*found.told, *last.told), (*found.missed, *last.missed))
    if not found.told:  # even the last resort is gone: whoever still listens must hear
        taken = [c.name for c in ledger.configuration.shared_channels]
        anyone = tuple(Told(f"channel {name}", "", (Recipient(name),)) for name in taken)
        found = Reach(anyone, found.missed)
    words = policy.words_of(call.position) if call.position is not None else "beside the policy"
    return Paging(move, call, found, words)


def carry_out(
    ledger: Ledger,
    incident: Incident,
    paging: Paging,
    *,
    told: Collection[Recipient] = (),
) -> None:
    """Record a call with its line and its messages; `told` hear of it by another one already."""
    call, found, after = paging.call, paging.reach, paging.move.after
    recipients = [r for r in found.recipients if r not in told]
    plan = outbox.pages(
        ledger.facts(incident), recipients, sequence=call.sequence, text=paging.text
    )
    ledger.tell(incident, plan)
    ledger.note(
        incident,
        Kind.REASSIGNED if call.why is Why.REASSIGNED else Kind.ESCALATION_STEP,
        f"Escalation {after.policy.name}, {paging.words}: {_told_words(found)}, because "
        f"{_WHY_WORDS[call.why].format(by=call.by)}. {_next_words(after)}",
        actor=call.by or AUTOMATION,
        policy=after.policy.name,
        sequence=call.sequence,
        why=call.why.value,
        told=list(found.names),
    )
    for missed in found.missed:
        reason = NotSent.NOBODY_ON_CALL if missed.nobody_on_call else NotSent.NO_WAY_TO_REACH
        text = f"Not sent to {missed.target}: {missed.why}."
        ledger.note(incident, Kind.NOTIFICATION_NOT_SENT, text, reason=reason.value, channel="")
    if not found.told:
        text = "NOBODY WAS TOLD: no one is on call, and no last resort can be reached."
        data = {"reason": NotSent.NOBODY_ON_CALL.value, "channel": ""}
        ledger.note(incident, Kind.NOTIFICATION_NOT_SENT, text, **data)
    if after.state is State.EXHAUSTED:
        text = "Every step of the escalation was taken, and nobody has acknowledged."
        ledger.note(incident, Kind.ESCALATION_EXHAUSTED, text, policy=after.policy.name)
    keys = [sent.key for sent in plan.notifications]
    rows.save_escalation(ledger.tx, incident.id, after)
    rows.add_step(
        ledger.tx,
        incident.id,
        call,
        at=ledger.now,
        words=paging.words,
        reach=found,
        keys=keys if len(keys) == len(found.recipients) else (),  # else others may have heard
    )


def acknowledged(ledger: Ledger, incident: Incident, by: str) -> None:
    """Stop the escalation because `by` has taken the incident, and tell the others it called."""
    known = rows.load_escalation(ledger.tx.connection, incident.id)
    if known is None or known.state is State.ENDED:
        return
    after = deciding.acknowledge(known, ledger.now)
    rows.save_escalation(ledger.tx, incident.id, after)
    until = f" Their word holds until {_clock(after.due_at)}." if after.due_at else ""
    mine = directory(
        ledger.tx.connection, ledger.configuration, ledger.now, mails=ledger.mails
    ).people.get(by, ())
    called = rows.called_over(ledger.tx.connection, incident.id)
    others = [r for r in ledger.told(incident) if r not in mine and r in called]
    text = f"{by} has taken it; nobody else needs to.{until}"
    mark = f"{incident.reopened_count}-{known.sequence}-{by}"
    facts = ledger.facts(incident)
    ledger.tell(incident, outbox.acknowledgements(facts, others, mark=mark, text=text))
    why, words = Unsent.ACKNOWLEDGED, taken_words(by)
    recall_pages(ledger.tx, incident.id, why=why, words=words, at=ledger.now)


def ended(ledger: Ledger, incident: Incident) -> None:
    """End the escalation of an incident that is over; pages that still wait are not sent."""
    if rows.end_escalation(ledger.tx, incident.id):
        why, at = Unsent.OVER_MEANWHILE, ledger.now
        recall_pages(ledger.tx, incident.id, why=why, words=OVER, at=at)


def renewed(ledger: Ledger, incident: Incident, by: str) -> bool:
    """Let an acknowledgement hold anew; False where it never runs out anyway."""
    known = rows.load_escalation(ledger.tx.connection, incident.id)
    if known is None or known.state is not State.ACKNOWLEDGED or known.due_at is None:
        return False
    after = deciding.acknowledge(known, ledger.now)
    rows.save_escalation(ledger.tx, incident.id, after)
    text = f"{by} is still on it; their word holds until {_clock(after.due_at)}."
    ledger.note(incident, Kind.ACKNOWLEDGED, text, actor=by)
    return True


def make_move(ledger: Ledger, incident: Incident, before: Escalation, move: Move) -> None:
    """Carry out what an escalation does next, with the lines that say why."""
    if move.held_by:
        text = f"The escalation waits: {move.held_by} mutes every alert of the incident."
        ledger.note(incident, Kind.ESCALATION_HELD, text, by=move.held_by)
    if move.released:
        text = f"The escalation goes on: {before.held_by} no longer mutes it."
        ledger.note(incident, Kind.ESCALATION_HELD, text, by=before.held_by)
    if move.call is None:
        rows.save_escalation(ledger.tx, incident.id, move.after)
        return
    if move.call.why is Why.TIMED_OUT:
        held = duration_words((ledger.now - before.anchor_at).total_seconds())
        _void(ledger, incident, f"nothing has happened for {held}")
    elif incident.acknowledged_at is not None:
        _void(ledger, incident, _WHY_WORDS[move.call.why].format(by=move.call.by))
    carry_out(ledger, incident, prepare(ledger, move))


def _void(ledger: Ledger, incident: Incident, why: str) -> None:
    """Take an acknowledgement back: the incident is nobody's again."""
    owner = incident.acknowledged_by
    ledger.change(incident, acknowledged_at=None, acknowledged_by=None)
    text = f"The acknowledgement by {owner} no longer holds: {why}."
    ledger.note(incident, Kind.ACKNOWLEDGEMENT_EXPIRED, text, owner=owner)


def _told_words(found: Reach) -> str:
    if not found.told:
        return "nobody told"
    words = []
    for told in found.told:
        over = ", ".join(
            "e-mail" if r.channel == PERSON_MAIL else r.channel for r in told.recipients
        )
        who = told.person or told.target
        place = f"{told.target}, " if told.person and told.target != told.person else ""
        words.append(f"{who} ({place}{over})" if told.person else who)
    return f"telling {'; '.join(dict.fromkeys(words))}"


def _next_words(after: Escalation) -> str:
    if after.state is State.EXHAUSTED or after.due_at is None:
        return "No step follows."
    wait = duration_words((after.due_at - after.anchor_at).total_seconds())
    return f"Next in {wait}: {after.policy.words_of(after.position)}."


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M} UTC" if at else ""
