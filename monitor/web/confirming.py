"""Proving again who one is, before something that a borrowed browser should not do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from fastapi import Request

from monitor.accounts.people import authenticate
from monitor.storage.users import User, user_by_id
from monitor.web.entering import client_address
from monitor.web.errors import TooManyAttempts
from monitor.web.permissions import Actor
from monitor.web.services import Services

FRESH = timedelta(minutes=10)
NOT_YOURS = "That is not your present password."
NOT_FRESH = "Sign out and in again first: you have no password here that could be asked for."


def own_account(services: Services, actor: Actor) -> User:
    """Return the account of whoever is signed in."""
    with services.store.read() as connection:
        user = user_by_id(connection, actor.user_id or 0)
    assert user is not None  # its session would be gone with it
    return user


def unconfirmed(
    request: Request, services: Services, actor: Actor, form: Mapping[str, str], field: str
) -> str:
    """Return why whoever sends this form is not known to be the owner; empty if they are.

    The owner gives the present password in `field`; one who comes from a provider and has none
    must have signed in just now. Guessing is slowed as at sign-in.
    """
    user, now = own_account(services, actor), services.clock.now()
    if not user.password_hash:
        fresh = actor.signed_in_at is not None and now - actor.signed_in_at <= FRESH
        return "" if fresh else NOT_FRESH
    throttle, device = request.app.state.throttle, f"session {actor.session}"
    wait = throttle.wait(user.name, client_address(request), now, device=device)
    if wait:
        raise TooManyAttempts(int(wait.total_seconds()) + 1)
    if authenticate(services.store, user.name, form.get(field, ""), now) is None:
        throttle.failed(user.name, client_address(request), now, device=device)
        return NOT_YOURS
    return ""
