"""An answer as a journey looks at it: its text, its tree, its JSON, each worked out once."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from probes.charset import decode
from probes.http.addresses import tidy_url
from probes.http.message import Exchange

_UNSEEN = ("script", "style", "template", "noscript", "head")


class Page:
    """The final answer of a step."""

    def __init__(self, exchange: Exchange) -> None:
        """Read nothing yet."""
        self.exchange = exchange
        self.status = exchange.status
        self.url = exchange.request.url
        self.body = exchange.body

    def header(self, name: str) -> str | None:
        """Return a header; several of one name joined by commas; None where it is not there."""
        lowered = name.lower()
        values = [value for key, value in self.exchange.headers if key.lower() == lowered]
        return ", ".join(values) if values else None

    @cached_property
    def text(self) -> str:
        """The body as text, undecodable bytes replaced."""
        return decode(self.body, self.header("content-type") or "")

    @property
    def is_html(self) -> bool:
        """Whether the answer is, or looks like, a page for people."""
        kind = (self.header("content-type") or "").partition(";")[0].strip().lower()
        return "html" in kind or (not kind and self.body.lstrip()[:1] == b"<")

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The page parsed as a browser parses it."""
        return LexborHTMLParser(self.text)

    @cached_property
    def seen_texts(self) -> tuple[str, ...]:
        """The text a reader sees, white space squeezed; the plain body where it is no HTML.

        Twice for HTML: with a space between elements (cells of a table) and without (`R<b>5</b>`).
        """
        if not self.is_html:
            return (self.text,)
        tree = LexborHTMLParser(self.text)
        tree.strip_tags(list(_UNSEEN))
        return texts_of(tree.body) if tree.body else ("",)

    @cached_property
    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is not JSON, or nested too deeply to be read.
        """
        try:
            return json.loads(self.text, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @cached_property
    def base_url(self) -> str:
        """What the page's links are relative to."""
        base = self.tree.css_first("base[href]")
        return self.absolute(base.attributes.get("href") or "", self.url) if base else self.url

    def absolute(self, reference: str, base: str | None = None) -> str:
        """Return a link or an action of the page as an address.

        Raises:
            ValueError: it is not an address.
        """
        return urljoin(base or self.base_url, tidy_url(reference))

    def find(self, selector: str) -> list[LexborNode]:
        """Return the elements a selector finds, in the order of the page."""
        return self.tree.css(selector)


def squeeze(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


def text_of(node: LexborNode, attribute: str | None = None) -> str | None:
    """Return what an element says, or one of its attributes; None where it has none such."""
    if attribute is None:
        return squeeze(node.text(deep=True, separator=""))
    if attribute not in node.attributes:
        return None
    return node.attributes[attribute] or ""


def texts_of(node: LexborNode) -> tuple[str, str]:
    """Return what an element says, with a space between its elements and without."""
    return squeeze(node.text(separator=" ")), squeeze(node.text(separator=""))


def _refuse_constant(name: str) -> object:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(f"{name} is not JSON")
