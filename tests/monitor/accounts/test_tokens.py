"""API tokens: made once, known by a hash, and dead as soon as they should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from incidents.errors import InvalidInputError, UnknownObjectError
from monitor.accounts.scopes import PERSONAL, Scope
from monitor.accounts.token_secrets import (
    ALPHABET,
    LENGTH,
    PREFIX,
    hint_of,
    is_token,
    new_token,
    token_hash,
)
from monitor.accounts.tokens import (
    LONGEST_DAYS,
    TOUCHED_EVERY,
    NewToken,
    add_alert_source,
    add_token,
    end_token,
    live_token,
)
from monitor.config.model import Retention
from monitor.storage import schema
from monitor.storage.audit import AuditFilter, search_audit
from monitor.storage.retention import apply_retention
from monitor.storage.store import Store
from monitor.storage.tokens import list_tokens, token_by_id
from monitor.storage.users import insert_user, set_disabled, user_by_name

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def account(store: Store, name: str = "ann") -> int:
    with store.begin() as tx:
        insert_user(tx, name, "responder", "x", NOW)
        user = user_by_name(tx.connection, name)
    assert user is not None
    return user.id


def make(store: Store, user_id: int, **given: object) -> NewToken:
    facts: dict[str, object] = {"name": "deploy", "scopes": ["read"], "days": 30, "owner": "ann"}
    facts |= {"by": "ann", "now": NOW, **given}
    return add_token(store, user_id=user_id, **facts)  # type: ignore[arg-type] # as tests give


def test_a_token_is_recognised_by_its_form_and_no_two_are_alike() -> None:
    """The prefix is for scanners, the alphabet for every shell, the length for every field."""
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(is_token(token) and len(token) == LENGTH for token in made)
    assert all(set(token.removeprefix(PREFIX)) <= set(ALPHABET) for token in made)


@pytest.mark.parametrize("place", [0, 4, 20, LENGTH - 7, LENGTH - 1])
def test_a_mistyped_token_is_none(place: int) -> None:
    """Any one character changed is found by the checksum, without a look at the database."""
    token = new_token()
    other = "x" if token[place] != "x" else "y"
    assert not is_token(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "text",
    ["", "spm_", "é" * LENGTH, new_token()[:-1], new_token() + "0"],
    ids=["nothing", "a prefix", "another script", "cut short", "a letter more"],
)
def test_what_is_cut_or_foreign_is_no_token(text: str) -> None:
    """Whatever a header may hold."""
    assert not is_token(text)


def test_nothing_of_the_secret_is_kept_but_its_hash_and_its_beginning(store: Store) -> None:
    """Who reads the database cannot use what is in it."""
    made = make(store, account(store))
    with store.read() as connection:
        kept = repr(connection.execute(select(schema.api_tokens)).all())
        logged = repr(search_audit(connection, AuditFilter(action="token")))
    assert made.secret not in kept + logged
    assert token_hash(made.secret) in kept
    assert hint_of(made.secret) in kept
    assert "token.added" in logged


def test_a_live_token_is_known_with_its_owner_as_they_are_now(store: Store) -> None:
    """Role and scopes come with it."""
    token = live_token(store, make(store, account(store)).secret, NOW)
    assert token is not None
    assert (token.owner, token.owner_role, token.scopes) == ("ann", "responder", ("read",))


@pytest.mark.parametrize(("days", "alive"), [(29, True), (30, False), (31, False)])
def test_a_token_is_dead_from_its_last_instant_on(store: Store, days: int, alive: bool) -> None:
    """The end is excluded."""
    made = make(store, account(store), days=30)
    assert (live_token(store, made.secret, NOW + timedelta(days=days)) is not None) is alive


def test_a_shut_accounts_token_is_dead_and_lives_again_with_it(store: Store) -> None:
    """Nobody has to think of a leaver's tokens."""
    user_id = account(store)
    made = make(store, user_id)
    with store.begin() as tx:
        set_disabled(tx, user_id, NOW)
    assert live_token(store, made.secret, NOW) is None
    with store.begin() as tx:
        set_disabled(tx, user_id, None)
    assert live_token(store, made.secret, NOW) is not None


