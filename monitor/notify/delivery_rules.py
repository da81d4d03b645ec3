"""How a channel's messages are paced, as `monitor.yml` says it, turned into what decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from incidents import pacing, quiet_hours
from probes.durations import Duration

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(value: object) -> object:
    if isinstance(value, str):
        try:
            datetime.strptime(value, "%H:%M")  # noqa: DTZ007 - a time on the wall
        except ValueError as error:
            raise ValueError("expected a time of day such as 22:00, in quotes") from error
        return value
    raise ValueError("expected a time of day such as 22:00, in quotes")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("expected an IANA time zone such as Africa/Johannesburg") from error
    return name


Clock = Annotated[str, BeforeValidator(_clock)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class LimitSettings(_Part):
    """How many messages a channel takes; first pages are never held up by it."""

    per_minute: Annotated[float, Field(gt=0, le=600)]
    burst: Annotated[int, Field(ge=1, le=1000)] = 5

    def made(self) -> pacing.Limit:
        """Return the limit."""
        return pacing.Limit(self.per_minute, self.burst)


class GroupingSettings(_Part):
    """From how many openings on a storm is told in one message."""

    more_than: Annotated[int, Field(ge=1, le=1000)] = 5
    within: Annotated[Duration, Field(ge=1, le=3600)] = 60.0
    wait: Annotated[Duration, Field(ge=1, le=600)] = 15.0

    def made(self) -> pacing.Grouping:
        """Return the grouping."""
        wait, within = timedelta(seconds=self.wait), timedelta(seconds=self.within)
        return pacing.Grouping(self.more_than, within, wait)


class QuietHoursSettings(_Part):
    """When only severe trouble gets through."""

    from_: Annotated[Clock, Field(alias="from")]
    until: Clock
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    wakes: frozenset[Literal["critical", "warning", "info"]] = frozenset({"critical"})

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.from_ == self.until:
            raise ValueError("expected two different times: these would never end")
        if "critical" not in self.wakes:
            raise ValueError("expected critical among them: it always wakes somebody")
        return self

    def made(self, site_zone: str) -> quiet_hours.QuietHours:
        """Return the hours, in the site's time zone where they name none."""
        start, end = (datetime.strptime(t, "%H:%M").time() for t in (self.from_, self.until))  # noqa: DTZ007
        return quiet_hours.QuietHours(
            start=start,
            end=end,
            zone=self.time_zone or site_zone,
            days=frozenset(DAYS.index(day) for day in self.days),
            wakes=frozenset(self.wakes),
        )


class DeliveryRules(_Part):
    """How a channel's messages are paced."""

    limit: LimitSettings | None = None
    grouping: GroupingSettings | Literal[False] | None = None
    """None: as the kind has it: on where people read, off where programs do."""
    quiet_hours: QuietHoursSettings | None = None

    @classmethod
    def of(cls, channel: Any) -> DeliveryRules:
        """Return the rules that a configured channel carries; one that has none of them is free."""
        names = ("limit", "grouping", "quiet_hours")
        return cls(**{name: getattr(channel, name, None) for name in names})
