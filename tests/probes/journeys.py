"""Short ways to journeys and runs for tests."""

from __future__ import annotations

from typing import Any

import yaml

from probes.journey import Journey, parse_journey
from probes.result import ProbeRun, StepResult
from probes.run import RunOptions, run_journey
from probes.secrets import EnvironmentSecrets


def journey_of(
    *steps: dict[str, Any], cleanup: tuple[dict[str, Any], ...] = (), **keys: Any
) -> Journey:
    """Return a journey of the steps, each named by its place unless it has a name."""
    named = [{"name": f"step {n}", **step} for n, step in enumerate(steps, 1)]
    swept = [{"name": f"cleanup {n}", **step} for n, step in enumerate(cleanup, 1)]
    data = {"name": "shop", "component": "shop", **keys, "steps": named}
    whole = data | ({"cleanup": swept} if swept else {})
    return parse_journey(yaml.safe_dump(whole, sort_keys=False))


def run_of(
    journey: Journey, *, secrets: dict[str, str] | None = None, options: RunOptions | None = None
) -> ProbeRun:
    """Return a run of the journey, with secrets by name."""
    environ = {f"MONITOR_SECRET_{name}": value for name, value in (secrets or {}).items()}
    return run_journey(
        journey,
        secrets=EnvironmentSecrets(environ),
        location="local",
        options=options or RunOptions(),
    )


def step_of(run: ProbeRun, name: str) -> StepResult:
    """Return a step's result."""
    return next(step for step in run.steps if step.name == name)
