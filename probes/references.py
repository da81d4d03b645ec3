"""Which names a journey file uses before they have a value: found at load.

Works on the file's plain data, so that a file that is faulty elsewhere is checked as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from probes.faults import Fault
from probes.templates import BUILT_IN, Reference, references, texts_in
from probes.yamlfile import Path, YamlDocument, dotted

_NOT_TEMPLATES = frozenset({"name", "title", "description", "runbook", "team", "owner"})


def reference_faults(document: YamlDocument, variables: Mapping[str, str]) -> Iterator[Fault]:
    """Yield a fault for every reference that would have no value when its step runs.

    Variables are defined from top to bottom, then by each step's `save`. Cleanup steps may use what
    any step saves: one whose values never came is skipped.
    """
    data = document.data if isinstance(document.data, Mapping) else {}
    own = data.get("variables")
    known = set(variables)
    for name, value in own.items() if isinstance(own, Mapping) else ():
        yield from _unknown(document, ("variables", name), value, known)
        known.add(str(name))
    for key in ("headers", "second_account"):
        yield from _unknown(document, (key,), data.get(key), known)
    for key in ("steps", "cleanup"):
        for number, step in enumerate(_steps(data, key)):
            yield from _unknown(document, (key, number), _without_names(step), known)
            saved = step.get("save")
            known |= set(map(str, saved)) if isinstance(saved, Mapping) else set()


def secret_names(data: Any) -> set[str]:
    """Return the names of all secrets that JSON-like data refers to."""
    found = (ref.secret for _, text in texts_in(data) for ref in references(text))
    return {name for name in found if name is not None}


def _steps(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the steps under `key`, as far as they have the shape of steps."""
    steps = data.get(key)
    listed = steps if isinstance(steps, list) else []
    return [step if isinstance(step, Mapping) else {} for step in listed]


def _without_names(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a step that are filled in when it runs."""
    return {key: value for key, value in step.items() if key not in _NOT_TEMPLATES}


def _unknown(document: YamlDocument, place: Path, data: Any, known: set[str]) -> Iterator[Fault]:
    """Yield a fault for every reference in `data` to a name that is not known."""
    for inner, text in texts_in(data):
        for reference in references(text):
            if reference.secret is None and reference.text not in known | set(BUILT_IN):
                where = place + inner
                yield Fault(
                    document.file,
                    document.line_of(where),
                    dotted(where),
                    f"${{{reference.text}}}",
                    _expected(reference, known),
                )


def _expected(reference: Reference, known: set[str]) -> str:
    """Return which names could have been meant."""
    names = sorted(known) + list(BUILT_IN)
    close = difflib.get_close_matches(reference.text, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    if not reference.is_well_formed:
        return f"a closed reference such as ${{name}} or ${{secret:NAME}} ($${{ for itself){hint}"
    return f"a name defined or saved before this step: {', '.join(names)}{hint}"
