"""A report from the form to the reporter's own word that it works."""

from __future__ import annotations

import pytest

from monitor.storage.reports import Report, load_report
from tests.monitor.web.town import Town, words


def stored(town: Town, number: int = 1) -> Report:
    """Return a report as the database has it."""
    with town.store.read() as connection:
        return load_report(connection, number)


def test_the_form_shows_what_is_known_before_anything_is_sent(town: Town) -> None:
    """With since when, and a way to say that it is something else."""
    town.break_(title="Payments fail")
    page = words(town.client.get("/report").text)
    assert "We know of this problem. Is it yours?" in page
    assert "Payments fail Investigating, since 09:00 UTC" in page
    assert "Something else, or I am not sure" in page


def test_the_incidents_button_leads_to_a_form_that_has_chosen_it(town: Town) -> None:
    """One press less."""
    public_id = town.break_()
    html = town.client.get(f"/report?incident={public_id}").text
    assert f'value="{public_id}" checked' in html


def test_who_reports_a_known_problem_reads_at_once_that_we_know(town: Town) -> None:
    """Since when, and that we will tell."""
    town.break_(title="Payments fail")
    town.web.clock.advance(300)
    sent = town.report("Paying fails", email="ada@example.test")
    assert (sent.status_code, sent.headers["location"][:3]) == (303, "/r/")
    page = words(town.client.get(sent.headers["location"]).text)
    assert "We know about this since 09:00 UTC: Payments fail." in page
    assert "We will write to you when it is over" in page


def test_who_reports_something_new_gets_a_reference_to_follow(town: Town) -> None:
    """And no claim that we knew."""
    page = words(town.client.get(town.report("Paying fails").headers["location"]).text)
    assert "Your report RPT-1" in page
    assert "We know about" not in page
    assert "a person will look at it" in page


def test_it_is_over_and_the_reporter_says_yes(town: Town) -> None:
    """The page asks, and the answer closes."""
    town.break_()
    address = town.report().headers["location"]
    town.repair()
    assert "Does it work for you now?" in words(town.client.get(address).text)
    assert town.press(address, "works", works="yes").status_code == 303
    assert stored(town).status == "closed"
    assert "We have closed your report" in words(town.client.get(address).text)


def test_it_is_over_and_the_reporter_says_no(town: Town) -> None:
    """The report is open again, and the incident's timeline has it."""
    town.break_()
    address = town.report().headers["location"]
    town.repair()
    town.press(address, "works", works="no")
    assert stored(town).status == "open"
    assert town.desk.timeline()[-1] == "reporter_still_broken"


def test_while_the_incident_is_open_again_nobody_is_asked_whether_it_works(town: Town) -> None:
    """What we said was over is not; the page says that we work on it."""
    town.break_()
    address = town.report().headers["location"]
    town.repair()
    town.break_()
    page = words(town.client.get(address).text)
    assert "We are working on it" in page
    assert "Yes, it works" not in page


def test_a_reporter_adds_a_message_and_reads_our_answer(town: Town) -> None:
    """The conversation stands on the page, oldest first."""
    address = town.report().headers["location"]
    town.press(address, "message", message="It was card 2")
    assert "It was card 2" in words(town.client.get(address).text)


def test_a_reporter_corrects_what_it_is_about_and_is_linked(town: Town) -> None:
    """The incident of that component then fits."""
    town.break_("search")
    address = town.report("it does not work").headers["location"]
    assert stored(town).incident_number is None
    town.press(address, "category", category="navigation")
    assert (stored(town).component, stored(town).incident_number) == ("search", 1)


def test_a_suggested_incident_is_one_press_away(town: Town) -> None:
    """The text alone did not tell of a failure."""
    public_id = town.break_("checkout")
    address = town.report("Não consigo pagar", category="payment").headers["location"]
    assert "Is this what you see?" in words(town.client.get(address).text)
    town.press(address, "incident", incident=public_id)
    assert stored(town).incident_number == 1


def test_nothing_typed_is_lost_when_something_is_wrong(town: Town) -> None:
    """The fault stands beside its field, and the text is still there."""
    answer = town.report("Paying fails at step 3", email="not an address")
    assert answer.status_code == 422
    assert "Paying fails at step 3" in answer.text
    assert "does not look like an e-mail address" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_form_that_was_open_too_long_comes_back_with_its_text(town: Town) -> None:
    """A day is the limit; the new page can be sent."""
    form = town.form()
    town.web.clock.advance(86_401)
    answer = town.client.post("/report", data={**form, "description": "Paying fails"})
    assert (answer.status_code, "Paying fails" in answer.text) == (422, True)


@pytest.mark.parametrize("token", ["", "1.2", "forged"])
def test_a_form_that_we_did_not_give_out_records_nothing(town: Town, token: str) -> None:
    """The signature is missing or wrong."""
    answer = town.client.post("/report", data={"form_token": token, "description": "Paying fails"})
    assert answer.status_code == 422
    assert town.report().headers["location"]
    assert stored(town).number == 1


def test_a_program_that_fills_in_the_hidden_field_is_refused(town: Town) -> None:
    """People do not see it."""
    assert town.report(company_site="http://spam.test").status_code == 422


def test_pressing_the_button_twice_sends_one_report(town: Town) -> None:
    """Both lead to the same page."""
    form = {**town.form(), "description": "Paying fails"}
    first, second = (town.client.post("/report", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]


def test_one_network_cannot_send_reports_without_end(town: Town) -> None:
    """Others still can, and so can this one an hour later."""
    for number in range(20):
        assert town.report(f"Paying fails {number}").status_code == 303
    refused = town.report("One more")
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
    town.client = town.web.client("192.0.2.7")
    assert town.report("From elsewhere").status_code == 303
    town.client = town.web.client()
    town.web.clock.advance(3600)
    assert town.report("Later").status_code == 303


def test_a_reporters_page_is_kept_by_nobody_and_found_by_nobody(town: Town) -> None:
    """Neither caches nor search engines."""
    answer = town.client.get(town.report().headers["location"])
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert '<meta name="robots" content="noindex">' in answer.text


def test_a_form_of_a_reporters_page_needs_its_token(town: Town) -> None:
    """And nothing is recorded without."""
    address = town.report().headers["location"]
    assert town.client.post(f"{address}/works", data={"works": "yes"}).status_code == 403
    assert stored(town).works_now is None


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("works", {"works": "maybe"}),
        ("message", {"message": " "}),
        ("category", {"category": "nonsense"}),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused_with_advice(
    town: Town, path: str, fields: dict[str, str]
) -> None:
    """The page comes back with what to do."""
    address = town.report().headers["location"]
    answer = town.press(address, path, **fields)
    assert (answer.status_code, "Please" in answer.text) == (422, True)
