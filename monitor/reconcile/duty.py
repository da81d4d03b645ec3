"""Asks every configured server in turn, at its interval and at the start, and has gaps repaired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from incidents.alerts.history import Episode
from monitor.clock import Clock
from monitor.config.model import Configuration, ReconcileServer
from monitor.fetching import Unanswered
from monitor.log import logger
from monitor.notify.message import Context
from monitor.reconcile.asking import Asker
from monitor.reconcile.knowledge import Known, ask_alertmanager, ask_history, ask_prometheus
from monitor.storage.store import Store
from monitor.use_cases.entrance import Overloaded
from monitor.use_cases.policy import AlertPolicy
from monitor.use_cases.reconcile import Deliver, Heard, Repaired, last_look, repair

log = logger("reconcile")


class Reconciler:
    """Repairs gaps; one at a time, and each door's servers together."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: AlertPolicy,
        configuration: Callable[[], Configuration],
        context: Callable[[], Context],
        deliver: Deliver,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._configuration = configuration
        self._context = context
        self._deliver = deliver
        self._due: dict[str, datetime] = {}
        self._failing: dict[str, str] = {}

    def run_due(self) -> None:
        """Ask the servers whose time has come; those of one door are asked together."""
        now = self._clock.now()
        servers = sorted(self._configuration().reconcile, key=attrgetter("source"))
        for source, group in groupby(servers, key=attrgetter("source")):
            mine = list(group)
            if any(self._due.get(server.name, now) <= now for server in mine):
                wait = timedelta(seconds=min(server.interval for server in mine))
                self._due |= {server.name: now + wait for server in mine}
                self.run(source, mine)

    def run(self, source: str, servers: Sequence[ReconcileServer]) -> Repaired:
        """Ask these servers and repair what they show to be missing or over."""
        now = self._clock.now()
        known: list[Known] = []
        episodes: list[Episode] = []
        answered: list[ReconcileServer] = []
        precision = timedelta(0)
        for server in servers:
            try:
                one, past, exact = self._ask(server, now)
            except Unanswered as error:
                self._say(server, str(error))
                continue
            self._say(server, "")
            known.append(one)
            episodes += past
            precision = max(precision, exact)
            answered.append(server)
        heard = Heard(
            source,
            [alert for one in known for alert in one.firing],
            frozenset().union(*(one.alive for one in known)),
            frozenset().union(*(one.unsure for one in known)),
            may_close=len(known) == len(servers) and all(one.may_close for one in known),
            episodes=episodes,
            precision=precision,
        )
        try:
            done = repair(
                self._store,
                heard,
                answered,
                configuration=self._configuration(),
                policy=self._policy,
                deliver=self._deliver,
                now=now,
            )
        except Overloaded as error:  # what waits comes first; the gap is still there next time
            log.warning("gap not repaired yet", source=source, error=str(error))
            return Repaired()
        if done.closed or done.rebuilt or done.joined:
            log.warning(
                "gap repaired",
                source=source,
                closed=done.closed,
                rebuilt=[f"INC-{number}" for number in done.rebuilt],
                joined=done.joined,
            )
        return done

    def _ask(
        self, server: ReconcileServer, now: datetime
    ) -> tuple[Known, list[Episode], timedelta]:
        asker = Asker(server, self._context())
        if server.kind == "alertmanager":
            return ask_alertmanager(asker, now), [], timedelta(0)
        known = ask_prometheus(asker, now)
        with self._store.read() as connection:
            since = last_look(connection, server, now)
        if since is None or not known.may_close:
            return known, [], timedelta(0)
        bridge = self._policy.reopen_window
        past, step = ask_history(asker, known.external, since, now, bridge)
        return known, past, step

    def _say(self, server: ReconcileServer, error: str) -> None:
        """Say once that a server gives no answer, and once that it does again."""
        if error and self._failing.get(server.name) != error:
            log.warning("server not asked", server=server.name, error=error)
        elif not error and self._failing.get(server.name):
            log.info("server answers again", server=server.name)
        self._failing[server.name] = error
