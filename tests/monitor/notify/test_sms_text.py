"""A notification in one text message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.sms_text import capacity, is_gsm, render_sms, simplified, units

LINK = "https://monitor.shop.example/a/0123456789012345678901234567890123"


def test_a_short_text_and_its_link_stand_as_they_are() -> None:
    """Nothing is touched that fits."""
    assert render_sms("INC-7 opened: pay fails", LINK) == f"INC-7 opened: pay fails {LINK}"


def test_a_long_text_is_cut_and_the_link_is_whole() -> None:
    """160 characters, of which the link has its own first."""
    text = render_sms("x" * 300, LINK)
    assert (len(text), text.endswith(f"... {LINK}")) == (160, True)


@pytest.mark.parametrize(("length", "cut"), [(159, False), (160, False), (161, True)])
def test_the_boundary_of_one_part_is_exact(length: int, cut: bool) -> None:
    """160 fit, 161 do not."""
    text = render_sms("x" * length)
    assert (len(text), text.endswith("...")) == (min(length, 160), cut)


@pytest.mark.parametrize(("braces", "cut"), [(80, False), (81, True)])
def test_characters_of_the_extension_count_twice(braces: int, cut: bool) -> None:
    """A brace costs an escape and itself."""
    assert render_sms("{" * braces).endswith("...") is cut


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Pay” – failed…", '"Pay" - failed...'),
        ("Zahlung für Käufer", "Zahlung für Käufer"),
        ("ação în București", "acao in Bucuresti"),
        ("a\n b\tc", "a b c"),
        ("оплата", "оплата"),
    ],
)
def test_one_curly_quote_does_not_halve_the_message(text: str, plain: str) -> None:
    """What has a plain stand-in gets it, other scripts stay."""
    assert simplified(text) == plain


def test_another_script_has_seventy_characters_and_no_room_for_a_long_link() -> None:
    """The words matter more than a link that would leave eight of them."""
    text = render_sms("оплата " * 30, LINK)
    assert (units(text, gsm=False), LINK in text) == (70, False)


def test_more_parts_hold_more() -> None:
    """Each part of several gives seven characters to its header."""
    assert len(render_sms("x" * 500, parts=2)) == 306


@given(st.text(max_size=400), st.sampled_from(["", LINK]), st.integers(1, 4))
def test_no_text_costs_more_than_was_allowed(text: str, link: str, parts: int) -> None:
    """Whatever the text is made of, even of emoji."""
    sent = render_sms(text, link, parts=parts)
    gsm = is_gsm(sent)
    assert units(sent, gsm=gsm) <= capacity(parts, gsm=gsm)
