"""A report: heard, linked and answered at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import RowMapping, select

from incidents.reports.intake import NewReport
from incidents.reports.linking import LinkKind
from monitor.config.model import Category
from monitor.storage.reports import Report, load_report, reports_after
from monitor.storage.schema import outbox
from monitor.use_cases.report_links import join_incident, link_report
from monitor.use_cases.report_placing import InvalidReport
from monitor.use_cases.reports import DifferentRequest, Submitted, submit_report
from tests.monitor.use_cases.desk import Desk

URL = "https://status.example.test"
SECRET_WORDS = "paying fails, says Ada at 12 Rose Street"


def submit(
    desk: Desk, description: str = "Paying fails", once: str = "", **facts: Any
) -> Submitted:
    """Send a report at the desk's present."""
    report = NewReport(description, **facts)
    return submit_report(
        desk.store, desk.configuration, report, public_url=URL, now=desk.now, once=once
    )


def stored(desk: Desk, number: int = 1) -> Report:
    """Return a report as the database has it."""
    with desk.store.read() as connection:
        return load_report(connection, number)


def mails(desk: Desk) -> list[RowMapping]:
    """Return what is queued for reporters."""
    with desk.store.read() as connection:
        statement = select(outbox).where(outbox.c.channel == "reporter").order_by(outbox.c.id)
        return list(connection.execute(statement).mappings())


def test_a_report_about_an_open_incident_is_linked_and_told_since_when(desk: Desk) -> None:
    """The answer comes with the submission, and the incident's timeline has the line."""
    desk.fire("checkout")
    desk.now += timedelta(minutes=10)
    sent = submit(desk)
    assert sent.link is LinkKind.LINKED
    assert "We know about this since 09:00 UTC" in sent.answer
    assert stored(desk).incident_number == 1
    assert desk.timeline()[-1] == "report_linked"


def test_a_report_that_nobody_knew_of_is_acknowledged_and_new(desk: Desk) -> None:
    """No incident: a person will look at it."""
    sent = submit(desk)
    assert (sent.link, stored(desk).status, stored(desk).component) == ("none", "new", "checkout")
    assert "We know" not in sent.answer


def test_a_draft_incident_takes_the_report_and_stays_a_secret(desk: Desk) -> None:
    """Linked inside, unknown outside."""
    desk.fire("back-office")
    sent = submit(desk, "It fails", component="back-office")
    assert (sent.link, sent.known) == ("linked", None)
    assert "back-office" not in sent.answer
    assert "We know" not in sent.answer


def test_the_timeline_says_nothing_of_who_reported_or_in_what_words(desk: Desk) -> None:
    """An incident is read by more people than a report."""
    desk.fire("checkout")
    submit(desk, SECRET_WORDS, name="Ada Lovelace", email="ada@example.test")
    lines = " ".join(f"{line['text']} {line['data']}" for line in desk.lines())
    assert "RPT-1 linked" in lines
    assert not {word for word in ("Ada", "Rose", "example.test") if word in lines}


def test_the_reference_is_long_and_random(sqlite_desk: Desk) -> None:
    """192 bit: nobody finds another's report by trying."""
    tokens = {submit(sqlite_desk, f"Paying fails {n}").token for n in range(5)}
    assert len(tokens) == 5
    assert all(len(token) == 32 for token in tokens)


def test_a_mail_to_an_unverified_address_repeats_nothing_that_was_written(desk: Desk) -> None:
    """A form cannot be used to send a stranger somebody's words."""
    submit(desk, SECRET_WORDS, email="victim@example.test", name="BUY NOW")
    (mail,) = mails(desk)
    assert (mail["recipient"], mail["event"]) == ("victim@example.test", "report_received")
    assert f"{URL}/r/" in mail["body"]
    assert not {w for w in ("Rose", "BUY NOW") if w in mail["body"] + mail["subject"]}


def test_one_address_gets_only_a_few_acknowledgements_an_hour(desk: Desk) -> None:
    """The reports are taken all the same, and after an hour there is mail again."""
    for number in range(7):
        submit(desk, f"Paying fails {number}", email="victim@example.test")
    assert (len(mails(desk)), stored(desk, 7).number) == (5, 7)
    desk.now += timedelta(hours=1, seconds=1)
    submit(desk, "Paying fails again", email="victim@example.test")
    assert len(mails(desk)) == 6


