"""Bodies that ought to be forms, byte by byte: read whole, or refused with nothing recorded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from monitor.rules.engine import Engine
from monitor.samples import SampleStore
from monitor.storage import schema
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web.permissions import Role
from monitor.web.queries import Queries
from tests.hostile import TEXTS
from tests.monitor.web.builders import Web, services
from tests.monitor.web.town import Town

URLENCODED = b"application/x-www-form-urlencoded"
KINDS = (URLENCODED, b"multipart/form-data", b"multipart/form-data; boundary=y", b"x;", b"")
CHARSETS = (
    *(b"; charset=" + name for name in (b"utf-8", b"latin1", b"utf-16", b"none", b'"', b"*")),
    *(b"; charset=" + name for name in (b"utf-7", b"idna", b"undefined", b"hex", b"\xff")),
)
BYTES = TEXTS.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=30)
SPLICES = BYTES | st.sampled_from(
    [b"\r\n", b"--x", b"--x--\r\n", b'; filename="a"', b"; name*=utf-7''+2AA-", b"+2AA-", b"&=;&"]
)
_numbers = count(1)

Sent = tuple[bytes, bytes]  # the content type, and the body


def multipart(fields: dict[str, str]) -> Sent:
    """Return a form as a browser sends it that was told to send files too."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return b"multipart/form-data; boundary=x", "".join([*parts, "--x--\r\n"]).encode()


def urlencoded(fields: dict[str, str]) -> Sent:
    """Return a form as a browser sends it."""
    return URLENCODED, "&".join(f"{name}={value}" for name, value in fields.items()).encode()


@st.composite
def damage(draw: st.DrawFn, sent: Sent) -> Sent:
    """A good form in some character set, with up to two places cut out or written into."""
    kind, body = sent
    kind = draw(st.one_of(*[st.just(kind)] * 5, st.sampled_from(KINDS)))
    kind += draw(st.one_of(*[st.just(b"")] * 3, st.sampled_from(CHARSETS)))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 20)))
        body = body[:start] + draw(SPLICES) + body[end:]
    return kind, body


@dataclass
class Doors:
    """Doors that take forms, and whoever may go through them."""

    town: Town
    manager: TestClient
    csrf: str
    form: dict[str, str]

    def send(
        self, path: str, sent: Sent, tokens: dict[str, str], client: TestClient | None = None
    ) -> Response:
        """Send a body with the tokens it needs; from another address each time, or it is a flood.

        A body is drawn before the tokens are known: it has `{name}` in their places.
        """
        kind, body = sent
        for name, token in tokens.items():
            body = body.replace(b"{%s}" % name.encode(), token.encode())
        asker, number = client or self.town.client, next(_numbers)
        asker._transport.client = (f"10.1.{number // 250}.{number % 250}", 1)  # type: ignore[attr-defined] # as TestClient keeps it
        return asker.post(path, content=body, headers=[(b"content-type", kind)])

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with self.town.store.read() as connection:
            rows = select(func.count()).select_from(schema.metadata.tables[table])
            return int(connection.execute(rows).scalar_one())


@pytest.fixture(scope="module")
def doors(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A shop with its public form, and an administrator."""
    path = tmp_path_factory.mktemp("forms") / "monitor.db"
    shutil.copy(sqlite_template, path)
    store = Store(open_engine(f"sqlite:///{path}"))
    samples = SampleStore()
    queries = Queries(samples, Engine([], samples, send=list), list)
    town = Town(Web(services(store, queries=queries)))
    town.see()
    manager, csrf = town.web.as_role(Role.ADMINISTRATOR)
    yield Doors(town, manager, csrf, town.form())
    store.close()


FORMS = st.sampled_from([multipart, urlencoded])
REPORT = {
    "description": "Paying fails",
    "name": "Ada",
    "form_token": "{form_token}",
    "once": "{once}",
}
REPORTS = FORMS.flatmap(lambda write: damage(write(REPORT)))


@settings(max_examples=150)
@given(sent=REPORTS)
def test_any_report_is_taken_whole_or_refused(doors: Doors, sent: Sent) -> None:
    """What is refused leaves nothing behind; what is taken leaves one report with its words."""
    tokens = {**doors.form, "once": f"{doors.form['once']}{next(_numbers)}"}
    before = doors.count("reports"), doors.count("report_messages")
    answer = doors.send("/report", sent, tokens)
    added = doors.count("reports") - before[0], doors.count("report_messages") - before[1]
    if answer.status_code == 303:
        assert added == (1, 1)
    else:
        assert 400 <= answer.status_code < 500
        assert (added, "<h1" in answer.text) == ((0, 0), True)


TOKEN = {"name": "deploys", "scope": "read", "days": "30", "csrf": "{csrf}"}
TOKENS = FORMS.flatmap(lambda write: damage(write(TOKEN)))


@settings(max_examples=150)
@given(sent=TOKENS)
def test_any_form_of_the_console_is_carried_out_whole_or_refused(doors: Doors, sent: Sent) -> None:
    """Here a form whose fields may come several times; its own token is in the body too."""
    before = doors.count("api_tokens")
    answer = doors.send("/console/account/tokens", sent, {"csrf": doors.csrf}, doors.manager)
    assert answer.status_code < 500
    assert doors.count("api_tokens") - before == int(answer.status_code < 300)


QUERY = {"query": "vector(1)", "time": "1795338000"}


@settings(max_examples=150)
@given(sent=FORMS.flatmap(lambda write: damage(write(QUERY))))
def test_any_question_to_the_prometheus_api_is_answered_as_json(doors: Doors, sent: Sent) -> None:
    """Its forms have a reader of their own."""
    answer = doors.send("/api/v1/query", sent, {}, doors.manager)
    assert answer.status_code in (200, 400)
    assert answer.json().keys() & {"status", "error"}


@pytest.mark.parametrize(
    ("charset", "status"),
    [
        ("UTF-8", 303),
        ("ISO-8859-1", 303),
        ("utf-16", 400),  # in which the field names are no names
        ("utf-7", 400),  # half a surrogate for `+2AA-`
        ("undefined", 400),  # decodes nothing
        ("none-such", 400),
    ],
)
def test_a_form_is_read_in_character_sets_that_fit_any_bytes(
    doors: Doors, charset: str, status: int
) -> None:
    """Python knows others, some of which raise, or give texts that nothing can keep."""
    kind, body = multipart({**REPORT, "description": "+2AA- Paying fails"})
    tokens = {**doors.form, "once": f"{doors.form['once']}{next(_numbers)}"}
    answer = doors.send("/report", (kind + b"; charset=" + charset.encode(), body), tokens)
    assert answer.status_code == status
