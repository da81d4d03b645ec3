"""YAML files into checked models, with every fault placed at its file and line.

Values follow the YAML 1.2 core schema, so `no` is a word and `1:30` is text; only true and false
are booleans. Anchors work, within a limit on what they expand to. The parsed shape is kept beside
its line numbers, so that a model's complaint can be placed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from probes.complaints import describe, is_echo
from probes.faults import Fault, shown

Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 1_000_000
MAX_NODES = 50_000  # after aliases are expanded; the largest sensible journey has a few hundred
MAX_DEPTH = 40

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?\d{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?")
_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True)
class YamlDocument:
    """One parsed file: its data, and the line of every value in it."""

    file: str
    data: Any
    lines: Mapping[Path, int]

    def line_of(self, place: Path) -> int | None:
        """Return the line of the deepest value known along `place`.

        Parts that are not in the file (a union's tag, an index a model added) are passed over.
        """
        known: Path = ()
        for part in place:
            if (*known, part) in self.lines:
                known = (*known, part)
        return self.lines.get(known)


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """A construct that is YAML but that we do not take."""

    def __init__(self, line: int, place: Path, value: str, expected: str) -> None:
        super().__init__(expected)
        self.line, self.place, self.value, self.expected = line, place, value, expected


def read_yaml(
    path: FilePath, faults: list[Fault], *, name: str | None = None
) -> YamlDocument | None:
    """Return the file parsed, or None after adding what is wrong with it to `faults`.

    `name` is how the file is called in faults; its path by default.
    """
    name = name or str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        faults.append(Fault(name, None, "", error.strerror or str(error), "a readable file"))
        return None
    if len(raw) > MAX_BYTES:
        faults.append(Fault(name, None, "", f"{len(raw)} bytes", f"at most {MAX_BYTES} bytes"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        faults.append(Fault(name, line, "", "bytes that are not UTF-8", "a file in UTF-8"))
        return None
    return parse_yaml(text, faults, name=name)


def parse_yaml(text: str, faults: list[Fault], *, name: str) -> YamlDocument | None:
    """Return the text parsed, or None after adding what is wrong with it to `faults`.

    A key given twice is a fault and leaves a document, so that the rest of it is looked at as well.
    """
    try:
        line = _too_deep(text)
        root = yaml.compose(text, Loader=_LOADER) if line is None else None
    except yaml.YAMLError as error:
        faults.append(_syntax_fault(name, error, last_line=text.count("\n") + 1))
        return None
    if line is not None:
        faults.append(Fault(name, line, "", "nesting too deep", f"at most {MAX_DEPTH} levels"))
        return None
    if root is None:
        faults.append(Fault(name, 1, "", "an empty file", "a YAML mapping"))
        return None
    reader = _Reader(name, faults)
    try:
        data = reader.value(root, ())
    except _Refused as refused:
        faults.append(
            Fault(name, refused.line, dotted(refused.place), refused.value, refused.expected)
        )
        return None
    return YamlDocument(name, data, reader.lines)


def validate(document: YamlDocument, model: type[Model], faults: list[Fault]) -> Model | None:
    """Return the document as `model`, or None after adding every complaint to `faults`."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if is_echo(item):
                continue
            place, value, expected = describe(item, model)
            line = document.line_of(place)
            faults.append(Fault(document.file, line, dotted(place), value, expected))
        return None


def _too_deep(text: str) -> int | None:
    """Return the line where nesting passes the limit; composing it would exhaust the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return event.start_mark.line + 1 if event.start_mark else 1
    return None


def dotted(place: Path) -> str:
    """Return `place` as people read it: `steps.0.expect`."""
    return ".".join(str(part) for part in place)


def _syntax_fault(name: str, error: yaml.YAMLError, *, last_line: int) -> Fault:
    """Return where and why the text is not YAML."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line = min(mark.line + 1, last_line) if mark else 1
    return Fault(name, line, "", shown(str(problem)), "valid YAML")


class _Reader:
    """Turns composed nodes into data, keeping the line of each value."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.name, self.faults = name, faults
        self.lines: dict[Path, int] = {}
        self.nodes = 0

    def value(self, node: yaml.Node, place: Path) -> Any:
        """Return the node as plain data."""
        line = node.start_mark.line + 1
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Refused(line, (), "aliases that expand too far", f"at most {MAX_NODES} values")
        if len(place) > MAX_DEPTH:
            raise _Refused(line, place, "nesting too deep", f"at most {MAX_DEPTH} levels")
        self.lines.setdefault(place, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, n)) for n, item in enumerate(node.value)]
        return self._scalar(node, place, line) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, place: Path) -> dict[str, Any]:
        """Return a mapping; a key given twice is a fault, for one of the two would be ignored."""
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = self._key(key_node, place), key_node.start_mark.line + 1
            if key == "<<":
                self._merge(value_node, place, data)
                continue
            if key in data and (*place, key) in self.lines:
                expected = f"each key once (first on line {self.lines[(*place, key)]})"
                self.faults.append(Fault(self.name, line, dotted((*place, key)), "twice", expected))
            self.lines[(*place, key)] = line
            data[key] = self.value(value_node, (*place, key))
        return data

    def _merge(self, node: yaml.Node, place: Path, data: dict[str, Any]) -> None:
        """Add the keys of a merged mapping that are not given here."""
        merged = self.value(node, (*place, "<<"))
        if not isinstance(merged, dict):
            raise _Refused(node.start_mark.line + 1, place, "<<", "one mapping to merge")
        for key, value in merged.items():
            data.setdefault(key, value)

    def _key(self, node: yaml.Node, place: Path) -> str:
        """Return a key, which must be plain text."""
        if not isinstance(node, yaml.ScalarNode):
            raise _Refused(node.start_mark.line + 1, place, "a nested key", "keys that are text")
        return str(node.value)

    def _scalar(self, node: yaml.ScalarNode, place: Path, line: int) -> object:
        """Return one value by the YAML 1.2 core schema; quoted text stays text."""
        text = str(node.value)
        if node.tag.startswith("!") or node.tag.endswith(":binary"):
            raise _Refused(line, place, node.tag, "a value without a tag")
        if node.style or node.tag == "tag:yaml.org,2002:str":
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        return text
