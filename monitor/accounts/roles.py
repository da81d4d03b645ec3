"""The roles there are; what each may do is `monitor.web.permissions`'."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person is here for; `machine` is whoever shows the API token, never an account."""

    VIEWER = "viewer"  # a manager: reads
    AGENT = "agent"  # support: answers users
    RESPONDER = "responder"  # on call: works on incidents
    ADMINISTRATOR = "administrator"
    MACHINE = "machine"


ACCOUNT_ROLES = tuple(role for role in Role if role is not Role.MACHINE)
