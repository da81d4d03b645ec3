"""How often one client may do what anybody may do."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from threading import Lock

from fastapi import Request

from monitor.web.errors import TooManyAttempts
from monitor.web.throttle import client_network

MOST_KEPT = 10_000  # clients; the one longest unseen is forgotten first


class RateLimit:
    """At most `limit` times within `window` for one network; kept in memory."""

    def __init__(self, limit: int, window: timedelta) -> None:
        self.limit, self.window = limit, window
        self._seen: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = Lock()

    def take(self, client: str, now: datetime) -> timedelta:
        """Return how long the client must wait; nothing means that this time was counted."""
        network = client_network(client)
        with self._lock:
            times = self._seen.setdefault(network, deque())
            self._seen.move_to_end(network)
            while times and now - times[0] >= self.window:
                times.popleft()
            while times and times[-1] > now:  # the clock was put back since
                times.pop()
            while len(self._seen) > MOST_KEPT:
                self._seen.popitem(last=False)
            if len(times) >= self.limit:
                return times[0] + self.window - now
            times.append(now)
        return timedelta(0)


def limited(request: Request, name: str, limit: int, window: timedelta, now: datetime) -> None:
    """Count one use of `name` by whoever asks.

    Raises:
        TooManyAttempts: the limit is reached; the answer says for how long to wait.
    """
    state = request.app.state
    if not hasattr(state, "rate_limits"):
        state.rate_limits = {}
    limits: dict[str, RateLimit] = state.rate_limits
    rate = limits.setdefault(name, RateLimit(limit, window))
    client = request.client.host if request.client else ""
    wait = rate.take(client, now)
    if wait:
        raise TooManyAttempts(math.ceil(wait.total_seconds()))
