"""`monitor check`: every fault of a folder and of the deployment's variables, for a person to read.

The parts are looked at one by one, so that a fault in one hides none in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from monitor.config.load import SHIPPED_RULES, load_configuration
from monitor.config.model import Configuration
from monitor.config.oncall_doubts import oncall_doubts
from monitor.rules.files import load_rule_files
from monitor.rules.lint import LintSettings, lint
from probes.faults import Fault, FaultyInput
from probes.secrets import PREFIX, MissingSecret, SecretSource, UnfitSecret
from probes.templates import references, texts_in
from probes.yamlfile import YamlDocument, dotted, read_yaml


def check_folder(folder: Path, secrets: SecretSource, found: Iterable[Fault] = ()) -> int:
    """Print what is wrong with the folder, after what was `found` elsewhere; return 0 or 1.

    What is merely doubtful about rules is printed too, once nothing is wrong.
    """
    console = Console(highlight=False, soft_wrap=True)
    faults = [*found]
    configuration: Configuration | None = None
    try:
        configuration = load_configuration(folder)
    except FaultyInput as error:
        faults += error.faults
    faults += secret_faults(folder, secrets)
    for fault in faults:
        console.print(str(fault), markup=False)
    if faults or configuration is None:
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
        console.print(f"\n{count} found in {folder}.", style="red")
        return 1
    settings = LintSettings(
        external_labels=configuration.external_labels, runbooks=_runbooks(configuration)
    )
    for finding in lint(load_rule_files(configuration.rule_files), settings):
        console.print(f"doubtful: {finding}", markup=False)
    for doubt in oncall_doubts(configuration, datetime.now(UTC)):
        console.print(f"doubtful: {doubt}", markup=False)
    console.print(_summary(configuration))
    return 0


def _runbooks(configuration: Configuration) -> set[str]:
    """Return the names of all runbook pages: the folder's own and the shipped ones."""
    folders = (configuration.folder / "alert_rules", SHIPPED_RULES)
    return {page.stem for folder in folders for page in (folder / "runbooks").glob("*.md")}


def secret_faults(folder: Path, secrets: SecretSource) -> Iterator[Fault]:
    """Yield a fault where a journey or channel first asks for a secret that cannot be had.

    Works on the files' plain data, so that a file that is faulty elsewhere is looked at as well.
    """
    seen: dict[str, str] = {}
    for document in documents(folder):
        told: set[str] = set()
        for place, text in texts_in(document.data):
            for name in (ref.secret for ref in references(text)):
                if name is None or name in told:
                    continue
                told.add(name)
                seen[name] = problem = seen.get(name, _problem(name, secrets))
                if problem:
                    line = document.line_of(place)
                    value = f"${{secret:{name}}}"
                    yield Fault(document.file, line, dotted(place), value, problem)


def documents(folder: Path) -> Iterator[YamlDocument]:
    """Yield the files that may refer to secrets, as far as they are YAML."""
    for path in (folder / "monitor.yml", *sorted((folder / "journeys").glob("*.y*ml"))):
        document = read_yaml(path, []) if path.is_file() else None
        if document is not None:
            yield document


def _problem(name: str, secrets: SecretSource) -> str:
    """Return what is to be done about a secret; empty where it can be had."""
    try:
        secrets.get(name)
    except MissingSecret:
        variable = PREFIX + name.upper()
        return f"a secret that is set; set {variable}, or {variable}_FILE to a readable file"
    except UnfitSecret as unfit:
        return f"a value that can be kept secret: {unfit}"
    return ""


def _summary(configuration: Configuration) -> str:
    parts = (
        (len(configuration.components), "component"),
        (len(configuration.journeys), "journey"),
        (len(configuration.rule_files), "rule file"),
        (len(configuration.channels), "channel"),
    )
    said = ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for count, name in parts)
    return f"{configuration.folder}: {said}. No fault found."
