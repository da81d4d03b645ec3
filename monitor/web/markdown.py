"""Markdown as people of ours write it, shown as HTML: no HTML of theirs, no link that is a trap.

HTML in the text is shown and not obeyed. Links lead to the web, to mail, or to pages of ours; they
tell neither where they were followed from nor search engines. Pictures are not fetched: a picture
is shown as its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

SCHEMES = ("https:", "http:", "mailto:")
REL = "noopener nofollow noreferrer"


def render_markdown(text: str, *, breaks: bool = False, below: int = 0) -> Markup:
    """Return Markdown as HTML that is safe to show to anybody who may read the text.

    With `breaks` a line that ends, ends: as people expect of a note. `below` is the level of the
    heading under which it stands (0: it is the page): its own begin one level further down.
    """
    rendered: str = _parser(breaks).render(text, {"below": below})
    return Markup(rendered)  # made by the parser below, which lets no HTML through


def is_safe_link(address: str) -> bool:
    """Tell whether a link may be followed: the web, mail, or a path of ours."""
    plain = address.strip().lower()
    if plain.startswith(("/", "#")):
        return not plain.startswith(("//", "/\\"))
    return plain.startswith(SCHEMES)


@lru_cache(maxsize=2)
def _parser(breaks: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": breaks}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.disable("image")
    parser.validateLink = is_safe_link  # type: ignore[method-assign, assignment] # as it documents
    return parser


class _Renderer(RendererHTML):
    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("rel", REL)
        return self.renderToken(tokens, idx, options, env)

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _lowered(self, tokens, idx, options, env)

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _lowered(self, tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="table">' + self.renderToken(tokens, idx, options, env)

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return self.renderToken(tokens, idx, options, env) + "</div>"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _aligned(self, tokens, idx, options, env)

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return _aligned(self, tokens, idx, options, env)


def _lowered(
    renderer: RendererHTML, tokens: Sequence[Token], idx: int, options: Any, env: Any
) -> str:
    """Give a heading the level it has on the page where it is shown."""
    token = tokens[idx]
    token.tag = f"h{min(int(token.tag[1]) + env['below'], 6)}"
    return renderer.renderToken(tokens, idx, options, env)


def _aligned(
    renderer: RendererHTML, tokens: Sequence[Token], idx: int, options: Any, env: Any
) -> str:
    """Say the alignment by an attribute: our policy forbids inline styles."""
    token = tokens[idx]
    style = token.attrs.pop("style", None)
    if style:
        token.attrSet("align", str(style).removeprefix("text-align:"))
    return renderer.renderToken(tokens, idx, options, env)
