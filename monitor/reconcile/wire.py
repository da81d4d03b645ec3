"""The answers of a Prometheus and an Alertmanager, as far as they are read: shapes and bounds.

What is missing or null is empty. A time that cannot be, or lies where sums leave the calendar,
counts as none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from incidents.alerts.wire import NotReadable, read_time
from monitor.fetching import Unanswered

LATEST_YEAR = 9000
LATEST_SECONDS = 2e11  # in the year 8307
DECADE_SECONDS = 10 * 366 * 86_400.0
_Shape = TypeVar("_Shape", bound="Answer")


def _moment(value: object) -> datetime | None:
    try:
        at = read_time(value) if isinstance(value, str) else None
    except NotReadable:
        return None
    return at if at is None or at.year < LATEST_YEAR else None


def _texts(value: object) -> object:
    """Return labels with every value as text: a configuration may hold numbers and truths."""
    if isinstance(value, dict):
        return {str(name): str(text) for name, text in value.items()}
    return {} if value is None else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Seconds = Annotated[float, Field(ge=0, le=DECADE_SECONDS, allow_inf_nan=False)]
Instant = Annotated[float, Field(ge=0, le=LATEST_SECONDS, allow_inf_nan=False)]
Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
Word = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
_Listed = BeforeValidator(lambda value: () if value is None else value)


class Answer(BaseModel):
    """A part of an answer; what else it holds is of no concern."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class ActiveAlert(Answer):
    """An alert under a rule of a Prometheus."""

    labels: Texts = {}
    annotations: Texts = {}
    state: Word = ""
    active_at: Moment = Field(None, alias="activeAt")


class Rule(Answer):
    """An alerting rule of a Prometheus with its active alerts."""

    name: Word = ""
    health: Word = ""
    duration: Seconds = 0.0
    evaluated_at: Moment = Field(None, alias="lastEvaluation")
    alerts: Annotated[tuple[ActiveAlert, ...], _Listed] = ()


class Group(Answer):
    """A group of rules, evaluated together."""

    interval: Seconds = 60.0
    rules: Annotated[tuple[Rule, ...], _Listed] = ()


class Rules(Answer):
    """What `/api/v1/rules` holds."""

    groups: Annotated[tuple[Group, ...], _Listed] = ()


class Runtime(Answer):
    """What `/api/v1/status/runtimeinfo` holds."""

    started_at: Moment = Field(None, alias="startTime")


class Series(Answer):
    """One series of a range; of a point only its time is read."""

    metric: Texts = {}
    values: Annotated[tuple[tuple[Instant, Any], ...], _Listed] = ()


class Range(Answer):
    """What `/api/v1/query_range` holds."""

    result: Annotated[tuple[Series, ...], _Listed] = ()


class _Global(Answer):
    external_labels: Texts = {}


class _Alerting(Answer):
    alert_relabel_configs: Any = None


class Configured(Answer):
    """What a Prometheus's own configuration says of the alerts it sends."""

    global_: Annotated[_Global, BeforeValidator(lambda value: {} if value is None else value)] = (
        Field(_Global(), alias="global")
    )
    alerting: Annotated[
        _Alerting, BeforeValidator(lambda value: {} if value is None else value)
    ] = _Alerting()


class Status(Answer):
    """What an Alertmanager's `/api/v2/status` says."""

    started_at: Moment = Field(None, alias="uptime")


class _State(Answer):
    state: Word = ""


class KnownAlert(Answer):
    """An alert in an Alertmanager's `/api/v2/alerts`."""

    labels: Texts
    annotations: Texts = {}
    starts_at: Moment = Field(None, alias="startsAt")
    generator_url: Word = Field("", alias="generatorURL")
    status: Annotated[_State, BeforeValidator(lambda value: {} if value is None else value)] = (
        _State()
    )


def read(shape: type[_Shape], value: object) -> _Shape:
    """Return the part of an answer that is read.

    Raises:
        Unanswered: it has not that shape.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"])) or "the answer"
        raise Unanswered(f"answered what it should not: {place[:80]}") from error


def data_of(shape: type[_Shape], answer: object) -> _Shape:
    """Return what stands under `data` in an answer of Prometheus's own API.

    Raises:
        Unanswered: nothing of that shape does.
    """
    return read(shape, answer.get("data") if isinstance(answer, dict) else None)


def configured(data: object) -> Configured:
    """Return what the configuration in `/api/v1/status/config` says.

    Raises:
        Unanswered: there is none, or it cannot be read.
    """
    text = data.get("yaml") if isinstance(data, dict) else None
    try:
        said = yaml.safe_load(text if isinstance(text, str) else "")
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none, a depth
        raise Unanswered("/api/v1/status/config holds no configuration") from error
    return read(Configured, {} if said is None else said)
