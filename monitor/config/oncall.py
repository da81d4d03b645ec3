"""The people of `monitor.yml`: how each is reached, who takes turns, who is told in which order.

Here is the shape of `people:`, `teams:`, `schedules:` and `escalation:`, what may be wrong between
them, and how they become what `incidents.oncall` decides with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import combinations
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from incidents.oncall.policy import Policy, Step, Target, TargetKind
from incidents.oncall.rotation import Day, Hours, Layer, Rotation, first_handover
from incidents.oncall.schedule import Schedule
from incidents.oncall.wallclock import instant_of
from monitor.notify.delivery_rules import QuietHoursSettings
from monitor.notify.mail_text import is_address
from probes.durations import Duration, parse_duration
from probes.faults import Fault

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Account = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@-]{0,59}$")]
Place = tuple[str | int, ...]
Placed = Callable[[Place, object, str], Fault]
HOUR, DAY, WEEK = 3_600.0, 86_400.0, 604_800.0
_LENGTHS = {"hourly": HOUR, "daily": DAY, "weekly": WEEK}


def _length(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return _LENGTHS.get(value) or parse_duration(value)
    except ValueError as error:
        raise ValueError("expected hourly, daily, weekly, or a length such as 12h or 2w") from error


def _whole_hours(seconds: float) -> float:
    if seconds < HOUR or seconds % HOUR or seconds > 52 * WEEK:
        raise ValueError("expected whole hours, at least 1h and at most 52w")
    return seconds


def _clock(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 - a time on the wall
    except ValueError as error:
        raise ValueError("expected a time of day such as 09:00") from error


def _day(value: object) -> object:
    if isinstance(value, str) and value.upper() in Day.__members__:
        return Day[value.upper()]
    raise ValueError(f"expected one of {', '.join(day.word for day in Day)}")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("expected an IANA time zone such as Africa/Johannesburg") from error
    return name


Length = Annotated[float, BeforeValidator(_length), AfterValidator(_whole_hours)]
Clock = Annotated[time, BeforeValidator(_clock)]
Weekday = Annotated[Day, BeforeValidator(_day)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PersonSettings(_Part):
    """Somebody who can be told: an account's name, and how they are reached beside its e-mail."""

    name: Account
    channels: tuple[Name, ...] = ()
    email: str | None = None
    quiet_hours: QuietHoursSettings | None = None

    @model_validator(mode="after")
    def _mail_is_one(self) -> PersonSettings:
        if self.email is not None and not is_address(self.email):
            raise ValueError("a mail address such as thandi@shop.example")
        return self


class TeamSettings(_Part):
    """People who look after something together."""

    name: Name
    title: str = ""
    members: Annotated[tuple[Account, ...], Field(min_length=1)]


class HoursSettings(_Part):
    """Hours of the week in which a layer counts: of some days, or from one day to another."""

    days: tuple[Weekday, ...] = ()
    from_: str = Field("00:00", alias="from")
    to: str = "00:00"

    @model_validator(mode="after")
    def _is_readable(self) -> HoursSettings:
        self.hours()
        return self

    def hours(self) -> tuple[Hours, ...]:
        """Return them as parts of the week; `to` not after `from` is on the next day."""
        first, starts = _day_and_time(self.from_)
        last, ends = _day_and_time(self.to)
        if (first is None) != (last is None) or (first is not None and self.days):
            raise ValueError("either days with times (18:00), or both ends with a day (fri 18:00)")
        if first is not None and last is not None:
            return (Hours.between(first, starts, last, ends),)
        over = 1 if ends <= starts else 0
        days = self.days or tuple(Day)
        return tuple(Hours.between(d, starts, Day((d + over) % 7), ends) for d in days)


def _day_and_time(text: str) -> tuple[Day | None, time]:
    words = text.lower().split()
    day = None
    if len(words) == 2:
        day = next((d for d in Day if d.word == words[0] or d.word[:3] == words[0]), None)
    at = _clock(words[-1]) if words else None
    if not isinstance(at, time) or len(words) > 2 or (len(words) == 2 and day is None):
        raise ValueError("expected a time such as 18:00, or a day and a time such as friday 18:00")
    return day, at


