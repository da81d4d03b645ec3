"""`monitor probe NAME`: one run of one journey, shown to the person who asked."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from monitor.config.load import load_configuration
from monitor.settings import Settings
from probes.faults import Fault, FaultyInput, shown
from probes.report import render_table
from probes.result import Outcome
from probes.run import run_journey
from probes.secrets import EnvironmentSecrets

EXIT_CODES = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.ERRORED: 3}


def probe_once(
    settings: Settings, environ: Mapping[str, str], name: str, location: str | None
) -> int:
    """Run the journey, print steps, phases and verdict; return 0 passed, 1 failed, 3 errored.

    Nothing is stored and nobody is told.

    Raises:
        FaultyInput: the folder has faults, or no journey or location has that name.
    """
    configuration = load_configuration(settings.config)
    journey = configuration.journey(name)
    if journey is None:
        names = ", ".join(one.name for one in configuration.journeys)
        raise FaultyInput([Fault("command line", None, "journey", shown(name), f"one of: {names}")])
    places = [one.name for one in configuration.locations]
    if location is not None and location not in places:
        expected = f"one of: {', '.join(places)}"
        raise FaultyInput([Fault("command line", None, "location", shown(location), expected)])
    run = run_journey(
        journey,
        secrets=EnvironmentSecrets(environ),
        location=location or configuration.location,
    )
    Console().print(render_table(run))
    return EXIT_CODES[run.outcome]
