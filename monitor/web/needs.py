"""What needs this reader now: one list for every role, most urgent first.

Each source of needs is a function in `NEEDS` with the permission of whoever can do something about
it; a new one is a function and a line. Whoever has no need is told so as good news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from incidents.reports.conversation import ReportStatus
from monitor.storage.console import report_counts
from monitor.storage.escalations import steps_of
from monitor.storage.maintenance import live_windows
from monitor.storage.needs import taken_by, unexplained, untaken
from monitor.storage.today import (
    count_open_accounts,
    failed_notifications,
    overdue_notifications,
    still_broken,
    waiting_reports,
)
from monitor.web.permissions import Actor, Permission
from monitor.web.services import Services
from monitor.web.trouble import MOST_SHOWN

LATELY = timedelta(hours=24)
OVERDUE = timedelta(minutes=5)  # a notification leaves within seconds of being due
TONES = ("critical", "major", "minor", "planned", "unknown")
LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


@dataclass(frozen=True)
class Need:
    """One thing to do: how urgent, in words, where, and the button that does it at once if any."""

    tone: str
    words: str
    path: str
    since: datetime | None = None
    action: str = ""  # an address to post to
    button: str = ""


@dataclass(frozen=True)
class Scene:
    """What needs are drawn from."""

    services: Services
    connection: Connection
    actor: Actor
    now: datetime


Source = Callable[[Scene], Iterable[Need]]


def needs_of(scene: Scene) -> list[Need]:
    """Return what the actor can do something about now, most urgent first, oldest first."""
    sources = [source for permission, source in NEEDS if scene.actor.may(permission)]
    found = [need for source in sources for need in source(scene)]
    return sorted(found, key=lambda n: (TONES.index(n.tone), n.since or scene.now))


def _nobody_took(scene: Scene) -> Iterable[Need]:
    waiting = untaken(scene.connection, MOST_SHOWN)
    for one in waiting.incidents:
        tone = "critical" if one.severity.value == "critical" else "minor"
        path = f"/console/incidents/{one.number}"
        paged = "you were called, and " if _was_called(scene, one.id) else ""
        words = f"{one.name} {one.title}: {paged}nobody has taken it yet"
        yield Need(tone, words, path, one.started_at, f"{path}/acknowledge", "Acknowledge")
    if waiting.more:
        words = f"{_many(waiting.more, 'more incident')} nobody has taken yet"
        yield Need("minor", words, "/console/incidents", scene.now)


def _was_called(scene: Scene, incident_id: int) -> bool:
    """Return whether a step of the incident's escalation told this reader."""
    steps = steps_of(scene.connection, incident_id)
    return any(told["person"] == scene.actor.name for step in steps for told in step.told)


def _yours(scene: Scene) -> Iterable[Need]:
    theirs = taken_by(scene.connection, scene.actor.name, MOST_SHOWN)
    for one in theirs.incidents:
        words = f"{one.name} {one.title}: you have taken it"
        yield Need("planned", words, f"/console/incidents/{one.number}", one.acknowledged_at)
    if theirs.more:
        words = f"{_many(theirs.more, 'more incident')} you have taken"
        yield Need("planned", words, "/console/incidents", scene.now)


def _users_know_nothing(scene: Scene) -> Iterable[Need]:
    waiting = unexplained(scene.connection, MOST_SHOWN)
    counts = report_counts(scene.connection, [one.id for one in waiting.incidents])
    for one in waiting.incidents:
        told = f"{_many(counts[one.id], 'user')} reported it, and nobody is told anything"
        path = f"/console/incidents/{one.number}"
        yield Need("minor", f"{one.name}: {told}", path, one.started_at)
    if waiting.more:
        words = (
            f"{_many(waiting.more, 'more incident')} users reported, and nobody is told anything"
        )
        yield Need("minor", words, "/console/incidents", scene.now)


def _not_delivered(scene: Scene) -> Iterable[Need]:
    failed = failed_notifications(scene.connection, scene.now - LATELY)
    if failed:
        words = f"{_many(failed, 'notification')} could not be delivered in 24 hours"
        yield Need("major", words, "/console/notifications?state=failed")
    overdue = overdue_notifications(scene.connection, scene.now - OVERDUE)
    if overdue:
        words = f"{_many(overdue, 'notification')} should have left more than 5 minutes ago"
        yield Need("major", words, "/console/notifications?state=queued")


