"""A person with a plain browser, without JavaScript: opens pages, reads them, fills in forms."""

from __future__ import annotations

from urllib.parse import urljoin

from fastapi.testclient import TestClient
from selectolax.lexbor import LexborHTMLParser, LexborNode


class Visitor:
    """One person; cookies are kept from page to page."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.page = LexborHTMLParser("")
        self.path = ""
        self.status = 0

    def open(self, path: str) -> str:
        """Open a page and return its text."""
        return self._show(self.client.get(path))

    @property
    def text(self) -> str:
        """What the page says, white space folded."""
        body = self.page.body
        return "" if body is None else " ".join(body.text(separator=" ").split())

    def submit(self, form: str, **fields: str) -> str:
        """Fill in and send the form that the selector finds; return the next page's text."""
        node = self.page.css_first(form)
        assert node is not None, f"no {form} on {self.path}: {self.text[:400]}"
        values = {**_defaults(node), **fields}
        action = urljoin(self.path, node.attributes.get("action") or self.path)
        return self._show(self.client.post(action, data=values))

    def _show(self, response: object) -> str:
        self.status = response.status_code  # type: ignore[attr-defined]
        self.path = str(response.url.raw_path.decode())  # type: ignore[attr-defined]
        self.page = LexborHTMLParser(response.text)  # type: ignore[attr-defined]
        return self.text


def _defaults(form: LexborNode) -> dict[str, str]:
    """Return what a browser would send if nothing were typed."""
    values: dict[str, str] = {}
    for control in form.css("input[name], textarea[name], select[name], button[name]"):
        attributes = control.attributes
        name, kind = attributes["name"] or "", attributes.get("type") or ""
        if control.tag == "select":
            chosen = control.css_first("option[selected]") or control.css_first("option")
            values[name] = "" if chosen is None else chosen.attributes.get("value") or ""
        elif control.tag == "textarea":
            values[name] = control.text()
        elif control.tag == "button" or kind == "submit":
            continue  # sent only when it is the one that was pressed
        elif kind not in {"checkbox", "radio"} or "checked" in attributes:
            values[name] = attributes.get("value") or ""
    return values
