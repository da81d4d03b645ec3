"""What is good once is good once, on both databases, however many ask at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar

import pyotp
import pytest

from incidents.errors import InvalidInputError
from monitor.accounts import factors
from monitor.accounts.contact import Contact
from monitor.accounts.openid import OpenIdError
from monitor.accounts.openid_people import person_of
from monitor.accounts.password_reset import PURPOSE, ask_for_reset, reset_by_link
from monitor.accounts.people import add_user, change_role, known_user, shut_account
from monitor.accounts.seal import Seal
from monitor.config.sign_in import OpenId
from monitor.storage.proofs import count_failure, keep_proof, proof_of, take_proof
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from monitor.storage.users import User, all_users
from tests.builders import NOW

SEAL = Seal("a key for tests, and for tests alone")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PROVIDER = OpenId(
    issuer="https://id.example", client_id="m", unknown_people="create", default_role="agent"
)
AT_ONCE = 4
T = TypeVar("T")


def at_once(act: Callable[[int], T]) -> list[T | Exception]:
    """Return what several threads got that acted at the same moment."""
    start = Barrier(AT_ONCE)

    def run(number: int) -> T | Exception:
        start.wait(10)
        try:
            return act(number)
        except (InvalidInputError, OpenIdError) as refused:
            return refused

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def person(store: Store, name: str = "ann", role: str = "administrator") -> User:
    """Return a fresh account."""
    add_user(store, name, role, NOW, contact=Contact(email=f"{name}@shop.example"))
    return known_user(store, name)


@pytest.mark.parametrize("kind", ["code", "recovery code"])
def test_a_code_shown_many_times_at_once_is_good_once(store: Store, kind: str) -> None:
    """Of several requests with the same code one is let in."""
    ann = person(store)
    totp = pyotp.TOTP(SECRET)
    codes = factors.switch_on(store, SEAL, ann, SECRET, totp.at(NOW), NOW)
    assert codes is not None
    later = NOW + timedelta(seconds=60)
    typed = totp.at(later) if kind == "code" else codes[0]
    given = at_once(lambda _: factors.check(store, SEAL, ann, typed, later))
    assert sorted(given, key=str) == [None] * (AT_ONCE - 1) + [kind]


def test_a_proof_is_taken_once_and_counts_every_failure(store: Store) -> None:
    """Two browsers with one secret do not both get on."""
    ann = person(store)

    def take(number: int) -> object:
        with store.begin() as tx:
            count_failure(tx, "another secret")
            return take_proof(tx, "the secret", "openid", NOW)

    with store.begin() as tx:
        for secret in ("the secret", "another secret"):
            ends = NOW + timedelta(minutes=1)
            keep_proof(tx, secret, "openid", now=NOW, expires_at=ends, user_id=ann.id)
    assert [taken is not None for taken in at_once(take)].count(True) == 1
    with store.read() as connection:
        other = proof_of(connection, "another secret", "openid", NOW)
        assert other is not None
        assert other.failures == AT_ONCE
        assert proof_of(connection, "another secret", "password_reset", NOW) is None


def test_a_reset_link_used_many_times_at_once_sets_one_password(store: Store) -> None:
    """The second to come changes nothing."""
    person(store)
    assert ask_for_reset(store, SEAL, "ANN@shop.example", "Shop", NOW)
    with store.read() as connection:
        name = connection.execute(outbox.select()).one().payload["name"]
    link = SEAL.derive(PURPOSE, name)
    done = at_once(lambda number: reset_by_link(store, link, f"a new password {number}", NOW))
    assert [one is not None for one in done].count(True) == 1


@pytest.mark.parametrize("shut", [True, False])
def test_of_administrators_who_go_at_once_one_stays(store: Store, shut: bool) -> None:
    """Each is told that another would be left; only all but one are right."""
    for number in range(AT_ONCE):
        person(store, f"root{number}")

    def go(number: int) -> None:
        if shut:
            shut_account(store, f"root{number}", NOW)
        else:
            change_role(store, f"root{number}", "viewer", NOW)

    refused = [one for one in at_once(go) if one is not None]
    assert len(refused) == 1
    with store.read() as connection:
        left = [u for u in all_users(connection) if u.role == "administrator" and not u.disabled_at]
    assert len(left) == 1


def test_an_identity_that_comes_many_times_at_once_gets_one_account(store: Store) -> None:
    """Who lost the race is told to try again, and nothing is left of it."""
    claims = {"sub": "1", "preferred_username": "ann", "email_verified": False}
    came = at_once(lambda _: person_of(store, PROVIDER, claims, NOW))
    assert any(isinstance(one, User) for one in came)
    assert all(isinstance(one, User) or "Try again" in str(one) for one in came)
    assert person_of(store, PROVIDER, claims, NOW).name == "ann"
    with store.read() as connection:
        assert [user.name for user in all_users(connection)] == ["ann"]
