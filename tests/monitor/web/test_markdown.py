"""Markdown is shown, and nothing in it is obeyed."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.web.markdown import is_safe_link, render_markdown

TRAPS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example"onmouseover="alert(1))',
    "[x]: javascript:alert(1)\n\n[x]",
    "| <b onclick=alert(1)> |\n| --- |\n| <style>*{}</style> |",
    "```<script>\nalert(1)\n```",
    "`<script>alert(1)</script>`",
)
ALLOWED = {
    *("html", "head", "body", "p", "a", "br", "em", "strong", "code", "pre", "ul", "ol", "li"),
    *(
        "h1",
        "h2",
        "h3",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
        "s",
        "blockquote",
        "hr",
    ),
}


@pytest.mark.parametrize("text", TRAPS)
def test_a_trap_is_words(text: str) -> None:
    """No element but ours, no attribute that acts, no address that does."""
    root = LexborHTMLParser(str(render_markdown(text))).root
    assert root is not None
    for node in root.traverse():
        assert node.tag in ALLOWED
        assert not [name for name in node.attributes if name.startswith("on") or name == "style"]
        if node.tag == "a":
            assert is_safe_link(node.attributes["href"] or "")
            assert node.attributes["rel"] == "noopener nofollow noreferrer"


def test_what_people_write_looks_as_they_meant_it() -> None:
    """Lists, tables, code and links."""
    html = str(render_markdown("**a**\n\n- `b`\n\n| x |\n|:-:|\n| 1 |\n\n[c](/runbooks/A)"))
    for part in ("<strong>a</strong>", "<li><code>b</code></li>", '<th align="center">x</th>'):
        assert part in html
    assert '<a href="/runbooks/A" rel="noopener nofollow noreferrer">c</a>' in html


def test_a_line_of_a_note_ends_where_it_ends() -> None:
    """A runbook's lines flow."""
    assert "<br" in render_markdown("a\nb", breaks=True)
    assert "<br" not in render_markdown("a\nb")


def test_headings_stand_below_what_they_belong_to() -> None:
    """A page has one heading of its own."""
    assert "<h3>a</h3>" in render_markdown("# a", below=2)
    assert "<h6>a</h6>" in render_markdown("##### a", below=2)
    assert "<h1>a</h1>" in render_markdown("# a")
