"""Tests of reading an answer: charset, text, JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.charset import decode
from probes.http.cookies import Cookie, parse_cookie
from probes.http.message import Exchange, Request
from probes.page import Page
from probes.result import Hop, Phases


def page(body: bytes, content_type: str = "text/html", url: str = "https://shop.example/a") -> Page:
    """Return a page as if it had been answered."""
    request = Request("GET", url)
    hop = Hop("GET", url, 200, "", Phases(), 0.0)
    return Page(Exchange(request, hop, 200, (("Content-Type", content_type),), body))


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "text/html", "é"),
        ("é".encode("latin-1"), "text/html; charset=ISO-8859-1", "é"),
        (b"\x80", "text/html; charset=latin1", "€"),
        (b"\xef\xbb\xbfa", "text/html; charset=latin1", "a"),
        ("é".encode("utf-16"), "text/html", "é"),
        (b'<meta charset="windows-1251">\xef', "text/html", '<meta charset="windows-1251">п'),
        (b"<meta charset=windows-1251>\xef", "text/html; charset=utf-8", None),
        (b"\xff", "text/html; charset=nonsense", "\N{REPLACEMENT CHARACTER}"),
        (b"\\x41", "text/html; charset=unicode_escape", "\\x41"),
        (b"41", "text/html; charset=hex", "41"),
        (b"a", 'text/html; charset="utf-8"', "a"),
    ],
)
def test_the_charset_is_taken_from_where_browsers_take_it(
    body: bytes, content_type: str, text: str | None
) -> None:
    """Mark, header, meta, UTF-8: in this order; what is no charset for text is passed over."""
    found = decode(body, content_type)
    assert found == text if text is not None else "\N{REPLACEMENT CHARACTER}" in found


@given(st.binary(max_size=300), st.text(max_size=60))
def test_no_bytes_make_decoding_raise(body: bytes, content_type: str) -> None:
    """Whatever comes over the wire is some text."""
    assert isinstance(decode(body, content_type), str)


@given(st.binary(max_size=400))
def test_no_bytes_make_a_page_raise(body: bytes) -> None:
    """Text, tree and links of any bytes can be asked for; JSON is refused politely."""
    odd = page(body)
    assert all(isinstance(text, str) for text in odd.seen_texts)
    odd.find("a[href]")
    try:
        assert odd.json is not NotImplemented
    except ValueError:
        assert odd.text is not None


def test_a_reader_sees_text_without_scripts_and_tags() -> None:
    """What is compared is what a person reads, with spaces between cells and without in words."""
    html = b"<title>t</title><script>x</script><p>R<b>12</b>.50</p><table><td>a<td>b</table>"
    spaced, tight = page(html).seen_texts
    assert "R 12 .50 a b" in spaced
    assert "R12.50" in tight


@pytest.mark.parametrize("text", ["NaN", "[1,", "", "[" * 100_000, "\x00"])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    """Deep nesting and NaN are no JSON to us."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parser's
        _ = page(text.encode(), "application/json").json


def test_links_start_at_the_base_of_the_page() -> None:
    """`<base href>` moves all relative links."""
    assert page(b"<base href=/b/>").absolute("c") == "https://shop.example/b/c"
    assert page(b"").absolute(" /x y\n") == "https://shop.example/x%20y"


def test_a_cookie_line_is_read_http_only_or_not() -> None:
    """libcurl marks HttpOnly cookies with a prefix."""
    line = b"#HttpOnly_.shop.example\tTRUE\t/\tFALSE\t0\tsid\tv"
    assert parse_cookie(line) == Cookie(".shop.example", "/", "sid", "v")
    assert parse_cookie(b"# comment") is None


@pytest.mark.parametrize(
    ("domain", "host", "goes"),
    [
        (".shop.example", "www.shop.example", True),
        (".shop.example", "shop.example", True),
        ("shop.example", "www.shop.example", False),
        (".shop.example", "evilshop.example", False),
    ],
)
def test_a_cookie_goes_to_its_own_hosts(domain: str, host: str, goes: bool) -> None:
    """Only a cookie with a leading dot goes to hosts below."""
    assert Cookie(domain, "/", "a", "b").goes_to(host) is goes


@given(st.binary(max_size=200))
def test_no_cookie_line_raises(line: bytes) -> None:
    """A hostile Set-Cookie is read or passed over."""
    assert parse_cookie(line) is None or parse_cookie(line)