def test_a_revoked_token_is_dead_at_once_and_its_name_is_free(store: Store) -> None:
    """Revoking twice is once, and one row in the log."""
    user_id = account(store)
    made = make(store, user_id)
    for _ in range(2):
        end_token(store, made.id, by="ann", now=NOW)
    assert live_token(store, made.secret, NOW) is None
    make(store, user_id)
    with store.read() as connection:
        assert len(search_audit(connection, AuditFilter(action="token.revoked"))) == 1


def test_nobody_ends_anothers_token_by_its_number(sqlite_store: Store) -> None:
    """It is as if there were none."""
    made = make(sqlite_store, account(sqlite_store))
    other = account(sqlite_store, "bob")
    with pytest.raises(UnknownObjectError):
        end_token(sqlite_store, made.id, by="bob", now=NOW, only_of=other)
    assert live_token(sqlite_store, made.secret, NOW) is not None


def test_a_used_token_says_when_but_not_at_every_use(sqlite_store: Store) -> None:
    """Once a minute is enough to know that it is in use."""
    made = make(sqlite_store, account(sqlite_store))
    for later in (timedelta(0), TOUCHED_EVERY - timedelta(seconds=1)):
        live_token(sqlite_store, made.secret, NOW + later)
        with sqlite_store.read() as connection:
            token = token_by_id(connection, made.id)
        assert token is not None
        assert token.last_used_at == NOW
    live_token(sqlite_store, made.secret, NOW + TOUCHED_EVERY)
    with sqlite_store.read() as connection:
        token = token_by_id(connection, made.id)
    assert token is not None
    assert token.last_used_at == NOW + TOUCHED_EVERY


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": " "}, "is empty"),
        ({"name": "x" * 61}, "at most 60"),
        ({"scopes": []}, "at least one scope"),
        ({"scopes": ["root"]}, "no scope root"),
        ({"scopes": [Scope.SEND_ALERTS.value]}, "no scope alerts:send"),
        ({"days": 0}, "lives 1 to"),
        ({"days": LONGEST_DAYS + 1}, "lives 1 to"),
    ],
)
def test_what_makes_no_token_is_refused_in_words(
    sqlite_store: Store, given: dict[str, object], told: str
) -> None:
    """Each refusal says what would be allowed."""
    user_id = account(sqlite_store)
    with pytest.raises(InvalidInputError, match=told):
        make(sqlite_store, user_id, **given)


def test_a_name_is_used_once_at_a_time(store: Store) -> None:
    """Each account has its own names."""
    user_id = account(store)
    make(store, user_id)
    with pytest.raises(InvalidInputError, match="already a token named 'deploy'"):
        make(store, user_id)
    make(store, account(store, "bob"))


def test_a_source_has_a_token_of_its_own_that_outlives_whoever_made_it(store: Store) -> None:
    """It belongs to the installation; two of them let it be changed without a gap."""
    first = add_alert_source(store, source="eu-prom", name="", days=None, by="ann", now=NOW)
    second = add_alert_source(store, source="eu-prom", name="new", days=30, by="ann", now=NOW)
    years = NOW + timedelta(days=4000)
    found = live_token(store, first.secret, years)
    assert found is not None
    assert (found.source, found.scopes, found.owner) == ("eu-prom", ("alerts:send",), None)
    assert live_token(store, second.secret, years) is None


@pytest.mark.parametrize("source", ["", "EU", "a b", "-a", "x" * 61, "rules", "alertmanager"])
def test_a_sources_name_is_a_short_word_that_is_not_ours(sqlite_store: Store, source: str) -> None:
    """Nobody can pass for the built-in rules."""
    with pytest.raises(InvalidInputError, match="cannot be used"):
        add_alert_source(sqlite_store, source=source, name="x", days=None, by="ann", now=NOW)


def test_dead_tokens_are_forgotten_after_a_while_and_live_ones_never(store: Store) -> None:
    """So that the list stays one of what matters."""
    user_id = account(store)
    make(store, user_id, name="short", days=1)
    end_token(store, make(store, user_id, name="ended").id, by="ann", now=NOW)
    add_alert_source(store, source="eu-prom", name="", days=None, by="ann", now=NOW)
    later = NOW + timedelta(days=92)
    assert apply_retention(store, Retention(), later)["api_tokens"] == 2
    with store.read() as connection:
        assert [token.name for token in list_tokens(connection)] == ["eu-prom"]


def test_every_scope_has_words() -> None:
    """People choose among them."""
    assert all(scope.words for scope in Scope)
    assert set(PERSONAL) == set(Scope) - {Scope.SEND_ALERTS}