class LayerSettings(_Part):
    """People who take turns; a later layer wins over an earlier one."""

    people: Annotated[tuple[Account, ...], Field(min_length=1)]
    rotates: Length = WEEK
    handover: Clock = time(9)
    weekday: Weekday | None = None
    from_: date | None = Field(None, alias="from")
    until: date | None = None
    only: tuple[HoursSettings, ...] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> LayerSettings:
        if self.weekday is not None and self.rotates % WEEK:
            raise ValueError("a weekday only where the turns are whole weeks")
        if self.weekday is not None and self.from_ and self.from_.weekday() != self.weekday:
            raise ValueError(f"a date for from that is a {self.weekday.word}, as the handover is")
        if self.until and self.from_ and self.until <= self.from_:
            raise ValueError("an until later than from")
        parts = [part for hours in self.only for part in hours.hours()]
        if any(one.overlaps(other) for one, other in combinations(parts, 2)):
            raise ValueError("hours in only that do not overlap")
        return self

    def layer(self, zone: ZoneInfo) -> Layer:
        """Return the layer, reckoned on the wall clock of `zone`."""
        midnight = datetime.combine(self.from_, time()) if self.from_ else None
        first = first_handover(
            midnight, self.handover, self.weekday, weekly=not self.rotates % WEEK
        )
        ends = datetime.combine(self.until, self.handover) if self.until else None
        return Layer(
            Rotation(self.people, timedelta(seconds=self.rotates), first, zone),
            tuple(part for hours in self.only for part in hours.hours()),
            instant_of(ends, zone) if ends else None,
        )


class ScheduleSettings(_Part):
    """One place that always ought to have a person."""

    name: Name
    title: str = ""
    team: Name
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    gaps: Literal["tell", "allowed"] = "tell"
    layers: Annotated[tuple[LayerSettings, ...], Field(min_length=1)]

    def schedule(self, site_zone: str) -> Schedule:
        """Return the schedule; without a zone of its own it keeps the site's."""
        name = self.time_zone or site_zone
        layers = tuple(layer.layer(ZoneInfo(name)) for layer in self.layers)
        allowed = self.gaps == "allowed"
        return Schedule(self.name, self.team, layers, self.title, allowed, name)


class TargetSettings(_Part):
    """One place a step tells: exactly one of the four."""

    schedule: Name | None = None
    person: Account | None = None
    team: Name | None = None
    channel: Name | None = None

    @model_validator(mode="after")
    def _is_one(self) -> TargetSettings:
        if sum(getattr(self, kind.value) is not None for kind in TargetKind) != 1:
            raise ValueError("exactly one of schedule, person, team or channel")
        return self

    @property
    def target(self) -> Target:
        """Return what it names."""
        kind = next(kind for kind in TargetKind if getattr(self, kind.value) is not None)
        return Target(kind, getattr(self, kind.value))


Targets = Annotated[tuple[TargetSettings, ...], Field(min_length=1)]


class StepSettings(_Part):
    """Who is told together, and how long is waited for one of them."""

    tell: Targets
    wait: Annotated[Duration, Field(ge=10, le=DAY)] = 300.0


class EscalationSettings(_Part):
    """Who is told in which order, for which incidents."""

    name: Name
    components: frozenset[Name] = frozenset()
    severities: frozenset[Literal["critical", "warning"]] = frozenset({"critical", "warning"})
    steps: Annotated[tuple[StepSettings, ...], Field(min_length=1, max_length=20)]
    repeat: Annotated[int, Field(ge=0, le=20)] = 0
    last_resort: Targets
    acknowledge_timeout: Annotated[Duration, Field(ge=60, le=7 * DAY)] | None = 1800.0

    @property
    def policy(self) -> Policy:
        """Return it as incidents keep it."""
        timeout = self.acknowledge_timeout
        return Policy(
            name=self.name,
            steps=tuple(
                Step(tuple(t.target for t in step.tell), timedelta(seconds=step.wait))
                for step in self.steps
            ),
            last_resort=tuple(t.target for t in self.last_resort),
            rounds=self.repeat + 1,
            acknowledge_timeout=None if timeout is None else timedelta(seconds=timeout),
            components=frozenset(self.components),
            severities=frozenset(self.severities),
        )


