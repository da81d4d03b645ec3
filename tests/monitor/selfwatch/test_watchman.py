"""The watchman: heartbeats while all is well, the last resort when something stands still."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from incidents.alerts.model import Alert
from monitor.clock import FakeClock
from monitor.config.watching import HeartbeatSettings
from monitor.notify.routes import make_route
from monitor.selfwatch.vitals import Part, Sign
from monitor.selfwatch.watchman import Beat, Orders, Watchman
from monitor.storage.store import Store
from monitor.storage.watchdog import WatchdogLookup
from tests.monitor.use_cases.desk import Desk
from tests.notices import GivenChannel, make_context
from tests.sinks import Answer, HttpSink, http_sink


class Post:
    """A watchman on a post of his own: a part that can fall silent, and two sinks."""

    def __init__(self, heart: HttpSink, resort: HttpSink) -> None:
        self.clock, self.heart, self.resort = FakeClock(), heart, resort
        self.outbox_lives = self.watchdog_comes = True
        self.last_round = 0.0
        self.watchdog_at: datetime | None = self.clock.now()
        channel = GivenChannel("pager", "webhook", {"url": resort.url, "timeout": "1s"})
        self.orders = Orders(
            HeartbeatSettings.model_validate(
                {"url": f"{heart.url}/${{secret:CHECK}}", "timeout": "1s", "method": "POST"}
            ),
            make_route(channel),
        )
        context = make_context(clock=self.clock, CHECK="a-secret-check-id")
        self.man = Watchman(
            clock=self.clock,
            context=lambda: context,
            orders=lambda: self.orders,
            signs=lambda: [Sign(Part.OUTBOX, self.last_round, 60)],
            watchdog_seen=lambda: self.watchdog_at,
        )

    def pass_time(self, seconds: int) -> None:
        """Let time go by in steps of five seconds."""
        for _ in range(0, seconds, 5):
            self.clock.advance(5)
            if self.outbox_lives:
                self.last_round = self.clock.monotonic()
            if self.watchdog_comes:
                self.watchdog_at = self.clock.now()
            self.man.look()
            self.man.step()

    def told(self) -> list[tuple[str, str]]:
        """Return (event, first line) of what the last resort got."""
        bodies: list[dict[str, Any]] = [json.loads(post.body) for post in self.resort.posts]
        return [(body["event"], body["text"].splitlines()[0]) for body in bodies]


@pytest.fixture
def post(hook: HttpSink) -> Any:
    """A watchman whose heartbeat goes to one sink, and whose last resort is another."""
    with http_sink() as resort:
        yield Post(hook, resort)


def test_while_all_is_well_the_heart_beats_at_its_rate(post: Post) -> None:
    """Ten minutes at one a minute; nobody is told anything."""
    post.pass_time(600)
    assert (len(post.heart.posts), post.told()) == (10, [])
    assert post.heart.posts[0].path == "/hook/a-secret-check-id"


def test_no_heartbeat_before_the_first_watchdog_has_arrived(post: Post) -> None:
    """A monitor that starts with dead rules never claims to be well."""
    post.watchdog_comes, post.watchdog_at = False, None
    post.pass_time(600)
    assert (post.heart.posts, post.told()) == ([], [])
    assert post.man.beats[Beat.WITHHELD] == 10


def test_a_stalled_evaluator_stops_the_heartbeat_and_is_told_directly(post: Post) -> None:
    """Five minutes after the last Watchdog: no beat, one message that names the rules."""
    post.pass_time(60)
    post.watchdog_comes = False
    beats = len(post.heart.posts)
    post.pass_time(900)
    assert len(post.heart.posts) <= beats + 5
    assert [event for event, _ in post.told()] == ["monitor_stalled"]
    assert post.told()[0][1].startswith("No alert named Watchdog arrives")


@pytest.mark.parametrize(
    ("own_rules", "heartbeat", "told"), [(True, False, 1), (False, False, 0), (False, True, 1)]
)
def test_a_watchdog_of_elsewhere_is_missed_only_where_its_rhythm_was_given(
    post: Post, own_rules: bool, heartbeat: bool, told: int
) -> None:
    """An Alertmanager may repeat it every four hours: nobody is woken for that."""
    post.man.own_rules = own_rules
    if not heartbeat:
        post.orders = replace(post.orders, heartbeat=None)
    post.pass_time(60)
    post.watchdog_comes = False
    post.pass_time(400)
    assert len(post.told()) == told


def test_a_stalled_outbox_is_told_past_the_outbox_and_its_end_too(post: Post) -> None:
    """Once when it stalls, once when it works again, and then the heart beats on."""
    post.pass_time(60)
    post.outbox_lives = False
    post.pass_time(300)
    assert len(post.told()) == 1
    assert post.told()[0][1].startswith("Nobody looks at the outbox")
    post.outbox_lives = True
    beats = len(post.heart.posts)
    post.pass_time(120)
    assert [event for event, _ in post.told()] == ["monitor_stalled", "monitor_resolved"]
    assert len(post.heart.posts) == beats + 2


def test_a_stall_that_lasts_is_told_every_hour(post: Post) -> None:
    """Nobody forgets it, nobody is flooded."""
    post.outbox_lives = False
    post.pass_time(2 * 3600 + 300)
    assert [event for event, _ in post.told()] == ["monitor_stalled"] * 3


def test_a_last_resort_that_refuses_is_asked_again(post: Post) -> None:
    """Every half minute, under the same id."""
    post.resort.answers = [Answer(500), Answer(429)]
    post.outbox_lives = False
    post.pass_time(180)
    assert len(post.resort.posts) == 3
    assert len(set(post.resort.ids())) == 1


def test_a_receiver_that_fails_or_hangs_costs_its_beat_alone(post: Post) -> None:
    """The next one is sent in its time."""
    release = threading.Event()
    post.heart.answers = [Answer(500), Answer(wait=release)]
    post.pass_time(240)
    release.set()
    assert (post.man.beats[Beat.FAILED], post.man.beats[Beat.SENT]) == (2, 2)


def test_a_database_that_does_not_answer_is_noticed_without_it(post: Post) -> None:
    """Its looker hangs or fails; the watchman does not."""
    post.pass_time(60)

    def broken() -> datetime | None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    post.man.watchdog_seen = broken
    for _ in range(20):
        post.clock.advance(5)
        post.last_round = post.clock.monotonic()
        with pytest.raises(OperationalError):
            post.man.look()
        post.man.step()
    assert post.told()[0][1].startswith("The database does not answer")


def test_without_heartbeat_and_last_resort_it_only_looks(post: Post) -> None:
    """What stands still is in the metrics and in the log."""
    post.orders = Orders()
    post.outbox_lives = False
    post.pass_time(300)
    assert (post.heart.posts, post.told()) == ([], [])
    assert [stall.part for stall in post.man.found] == [Part.OUTBOX]


def test_the_watchdog_counts_when_it_really_arrived(store: Store) -> None:
    """Told again it is newer; resolved it is gone; other alerts are not it."""
    desk, lookup = Desk(store), WatchdogLookup()
    labels = {"alertname": "Watchdog", "severity": "none", "component": "monitor"}

    def seen() -> datetime | None:
        with store.read() as connection:
            return lookup.seen_at(connection)

    def tell(name: str = "Watchdog", *, over: bool = False) -> None:
        ends = desk.now if over else None
        told = Alert({**labels, "alertname": name}, starts_at=desk.now, ends_at=ends)
        desk.deliver(told)

    tell("Other")
    assert seen() is None
    tell()
    first = desk.now
    assert seen() == first
    desk.later(minutes=1)
    tell()
    assert seen() == desk.now
    tell(over=True)
    assert seen() is None
