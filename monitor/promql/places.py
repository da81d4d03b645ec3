"""Where in its text an expression's arguments stand: for messages, never for meaning."""

from __future__ import annotations

import re

from monitor.promql.guard import CLOSING, OPENING, TOKEN


class Places:
    """Hands out argument positions of calls and aggregations, asked for in source order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [token for token in TOKEN.finditer(text) if not token["comment"]]
        self.next = 0

    def arguments(self, name: str) -> tuple[str, ...]:
        """Return `line:column` of each argument of the next call of `name`."""
        for index in range(self.next, len(self.tokens)):
            if (self.tokens[index]["word"] or "").lower() != name:
                continue
            opening = self.after_grouping(index + 1)
            if self.mark(opening) == "(":
                self.next = index + 1
                return tuple(self.starts(opening + 1))
        return ()

    def mark(self, index: int) -> str:
        """Return the punctuation at a token, if it is any."""
        return (self.tokens[index]["mark"] or "") if index < len(self.tokens) else ""

    def after_grouping(self, index: int) -> int:
        """Return the token after `by (…)` or `without (…)`, where one stands here."""
        if index >= len(self.tokens):
            return index
        if (self.tokens[index]["word"] or "").lower() not in ("by", "without"):
            return index
        while index < len(self.tokens) and self.mark(index) != ")":
            index += 1
        return index + 1

    def starts(self, index: int) -> list[str]:
        """Return where each argument starts, from the first token after the parenthesis."""
        found, depth, fresh = [], 0, True
        for token in self.tokens[index:]:
            mark = token["mark"] or ""
            if depth == 0 and mark == ")":
                break
            if fresh:
                found.append(self.place(token))
            fresh = depth == 0 and mark == ","
            depth += (mark in OPENING) - (mark in CLOSING)
        return found

    def place(self, token: re.Match[str]) -> str:
        """Return line and column of a token, both from 1."""
        before = self.text[: token.start()]
        return f"{before.count(chr(10)) + 1}:{token.start() - (before.rfind(chr(10)) + 1) + 1}"
