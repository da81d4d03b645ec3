"""Which permissions a token's scope holds; what stands in none of them no token may do."""

from __future__ import annotations

from monitor.accounts.scopes import PERSONAL, Scope
from monitor.web.permissions import MAY, Permission, Role

HOLDS: dict[Scope, frozenset[Permission]] = {
    Scope.READ: frozenset({Permission.VIEW, Permission.VIEW_EVIDENCE}),
    Scope.READ_REPORTS: frozenset({Permission.VIEW_REPORTS}),
    Scope.WRITE_REPORTS: frozenset(
        {Permission.VIEW_REPORTS, Permission.ANSWER_REPORTS, Permission.LINK_REPORTS}
    ),
    Scope.WRITE_INCIDENTS: frozenset(
        {Permission.VIEW, Permission.NOTE, Permission.WORK_INCIDENTS, Permission.PUBLISH}
    ),
    Scope.WRITE_MAINTENANCE: frozenset({Permission.VIEW, Permission.PLAN_MAINTENANCE}),
    Scope.WRITE_ON_CALL: frozenset({Permission.VIEW, Permission.CHANGE_ON_CALL}),
    Scope.SILENCE: frozenset({Permission.VIEW, Permission.SILENCE}),
    Scope.RUN_JOURNEYS: frozenset({Permission.VIEW, Permission.RUN_JOURNEYS}),
    Scope.RETRY_NOTIFICATIONS: frozenset({Permission.VIEW, Permission.RETRY_NOTIFICATIONS}),
    Scope.RELOAD: frozenset({Permission.VIEW_CONFIGURATION, Permission.RELOAD}),
    Scope.READ_AUDIT: frozenset({Permission.VIEW_AUDIT}),
    Scope.READ_METRICS: frozenset(),  # the doors of metrics ask for the scope itself
    Scope.SEND_ALERTS: frozenset(),  # and so do those of alerts
}
# A token makes no other token and no account, and changes nobody's password.
NEVER = frozenset({Permission.MANAGE_USERS, Permission.MANAGE_TOKENS, Permission.OWN_ACCOUNT})


def permissions_of(scopes: tuple[str, ...]) -> frozenset[Permission]:
    """Return what tokens with these scopes may do at most."""
    return frozenset(p for scope in scopes if scope in set(Scope) for p in HOLDS[Scope(scope)])


def scopes_for(role: Role) -> tuple[Scope, ...]:
    """Return the scopes that are of any use to an account of that role."""
    if role not in MAY[Permission.OWN_ACCOUNT]:
        return ()
    return tuple(
        scope
        for scope in PERSONAL
        if scope in (Scope.READ, Scope.READ_METRICS)
        or any(role in MAY[permission] for permission in HOLDS[scope] - {Permission.VIEW})
    )
