"""How the monitor is itself watched, as `monitor.yml` says it: heartbeat, last resort, canary."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from monitor.notify.http import HttpAddress
from probes.durations import Duration

ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeartbeatSettings(_Part):
    """A dead-man's switch elsewhere, told again and again that all is well here."""

    url: HttpAddress
    every: Annotated[Duration, Field(ge=10, le=86_400)] = 60.0
    method: Literal["GET", "POST"] = "GET"
    timeout: Annotated[Duration, Field(ge=0.1, le=60)] = 10.0
    watchdog_within: Annotated[Duration, Field(ge=30, le=86_400)] = 300.0


class CanarySettings(_Part):
    """A made-up alert that walks the whole way from the door to a receiver and back."""

    every: Annotated[Duration, Field(ge=60, le=7 * 86_400)]
    within: Annotated[Duration, Field(ge=5, le=3600)] = 60.0
    channel: ChannelName | None = None
