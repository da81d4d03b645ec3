"""Tests of filling in forms as a browser does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.failing import StepFailed
from probes.forms import FilledForm, fill_form
from probes.http.message import Exchange, Request
from probes.page import Page
from probes.result import Hop, Phases


def page_of(html: str) -> Page:
    """Return a page as if it had been answered."""
    request = Request("GET", "https://shop.example/form")
    hop = Hop("GET", request.url, 200, "", Phases(), 0.0)
    return Page(Exchange(request, hop, 200, (("Content-Type", "text/html"),), html.encode()))


def filled(inner: str, *, button: str = "", attributes: str = "", **fields: Any) -> FilledForm:
    """Return what the form around `inner` sends."""
    page = page_of(f"<form id=f {attributes}>{inner}</form><input form=f name=outside value=o>")
    form = page.find("form")[0]
    pressed = form.css(button)[0] if button else None
    return fill_form(page, form, fields, pressed)


OUTSIDE = ("outside", "o")


@pytest.mark.parametrize(
    ("inner", "fields", "entries"),
    [
        ("<input type=hidden name=csrf value=t>", {}, [("csrf", "t")]),
        ("<input name=q value=old>", {"q": "new"}, [("q", "new")]),
        ("<input name=q>", {}, [("q", "")]),
        ("<input value=x>", {}, []),
        ("<input name=q disabled value=x>", {}, []),
        ("<fieldset disabled><input name=q></fieldset>", {}, []),
        (
            "<fieldset disabled><legend><input name=q></legend></fieldset>",
            {},
            [("q", "")],
        ),
        ("<input type=checkbox name=c>", {}, []),
        ("<input type=checkbox name=c checked>", {}, [("c", "on")]),
        ("<input type=checkbox name=c value=7>", {"c": True}, [("c", "7")]),
        ("<input type=checkbox name=c checked>", {"c": False}, []),
        (
            "<input type=checkbox name=c value=1><input type=checkbox name=c value=2>",
            {"c": ("2",)},
            [("c", "2")],
        ),
        (
            "<input type=radio name=r value=a checked><input type=radio name=r value=b>",
            {},
            [("r", "a")],
        ),
        (
            "<input type=radio name=r value=a checked><input type=radio name=r value=b>",
            {"r": "b"},
            [("r", "b")],
        ),
        ("<select name=s><option>one<option>two</select>", {}, [("s", "one")]),
        ("<select name=s><option>one<option selected>two</select>", {}, [("s", "two")]),
        ("<select name=s><option disabled>one<option value=2>two</select>", {}, [("s", "2")]),
        ("<select name=s><option value=1>one</select>", {"s": "one"}, [("s", "1")]),
        ("<select name=s multiple><option>a<option>b</select>", {}, []),
        (
            "<select name=s multiple><option>a<option>b<option>c</select>",
            {"s": ("a", "c")},
            [("s", "a"), ("s", "c")],
        ),
        ("<textarea name=t>\nhello\nyou</textarea>", {}, [("t", "hello\r\nyou")]),
        ("<input type=file name=f>", {}, [("f", "")]),
        ("<button name=b value=1>x</button>", {}, [("b", "1")]),
        ("<button name=b value=1>x</button><button name=b value=2>y</button>", {}, [("b", "1")]),
        ("<button type=button name=b value=1>x</button>", {}, []),
        ("<input type=reset name=b value=1>", {}, []),
        ("<input type=image name=i>", {}, [("i.x", "0"), ("i.y", "0")]),
        (
            "<input name=i value=a><input name=i value=b>",
            {"i": ("x", "y")},
            [("i", "x"), ("i", "y")],
        ),
    ],
)
def test_a_form_sends_what_a_browser_would(
    inner: str, fields: dict[str, Any], entries: list[tuple[str, str]]
) -> None:
    """Defaults come from the page, typed values replace them, the rest follows the standard."""
    assert list(filled(inner, **fields).entries) == [*entries, OUTSIDE]


def test_the_pressed_button_decides_where_the_form_goes() -> None:
    """Its name, action and method win over the form's."""
    inner = (
        "<button>a</button><button id=b name=do value=x formaction=/go formmethod=post>b</button>"
    )
    form = filled(inner, button="#b", attributes="action=/stay")
    assert (form.method, form.action, ("do", "x") in form.entries) == ("POST", "/go", True)


@pytest.mark.parametrize(
    ("inner", "fields", "said"),
    [
        ("<input name=email>", {"emial": "x"}, "no field 'emial'; its fields: email, outside"),
        ("<select name=s><option>a</select>", {"s": "b"}, "offers no 'b'; it offers: a"),
        ("<input name=q>", {"q": True}, "is no checkbox"),
    ],
)
def test_what_a_person_could_not_do_is_a_failure(
    inner: str, fields: dict[str, Any], said: str
) -> None:
    """A field that is missing, or an option that is not offered, fails with a clear word."""
    with pytest.raises(StepFailed, match=said):
        filled(inner, **fields)


@given(st.text(alphabet="<>/=\"' abfinptoselcxr\n&;#0", max_size=300))
def test_no_page_makes_a_form_raise_otherwise(html: str) -> None:
    """A hostile page gives entries, never a crash."""
    form = filled(html)
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in form.entries)
