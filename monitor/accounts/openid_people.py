"""Whose account an identity of a provider opens here, and with which role.

An identity is the pair of issuer and subject. It is tied to an account once, when the account is
made for it, or, where that is configured, by an e-mail address that the provider has verified.
Addresses here are set by administrators alone, so nobody can have somebody else's tied to his own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from incidents.errors import InvalidInputError
from monitor.accounts.contact import Contact
from monitor.accounts.notices import PROVIDER
from monitor.accounts.openid import OpenIdError
from monitor.accounts.people import NAME, NOT_PEOPLE, change_role
from monitor.accounts.records import record_of
from monitor.accounts.roles import ACCOUNT_ROLES
from monitor.config.sign_in import OpenId
from monitor.log import logger
from monitor.storage.identities import link_identity, user_of_identity
from monitor.storage.store import Store, Transaction
from monitor.storage.users import User, insert_user, user_by_email, user_by_name

log = logger("sign-in")
NAMESAKES = 100
ASK = "Ask an administrator of this monitor."


def person_of(store: Store, settings: OpenId, claims: Mapping[str, Any], now: datetime) -> User:
    """Return the account that an identity opens; make or tie it where that is configured.

    Its role becomes what the provider's groups say, where they are mapped.

    Raises:
        OpenIdError: it opens none; says why, and what to do.
    """
    try:
        with store.begin() as tx:
            user = _found(tx, settings, claims) or _new(tx, settings, claims, now)
    except IntegrityError as error:
        again = "You were being signed in twice at once. Try again."
        raise OpenIdError(again, "two sign-ins of one identity at once") from error
    if user.disabled_at is not None:
        raise OpenIdError(f"Your account {user.name} is shut. {ASK}", "account is shut")
    wanted = role_of(settings, claims, user.role)
    if wanted == user.role:
        return user
    try:
        change_role(store, user.name, wanted, now, by=PROVIDER)
    except InvalidInputError as error:
        log.warning("role kept", account=user.name, wanted=wanted, reason=str(error))
    with store.read() as connection:
        return user_by_name(connection, user.name) or user


def role_of(settings: OpenId, claims: Mapping[str, Any], present: str | None) -> str:
    """Return the role of an identity: the highest that one of its groups is mapped to.

    Without a mapping it keeps the `present` one; without one of the groups it has the default.

    Raises:
        OpenIdError: there is none for it.
    """
    if not settings.roles:
        role = present or settings.default_role
    else:
        mapped = {
            settings.roles[group] for group in groups_of(settings, claims) & set(settings.roles)
        }
        ranked = [role.value for role in ACCOUNT_ROLES if role.value in mapped]
        role = ranked[-1] if ranked else settings.default_role
    if role is None:
        raise OpenIdError(
            "Your provider puts you into none of the groups that may come in. "
            "Ask whoever looks after its groups.",
            "in no mapped group",
        )
    return role


def groups_of(settings: OpenId, claims: Mapping[str, Any]) -> set[str]:
    """Return the values of the claim that roles are made from, such as `realm_access.roles`."""
    value: Any = claims.get(settings.role_claim)
    if value is None:
        value = claims
        for part in settings.role_claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    listed = value if isinstance(value, list) else [value]
    return {one for one in listed if isinstance(one, str)}


def verified_email(claims: Mapping[str, Any]) -> str:
    """Return the address, if the provider says that it has verified it; else nothing."""
    if claims.get("email_verified") not in (True, "true"):  # some send the word
        return ""
    contact = Contact.entered({"email": str(claims.get("email") or "")})
    return "" if contact.faults() else contact.email


def _found(tx: Transaction, settings: OpenId, claims: Mapping[str, Any]) -> User | None:
    return user_of_identity(tx.connection, settings.issuer, claims["sub"])


def _new(tx: Transaction, settings: OpenId, claims: Mapping[str, Any], now: datetime) -> User:
    """Return the account that an identity seen for the first time is tied to."""
    email = verified_email(claims)
    namesake = user_by_email(tx.connection, email) if email else None
    if namesake is not None and not settings.link_by_email:
        raise OpenIdError(
            f"There is an account with your address, and it is not tied to your provider. {ASK}",
            "address of another account, link_by_email is off",
        )
    if namesake is None and settings.unknown_people == "refuse":
        why = "" if email else " Your provider does not say that your address is verified."
        raise OpenIdError(
            f"There is no account for you on this monitor.{why} {ASK}", "unknown person"
        )
    role_of(
        settings, claims, namesake.role if namesake else None
    )  # refused before anything is made
    user = namesake or _made(tx, settings, claims, email, now)
    link_identity(tx, settings.issuer, claims["sub"], user.id, now)
    record_of(tx, user.name, "linked_to_provider", PROVIDER, now, issuer=settings.issuer)
    return user


def _made(
    tx: Transaction, settings: OpenId, claims: Mapping[str, Any], email: str, now: datetime
) -> User:
    name, role = _free_name(tx, claims, email), role_of(settings, claims, None)
    called = Contact.entered({"display_name": str(claims.get("name") or "")[:80]})
    shown = "" if called.faults() else called.display_name
    columns = Contact(display_name=shown, email=email).columns()
    insert_user(tx, name, role, "", now, one_time=False, contact=columns)
    record_of(tx, name, "added", PROVIDER, now, role=role)
    user = user_by_name(tx.connection, name)
    assert user is not None
    return user


def _free_name(tx: Transaction, claims: Mapping[str, Any], email: str) -> str:
    """Return a name like the one at the provider that no account has yet."""
    wished = str(claims.get("preferred_username") or email or "person").lower()
    plain = re.sub(r"[^a-z0-9._@-]+", "-", wished).strip("._@-")[:50] or "person"
    for number in range(1, NAMESAKES):
        name = plain if number == 1 else f"{plain}-{number}"
        free = name not in NOT_PEOPLE and user_by_name(tx.connection, name) is None
        if NAME.fullmatch(name) and free:
            return name
    raise OpenIdError(f"Too many accounts are named like you. {ASK}", f"no free name: {plain}")
