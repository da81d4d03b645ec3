"""Tests of reading YAML with places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from probes.faults import Fault, FaultyInput
from probes.yamlfile import MAX_NODES, YamlDocument, parse_yaml, read_yaml, validate


class Item(BaseModel):
    """A model for these tests."""

    model_config = ConfigDict(extra="forbid")
    name: str
    count: int = 0


class Box(BaseModel):
    """A model that holds others."""

    model_config = ConfigDict(extra="forbid")
    items: list[Item]


def parsed(text: str) -> tuple[YamlDocument | None, list[Fault]]:
    """Return the document and the faults."""
    faults: list[Fault] = []
    return parse_yaml(text, faults, name="a.yml"), faults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("22:00", "22:00"),
        ("2020-01-01", "2020-01-01"),
        ("0x10", "0x10"),
        ("true", True),
        ("~", None),
        ("12", 12),
        ("'12'", "12"),
        ("1.5", 1.5),
        (".inf", ".inf"),
        ("!!str 12", "12"),
    ],
)
def test_values_follow_the_core_schema(text: str, value: object) -> None:
    """`no` is a word and a time is text; only what looks like a number is one."""
    document, faults = parsed(f"key: {text}")
    assert faults == []
    assert document is not None
    assert document.data == {"key": value}


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("a: 1\nb: [", 2, "valid YAML"),
        ("a: !python/object x", 1, "a value without a tag"),
        ("? [a]\n: b", 1, "keys that are text"),
        ("", 1, "a YAML mapping"),
        ("[" * 60 + "]" * 60, 1, "at most 40 levels"),
        ("[" * 500_000, 1, "at most 40 levels"),
        ("a: &x [1]\nb: *y", 2, "valid YAML"),
    ],
)
def test_what_cannot_be_read_is_one_fault_with_its_line(
    text: str, line: int, expected: str
) -> None:
    """A broken file is told with its line and what was expected, and nothing raises."""
    document, faults = parsed(text)
    assert document is None
    assert [(fault.line, fault.expected) for fault in faults] == [(line, expected)]


def test_a_key_given_twice_is_a_fault_that_hides_no_other() -> None:
    """One of the two would be ignored; the rest of the file can be looked at all the same."""
    document, faults = parsed("a: 1\na: 2")
    assert document is not None
    assert [(fault.line, fault.expected) for fault in faults] == [
        (2, "each key once (first on line 1)")
    ]


def test_aliases_that_expand_without_end_are_refused() -> None:
    """A bomb of anchors costs a bounded number of values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdef", "bcdefg")]  # noqa: B905
    document, faults = parsed("\n".join(lines))
    assert document is None
    assert faults[0].expected == f"at most {MAX_NODES} values"


def test_a_merged_mapping_gives_way_to_the_keys_beside_it() -> None:
    """`<<` fills in what is not given here."""
    document, _ = parsed("base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}")
    assert document is not None
    assert document.data["own"] == {"a": 1, "b": 3}


def test_every_complaint_is_placed_at_its_line() -> None:
    """All faults of a file come at once, each with line, place, value and what was expected."""
    document, faults = parsed("items:\n  - name: a\n    cuont: 2\n  - name: 5\n  - count: x\n")
    assert document is not None
    assert validate(document, Box, faults) is None
    assert [(f.line, f.place, f.value) for f in faults] == [
        (3, "items.0.cuont", "an unknown key"),
        (4, "items.1.name", "5"),
        (5, "items.2.name", "nothing"),
        (5, "items.2.count", "'x'"),
    ]
    assert "'count'; known keys: count, name" in faults[0].expected


def test_a_value_with_a_secretive_name_is_not_repeated() -> None:
    """A fault about a password does not print the password."""

    class Login(BaseModel):
        password: int

    document, faults = parsed("password: hunter2-is-long")
    assert document is not None
    validate(document, Login, faults)
    assert "hunter2" not in str(faults[0])


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """A missing or unreadable file is told like any other fault."""
    faults: list[Fault] = []
    assert read_yaml(tmp_path / "no.yml", faults) is None
    assert faults[0].expected == "a readable file"


def test_bytes_that_are_not_utf8_are_a_fault_at_their_line(tmp_path: Path) -> None:
    """The line of the first odd byte is named."""
    path, faults = tmp_path / "latin.yml", list[Fault]()
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    assert read_yaml(path, faults, name="latin.yml") is None
    assert str(faults[0]).startswith("latin.yml:2: found bytes that are not UTF-8")


def test_faulty_input_says_all_faults_in_order() -> None:
    """The message lists every fault, by file and line."""
    faults = [Fault("b.yml", 1, "", "", "x"), Fault("a.yml", 9, "p", "", "y")]
    assert str(FaultyInput(faults)) == "a.yml:9: p: expected y\nb.yml:1: expected x"


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    """Whatever is in a file, the answer is a document or faults."""
    document, faults = parsed(text)
    assert (document is None) == bool(faults)
