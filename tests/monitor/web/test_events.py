"""News for open pages: what is told, to whom, for how long, and how many may listen."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from monitor.storage.store import TOPICS, Store
from monitor.web.events import MOST_OF_A_SESSION, Events, Full, Stream
from monitor.web.pages.console_events import EventStream
from monitor.web.permissions import Role
from tests.monitor.web.builders import Web

QUICK = 0.01


async def yes() -> bool:
    """Say that the session goes on."""
    return True


async def no() -> bool:
    """Say that the session is over."""
    return False


def quick() -> Events:
    """Return events whose heart beats often."""
    return Events(heartbeat=QUICK)


def open_stream(
    events: Events, mark: str, allowed: Callable[[], Awaitable[bool]] = yes
) -> tuple[Stream, AsyncIterator[str]]:
    """Return a stream and its lines."""
    stream = events.join("session")
    return stream, events.lines(stream, mark, allowed)


async def next_change(lines: AsyncIterator[str]) -> tuple[str, list[str]]:
    """Return (mark, topics) of the next change that a stream tells."""
    async for line in lines:
        if "event: changed" in line:
            fields = dict(part.split(": ", 1) for part in line.strip().splitlines())
            return fields["id"], json.loads(fields["data"])["topics"]
    raise AssertionError("the stream ended")


def test_a_page_is_told_what_changed_after_it_was_drawn() -> None:
    """Between drawing and following nothing is missed, and nothing older is told."""

    async def story() -> list[str]:
        events = quick()
        events.announce({"runs"})
        mark = events.mark()
        events.announce({"incidents"})
        events.announce({"reports", "incidents"})
        return (await next_change(open_stream(events, mark)[1]))[1]

    assert asyncio.run(story()) == ["incidents", "reports"]


def test_a_change_in_another_thread_wakes_a_stream_that_waits() -> None:
    """A commit happens in a worker's thread; the page hears of it before the next heartbeat."""

    async def story() -> list[str]:
        events = Events(heartbeat=60.0)
        _, lines = open_stream(events, events.mark())
        waiting = asyncio.create_task(next_change(lines))
        await asyncio.sleep(QUICK)
        threading.Thread(target=events.announce, args=({"outbox"},)).start()
        return (await asyncio.wait_for(waiting, 10))[1]

    assert asyncio.run(story()) == ["outbox"]


def test_whoever_comes_back_goes_on_where_the_stream_broke() -> None:
    """`Last-Event-ID` is the mark of the last event seen."""

    async def story() -> tuple[list[str], list[str]]:
        events = quick()
        first = events.mark()
        events.announce({"incidents"})
        seen, topics = await next_change(open_stream(events, first)[1])
        events.announce({"maintenance"})
        return topics, (await next_change(open_stream(events, seen)[1]))[1]

    assert asyncio.run(story()) == (["incidents"], ["maintenance"])


@pytest.mark.parametrize("mark", ["", "x", "0000.5", "….", "1.-3", "9" * 40])
def test_a_mark_of_another_process_means_that_anything_may_have_changed(mark: str) -> None:
    """After a restart, at another replica, or for nonsense: everything is asked for again."""
    assert Events().since(mark)[1] == TOPICS


def test_a_stream_ends_when_its_session_does() -> None:
    """It says so, and tells no further change."""

    async def story() -> list[str]:
        events = quick()
        _, lines = open_stream(events, events.mark(), no)
        return [line async for line in lines]

    told = asyncio.run(story())
    assert told[-1].startswith("event: over\n")
    assert not any("changed" in line for line in told)


def test_every_stream_ends_at_once_when_the_service_stops() -> None:
    """Also one that waits for a heartbeat a minute away, and one that comes too late."""

    async def story() -> int:
        events = Events(heartbeat=60.0)
        _, lines = open_stream(events, events.mark())
        waiting = asyncio.create_task(_all(lines))
        await asyncio.sleep(QUICK)
        threading.Thread(target=events.close).start()
        await asyncio.wait_for(waiting, 10)
        late = await asyncio.wait_for(_all(open_stream(events, events.mark())[1]), 10)
        return len(late)

    assert asyncio.run(story()) == 1  # how soon to try again, and no more


def test_a_stream_ends_after_its_longest_time() -> None:
    """So that a browser finds its way to another replica."""

    async def story() -> list[str]:
        events = Events(heartbeat=QUICK, longest=5 * QUICK)
        return await asyncio.wait_for(_all(open_stream(events, events.mark())[1]), 10)

    assert asyncio.run(story())[-1] == ": nothing new\n\n"


def test_a_session_may_follow_with_so_many_windows_and_no_more() -> None:
    """One that is shut makes room; other sessions are not concerned."""

    async def story() -> None:
        events = quick()
        streams = [events.join("one") for _ in range(MOST_OF_A_SESSION)]
        with pytest.raises(Full):
            events.join("one")
        events.join("two")
        events.leave(streams[0])
        events.join("one")

    asyncio.run(story())


def test_a_broken_connection_gives_its_place_back(web: Web) -> None:
    """Whatever ends the answer, the stream is counted out."""

    async def story() -> int:
        events = web.services.events
        stream = events.join("session")
        answer = EventStream(_request(web), events, stream, events.mark())

        async def gone(_message: Any) -> None:
            raise OSError

        with pytest.raises(ClientDisconnect):
            await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, _never, gone)
        return events.count()

    assert asyncio.run(story()) == 0


def test_a_commit_is_news(web: Web) -> None:
    """The store tells by itself."""
    events = web.services.events
    mark = events.mark()
    with web.services.store.begin() as tx:
        tx.touch("reports")
    assert events.since(mark)[1] == {"reports"}


def test_following_the_news_does_not_keep_a_session_alive(web: Web) -> None:
    """A screen left alone signs its owner out."""
    web.services.events.close()
    client, _ = web.as_role(Role.VIEWER)
    for _ in range(12):
        web.clock.advance(3600)
        client.get("/console/events", headers={"accept": "text/event-stream"})
    assert client.get("/console").status_code == 303


def test_the_stream_is_for_browsers_as_the_standard_says(web: Web) -> None:
    """Its type, and nothing on the way may keep it."""
    web.services.events.close()
    answer = web.as_role(Role.VIEWER)[0].get("/console/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == "retry: 3000\n\n"


def test_too_many_windows_are_told_so(web: Web) -> None:
    """429, and the page asks by itself."""
    client, _ = web.as_role(Role.VIEWER)

    async def fill() -> None:
        with web.services.store.read() as connection:
            (session,) = connection.exec_driver_sql("SELECT id_hash FROM sessions").scalars()
        for _ in range(MOST_OF_A_SESSION):
            web.services.events.join(session)

    asyncio.run(fill())
    assert client.get("/console/events").status_code == 429


def test_a_page_names_what_it_has_seen(web: Web, sqlite_store: Store) -> None:
    """The mark is taken before the page reads anything."""
    with sqlite_store.begin() as tx:
        tx.touch("runs")
    html = web.as_role(Role.VIEWER)[0].get("/console").text
    assert f'<meta name="live" content="{web.services.events.mark()}">' in html


async def _all(lines: AsyncIterator[str]) -> list[str]:
    return [line async for line in lines]


async def _never() -> Any:
    await asyncio.Event().wait()


def _request(web: Web) -> Any:
    return Request({"type": "http", "app": web.app, "headers": [], "method": "GET", "path": "/"})
