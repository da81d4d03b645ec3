"""Tests of journey files: what they may say, and how their faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.faults import FaultyInput
from probes.journey import load_journeys, parse_journey

HEAD = "name: shop\ncomponent: shop\n"
STEP = "- name: open\n  get: https://shop.example/\n  expect: {status: 200}\n"


def indented(text: str) -> str:
    """Return the lines, two spaces in."""
    return "".join(f"  {line}\n" for line in text.splitlines())


def faults_of(text: str) -> list[str]:
    """Return the faults of a journey file as text."""
    with pytest.raises(FaultyInput) as raised:
        parse_journey(text)
    return [str(fault) for fault in raised.value.faults]


def step_faults(step: str) -> list[str]:
    """Return the faults of a journey with this one step."""
    return faults_of(f"{HEAD}steps:\n{indented(step)}")


def test_a_small_file_is_a_whole_journey() -> None:
    """Everything but name, component and steps has a default."""
    journey = parse_journey(f"{HEAD}steps:\n{indented(STEP)}")
    assert (journey.interval_seconds, journey.deadline_seconds) == (60, 30)
    assert journey.steps[0].timeout_seconds == 10
    assert (journey.confirm, journey.recovery_runs) == (True, 2)


def test_a_short_interval_shortens_the_default_deadline() -> None:
    """A journey every 5 s has a deadline of 5 s unless it says otherwise."""
    journey = parse_journey(f"{HEAD}interval: 5s\nsteps:\n{indented(STEP)}")
    assert journey.deadline_seconds == 5


def test_the_total_time_includes_cleanup_only_where_there_is_some() -> None:
    """The scheduler learns the longest a run can take."""
    plain = parse_journey(f"{HEAD}steps:\n{indented(STEP)}")
    swept = STEP.replace("open", "sweep")
    cleaned = parse_journey(f"{HEAD}steps:\n{indented(STEP)}cleanup:\n{indented(swept)}")
    assert (plain.total_seconds, cleaned.total_seconds) == (30, 40)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- name: a\n  get: /", "something to assert"),
        ("- name: a\n  get: /\n  expect: {}", "at least one condition"),
        ("- name: a\n  get: /\n  expect: {css: []}", "at least one condition"),
        ("- name: a\n  get: /\n  expect: {text: ''}", "must not be empty"),
        ("- name: a\n  get: /\n  save: {x: {css: a, missing: empty}}", "something to assert"),
        ("- name: a\n  expect: {status: 200}", "exactly one of get, post"),
        ("- name: a\n  get: /\n  post: /\n  expect: {status: 200}", "(found get and post)"),
        ("- name: a\n  get: /\n  body: x\n  expect: {status: 200}", "only with post, put"),
        ("- name: a\n  post: /\n  body: x\n  json: 1\n  expect: {status: 2xx}", "at most one of"),
        ("- name: a\n  get: /\n  fields: {b: c}\n  expect: {status: 2xx}", "only with submit"),
        ("- name: a\n  get: /\n  expect: {status: 99}", "a status such as 200"),
        ("- name: a\n  get: /\n  expect: {status: []}", "a status such as 200"),
        ("- name: a\n  get: /\n  expect: {css: 'a['}", "a CSS selector"),
        ("- name: a\n  get: /\n  expect: {json: 'a.b'}", "a JSON path such as"),
        ("- name: a\n  get: /\n  expect: {body: {matches: '('}}", "a regular expression"),
        ("- name: a\n  get: /\n  expect: {css: {select: a, count: 1, min: 1}}", "either count"),
        ("- name: a\n  get: /\n  expect: {number: {css: a}}", "one of equals, sum_of"),
        ("- name: a\n  get: /\n  expect: {number: {css: a, json: $, equals: 1}}", "exactly one of"),
        ("- name: a\n  get: /\n  expect: {time: 5}", "a duration"),
        ("- name: a\n  get: /\n  expect: {url: account}", "a path from its / on"),
        ("- name: a\n  get: /\n  redirects: 21\n  expect: {status: 2xx}", "from 0 to 20"),
        ("- name: a\n  get: /\n  save: {x: {css: a, json: $}}", "exactly one of css, regex"),
        ("- name: a\n  get: /\n  save: {random: {css: a}}", "random is built in"),
        ("- name: a\n  get: /\n  save: {1x: {css: a}}", "text matching"),
        ("- name: go to http://x\n  get: /\n  expect: {status: 2xx}", "a plain name"),
        ("- name: a\n  get: ${x}/\n  expect: {status: 2xx}", "a name defined or saved before"),
        ("- name: a\n  get: ${run.is}/\n  expect: {status: 2xx}", "did you mean 'run.id'?"),
        ("- name: a\n  get: ${secret:}/\n  expect: {status: 2xx}", "a closed reference"),
        ("- name: a\n  get: ${x\n  expect: {status: 2xx}", "a closed reference"),
    ],
)
def test_each_mistake_in_a_step_is_told(step: str, expected: str) -> None:
    """A mistake is found at load, and the message says what would be right."""
    assert any(expected in fault for fault in step_faults(step)), step_faults(step)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("deadline: 2m\n", "a deadline no longer than the interval (1m)"),
        ("interval: 60\n", "a duration"),
        ("interval: 0s\n", "at least 1"),
        ("severity: high\n", "one of 'critical', 'warning' or 'info'"),
        ("allow_hosts: ['http://x']\n", "text matching"),
        ("variables: {'a-b': c}\n", "text matching"),
        ("variables: {a: '${b}', b: c}\n", "a name defined or saved before"),
        ("second_account: {user: x}\n", "a step with login: true"),
        ("colour: red\n", "one of allow_hosts, "),
        ("recovery_runs: 0\n", "at least 1"),
    ],
)
def test_each_mistake_in_the_head_is_told(keys: str, expected: str) -> None:
    """The same for the keys of the journey itself."""
    faults = faults_of(f"{HEAD}{keys}steps:\n{indented(STEP)}")
    assert any(expected in fault for fault in faults), faults


def test_a_step_name_is_used_once_cleanup_included() -> None:
    """Metrics join on the step's name, so it says which step is meant."""
    faults = faults_of(f"{HEAD}steps:\n{indented(STEP)}cleanup:\n{indented(STEP)}")
    assert "each step name once (more than one: 'open')" in faults[0]


