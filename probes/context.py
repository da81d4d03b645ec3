"""What one run knows while it goes on: its names' values, its last page, its secrets."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from probes.complaints import is_secretive
from probes.failing import StepFailed
from probes.journey import Journey
from probes.page import Page
from probes.redaction import MIN_LENGTH, Redactor
from probes.references import secret_names
from probes.result import Reason
from probes.secrets import SecretSource
from probes.templates import UnknownName, fill

SHOWN = 300  # characters of a found value that a detail may hold


@dataclass
class Context:
    """The changing facts of one run; made for it and dropped with it."""

    journey: Journey
    run_id: str
    location: str
    started_at: datetime
    values: dict[str, str] = field(default_factory=dict)
    sensitive: set[str] = field(default_factory=set)
    page: Page | None = None

    def fill(self, text: str, *, escape: Callable[[str], str] = lambda value: value) -> str:
        """Return the text with its references replaced.

        Raises:
            StepFailed: a name has no value, because what should have saved it did not run.
        """
        try:
            return fill(text, self.values, escape=escape)
        except UnknownName as unknown:
            raise StepFailed(Reason.EXTRACT, f"${{{unknown.name}}} was never saved") from unknown

    def show(self, text: str) -> str:
        """Return a found text for a detail: redacted first, then shortened."""
        redacted = self.redactor().text(text)
        return redacted if len(redacted) <= SHOWN else redacted[: SHOWN - 1] + "…"

    def redactor(self) -> Redactor:
        """Return the redactor of everything sensitive that is known so far."""
        return Redactor(self.sensitive)

    def keep_secret(self, value: str) -> None:
        """Take the value out of everything this run leaves behind."""
        if len(value) >= MIN_LENGTH:
            self.sensitive.add(value)


def open_context(
    journey: Journey,
    source: SecretSource,
    *,
    run_id: str,
    location: str,
    now: datetime,
    replaced: Mapping[str, str],
) -> Context:
    """Return a context with every name that has a value before the first step.

    `replaced` are variables whose values stand in for the journey's own.

    Raises:
        MissingSecret, UnfitSecret: a secret the journey refers to cannot be used.
    """
    context = Context(journey, run_id, location, now)
    context.values |= {
        "run.id": run_id,
        "run.date": now.date().isoformat(),
        "random": secrets.token_hex(4),
        "journey": journey.name,
        "location": location,
    }
    for name in sorted(journey.secret_names | secret_names(dict(replaced))):
        value = source.get(name)
        context.values[f"secret:{name}"] = value
        context.sensitive.add(value)
    for name, text in {**journey.variables, **replaced}.items():
        context.values[name] = context.fill(text)
        if is_secretive(name):
            context.keep_secret(context.values[name])
    return context
