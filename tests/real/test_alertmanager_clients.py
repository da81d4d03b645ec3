"""amtool cannot tell us from an Alertmanager, nor can any other client of its silences."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from monitor.clock import SystemClock
from tests.monitor.web.builders import FakeSettings, Web, services
from tests.real.alertmanager import AMTOOL, PROGRAM, alertmanager, served

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="alertmanager is not installed"),
    pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed"),
]
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
NOBODY = "00000000-0000-0000-0000-000000000000"
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Both:
    """The addresses of ours and theirs."""

    ours: str
    theirs: str

    def amtool(self, *arguments: str) -> tuple[str, str]:
        """Return what amtool says of each; ids of silences and times are made alike."""
        said = []
        for url in (self.ours, self.theirs):
            command = [str(AMTOOL), f"--alertmanager.url={url}", *arguments]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert ended.returncode == 0, (url, ended.stderr)
            said.append(alike(ended.stdout))
        return said[0], said[1]

    def ask(self, method: str, path: str, **more: Any) -> tuple[Any, Any]:
        """Return (status, body) of each."""
        answers = [requests.request(method, url + path, timeout=10, **more) for url in self]
        return answers[0], answers[1]

    def __iter__(self) -> Iterator[str]:
        return iter((self.ours, self.theirs))


def alike(text: str) -> str:
    """Return an answer without what must differ: ids, times and the order of equal lines."""
    if text.startswith(("{", '"')):
        text = json.dumps(json.loads(text))
    text = re.sub(UUID, "<id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z| UTC)", "<time>", text)
    return "\n".join(sorted(" ".join(line.split()) for line in text.splitlines()))


@pytest.fixture
def both(sqlite_store: Any, tmp_path: Path) -> Iterator[Both]:
    """Ours and theirs, both without an alert."""
    settings = FakeSettings(allowed_hosts=("127.0.0.1",))
    web = Web(services(sqlite_store, clock=SystemClock(), settings=settings))
    with served(web.app) as ours, alertmanager(tmp_path) as theirs:
        yield Both(ours, theirs)


def at(**later: float) -> str:
    """Return a time as clients write it."""
    return (datetime.now(UTC) + timedelta(**later)).isoformat().replace("+00:00", "Z")


def body(**changes: Any) -> dict[str, Any]:
    """A silence that both take; None leaves a key out."""
    given = {
        "matchers": [{"name": "alertname", "value": "Slow", "isRegex": False}],
        "startsAt": at(),
        "endsAt": at(hours=1),
        "createdBy": "ada",
        "comment": "known",
        **changes,
    }
    return {key: value for key, value in given.items() if value is not None}


def one(**matcher: Any) -> dict[str, Any]:
    """The change that makes this the only matcher."""
    given = {"name": "a", "value": "x", "isRegex": False, **matcher}
    return {"matchers": [{key: value for key, value in given.items() if value is not None}]}


BODIES: Mapping[str, dict[str, Any]] = {
    "good": {},
    "no matchers": {"matchers": []},
    "matchers missing": {"matchers": None},
    "matchers no list": {"matchers": {}},
    "equal to empty": one(value=""),
    "meets everything": one(value=".*", isRegex=True),
    "no expression": one(value="(", isRegex=True),
    "no class": one(value="[a", isRegex=True),
    "nothing to repeat": one(value="*", isRegex=True),
    "not equal": one(isEqual=False),
    "not empty": one(value="", isEqual=False),
    "bad name": one(name="a-b"),
    "empty name": one(name=""),
    "isRegex missing": one(isRegex=None),
    "isRegex a text": one(isRegex="x"),
    "value missing": one(value=None),
    "name missing": one(name=None),
    "ends before it starts": {"endsAt": at(hours=-1)},
    "ends as it starts": {"startsAt": at(hours=1), "endsAt": at(hours=1)},
    "is over": {"startsAt": at(hours=-2), "endsAt": at(hours=-1)},
    "began": {"startsAt": at(hours=-2)},
    "start missing": {"startsAt": None},
    "end missing": {"endsAt": None},
    "start no time": {"startsAt": "x"},
    "start never": {"startsAt": "0001-01-01T00:00:00.000Z"},
    "author missing": {"createdBy": None},
    "author empty": {"createdBy": ""},
    "comment missing": {"comment": None},
    "comment empty": {"comment": ""},
    "comment a number": {"comment": 3},
    "to come": {"startsAt": at(hours=1), "endsAt": at(hours=2)},
    "id no id": {"id": "nope"},
    "id unknown": {"id": NOBODY},
    "id empty": {"id": ""},
    "unknown key": {"zzz": 1},
}
RAW = {"empty": "", "cut off": "{", "null": "null"}


def test_posts_of_silences_are_answered_alike(both: Both) -> None:
    """Status and body of every good and bad request, over HTTP."""
    requests_ = {name: json.dumps(body(**changes)) for name, changes in BODIES.items()}
    for name, text in {**requests_, **RAW}.items():
        ours, theirs = both.ask("POST", "/api/v2/silences", data=text, headers=JSON)
        assert ours.status_code == theirs.status_code, (name, ours.text, theirs.text)
        assert alike(ours.text) == alike(theirs.text), name
    ours, theirs = both.ask("GET", "/api/v2/silences")
    states = [[s["status"]["state"] for s in answer.json()] for answer in (ours, theirs)]
    assert states[0] == states[1]
    assert [set(s) for s in ours.json()] == [set(s) for s in theirs.json()]


def test_single_silences_are_read_changed_and_ended_alike(both: Both) -> None:
    """By their ids, those that are none, and twice."""
    made = both.ask("POST", "/api/v2/silences", json=body())
    ids = [answer.json()["silenceID"] for answer in made]
    for method in ("GET", "DELETE"):
        for path in ("nope", NOBODY):
            ours, theirs = both.ask(method, f"/api/v2/silence/{path}")
            assert (ours.status_code, alike(ours.text)) == (theirs.status_code, alike(theirs.text))
    steps: tuple[dict[str, Any], ...] = (
        {"endsAt": at(hours=2)},
        {"comment": "still"},
        one(name="b"),
        {},
        {"comment": "x"},
    )
    history: list[list[Any]] = [[], []]
    for number, url in enumerate(both):
        begun = requests.get(f"{url}/api/v2/silence/{ids[number]}", timeout=10).json()["startsAt"]
        for changes in steps:
            posted = body(id=ids[number], startsAt=begun, **changes)
            answer = requests.post(f"{url}/api/v2/silences", json=posted, timeout=10)
            kept = answer.json()["silenceID"] == ids[number]
            read = requests.get(f"{url}/api/v2/silence/{ids[number]}", timeout=10).json()
            history[number].append((answer.status_code, kept, read["status"], read["comment"]))
        ended = requests.delete(f"{url}/api/v2/silence/{answer.json()['silenceID']}", timeout=10)
        again = requests.delete(f"{url}/api/v2/silence/{answer.json()['silenceID']}", timeout=10)
        history[number] += [ended.status_code, again.status_code]
    assert history[0] == history[1]


@pytest.mark.parametrize(
    "matcher", ['a="b"', 'a!="b"', 'a=~"b.*"', 'a!~"b.*"', 'a="c"', 'c="d"', 'z=""', "zz"]
)
def test_lists_of_silences_are_filtered_alike(both: Both, matcher: str) -> None:
    """A filter names matchers, not labels."""
    for pairs in ((("=", "b"),), (("!=", "b"),), (("=~", "b.*"),), (("=", "b"), ("=", "d"))):
        matchers = [
            {"name": name, "value": value, "isRegex": "~" in op, "isEqual": "!" not in op}
            for name, (op, value) in zip("ac", pairs, strict=False)
        ]
        both.ask("POST", "/api/v2/silences", json=body(matchers=matchers, comment=str(pairs)))
    ours, theirs = both.ask("GET", "/api/v2/silences", params={"filter": matcher})
    assert ours.status_code == theirs.status_code
    if ours.ok:
        assert {s["comment"] for s in ours.json()} == {s["comment"] for s in theirs.json()}
    else:
        assert ours.json() == theirs.json()


ALERTS = [
    {"labels": {"alertname": "Down", "severity": "critical", "component": "search"}},
    {"labels": {"alertname": "Slow", "severity": "warning", "component": "search"}},
    {"labels": {"alertname": "Slow", "severity": "warning", "component": "login"}},
    {"labels": {"alertname": "Odd", "severity": "critical", "component": "login2"}},
]
QUERIES = (
    "",
    "active=false",
    "silenced=false",
    "inhibited=false",
    "active=false&silenced=false",
    "active=false&inhibited=false",
    "active=yes",
    "active=x",
    "unprocessed=false",
    'filter=alertname%3D"Slow"',
    "filter=zz",
    "receiver=(",
)


def test_lists_of_alerts_show_the_same_silenced_and_inhibited(both: Both) -> None:
    """One alert is inhibited, one silenced, two are active: every flag leaves the same."""
    both.ask("POST", "/api/v2/alerts", json=ALERTS)
    matchers = [{"name": "component", "value": "login", "isRegex": False}]
    both.ask("POST", "/api/v2/silences", json=body(matchers=matchers))
    for query in QUERIES:
        for path in ("/api/v2/alerts", "/api/v2/alerts/groups"):
            ours, theirs = both.ask("GET", f"{path}?{query}")
            assert ours.status_code == theirs.status_code, (path, query)
            if not ours.ok:
                assert ours.json() == theirs.json()
                continue
            assert seen(ours.json()) == seen(theirs.json()), (path, query)


def seen(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what matters of each alert in a list, or in the groups of one."""
    alerts = [a for item in listed for a in item.get("alerts", [item])]
    return {
        alert["fingerprint"]: (
            alert["status"]["state"],
            len(alert["status"]["silencedBy"]),
            alert["status"]["inhibitedBy"],
            sorted(alert),
        )
        for alert in alerts
    }


