"""Asking a configured server over HTTP: bounded in time and bytes, without following anywhere.

The address is the operator's own, as a scrape target's is. A redirect is not followed and a proxy
of the environment is not used, so that a secret goes to the server it was meant for and no other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from monitor.config.model import ReconcileServer
from monitor.notify.message import Context, NotifyError

MOST_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
WAIT_SECONDS = 20.0


class Unanswered(Exception):  # noqa: N818 - says what happened
    """A server gave no answer that can be used; the text says why and holds no secret."""


class Asker:
    """Asks one server."""

    def __init__(self, server: ReconcileServer, context: Context) -> None:
        self.server = server
        self._context = context

    def get(self, path: str, **parameters: str) -> Any:
        """Return what a path answers, as JSON says it.

        Raises:
            Unanswered: no answer in time, another status than 200, too long, or no JSON.
        """
        server, ends = self.server, time.monotonic() + WAIT_SECONDS
        session = requests.Session()
        session.trust_env = False
        try:
            with session.get(
                str(server.url).rstrip("/") + path,
                params=parameters,
                headers=self._headers(),
                auth=self._basic(),
                timeout=WAIT_SECONDS,
                verify=server.ca_file or server.verify,
                allow_redirects=False,
                stream=True,
            ) as answer:
                if answer.status_code != requests.codes.ok:
                    raise Unanswered(f"{path} answered {answer.status_code}")
                return json.loads(_body(answer, ends))
        except requests.RequestException as error:
            raise Unanswered(f"{path}: no answer ({type(error).__name__})") from error
        except ValueError as error:
            raise Unanswered(f"{path} answered no JSON") from error
        finally:
            session.close()

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "saypro-monitor"}
        if self.server.bearer:
            headers["Authorization"] = f"Bearer {self._reveal(self.server.bearer)}"
        return headers

    def _basic(self) -> tuple[str, str] | None:
        if not self.server.username:
            return None
        return self._reveal(self.server.username), self._reveal(self.server.password)

    def _reveal(self, text: str) -> str:
        try:
            return self._context.reveal(text)
        except NotifyError as error:
            raise Unanswered(str(error)) from error


def _body(answer: requests.Response, ends: float) -> bytes:
    parts, size = [], 0
    for chunk in answer.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > MOST_BYTES:
            raise Unanswered(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > ends:
            raise Unanswered(f"took longer than {WAIT_SECONDS:g} s")
        parts.append(chunk)
    return b"".join(parts)