class OnCallFile(_Part):
    """The part of `monitor.yml` that is about people."""

    people: tuple[PersonSettings, ...] = ()
    teams: tuple[TeamSettings, ...] = ()
    schedules: tuple[ScheduleSettings, ...] = ()
    escalation: tuple[EscalationSettings, ...] = ()


@dataclass(frozen=True)
class OnCallSettings:
    """The people of a configuration; where nothing is said, channels are all there is."""

    people: tuple[PersonSettings, ...] = ()
    teams: tuple[TeamSettings, ...] = ()
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()

    @classmethod
    def of(cls, parsed: OnCallFile, site_zone: str) -> OnCallSettings:
        """Return the part of a valid file."""
        made = (settings.schedule(site_zone) for settings in parsed.schedules)
        return cls(
            people=parsed.people,
            teams=parsed.teams,
            schedules={schedule.name: schedule for schedule in made},
            policies=tuple(settings.policy for settings in parsed.escalation),
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everybody who may be on call, in the order of the file."""
        return tuple(person.name for person in self.people)

    def team_title(self, name: str) -> str:
        """Return what people call a team."""
        return next((t.title or t.name for t in self.teams if t.name == name), name)


def oncall_faults(
    parsed: OnCallFile, components: Sequence[str], channels: Sequence[str], fault: Placed
) -> Iterator[Fault]:
    """Yield what is wrong between the parts: names that repeat, or that nothing bears."""
    people = [person.name for person in parsed.people]
    teams = [team.name for team in parsed.teams]
    schedules = [schedule.name for schedule in parsed.schedules]
    known = {
        TargetKind.PERSON: people,
        TargetKind.TEAM: teams,
        TargetKind.SCHEDULE: schedules,
        TargetKind.CHANNEL: list(channels),
    }
    for part, names in (
        ("people", people),
        ("teams", teams),
        ("schedules", schedules),
        ("escalation", [policy.name for policy in parsed.escalation]),
    ):
        for name in (name for name, count in Counter(names).items() if count > 1):
            last = len(names) - 1 - names[::-1].index(name)
            yield fault((part, last), name, "a name that is not used twice")
    for place, name, among, what in _references(parsed, known):
        if name not in among:
            hint = f"one of {sorted(among)}" if among else "none is there yet"
            yield fault(place, name, f"{what} of monitor.yml ({hint})")
    for index, policy in enumerate(parsed.escalation):
        for name in sorted(policy.components - set(components)):
            place = ("escalation", index, "components")
            yield fault(place, name, f"one of {list(components)}")


def _references(
    parsed: OnCallFile, known: Mapping[TargetKind, list[str]]
) -> Iterator[tuple[Place, str, list[str], str]]:
    people, channels = known[TargetKind.PERSON], known[TargetKind.CHANNEL]
    for i, person in enumerate(parsed.people):
        for name in person.channels:
            yield ("people", i, "channels"), name, channels, "a channel"
    for i, team in enumerate(parsed.teams):
        for name in team.members:
            yield ("teams", i, "members"), name, people, "a person"
    for i, schedule in enumerate(parsed.schedules):
        team_names = known[TargetKind.TEAM]
        yield ("schedules", i, "team"), schedule.team, team_names, "a team"
        for j, layer in enumerate(schedule.layers):
            for name in layer.people:
                yield ("schedules", i, "layers", j, "people"), name, people, "a person"
    for i, policy in enumerate(parsed.escalation):
        lists: list[tuple[Place, Targets]] = [
            (("escalation", i, "steps", j, "tell"), step.tell)
            for j, step in enumerate(policy.steps)
        ]
        for place, targets in (*lists, (("escalation", i, "last_resort"), policy.last_resort)):
            for k, settings in enumerate(targets):
                kind, name = settings.target
                where = (*place, k, kind.value)
                yield where, name, known[kind], f"a {kind}"
