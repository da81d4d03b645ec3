"""News for pages that are open: which topics changed, told as server-sent events.

A page learns only *that* something changed and then asks for itself again, so that nothing is told
here that its reader may not see. Every change has a number; a page says up to which it has seen
(its *mark*) and is told what came after. Streams are coroutines of the web server's loop: thousands
of open pages hold no thread. The format is that of https://html.spec.whatwg.org/#server-sent-events.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from monitor.storage.store import TOPICS

MOST_STREAMS = 2000
MOST_OF_A_SESSION = 8  # windows in view at once
HEARTBEAT_SECONDS = 15.0  # proxies end what is silent for a minute; also how soon an end is noticed
GATHER_SECONDS = 0.2  # changes that come close together are told together
LONGEST_SECONDS = 3600.0  # then the browser connects anew, perhaps to another replica
RETRY_MS = 3000
NUMBER = re.compile(r"[0-9]{1,18}")


class Full(Exception):  # noqa: N818 - a refusal is named for what it refuses
    """Too many pages follow the news already."""


@dataclass(eq=False)
class Stream:
    """One page that follows the news; `owner` is its session."""

    owner: str
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Events:
    """What changed lately, and the pages that want to know."""

    def __init__(
        self, *, heartbeat: float = HEARTBEAT_SECONDS, longest: float = LONGEST_SECONDS
    ) -> None:
        self.heartbeat, self.longest = heartbeat, longest
        self._era = secrets.token_hex(4)  # marks of another process, or before a restart, differ
        self._number = 0
        self._changed: dict[str, int] = {}
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._owners: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waking = False
        self._closed = False

    def announce(self, topics: Iterable[str]) -> None:
        """Have every stream told that these topics changed; callable from any thread."""
        with self._lock:
            self._number += 1
            self._changed.update(dict.fromkeys(topics, self._number))
            if self._waking or not self._streams or self._loop is None:
                return
            self._waking = True
            loop = self._loop
        self._call(loop, self._wake_soon, loop)

    def mark(self) -> str:
        """Return the mark of a page that is drawn from now on."""
        return f"{self._era}.{self._number}"

    def since(self, mark: str) -> tuple[str, frozenset[str]]:
        """Return the present mark, and what changed after `mark`: everything if it is not ours."""
        era, _, number = mark.partition(".")
        with self._lock:
            now = self.mark()
            if era != self._era or not NUMBER.fullmatch(number):
                return now, TOPICS
            seen = int(number)
            return now, frozenset(t for t, changed in self._changed.items() if changed > seen)

    def join(self, owner: str) -> Stream:
        """Count a stream in; whoever does so also calls `leave`.

        Raises:
            Full: there are too many, of this owner or of all.
        """
        with self._lock:
            of_owner = self._owners[owner]
            if len(self._streams) >= MOST_STREAMS or of_owner >= MOST_OF_A_SESSION:
                raise Full
            stream = Stream(owner)
            self._streams.add(stream)
            self._owners[owner] += 1
            self._loop = asyncio.get_running_loop()
        return stream

    def leave(self, stream: Stream) -> None:
        """Count a stream out."""
        with self._lock:
            self._streams.discard(stream)
            self._owners[stream.owner] -= 1
            if self._owners[stream.owner] <= 0:
                del self._owners[stream.owner]

    def count(self) -> int:
        """Return how many streams are open."""
        return len(self._streams)

    def close(self) -> None:
        """End every stream, those that are opened later too: the service is about to stop."""
        with self._lock:
            self._closed = True
            loop = self._loop
        if loop is not None:
            self._call(loop, self._wake)

    async def lines(
        self, stream: Stream, mark: str, still_allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """Give the text of a stream until its session, its time or the service ends.

        `still_allowed` is asked once a heartbeat; no change is told after it has said no.
        """
        loop = asyncio.get_running_loop()
        began = checked = loop.time()
        yield f"retry: {RETRY_MS}\n\n"
        while not self._closed and loop.time() - began < self.longest:
            if loop.time() - checked >= self.heartbeat:
                checked = loop.time()
                if not await still_allowed():
                    yield "event: over\ndata: {}\n\n"
                    return
            mark, topics = self.since(mark)
            if topics:
                data = json.dumps({"topics": sorted(topics)})
                yield f"id: {mark}\nevent: changed\ndata: {data}\n\n"
            try:
                await asyncio.wait_for(stream.news.wait(), self.heartbeat)
            except TimeoutError:
                yield ": nothing new\n\n"
            stream.news.clear()

    def _wake_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(GATHER_SECONDS, self._wake)

    def _wake(self) -> None:
        with self._lock:
            self._waking = False
            streams = tuple(self._streams)
        for stream in streams:
            stream.news.set()

    def _call(
        self,
        loop: asyncio.AbstractEventLoop,
        callback: Callable[..., None],
        *args: object,
    ) -> None:
        try:
            loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # the web server has ended, and its streams with it
            with self._lock:
                self._waking = False