def test_the_same_report_sent_twice_is_one(desk: Desk) -> None:
    """A second press of the button gives the first answer."""
    desk.fire("checkout")
    first, second = submit(desk, once="n"), submit(desk, once="n")
    assert (second.token, second.answer, second.is_new) == (first.token, first.answer, False)
    assert desk.timeline().count("report_linked") == 1


def test_a_key_used_for_another_report_is_refused(desk: Desk) -> None:
    """Otherwise a guessed key would give away a stranger's reference."""
    submit(desk, "Paying fails", once="1")
    with pytest.raises(DifferentRequest, match="another report"):
        submit(desk, "Search is empty", once="1")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"description": "  \x00 "}, "description"),
        ({"description": "x" * 5001}, "description"),
        ({"email": "not an address"}, "email"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "email"),
        ({"name": "x" * 121}, "name"),
        ({"order_reference": "x" * 61}, "order_reference"),
        ({"category": "nonsense"}, "category"),
        ({"component": "nonsense"}, "component"),
    ],
)
def test_a_report_that_cannot_be_used_is_refused_field_by_field(
    sqlite_desk: Desk, facts: dict[str, str], field: str
) -> None:
    """Nothing is recorded, and the refusal names the field."""
    with pytest.raises(InvalidReport) as refused:
        submit(sqlite_desk, **{"description": "Paying fails", **facts})
    assert field in refused.value.faults


def test_the_reporters_choice_of_category_beats_the_words(desk: Desk) -> None:
    """And takes the component along."""
    submit(desk, "Paying fails", category="account")
    assert (stored(desk).category, stored(desk).component) == ("account", "login")


def test_words_find_the_category_that_the_configuration_has_for_them(desk: Desk) -> None:
    """Categories with other names are found by their component."""
    own = (Category(id="paying", label="Paying", component="checkout"),)
    desk.configuration = replace(desk.configuration, categories=own)
    submit(desk, "Paying fails")
    assert (stored(desk).category, stored(desk).component) == ("paying", "checkout")


def test_a_reporter_can_say_which_incident_is_theirs_before_and_after_sending(desk: Desk) -> None:
    """By choosing it in the form, or on the answer's page."""
    desk.fire("search")
    public_id = desk.incident().public_id
    submit(desk, "Paying fails", incident=public_id)
    later = submit(desk, "Paying fails")
    join_incident(desk.store, later.token, public_id, desk.now)
    assert [stored(desk, n).incident_number for n in (1, 2)] == [1, 1]


def test_an_agent_moves_a_report_and_both_timelines_say_so(desk: Desk) -> None:
    """From one incident to another, and to none."""
    desk.fire("checkout")
    desk.fire("search")
    submit(desk)
    link_report(desk.store, 1, 2, by="ann", now=desk.now)
    assert (desk.timeline(1)[-1], desk.timeline(2)[-1]) == ("report_unlinked", "report_linked")
    link_report(desk.store, 1, None, by="ann", now=desk.now)
    assert (stored(desk).incident_number, desk.timeline(2)[-1]) == (None, "report_unlinked")


def test_new_reports_are_told_with_component_and_category(desk: Desk) -> None:
    """For the metric; what is not known is empty, not missing."""
    submit(desk, "Paying fails")
    submit(desk, "my card is declined")
    submit(desk, "hello")
    with desk.store.read() as connection:
        came = reports_after(connection, 1)
    assert came == [(2, "checkout", "payment"), (3, "", "other")]


def test_nobody_is_promised_a_mail_that_cannot_be_written(desk: Desk) -> None:
    """Without a mail server an address changes nothing: the page is where answers appear."""
    desk.fire("checkout")
    report = NewReport("Paying fails", email="ada@customer.test")
    sent = submit_report(
        desk.store, desk.configuration, report, public_url=URL, now=desk.now, by_mail=False
    )
    assert "Keep the link" in sent.answer
    assert mails(desk) == []
