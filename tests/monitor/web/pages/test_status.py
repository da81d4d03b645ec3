"""The status page and what hangs on it, as a browser without JavaScript gets them."""

from __future__ import annotations

import pytest

from monitor.use_cases.maintenance import cancel_maintenance
from tests.monitor.web.town import HOSTILE, Town, words


def test_a_well_shop_says_so_with_the_age_of_its_data(town: Town) -> None:
    """The sentence, each part, and when it was checked."""
    town.see()
    town.web.clock.advance(4)
    page = words(town.client.get("/").text)
    assert "All systems operational Last checked 4 s ago, 09:00 UTC" in page
    assert page.count("Operational") == 4


def test_a_fresh_start_is_unknown_and_never_green(town: Town) -> None:
    """Nothing was checked, and the page says that."""
    page = words(town.client.get("/").text)
    assert "We do not know" in page
    assert "Nothing has been checked yet" in page
    assert "All systems operational" not in page


def test_data_that_grew_old_turns_unknown_with_the_time_of_the_last_check(town: Town) -> None:
    """The journeys run every ten seconds; a minute is too long."""
    town.see()
    town.web.clock.advance(60)
    assert "last checked 09:00 UTC" in words(town.client.get("/").text)


def test_an_open_incident_and_a_running_and_a_planned_window_are_shown(town: Town) -> None:
    """Each with its words, its times and a link of its own."""
    town.see(checkout="down")
    town.break_()
    town.plan(title="Index upgrade")
    town.plan(starts_in=60, title="Database move")
    html = town.client.get("/").text
    page = words(html)
    assert "What is wrong now Checkout does not work Investigating" in page
    assert "Maintenance under way Index upgrade In progress" in page
    assert "Planned maintenance Database move Scheduled" in page
    assert '<time datetime="2026-11-22T10:00:00+00:00">10:00 UTC</time>' in html


def test_every_day_stands_there_in_words(town: Town) -> None:
    """The drawing is for the eye; the list is for everybody."""
    town.see()
    town.web.clock.advance(60)
    town.see(checkout="down")
    town.web.clock.advance(120)
    town.see()
    assert "22 Nov major outage 2 min" in words(town.client.get("/").text)


def test_the_incidents_own_page_has_all_its_updates(town: Town) -> None:
    """The address stays when it is over."""
    public_id = town.break_()
    town.web.clock.advance(600)
    town.repair()
    page = words(town.client.get(f"/incidents/{public_id}").text)
    assert "Resolved" in page
    assert "checkout fails." in page
    assert "after 10 min" in page


def test_a_windows_own_page_says_what_to_expect_and_how_it_went(town: Town) -> None:
    """A cancelled one keeps its page, its times struck through."""
    window = town.plan()
    address = f"/maintenance/{window.public_id}"
    assert "Search may be unavailable" in words(town.client.get(address).text)
    cancel_maintenance(town.store, town.desk.configuration, 1, by="ann", now=town.web.now())
    html = town.client.get(address).text
    assert "This maintenance was cancelled." in html
    assert html.count("<s>") == 2


@pytest.mark.parametrize("path", ["/incidents/nothing", "/maintenance/nothing", "/r/nothing"])
def test_what_is_not_there_is_a_friendly_404(town: Town, path: str) -> None:
    """With a way back."""
    answer = town.client.get(path)
    assert answer.status_code == 404
    assert '<a class="button" href="/">' in answer.text


def test_a_draft_incident_is_nowhere(town: Town) -> None:
    """Not on a page, in a feed, in JSON, or at its own address."""
    town.see()
    public_id = town.break_("vault", title="Vault secret", message="Secret text")
    town.report("It fails", category="other")
    paths = [
        "/", "/history", "/report", "/history.atom", "/api/v1/banner.json", "/api/v1/status",
        "/api/v2/summary.json", "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
    ]  # fmt: skip
    for path in paths:
        text = town.client.get(path).text
        assert "ecret" not in text, path
        assert public_id not in text, path
    assert town.client.get(f"/incidents/{public_id}").status_code == 404


def test_reporters_and_their_words_are_on_no_public_page(town: Town) -> None:
    """Neither names, addresses, descriptions nor references."""
    town.see(checkout="down")
    public_id = town.break_()
    sent = town.report("Paying fails at Rose Street", name="Ada", email="ada@example.test")
    token = sent.headers["location"].removeprefix("/r/")
    paths = [
        "/", "/history", f"/incidents/{public_id}", "/history.atom", "/api/v1/banner.json",
        "/api/v1/status", "/api/v2/summary.json", "/api/v2/incidents.json", "/report",
    ]  # fmt: skip
    for path in paths:
        text = town.client.get(path).text
        leaked = [word for word in ("Rose", "Ada", "ada@", token, "RPT-1") if word in text]
        assert leaked == [], path


def test_hostile_titles_and_texts_stay_text_on_every_page(town: Town) -> None:
    """No tag of theirs reaches a browser as markup, and no template runs them."""
    town.see(checkout="down")
    public_id = town.break_(title=HOSTILE, message=HOSTILE)
    window = town.plan(title=HOSTILE[:120], description=HOSTILE)
    sent = town.report(f"Paying fails {HOSTILE}", name=HOSTILE[:100])
    paths = [
        "/", "/history", f"/incidents/{public_id}", f"/maintenance/{window.public_id}",
        "/report", sent.headers["location"],
    ]  # fmt: skip
    for path in paths:
        html = town.client.get(path).text
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html, path
        assert "&lt;script&gt;" in html, path


def test_public_pages_load_nothing_from_elsewhere_and_run_nothing_inline(town: Town) -> None:
    """The policy says so, and the page keeps to it."""
    town.see()
    answer = town.client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert "<style" not in answer.text


def test_an_unchanged_page_is_not_sent_again(town: Town) -> None:
    """304 for the reader who has it; nothing is stored about readers."""
    town.see()
    first = town.client.get("/")
    again = town.client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "set-cookie" not in first.headers


def test_a_change_is_on_the_page_at_once(town: Town) -> None:
    """The page made a moment ago is dropped by the commit."""
    town.see()
    before = town.client.get("/").text
    town.break_()
    assert "What is wrong now" not in before
    assert "What is wrong now" in town.client.get("/").text


def test_history_shows_a_month_and_leads_to_the_one_before(town: Town) -> None:
    """Incidents of other months are on other pages."""
    town.break_(title="In November")
    town.repair()
    town.web.clock.advance(20 * 86_400)
    town.break_("search", title="In December")
    page = town.client.get("/history").text
    assert "In December" in page
    assert "In November" not in page
    assert 'href="/history?month=2026-11"' in page
    assert "In November" in town.client.get("/history?month=2026-11").text


@pytest.mark.parametrize("month", ["2027-01", "2026-13", "nonsense", "2026-1"])
def test_a_month_that_is_none_or_has_not_begun_is_not_found(town: Town, month: str) -> None:
    """Rather than an empty page that looks like a quiet one."""
    assert town.client.get(f"/history?month={month}").status_code == 404