def _reports(scene: Scene) -> Iterable[Need]:
    broken = still_broken(scene.connection)
    if broken.number:
        words = f"{_many(broken.number, 'user')} said that it still does not work"
        yield Need("major", words, "/console/reports?status=open", broken.oldest_at)
    new = waiting_reports(scene.connection, ReportStatus.NEW)
    if new.number:
        words = f"{_many(new.number, 'report')} nobody has looked at"
        yield Need("major", words, "/console/reports?status=new", new.oldest_at)
    waiting = waiting_reports(scene.connection, ReportStatus.OPEN)
    if waiting.number:
        words = f"{_many(waiting.number, 'report')} open, waiting for us"
        yield Need("minor", words, "/console/reports?status=open", waiting.oldest_at)


def _windows(scene: Scene) -> Iterable[Need]:
    for window in live_windows(scene.connection, scene.now):
        if window.is_overdue(scene.now):
            words = f"{window.name} has ended long ago, and no probe has seen the shop work yet"
            yield Need("minor", words, f"/console/maintenance/{window.number}", window.ends_at)


def _monitor_itself(scene: Scene) -> Iterable[Need]:
    last = scene.services.configuration.last_reload
    if not last.successful:
        words = f"The configuration was not taken: {_many(len(last.faults), 'fault')}"
        yield Need("critical", words, "/console/configuration", last.at)
    for reason in scene.services.ready():
        yield Need("critical", f"The monitor is not ready: {reason}", "/console/configuration")
    bad = [rule for group in scene.services.rules.groups() for rule in group.rules if rule.error]
    if bad:
        words = f"{_many(len(bad), 'rule')} cannot be evaluated: {bad[0].name}"
        yield Need("major", words, "/console/alerts")


def hints_of(scene: Scene) -> Iterable[Need]:
    """Give what an installation still lacks, for whoever may manage it."""
    if not scene.actor.may(Permission.MANAGE_USERS):
        return
    services = scene.services
    configuration, settings = services.configuration.current, services.settings
    if not configuration.journeys:
        yield Need("unknown", "Nothing is watched yet: add a journey", "/console/configuration")
    if not configuration.channels:
        words = "Nobody is told of anything: add channels to monitor.yml"
        yield Need("unknown", words, "/console/configuration")
    if settings.smtp_url is None:
        words = "No mail leaves this monitor: set MONITOR_SMTP_URL"
        yield Need("unknown", words, "/console/configuration")
    if count_open_accounts(scene.connection) < 2:
        words = "You are the only one who can sign in: add a second person"
        yield Need("unknown", words, "/console/users/new")
    if settings.public_url.startswith(LOOPBACK):
        words = "Links in messages work on this machine only: set MONITOR_PUBLIC_URL"
        yield Need("unknown", words, "/console/configuration")


NEEDS: tuple[tuple[Permission, Source], ...] = (
    (Permission.WORK_INCIDENTS, _nobody_took),
    (Permission.WORK_INCIDENTS, _yours),
    (Permission.PUBLISH, _users_know_nothing),
    (Permission.RETRY_NOTIFICATIONS, _not_delivered),
    (Permission.ANSWER_REPORTS, _reports),
    (Permission.PLAN_MAINTENANCE, _windows),
    (Permission.RELOAD, _monitor_itself),
)


def may_have_needs(actor: Actor) -> bool:
    """Return whether anything can ever wait for this actor; a manager only looks."""
    return any(actor.may(permission) for permission, _ in NEEDS)


def trouble_time(
    spans: Iterable[tuple[datetime, datetime | None]], since: datetime, now: datetime
) -> timedelta:
    """Return how long there was trouble between `since` and `now`; what overlaps counts once."""
    total, reached = timedelta(), since
    clipped = [(max(start, since), min(end or now, now)) for start, end in spans]
    for start, end in sorted(span for span in clipped if span[0] < span[1]):
        total += max(end - max(start, reached), timedelta())
        reached = max(reached, end)
    return total


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
