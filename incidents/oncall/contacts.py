"""From a step's targets to recipients: who is on call at that moment, and how each is reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from incidents.oncall.policy import Target, TargetKind
from incidents.oncall.schedule import Override, Schedule, who_is_on_call
from incidents.outbox import Recipient

PERSON_MAIL = "person"
"""The channel every installation with a mail server has: mail to a person's own address."""


@dataclass(frozen=True)
class Directory:
    """Everybody and everything a step can name, as configured now."""

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    teams: Mapping[str, Sequence[str]] = field(default_factory=dict)
    people: Mapping[str, tuple[Recipient, ...]] = field(default_factory=dict)  # how each is reached
    channels: frozenset[str] = frozenset()
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True)
class Told:
    """Somebody a step tells, and over what."""

    target: str
    person: str  # empty: a channel
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True)
class Missed:
    """A target that leads to nobody, and why."""

    target: str
    why: str
    nobody_on_call: bool = False


@dataclass(frozen=True)
class Reach:
    """Whom a step reaches and whom it does not."""

    told: tuple[Told, ...] = ()
    missed: tuple[Missed, ...] = ()

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Return every recipient once, in the order of the targets."""
        return tuple(dict.fromkeys(r for told in self.told for r in told.recipients))

    @property
    def names(self) -> tuple[str, ...]:
        """Return who is told, as people read it."""
        return tuple(dict.fromkeys(told.person or told.target for told in self.told))


def reach(targets: Sequence[Target], directory: Directory, at: datetime) -> Reach:
    """Return whom these targets mean at an instant."""
    found = [each for target in targets for each in _of(target, directory, at)]
    return Reach(
        tuple(each for each in found if isinstance(each, Told)),
        tuple(each for each in found if isinstance(each, Missed)),
    )


def _of(target: Target, directory: Directory, at: datetime) -> Iterator[Told | Missed]:
    gone = Missed(target.words, "it is no longer configured", nobody_on_call=True)
    match target.kind:
        case TargetKind.CHANNEL:
            known = target.name in directory.channels
            yield Told(target.words, "", (Recipient(target.name),)) if known else gone
        case TargetKind.PERSON:
            yield _person(target.name, target.words, directory)
        case TargetKind.TEAM:
            members = directory.teams.get(target.name, ())
            yield from (_person(member, target.words, directory) for member in members)
            if not members:
                yield gone
        case TargetKind.SCHEDULE:
            schedule = directory.schedules.get(target.name)
            yield gone if schedule is None else _on_call(schedule, target, directory, at)


def _on_call(
    schedule: Schedule, target: Target, directory: Directory, at: datetime
) -> Told | Missed:
    person = who_is_on_call(schedule, at, directory.overrides).person
    if person is None:
        return Missed(target.words, "nobody is on call there now", nobody_on_call=True)
    return _person(person, target.words, directory)


def _person(name: str, target: str, directory: Directory) -> Told | Missed:
    recipients = directory.people.get(name, ())
    if not recipients:
        return Missed(target, f"{name} has no channel and no e-mail address that works here")
    return Told(target, name, recipients)
