"""Asking a configured server what it knows: a path below its address, answered as JSON."""

from __future__ import annotations

from typing import Any

from incidents.alerts.wire import NotReadable, read_json
from monitor.config.model import ReconcileServer
from monitor.fetching import Unanswered, fetch
from monitor.notify.message import Context

WAIT_SECONDS = 20.0
HEADERS = {"Accept": "application/json"}


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
        try:
            answer = fetch(
                self.server,
                self._context,
                seconds=WAIT_SECONDS,
                headers=HEADERS,
                path=path,
                parameters=parameters,
            )
            return read_json(answer.body)
        except Unanswered as error:
            raise Unanswered(f"{path} {error}") from error
        except NotReadable as error:
            raise Unanswered(f"{path} answered no JSON") from error
