"""Silences in our own words: what requests carry, and how answers show one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from incidents.alerts.silences import Silence, SilenceState
from monitor.web.api.incident_asked import Body, Instant
from monitor.web.silencing import LONGEST_COMMENT, SHOWN_PERIODS

MatcherText = Annotated[str, Field(min_length=1, max_length=1_000)]
Matchers = Annotated[
    list[MatcherText],
    Field(
        min_length=1,
        max_length=50,
        description="All must hold. Each is a label, one of = != =~ !~, and a value in quotes.",
    ),
]


class RecurrenceGiven(Body):
    """When a silence comes back; at most 400 times and for a year."""

    model_config = ConfigDict(from_attributes=True)

    rule: str = Field(max_length=500, description="RFC 5545: `FREQ=WEEKLY;BYDAY=SU`.")
    time_zone: str = Field("UTC", max_length=80, description="Whose clocks the rule follows.")


class SilenceGiven(Body):
    """What a silence is to mute, when and why; the start is included, the end is not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "matchers": ['component="checkout"', 'severity!="critical"'],
                    "starts_at": "2026-11-29T02:00:00+02:00",
                    "ends_at": "2026-11-29T04:00:00+02:00",
                    "comment": "the weekly backup slows it down",
                    "recurrence": {
                        "rule": "FREQ=WEEKLY;BYDAY=SU;UNTIL=20270131",
                        "time_zone": "Africa/Johannesburg",
                    },
                }
            ]
        }
    )

    matchers: Matchers
    starts_at: Instant | None = Field(
        None, description="Of the first occurrence; without it now, or for a change as it is shown."
    )
    ends_at: Instant = Field(description="Of the first occurrence.")
    comment: str = Field(min_length=1, max_length=LONGEST_COMMENT)
    recurrence: RecurrenceGiven | None = None


class MatchersGiven(Body):
    """What a silence would mute."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"matchers": ['component="checkout"']}]}
    )

    matchers: Matchers


class Occurrence(BaseModel):
    """A period in which a silence mutes; the start is included, the end is not."""

    starts_at: datetime
    ends_at: datetime


class SilenceView(BaseModel):
    """One silence as it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0b8f1f5e-3c1f-4d53-9d2b-6f1c1a4f7a10",
                    "state": "pending",
                    "matchers": ['component="checkout"'],
                    "starts_at": "2026-11-29T00:00:00Z",
                    "ends_at": "2026-11-29T02:00:00Z",
                    "recurrence": {
                        "rule": "FREQ=WEEKLY;BYDAY=SU;COUNT=2",
                        "time_zone": "Africa/Johannesburg",
                    },
                    "occurrences": [
                        {"starts_at": "2026-11-29T00:00:00Z", "ends_at": "2026-11-29T02:00:00Z"},
                        {"starts_at": "2026-12-06T00:00:00Z", "ends_at": "2026-12-06T02:00:00Z"},
                    ],
                    "over_at": "2026-12-06T02:00:00Z",
                    "comment": "the weekly backup slows it down",
                    "created_by": "ann",
                    "updated_at": "2026-11-22T09:00:00Z",
                    "expired_by": "",
                }
            ]
        }
    )

    id: str
    state: SilenceState = Field(description="Between two occurrences it is pending.")
    matchers: list[str]
    starts_at: datetime = Field(description="Of the occurrence under way, else next, else last.")
    ends_at: datetime
    recurrence: RecurrenceGiven | None
    occurrences: list[Occurrence] = Field(
        description=f"Those that are not over, the earliest first; at most {SHOWN_PERIODS}."
    )
    over_at: datetime = Field(description="When the last occurrence ends.")
    comment: str
    created_by: str
    updated_at: datetime
    expired_by: str = Field(description="Who ended it before its time; empty: nobody.")


class Silences(BaseModel):
    """Silences: active ones by their end, then pending ones, then those that are over."""

    silences: list[SilenceView]
    count: int = Field(description="Of all that match, listed or not.")


class PreviewView(BaseModel):
    """What a silence would mute if it began now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "alerts": 2,
                    "examples": ["JourneyDown (checkout)", "Slow (checkout)"],
                    "rules": ["JourneyDown", "Slow"],
                    "incidents": [7],
                    "warnings": ["It would mute 1 critical alert: nobody wakes."],
                }
            ]
        }
    )

    alerts: int = Field(description="How many that are open now.")
    examples: list[str] = Field(description="Some of them, the first received first.")
    rules: list[str] = Field(description="Those whose labels, as their file gives them, fit.")
    incidents: list[int] = Field(description="The open incidents that these alerts belong to.")
    warnings: list[str] = Field(description="What to think about first.")


def view_of(silence: Silence, now: datetime) -> SilenceView:
    """Return a silence as it stands at `now`."""
    starts_at, ends_at = silence.period(now)
    periods = silence.periods or ((starts_at, ends_at),)
    coming = [period for period in periods if period[1] > now][:SHOWN_PERIODS]
    recurrence = silence.recurrence
    return SilenceView(
        id=silence.id,
        state=silence.state(now),
        matchers=[str(matcher) for matcher in silence.matchers],
        starts_at=starts_at,
        ends_at=ends_at,
        recurrence=RecurrenceGiven.model_validate(recurrence) if recurrence else None,
        occurrences=[Occurrence(starts_at=start, ends_at=end) for start, end in coming],
        over_at=silence.ends_at,
        comment=silence.comment,
        created_by=silence.created_by,
        updated_at=silence.updated_at,
        expired_by=silence.expired_by,
    )
