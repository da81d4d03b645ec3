"""The conversation, to the reporter's own word that it works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from incidents.errors import UnknownObjectError
from monitor.storage.reports import load_messages
from monitor.use_cases.conversation import (
    add_note,
    answer_whether_it_works,
    ask_reporter,
    reply,
    teller,
    write_to_us,
)
from monitor.use_cases.report_placing import InvalidReport
from tests.monitor.use_cases.desk import Desk
from tests.monitor.use_cases.test_reports import URL, mails, stored, submit


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A desk whose incidents ask their reporters when they are resolved."""
    desk.policy = replace(desk.policy, tell_reporters=teller(URL))
    return desk


def said(desk: Desk, direction: str = "out") -> list[str]:
    """Return what was said in the first report's conversation."""
    with desk.store.read() as connection:
        messages = load_messages(connection, stored(desk).id)
    return [message.body for message in messages if message.direction == direction]


def resolved_report(desk: Desk, **facts: str) -> str:
    """A report on an incident that has just been resolved; returns its reference."""
    desk.fire("checkout")
    token = submit(desk, **facts).token
    desk.resolve("checkout")
    return token


def test_everybody_whose_report_hangs_on_it_is_asked_when_it_is_over(desk: Desk) -> None:
    """On their page, and by mail where there is an address."""
    token = resolved_report(desk, email="ada@example.test")
    assert stored(desk).is_asked
    assert (stored(desk).status, said(desk)[-1].endswith("Does it work for you now?")) == (
        "resolved",
        True,
    )
    assert f"{URL}/r/{token}" in mails(desk)[-1]["body"]
    assert [mail["event"] for mail in mails(desk)] == ["report_received", "report_resolved"]


def test_nobody_is_asked_twice_about_one_resolution(desk: Desk) -> None:
    """The same resolution told again by the alert's sender changes nothing."""
    resolved_report(desk, email="ada@example.test")
    desk.resolve("checkout")
    assert [mail["event"] for mail in mails(desk)] == ["report_received", "report_resolved"]


def test_a_reopened_incident_asks_again_when_it_is_over_again(desk: Desk) -> None:
    """With an id of its own."""
    resolved_report(desk, email="ada@example.test")
    desk.fire("checkout")
    desk.resolve("checkout")
    assert [mail["event"] for mail in mails(desk)].count("report_resolved") == 2


def test_yes_closes_the_report(desk: Desk) -> None:
    """Closed is the reporter's word."""
    token = resolved_report(desk)
    answer_whether_it_works(desk.store, token, works=True, now=desk.now)
    assert (stored(desk).status, stored(desk).works_now) == ("closed", "yes")
    assert desk.timeline()[-1] == "reporter_confirmed"


def test_no_reopens_the_report_and_counts_against_the_incident(desk: Desk) -> None:
    """The line says how many of the reports say so."""
    token = resolved_report(desk)
    answer_whether_it_works(desk.store, token, works=False, now=desk.now)
    assert (stored(desk).status, stored(desk).works_now) == ("open", "no")
    assert desk.lines()[-1]["text"].endswith("(1 of 1 reports say so)")


def test_the_same_answer_twice_is_one_answer_and_another_replaces_it(desk: Desk) -> None:
    """A second press of the button says nothing new."""
    token = resolved_report(desk)
    for works in (False, False, True):
        answer_whether_it_works(desk.store, token, works=works, now=desk.now)
    kinds = desk.timeline()
    assert (kinds.count("reporter_still_broken"), kinds.count("reporter_confirmed")) == (1, 1)
    assert stored(desk).status == "closed"


def test_a_closed_report_is_left_in_peace(desk: Desk) -> None:
    """Whoever said that it works is not asked about the next time."""
    token = resolved_report(desk, email="ada@example.test")
    answer_whether_it_works(desk.store, token, works=True, now=desk.now)
    desk.fire("checkout")
    desk.resolve("checkout")
    assert [mail["event"] for mail in mails(desk)].count("report_resolved") == 1


def test_news_reopen_a_closed_report_and_thanks_do_not(desk: Desk) -> None:
    """The message is kept either way."""
    token = resolved_report(desk)
    answer_whether_it_works(desk.store, token, works=True, now=desk.now)
    write_to_us(desk.store, token, "Thanks!", desk.now)
    assert stored(desk).status == "closed"
    write_to_us(desk.store, token, "It fails again", desk.now)
    assert (stored(desk).status, said(desk, "in")[-1]) == ("open", "It fails again")


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 5001])
def test_an_empty_or_endless_message_is_refused(sqlite_desk: Desk, text: str) -> None:
    """With the field and what to do."""
    token = submit(sqlite_desk).token
    with pytest.raises(InvalidReport, match="message"):
        write_to_us(sqlite_desk.store, token, text, sqlite_desk.now)


def test_an_unknown_reference_is_refused(sqlite_desk: Desk) -> None:
    """There is no report to write on."""
    with pytest.raises(UnknownObjectError):
        write_to_us(sqlite_desk.store, "guess", "hello", sqlite_desk.now)


def test_an_agents_answer_goes_to_the_page_and_to_the_address(desk: Desk) -> None:
    """With a question in it the report waits for the reporter."""
    submit(desk, email="ada@example.test")
    reply(
        desk.store, 1, "Which card?", by="ann", public_url=URL, site="Shop", now=desk.now, asks=True
    )
    assert (stored(desk).status, said(desk)[-1]) == ("waiting_for_user", "Which card?")
    assert mails(desk)[-1]["body"].startswith("Which card?")


def test_an_internal_note_is_kept_apart_and_mailed_to_nobody(desk: Desk) -> None:
    """It never leaves the house."""
    submit(desk, email="ada@example.test")
    add_note(desk.store, 1, "known fraudster", by="ann", now=desk.now)
    assert said(desk, "note") == ["known fraudster"]
    assert not [mail for mail in mails(desk) if "fraudster" in mail["body"]]


def test_an_agent_can_ask_one_reporter(desk: Desk) -> None:
    """Only their yes closes it."""
    submit(desk, email="ada@example.test")
    ask_reporter(desk.store, 1, by="ann", public_url=URL, site="Shop", now=desk.now)
    assert stored(desk).is_asked
    assert mails(desk)[-1]["event"] == "report_resolved"


def test_a_drafts_title_is_told_to_nobody_when_it_is_over(desk: Desk) -> None:
    """The question speaks of what was reported."""
    desk.fire("back-office")
    submit(desk, "It fails", component="back-office")
    desk.resolve("back-office")
    assert "back-office" not in said(desk)[-1]
    assert "the problem that you reported" in said(desk)[-1]
