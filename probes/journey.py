"""Journey files: YAML in, journeys out, or every fault of every file at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from probes.durations import Duration, format_duration, parse_duration
from probes.faults import Fault, FaultyInput
from probes.fields import Strict, Text, TextMap, as_list
from probes.references import reference_faults, secret_names
from probes.step import Step
from probes.templates import NAME
from probes.yamlfile import YamlDocument, parse_yaml, read_yaml, validate

MEBIBYTE = 1024 * 1024
Host = Annotated[
    str, Field(pattern=r"^(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$")
]


class Tls(Strict):
    """How the target's certificate is checked.

    `ca_file` is an authority to trust besides none other: a path, from the journey's folder on.
    """

    verify: bool = True
    ca_file: str | None = None


class Journey(Strict):
    """A probe of several requests in order; everything the file says about it."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    title: str = ""
    description: str = ""
    component: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    interval_seconds: Annotated[Duration, Field(ge=1)] = Field(default=60.0, alias="interval")
    deadline_seconds: Annotated[Duration, Field(gt=0)] = Field(default=30.0, alias="deadline")
    cleanup_deadline_seconds: Annotated[Duration, Field(gt=0)] = Field(
        default=10.0, alias="cleanup_deadline"
    )
    slow_seconds: Annotated[Duration | None, Field(gt=0)] = Field(default=None, alias="slow")
    severity: Literal["critical", "warning", "info"] = "critical"
    team: str = ""
    owner: str = ""
    runbook: str = ""
    tags: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    locations: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    engine: Literal["http", "browser"] = "http"
    confirm: bool = True
    confirm_after_seconds: Duration = Field(default=0.0, alias="confirm_after")
    recovery_runs: Annotated[int, Field(ge=1, le=100)] = 2
    fail_on_cleanup: bool = False
    allow_hosts: Annotated[tuple[Host, ...], BeforeValidator(as_list)] = ()
    max_body_bytes: Annotated[int, Field(ge=1024, le=32 * MEBIBYTE)] = 2 * MEBIBYTE
    tls: Tls = Tls()
    headers: TextMap = Field(default_factory=dict)
    variables: dict[Annotated[str, Field(pattern=f"^{NAME}$")], Text] = Field(default_factory=dict)
    second_account: dict[str, Text] = Field(default_factory=dict)
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=100)]
    cleanup: tuple[Step, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _deadline_within_interval(cls, data: Any) -> Any:
        """Where no deadline is given it is 30 s, or the interval where that is shorter."""
        if isinstance(data, Mapping) and "deadline" not in data and "interval" in data:
            return {**data, "deadline": _shorter_of_default(data["interval"])}
        return data

    @field_validator("steps", "cleanup")
    @classmethod
    def _names_differ(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Results and metrics join on the step's name."""
        _refuse_twins([step.name for step in steps])
        return steps

    @model_validator(mode="after")
    def _parts_fit(self) -> Journey:
        _refuse_twins([step.name for step in self.all_steps])
        if self.deadline_seconds > self.interval_seconds:
            raise ValueError(
                f"a deadline no longer than the interval ({format_duration(self.interval_seconds)})"
            )
        if self.second_account and not any(step.login for step in self.steps):
            raise ValueError("a step with login: true, for second_account to try")
        unknown = sorted(set(self.second_account) - set(self.variables))
        if unknown:
            raise ValueError(f"second_account to replace variables (unknown: {', '.join(unknown)})")
        return self

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Every step in the order of the file, cleanup last."""
        return self.steps + self.cleanup

    @property
    def total_seconds(self) -> float:
        """The longest a run can take: its deadline, and the cleanup's own after it."""
        return self.deadline_seconds + (self.cleanup_deadline_seconds if self.cleanup else 0.0)

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """The names of all secrets the journey refers to."""
        return frozenset(secret_names(self.model_dump(by_alias=True)))

    @property
    def heading(self) -> str:
        """What people call the journey: its title, else its name."""
        return self.title or self.name


def load_journeys(
    folder: Path, *, variables: Mapping[str, str] | None = None
) -> tuple[Journey, ...]:
    """Return every journey of `folder/*.yml` and `*.yaml`, by name.

    `variables` are values from outside the files; they win over a file's own of the same name.

    Raises:
        FaultyInput: any file is faulty; carries all faults of all files.
    """
    faults: list[Fault] = []
    paths = sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yml", ".yaml"))
    found: dict[str, tuple[Journey, YamlDocument]] = {}
    for path in paths:
        document = read_yaml(path, faults)
        journey = document and read_journey(document, faults, variables or {}, folder=path.parent)
        if not document or not journey:
            continue
        if journey.name in found:
            expected = f"a name of its own ({found[journey.name][1].file} has it too)"
            line = document.line_of(("name",))
            faults.append(Fault(document.file, line, "name", repr(journey.name), expected))
            continue
        found[journey.name] = (journey, document)
    if not paths:
        faults.append(Fault(str(folder), None, "", "no journey", "at least one file *.yml"))
    if faults:
        raise FaultyInput(faults)
    return tuple(found[name][0] for name in sorted(found))


def parse_journey(
    text: str, *, name: str = "journey.yml", variables: Mapping[str, str] | None = None
) -> Journey:
    """Return the journey that `text` says.

    Raises:
        FaultyInput: the text is faulty; carries every fault.
    """
    faults: list[Fault] = []
    document = parse_yaml(text, faults, name=name)
    journey = None
    if document is not None:
        journey = read_journey(document, faults, variables or {}, folder=Path())
    if journey is None or faults:
        raise FaultyInput(faults)
    return journey


def read_journey(
    document: YamlDocument, faults: list[Fault], variables: Mapping[str, str], *, folder: Path
) -> Journey | None:
    """Return the document as a journey, or None after adding its faults to `faults`."""
    before = len(faults)
    journey = validate(document, Journey, faults)
    faults.extend(reference_faults(document, variables))
    if journey is None or len(faults) > before:
        return None
    known = {**journey.variables, **variables}
    tls = journey.tls
    if tls.ca_file is not None:
        tls = tls.model_copy(update={"ca_file": str(folder / tls.ca_file)})
    return journey.model_copy(update={"variables": known, "tls": tls})


def _refuse_twins(names: list[str]) -> None:
    """Refuse step names that are used twice."""
    twins = sorted(name for name, count in Counter(names).items() if count > 1)
    if twins:
        raise ValueError(f"each step name once (more than one: {', '.join(map(repr, twins))})")


def _shorter_of_default(interval: object) -> object:
    """Return the deadline for an interval: 30 s or the interval itself, as written."""
    try:
        return "30s" if parse_duration(str(interval)) >= 30 else interval
    except ValueError:
        return "30s"
