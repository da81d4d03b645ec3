"""The Atom feed, read by the reader that scrapers use."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its own imports, not ours
    import feedparser

from incidents.notices.atom import feed
from tests.incidents.notices.builders import START, a_page, a_window, an_incident, an_update


def read(**incident: Any) -> Any:
    """Return the feed over one incident as a reader sees it."""
    return feedparser.parse(
        feed(a_page(), [an_incident(**incident)], []),
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def test_an_incident_is_one_entry_with_a_stable_id_and_the_times_of_its_updates() -> None:
    """Published is the first update, updated the last."""
    first, last = an_update(), an_update("identified")
    last = type(last)("upd2", "identified", "Found it.", START + timedelta(minutes=30))
    (entry,) = read(updates=(last, first)).entries
    assert entry.id == "tag:status.example.test,2005:Incident/inc00000000a"
    assert entry.link == "https://status.example.test/incidents/inc00000000a"
    assert (entry.published, entry.updated) == ("2026-11-22T09:12:00Z", "2026-11-22T09:30:00Z")


def test_an_update_is_written_as_scrapers_expect_it() -> None:
    """The paragraph is exact: they key on its tags."""
    (entry,) = read(updates=(an_update("identified", "Found it."),)).entries
    assert entry.content[0].value == (
        "<p><small>Nov <var data-var='date'>22</var>, <var data-var='time'>09:12</var> UTC</small>"
        "<br><strong>Identified</strong> - Found it.</p>"
    )


def test_a_window_is_an_entry_of_its_own_and_the_newest_comes_first() -> None:
    """Its words are those of maintenance."""
    page = a_page()
    parsed = feedparser.parse(feed(page, [an_incident()], [a_window()]))
    assert [entry.title for entry in parsed.entries] == [
        "Some payments are failing at checkout",
        "Search index upgrade",
    ]
    assert "<strong>In progress</strong> - " in parsed.entries[1].content[0].value


NASTY = [
    "]]>",
    "a \"quoted\" & 'single' <b>bold</b>",
    "<script>alert(1)</script>",
    "two\nlines",
    "مرحبا بالعالم",
    "🛒💥",
    "bell\x07 null\x00 half\ud800 end\ufffe",
    "n" * 255,
]


@pytest.mark.parametrize("text", NASTY)
def test_no_text_breaks_the_feed_or_becomes_markup(text: str) -> None:
    """The title comes back as it was, less what XML cannot carry; the body is escaped."""
    parsed = read(title=text, updates=(an_update(body=text),))
    carried = "".join(c for c in text if c not in "\x07\x00\ud800\ufffe")
    assert not parsed.bozo
    assert " ".join(parsed.entries[0].title.split()) == " ".join(carried.split())
    assert "<script" not in parsed.entries[0].content[0].value


@given(st.text(st.characters(), max_size=80))
def test_any_text_at_all_leaves_the_feed_well_formed(text: str) -> None:
    """Whatever a person types."""
    assert not read(title=text, updates=(an_update(body=text),)).bozo


def test_an_empty_history_is_a_valid_feed() -> None:
    """With its own id and links, and nothing in it."""
    parsed = feedparser.parse(feed(a_page(), [], []))
    assert (parsed.bozo, len(parsed.entries)) == (False, 0)
    assert parsed.feed.id == "tag:status.example.test,2005:/history"