def test_amtool_makes_reads_changes_and_ends_silences(both: Both, tmp_path: Path) -> None:
    """Every command that knows silences, with the same words from both."""
    both.ask("POST", "/api/v2/alerts", json=ALERTS)
    add = ("silence", "add", "--author=ada", "--comment=known", "--duration=2h")
    ours, theirs = both.amtool(*add, "component=login")
    assert ours == theirs
    for command in (
        ("silence", "query"),
        ("silence", "query", "-o", "extended"),
        ("silence", "query", "component=login"),
        ("silence", "query", "--expired", "--within=1h"),
        ("alert", "query", "--silenced", "-o", "simple"),
        ("alert", "query", "--inhibited", "-o", "simple"),
        ("alert", "query", "--active", "alertname=~Slow|Odd"),
    ):
        ours, theirs = both.amtool(*command)
        assert ours == theirs, command
        assert ours, command
    silences = both.ask("GET", "/api/v2/silences")
    for url, answer in zip(both, silences, strict=True):
        silence_id = answer.json()[0]["id"]
        tool = [str(AMTOOL), f"--alertmanager.url={url}", "silence"]
        update = [*tool, "update", "--duration=5h", "--comment=longer", silence_id]
        said = subprocess.run(update, capture_output=True, text=True, timeout=30)
        assert (said.returncode, "longer" in said.stdout) == (0, True), said.stderr
        export = subprocess.run([*tool, "query", "-o", "json"], capture_output=True, timeout=30)
        (tmp_path / "silences.json").write_bytes(export.stdout)
        subprocess.run([*tool, "import", "--force", str(tmp_path / "silences.json")], check=True)
        quiet = subprocess.run([*tool, "query", "-q"], capture_output=True, text=True, timeout=30)
        for one_id in quiet.stdout.split():
            subprocess.run([*tool, "expire", one_id], check=True, timeout=30)
        assert subprocess.run([*tool, "query", "-q"], capture_output=True).stdout.strip() == b""
