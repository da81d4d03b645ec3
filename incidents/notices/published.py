"""What may be shown to everybody: the values from which pages, feeds and JSON are made.

Nothing here has a field for internal notes, reporters or drafts; what is not in these types cannot
leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from incidents.notices.maintenance import Maintenance, State
from incidents.notices.rollup import Rollup
from incidents.notices.status import ComponentStatus

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def public_code(kind: str, name: str) -> str:
    """Return the 12 lower-case letters and digits that stand for `name` in other people's
    programs, always the same.
    """
    number = int.from_bytes(blake2b(f"{kind}\0{name}".encode(), digest_size=12).digest())
    letters = []
    for _ in range(12):
        number, digit = divmod(number, 36)
        letters.append(_ALPHABET[digit])
    return "".join(letters)


@dataclass(frozen=True)
class Site:
    """Whose page it is; `url` has no slash at its end."""

    name: str
    url: str
    time_zone: str = "UTC"

    @property
    def code(self) -> str:
        """Return the page's opaque id."""
        return public_code("page", self.name)


@dataclass(frozen=True)
class PublicComponent:
    """A line of the status page."""

    id: str
    name: str
    status: ComponentStatus
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    group: str | None = None
    last_checked_at: datetime | None = None

    @property
    def code(self) -> str:
        """Return the component's opaque id."""
        return public_code("component", self.id)

    @property
    def full_name(self) -> str:
        """Return its name with its group's before it."""
        return f"{self.group} - {self.name}" if self.group else self.name


@dataclass(frozen=True)
class PublicUpdate:
    """One published note on an incident or a window."""

    public_id: str
    status: str
    body: str
    at: datetime

    @property
    def word(self) -> str:
        """Return the status as a person reads it."""
        return self.status.replace("_", " ").capitalize()


@dataclass(frozen=True)
class PublicIncident:
    """A published incident; `updates` are newest first and never empty."""

    public_id: str
    title: str
    status: str
    impact: str
    started_at: datetime
    created_at: datetime
    updated_at: datetime
    updates: tuple[PublicUpdate, ...]
    components: tuple[tuple[str, ComponentStatus], ...] = ()
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    reconstructed: bool = False  # learned of when it was over

    @property
    def is_open(self) -> bool:
        """Return whether it still stands on the front page."""
        return self.resolved_at is None

    @property
    def word(self) -> str:
        """Return its status as a person reads it."""
        return self.status.capitalize()


@dataclass(frozen=True)
class PublicPage:
    """Everything the public may know at `now`, from which every page, feed and file is drawn."""

    site: Site
    now: datetime
    updated_at: datetime
    rollup: Rollup
    components: tuple[PublicComponent, ...]
    open_incidents: tuple[PublicIncident, ...] = ()
    windows: tuple[Maintenance, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str | None, tuple[PublicComponent, ...]], ...]:
        """Return the components by group, in the order in which the groups first appear."""
        names = list(dict.fromkeys(component.group for component in self.components))
        return tuple((n, tuple(c for c in self.components if c.group == n)) for n in names)

    @property
    def running_windows(self) -> tuple[Maintenance, ...]:
        """Return the windows in progress or verifying."""
        going_on = (State.IN_PROGRESS, State.VERIFYING)
        return tuple(w for w in self.windows if w.state(self.now) in going_on)

    @property
    def upcoming_windows(self) -> tuple[Maintenance, ...]:
        """Return the scheduled windows, the next one first."""
        ahead = (w for w in self.windows if w.state(self.now) is State.SCHEDULED)
        return tuple(sorted(ahead, key=lambda w: w.starts_at))

    @property
    def last_checked_at(self) -> datetime | None:
        """Return when anything was last checked: how old the page's data is."""
        return max((c.last_checked_at for c in self.components if c.last_checked_at), default=None)


def window_updates(window: Maintenance, now: datetime) -> tuple[PublicUpdate, ...]:
    """Return what the window has said so far, newest first; never empty."""
    planned = window.created_at or window.starts_at
    said = [("scheduled", window.description or "Planned work.", planned)]
    over = window.cancelled_at
    if now >= window.starts_at and (over is None or over >= window.starts_at):
        said.append(("in_progress", "The work has begun.", max(window.starts_at, planned)))
    if window.verified_at and over is None:
        body = "The work is over, and our checks have seen everything working."
        said.append(("completed", body, max(window.verified_at, window.ends_at)))
    elif now >= window.ends_at and over is None:
        body = "The announced time is over. We are checking that everything works."
        said.append(("verifying", body, window.ends_at))
    if over is not None:
        said.append(("completed", "This maintenance was cancelled.", over))
    return tuple(
        PublicUpdate(public_code(f"window-{status}", window.public_id), status, body, at)
        for status, body, at in reversed(said)
    )
