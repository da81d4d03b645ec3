"""A person's second factor: set up with proof that it works, asked for, renewed, switched off."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from incidents.errors import InvalidInputError
from monitor.accounts.records import record_of
from monitor.accounts.seal import BrokenSeal, Seal
from monitor.accounts.second_factor import matching_step, new_recovery_codes, recovery_hash
from monitor.log import logger
from monitor.storage.second_factors import (
    drop_factor,
    factor_of,
    keep_factor,
    keep_recovery_codes,
    spend_recovery_code,
    spend_step,
)
from monitor.storage.store import Store, Transaction
from monitor.storage.users import User, end_sessions_of

log = logger("second-factor")


class Given(StrEnum):
    """What somebody gave as a second factor."""

    CODE = "code"
    RECOVERY_CODE = "recovery code"


def offer_secret(seal: Seal, secret: str, session: str) -> str:
    """Return a secret not in force yet, to be carried by the form of one session."""
    return seal.close(secret, _enrolment(session))


def offered_secret(seal: Seal, offer: str, session: str) -> str:
    """Return the secret that a form carried.

    Raises:
        InvalidInputError: the form is not one that this session was given.
    """
    try:
        return seal.open(offer, _enrolment(session))
    except BrokenSeal as error:
        raise InvalidInputError("this form is no longer valid; begin again") from error


def switch_on(
    store: Store, seal: Seal, user: User, secret: str, typed: str, now: datetime
) -> list[str] | None:
    """Put a second factor in force once its code was typed; return its recovery codes.

    None means that the code is not the one for now, and that nothing has changed. A factor that
    was in force before is replaced, with all its recovery codes; every session ends.
    """
    step = matching_step(secret, typed, now, after=0)
    if step is None:
        return None
    codes = new_recovery_codes()
    with store.begin() as tx:
        keep_factor(tx, user.id, seal.close(secret, _in_force(user.id)), step, now)
        keep_recovery_codes(tx, user.id, [recovery_hash(user.id, code) for code in codes])
        end_sessions_of(tx, user.id)
        record_of(tx, user.name, "second_factor_switched_on", user.name, now)
    return codes


def check(store: Store, seal: Seal, user: User, typed: str, now: datetime) -> Given | None:
    """Return what the typed text was good for, now spent; None if it is good for nothing.

    A code is spent with every earlier one, a recovery code alone; of two requests with the same
    code one is refused.
    """
    with store.begin() as tx:
        if _spend_code(tx, seal, user.id, typed, now):
            return Given.CODE
        if spend_recovery_code(tx, user.id, recovery_hash(user.id, typed), now):
            record_of(tx, user.name, "recovery_code_used", user.name, now)
            return Given.RECOVERY_CODE
    return None


def renew_recovery_codes(store: Store, user: User, now: datetime) -> list[str]:
    """Replace an account's recovery codes and return the new ones."""
    codes = new_recovery_codes()
    with store.begin() as tx:
        keep_recovery_codes(tx, user.id, [recovery_hash(user.id, code) for code in codes])
        record_of(tx, user.name, "recovery_codes_renewed", user.name, now)
    return codes


def switch_off(store: Store, user: User, now: datetime) -> None:
    """Forget an account's second factor and its recovery codes; every session ends."""
    with store.begin() as tx:
        drop_factor(tx, user.id)
        end_sessions_of(tx, user.id)
        record_of(tx, user.name, "second_factor_switched_off", user.name, now)


def _spend_code(tx: Transaction, seal: Seal, user_id: int, typed: str, now: datetime) -> bool:
    factor = factor_of(tx.connection, user_id)
    if factor is None:
        return False
    try:
        secret = seal.open(factor.sealed, _in_force(user_id))
    except BrokenSeal:
        # Its recovery codes still work, and an administrator can reset it.
        log.warning("a second factor was sealed with another key", user_id=user_id)
        return False
    step = matching_step(secret, typed, now, after=factor.last_step)
    return step is not None and spend_step(tx, user_id, step)


def _enrolment(session: str) -> str:
    return f"enrolment\0{session}"


def _in_force(user_id: int) -> str:
    return f"second-factor\0{user_id}"
