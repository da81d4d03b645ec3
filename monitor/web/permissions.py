"""Who may do what: one table, asked in one place (`monitor.web.security.require`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.accounts.roles import ACCOUNT_ROLES, Role

__all__ = ["ACCOUNT_ROLES", "MAY", "NAVIGATION", "Actor", "Permission", "Role", "navigation"]


class Permission(StrEnum):
    """A kind of thing that may be done; the value completes "you may not …"."""

    VIEW = "look at the console"
    VIEW_EVIDENCE = "see what a probe captured"
    VIEW_REPORTS = "read what users reported"
    VIEW_CONFIGURATION = "see the configuration"
    ANSWER_REPORTS = "answer users' reports"
    LINK_REPORTS = "link reports to incidents"
    NOTE = "write notes on incidents"
    WORK_INCIDENTS = "work on incidents"
    PUBLISH = "publish updates to users"
    RUN_JOURNEYS = "run journeys by hand"
    PLAN_MAINTENANCE = "plan maintenance"
    SILENCE = "silence alerts"
    CHANGE_ON_CALL = "change who is on call"
    RETRY_NOTIFICATIONS = "send notifications again"
    RELOAD = "reload the configuration"
    VIEW_AUDIT = "read the audit log"
    MANAGE_USERS = "manage accounts"
    MANAGE_TOKENS = "manage everybody's tokens and alert sources"
    OWN_ACCOUNT = "change one's own account"


_V, _A, _R, _X, _M = Role.VIEWER, Role.AGENT, Role.RESPONDER, Role.ADMINISTRATOR, Role.MACHINE

MAY: dict[Permission, frozenset[Role]] = {
    Permission.VIEW: frozenset({_V, _A, _R, _X, _M}),
    Permission.VIEW_EVIDENCE: frozenset({_R, _X, _M}),
    Permission.VIEW_REPORTS: frozenset({_A, _R, _X, _M}),
    Permission.VIEW_CONFIGURATION: frozenset({_R, _X}),
    Permission.ANSWER_REPORTS: frozenset({_A, _R, _X, _M}),
    Permission.LINK_REPORTS: frozenset({_A, _R, _X, _M}),
    Permission.NOTE: frozenset({_A, _R, _X, _M}),
    Permission.WORK_INCIDENTS: frozenset({_R, _X, _M}),
    Permission.PUBLISH: frozenset({_R, _X, _M}),
    Permission.RUN_JOURNEYS: frozenset({_R, _X, _M}),
    Permission.PLAN_MAINTENANCE: frozenset({_R, _X, _M}),
    Permission.SILENCE: frozenset({_R, _X, _M}),
    Permission.CHANGE_ON_CALL: frozenset({_R, _X, _M}),
    Permission.RETRY_NOTIFICATIONS: frozenset({_R, _X}),
    Permission.RELOAD: frozenset({_X}),
    Permission.VIEW_AUDIT: frozenset({_X}),
    Permission.MANAGE_USERS: frozenset({_X}),
    Permission.MANAGE_TOKENS: frozenset({_X}),
    Permission.OWN_ACCOUNT: frozenset({_V, _A, _R, _X}),
}


@dataclass(frozen=True)
class Actor:
    """Who is asking, once known: a person in a session, or a machine with the token."""

    name: str
    role: Role
    csrf: str = ""
    user_id: int | None = None
    session: str = ""  # hash of the session's id
    must_change_password: bool = False
    must_enrol: bool = False  # the role asks for a second factor that the account has not
    signed_in_at: datetime | None = None
    method: str = "password"  # how: password or openid
    time_zone: str = ""  # empty: the site's
    token_id: int | None = None  # the token through which a person's program asks
    scopes: tuple[str, ...] = ()
    limited_to: frozenset[Permission] | None = None  # by the scopes; None: by the role alone

    @property
    def shows_token(self) -> bool:
        """Return whether a program asks, by a header that no browser sends by itself."""
        return self.role is Role.MACHINE or self.token_id is not None

    def may(self, permission: Permission | str) -> bool:
        """Return whether the table lets this actor do it; templates pass the name (`"NOTE"`)."""
        wanted = permission if isinstance(permission, Permission) else Permission[permission]
        within = self.limited_to is None or wanted in self.limited_to
        return within and self.role in MAY[wanted]


class Group(StrEnum):
    """A heading of the console's navigation, in the order they stand."""

    NOW = "Now"
    WORK = "Work"
    ON_CALL = "On call"
    ADMINISTRATION = "Administration"


@dataclass(frozen=True)
class Entry:
    """A line of the console's navigation; `key` after `g` goes there from the keyboard."""

    path: str
    label: str
    permission: Permission = Permission.VIEW
    group: Group = Group.WORK
    key: str = ""

    def holds(self, path: str) -> bool:
        """Return whether a page at `path` belongs to this entry."""
        return path == self.path or (self.path != "/console" and path.startswith(self.path + "/"))


NAVIGATION = (
    Entry("/console", "Home", group=Group.NOW, key="h"),
    Entry("/console/incidents", "Incidents", group=Group.NOW, key="i"),
    Entry("/console/alerts", "Alerts", group=Group.NOW, key="a"),
    Entry("/console/silences", "Silences", group=Group.NOW, key="s"),
    Entry("/console/journeys", "Journeys", key="j"),
    Entry("/console/reports", "Reports", Permission.VIEW_REPORTS, key="r"),
    Entry("/console/maintenance", "Maintenance", key="m"),
    Entry("/console/on-call", "On call now", group=Group.ON_CALL, key="o"),
    Entry("/console/notifications", "Notifications", group=Group.ON_CALL, key="n"),
    Entry(
        "/console/configuration",
        "Configuration",
        Permission.VIEW_CONFIGURATION,
        Group.ADMINISTRATION,
        "c",
    ),
    Entry("/console/users", "People", Permission.MANAGE_USERS, Group.ADMINISTRATION, "p"),
    Entry("/console/tokens", "Tokens", Permission.MANAGE_TOKENS, Group.ADMINISTRATION, "t"),
    Entry("/console/audit", "Audit log", Permission.VIEW_AUDIT, Group.ADMINISTRATION, "l"),
)


def navigation(actor: Actor) -> dict[Group, tuple[Entry, ...]]:
    """Return the entries that lead somewhere for this actor, under their headings."""
    mine = [entry for entry in NAVIGATION if actor.may(entry.permission)]
    grouped = {group: tuple(e for e in mine if e.group is group) for group in Group}
    return {group: entries for group, entries in grouped.items() if entries}