def test_a_saved_value_may_be_used_from_the_next_step_on() -> None:
    """Saving defines a name for later steps, not for the step itself."""
    first = "- name: a\n  get: https://x.example/\n  save: {token: {css: a}}\n"
    later = "- name: b\n  get: https://x.example/${token}\n  expect: {status: 200}\n"
    assert parse_journey(f"{HEAD}steps:\n{indented(first + later)}").steps[1].needs == {"token"}
    assert faults_of(f"{HEAD}steps:\n{indented(later + first)}")


def test_outside_variables_win_over_the_files_own() -> None:
    """The demo, or a command line, can point a journey at another shop."""
    text = f"{HEAD}variables: {{shop: 'https://a.example'}}\nsteps:\n{indented(STEP)}"
    journey = parse_journey(text, variables={"shop": "https://b.example"})
    assert journey.variables["shop"] == "https://b.example"


def test_the_secrets_of_a_journey_are_known_by_name() -> None:
    """`monitor check` can ask for every secret before the first run."""
    step = STEP + "  headers: {Authorization: 'Bearer ${secret:API_KEY}'}\n"
    journey = parse_journey(f"{HEAD}steps:\n{indented(step)}")
    assert journey.secret_names == {"API_KEY"}


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    """One run of the check is enough to repair a folder."""
    good = f"{HEAD}steps:\n{indented(STEP)}"
    (tmp_path / "a.yml").write_text(good.replace("200", "2000"))
    (tmp_path / "b.yml").write_text(good.replace("component: shop", "componet: shop"))
    (tmp_path / "c.yaml").write_text(good.replace("shop\nc", "one\nc", 1))
    (tmp_path / "d.yml").write_text(good.replace("shop\nc", "one\nc", 1))
    with pytest.raises(FaultyInput) as raised:
        load_journeys(tmp_path)
    files = [Path(fault.file).name for fault in raised.value.faults]
    assert files == ["a.yml", "b.yml", "b.yml", "d.yml"]


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    """A monitor that watches nothing must not look green."""
    with pytest.raises(FaultyInput):
        load_journeys(tmp_path)


def test_an_authority_file_is_found_beside_the_journey(tmp_path: Path) -> None:
    """A relative path starts at the journey's folder."""
    text = f"{HEAD}tls: {{ca_file: ca.pem}}\nsteps:\n{indented(STEP)}"
    (tmp_path / "shop.yml").write_text(text)
    (journey,) = load_journeys(tmp_path)
    assert journey.tls.ca_file == str(tmp_path / "ca.pem")
