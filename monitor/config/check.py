"""`monitor check`: every fault and every doubt about a folder, for a person to read."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.rules.lint import lint_files
from monitor.settings import Settings
from probes.faults import Fault, FaultyInput
from probes.secrets import EnvironmentSecrets, missing_secrets


def check_folder(settings: Settings, environ: Mapping[str, str]) -> int:
    """Print what is wrong with the configuration folder; return 0 where nothing is, else 1."""
    console = Console(highlight=False, soft_wrap=True)
    faults: list[Fault] = []
    configuration: Configuration | None = None
    try:
        configuration = load_configuration(settings.config)
    except FaultyInput as error:
        faults += error.faults
    if configuration is not None:
        faults += missing_secrets(configuration.journeys, EnvironmentSecrets(environ))
        faults += lint_files(configuration.rule_files)
    for fault in faults:
        console.print(str(fault), markup=False)
    if faults or configuration is None:
        console.print(f"\n{len(faults)} faults found in {settings.config}.", style="red")
        return 1
    console.print(_summary(configuration))
    return 0


def _summary(configuration: Configuration) -> str:
    parts = (
        (len(configuration.components), "components"),
        (len(configuration.journeys), "journeys"),
        (len(configuration.rule_files), "rule files"),
        (len(configuration.channels), "channels"),
    )
    said = ", ".join(f"{count} {name}" for count, name in parts)
    return f"{configuration.folder}: {said}. No fault found."
