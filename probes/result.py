"""What a run found: the record of one run, and that record as JSON.

Free text (details, addresses, excerpts) lives here and in the log, never in a metric label. Every
text in a finished run has passed the redactor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from probes.outcome import OUR_REASONS, TARGET_REASONS, Outcome, Reason

__all__ = [
    "OUR_REASONS",
    "PHASES",
    "TARGET_REASONS",
    "Evidence",
    "Hop",
    "Outcome",
    "Phases",
    "ProbeRun",
    "Reason",
    "StepResult",
    "run_from_json",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds spent in each phase of one request; 0 where a kept connection needed none."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    transfer: float = 0.0

    def items(self) -> tuple[tuple[str, float], ...]:
        """Return (phase, seconds) in the order they happen."""
        return (
            ("dns", self.dns),
            ("connect", self.connect),
            ("tls", self.tls),
            ("first_byte", self.first_byte),
            ("transfer", self.transfer),
        )


PHASES = ("dns", "connect", "tls", "first_byte", "transfer")


@dataclass(frozen=True, slots=True)
class Hop:
    """One request on the wire; a step has one per redirect besides its own.

    `status` is 0 and `remote_address` empty where none came.
    """

    method: str
    url: str
    status: int
    remote_address: str
    phases: Phases
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was sent and received when a step did not pass, with every secret taken out."""

    request: str
    request_headers: tuple[tuple[str, str], ...]
    status: int
    response_headers: tuple[tuple[str, str], ...]
    body_excerpt: str
    final_url: str
    expectation: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step ended.

    `soft`: its failure is recorded and does not fail the run. `cleanup`: it runs always, after the
    others. `slow`: it took longer than its slow threshold, whatever its outcome.
    """

    name: str
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    duration_seconds: float = 0.0
    hops: tuple[Hop, ...] = ()
    soft: bool = False
    cleanup: bool = False
    slow: bool = False
    evidence: Evidence | None = None

    @property
    def phases(self) -> Phases | None:
        """The phases of the step's own request (its first), None where nothing was sent."""
        return self.hops[0].phases if self.hops else None


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """One execution of a journey from one location.

    `attempt` is 1 for a scheduled run and 2 for its confirmation. `duration_seconds` leaves out
    think time. `failed_step` is the first step that failed or errored, empty where none did.
    `degraded`: passed, but slower than asked or with a soft step failing. `cleanup_failed`: a
    cleanup step did not pass, which by itself does not fail the run.
    """

    id: str
    journey: str
    location: str
    attempt: int
    started_at: datetime
    duration_seconds: float
    outcome: Outcome
    reason: Reason | None = None
    failed_step: str = ""
    detail: str = ""
    degraded: bool = False
    steps: tuple[StepResult, ...] = ()
    certificate_expires_at: datetime | None = None
    cleanup_failed: bool = False

    @property
    def failing(self) -> StepResult | None:
        """The step that decided a run that did not pass, None where it passed or never started."""
        return next((step for step in self.steps if step.name == self.failed_step), None)


def to_json(run: ProbeRun) -> dict[str, Any]:
    """Return the run as JSON data; times are ISO 8601 with their zone."""
    expiry = run.certificate_expires_at
    return _fields(run) | {
        "started_at": run.started_at.isoformat(),
        "steps": [_step_to_json(step) for step in run.steps],
        "certificate_expires_at": expiry.isoformat() if expiry else None,
    }


def _step_to_json(step: StepResult) -> dict[str, Any]:
    """Return one step's result as JSON data."""
    return _fields(step) | {
        "hops": [_fields(hop) | {"phases": _fields(hop.phases)} for hop in step.hops],
        "evidence": None if step.evidence is None else _fields(step.evidence),
    }


def _fields(record: ProbeRun | StepResult | Hop | Phases | Evidence) -> dict[str, Any]:
    """Return a record's fields by name: `dataclasses.asdict` would copy every value, 10× slower."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def run_from_json(data: Mapping[str, Any]) -> ProbeRun:
    """Return the run that `to_json` made `data` from.

    Raises:
        KeyError, ValueError, TypeError: `data` is no such run.
    """
    expiry = data["certificate_expires_at"]
    return ProbeRun(
        **{key: data[key] for key in _PLAIN_RUN if key in data},
        started_at=datetime.fromisoformat(data["started_at"]),
        outcome=Outcome(data["outcome"]),
        reason=_reason(data["reason"]),
        steps=tuple(_step(step) for step in data["steps"]),
        certificate_expires_at=datetime.fromisoformat(expiry) if expiry else None,
    )


_PLAIN_RUN = (
    "id",
    "journey",
    "location",
    "attempt",
    "duration_seconds",
    "failed_step",
    "detail",
    "degraded",
    "cleanup_failed",
)
_PLAIN_STEP = ("name", "detail", "duration_seconds", "soft", "cleanup", "slow")


def _step(data: Mapping[str, Any]) -> StepResult:
    """Return one step's result."""
    return StepResult(
        **{key: data[key] for key in _PLAIN_STEP},
        outcome=Outcome(data["outcome"]),
        reason=_reason(data["reason"]),
        hops=tuple(Hop(**{**hop, "phases": Phases(**hop["phases"])}) for hop in data["hops"]),
        evidence=_evidence(data["evidence"]),
    )


def _evidence(data: Mapping[str, Any] | None) -> Evidence | None:
    """Return the evidence, its header pairs as tuples again."""
    if data is None:
        return None
    return Evidence(
        **{
            **data,
            "request_headers": _pairs(data["request_headers"]),
            "response_headers": _pairs(data["response_headers"]),
        }
    )


def _pairs(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return two-element rows as pairs."""
    return tuple((name, value) for name, value in rows)


def _reason(value: str | None) -> Reason | None:
    """Return the reason, None for none."""
    return None if value is None else Reason(value)
