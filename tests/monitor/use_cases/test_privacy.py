"""Reporters' personal data: given out whole, erased whole, and the facts kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from incidents.errors import InvalidInputError, UnknownObjectError
from incidents.reports.intake import NewReport
from monitor.storage import schema
from monitor.storage.audit import AuditFilter, search_audit
from monitor.storage.reports import load_report, load_report_by_token
from monitor.storage.store import Store
from monitor.use_cases.conversation import add_note, answer_whether_it_works, reply, write_to_us
from monitor.use_cases.privacy import erase_old, erase_person, export_person, find_person
from monitor.use_cases.reports import Submitted, submit_report
from tests.monitor.use_cases.desk import Desk

ADDRESS = "Canary@Shop.test"
PERSONAL = ("canary", "order-77", "kettle", "af-za")  # what may be left nowhere, in lower case
PUBLIC = "https://status.test"


def submit(desk: Desk, **given: str) -> Submitted:
    fields = {
        "description": "My Kettle cannot be paid",
        "name": "Canary Bird",
        "email": ADDRESS,
        "order_reference": "ORDER-77",
        "language": "af-ZA",
        **given,
    }
    return submit_report(
        desk.store,
        desk.configuration,
        NewReport(**fields),
        public_url=PUBLIC,
        now=desk.now,
        once=f"once-{given.get('email', 'first')}",
    )


def converse(desk: Desk) -> Submitted:
    """A report that hangs on an incident, with words, answers and mails both ways."""
    desk.fire()
    sent = submit(desk)
    write_to_us(desk.store, sent.token, "The kettle again", desk.now)
    facts = {"by": "ann", "now": desk.now}
    reply(
        desk.store,
        sent.number,
        "Dear Canary, about ORDER-77",
        public_url=PUBLIC,
        site="Shop",
        by="ann",
        now=desk.now,
    )
    add_note(desk.store, sent.number, "Canary called", **facts)  # type: ignore[arg-type] # fits
    answer_whether_it_works(desk.store, sent.token, works=False, now=desk.now)
    return sent


def everything(store: Store) -> str:
    """Return all rows of all tables as one text in lower case."""
    with store.read() as connection:
        tables = schema.metadata.sorted_tables
        rows = [tuple(r) for t in tables for r in connection.execute(select(t))]
    return json.dumps(rows, default=str).lower()


def test_an_export_holds_all_that_is_held_of_an_address(desk: Desk) -> None:
    """Reports, messages, mails and answers, however the address is spelt."""
    converse(desk)
    submit(desk, email="other@shop.test", description="Somebody else")
    held = export_person(desk.store, ADDRESS.lower(), by="ann", now=desk.now)
    (report,) = held["reports"]
    assert report["reporter_name"] == "Canary Bird"
    assert report["works_now"] == "no"
    assert [m["direction"] for m in report["messages"]] == ["out", "in", "out", "note", "in", "out"]
    assert {mail["recipient"] for mail in held["mails"]} == {ADDRESS}
    assert "Somebody else" not in json.dumps(held, default=str)


def test_erasing_leaves_nothing_of_the_person_anywhere(desk: Desk) -> None:
    """No table holds a word of theirs, and their secret link is dead."""
    sent = converse(desk)
    assert all(word in everything(desk.store) for word in PERSONAL)
    counts = erase_person(desk.store, ADDRESS, by="ann", now=desk.now)
    assert counts == {"reports": 1, "messages": 6, "mails": 2}
    left = everything(desk.store)
    assert not [word for word in PERSONAL if word in left]
    assert sent.token.lower() not in left
    with desk.store.read() as connection:
        assert load_report_by_token(connection, sent.token) is None


def test_erasing_keeps_the_facts_of_report_and_incident(desk: Desk) -> None:
    """Statistics and timelines stay true."""
    sent = converse(desk)
    lines = desk.lines()
    erase_person(desk.store, f"rpt-{sent.number}", by="ann", now=desk.now)
    assert desk.lines() == lines
    with desk.store.read() as connection:
        report = load_report(connection, sent.number)
        logged = search_audit(connection, AuditFilter(action="privacy"))
    assert (report.category, report.incident_number, report.works_now) == (sent.category, 1, "no")
    assert report.erased_at == desk.now
    assert [(row.action, row.target) for row in logged] == [("privacy.erased", report.name)]


def test_another_reporter_is_left_alone(sqlite_desk: Desk) -> None:
    """Only what is of that address goes."""
    submit(sqlite_desk)
    submit(sqlite_desk, email="other@shop.test", name="Other")
    erase_person(sqlite_desk.store, ADDRESS, by="ann", now=sqlite_desk.now)
    assert "other@shop.test" in everything(sqlite_desk.store)


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("canary", InvalidInputError),
        ("", InvalidInputError),
        ("nobody@shop.test", UnknownObjectError),
        ("%@%", UnknownObjectError),
        ("RPT-99", UnknownObjectError),
    ],
)
def test_whoever_is_not_found_is_told_so(
    sqlite_desk: Desk, who: str, error: type[Exception]
) -> None:
    """A wildcard finds nobody."""
    submit(sqlite_desk)
    with sqlite_desk.store.read() as connection, pytest.raises(error):
        find_person(connection, who)


def test_what_is_personal_goes_after_its_time_and_only_from_what_is_done_with(desk: Desk) -> None:
    """An open report keeps its writer; a closed one loses them once, and says so once."""
    submit(desk)
    done = submit(desk, email="done@shop.test")
    answer_whether_it_works(desk.store, done.token, works=True, now=desk.now)
    limit = desk.now + timedelta(seconds=1)
    assert erase_old(desk.store, desk.now, desk.now) == 0
    assert erase_old(desk.store, limit, limit) == 1
    assert erase_old(desk.store, limit, limit) == 0
    assert "done@shop.test" not in everything(desk.store)
    assert ADDRESS.lower() in everything(desk.store)
    with desk.store.read() as connection:
        (row,) = search_audit(connection, AuditFilter(action="privacy.expired"))
    assert row.detail["reports"] == 1
