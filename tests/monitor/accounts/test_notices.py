"""Who owns an account hears of every change to the way into it, and no secret leaves with that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from monitor.accounts import factors, people
from monitor.accounts.contact import Contact
from monitor.accounts.notices import CHANGES
from monitor.accounts.openid_people import person_of
from monitor.accounts.password_reset import ask_for_reset, fill_in_links, reset_by_link
from monitor.accounts.roles import Role
from monitor.accounts.seal import Seal
from monitor.config.sign_in import OpenId
from monitor.notify.worker import OutboxWorker
from monitor.storage.schema import outbox
from monitor.storage.store import Store
from monitor.storage.users import User
from tests.builders import NOW
from tests.notices import make_context
from tests.sinks import mail_sink

SEAL = Seal("k" * 32)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PROVIDER = OpenId.model_validate(
    {"issuer": "https://login.shop.test", "client_id": "monitor", "link_by_email": True}
)
CLAIMS = {"sub": "42", "email": "ann@shop.test", "email_verified": True}
CHOSEN = "correct horse battery staple"


def switch_on(store: Store, ann: User) -> Any:
    """Switch Ann's second factor on; returns its recovery codes."""
    return factors.switch_on(store, SEAL, ann, SECRET, pyotp.TOTP(SECRET).at(NOW), NOW)


def reset_by_mail(store: Store, _ann: User) -> Any:
    """Follow a mailed link; returns the password and the link's secret."""
    ask_for_reset(store, SEAL, "ann", "Demo Shop", NOW)
    name = rows(store)[-1].payload["name"]
    token = SEAL.derive("password_reset", name)
    assert reset_by_link(store, token, CHOSEN, NOW)
    return CHOSEN, token


def change_password(store: Store, ann: User) -> Any:
    """Choose another password; returns it."""
    people.change_password(store, ann, CHOSEN, NOW)
    return CHOSEN


def use_recovery_code(store: Store, ann: User) -> Any:
    """Sign in with a recovery code; returns it."""
    code = switch_on(store, ann)[0]
    assert factors.check(store, SEAL, ann, code, NOW)
    return code


def taken_away(store: Store, ann: User) -> Any:
    """Have an administrator take the second factor away; returns the recovery codes."""
    codes = switch_on(store, ann)
    assert people.reset_second_factor(store, "ann", NOW, by="thabo")
    return codes


Change = Callable[[Store, User], Any]
WAYS: dict[str, tuple[Change, str]] = {
    "password_changed": (
        change_password,
        "By: whoever was signed in as you",
    ),
    "password_reset": (
        lambda store, _: people.reset_password(store, "ann", NOW, by="thabo"),
        "By: thabo",
    ),
    "password_reset_by_mail": (reset_by_mail, "or had your link"),
    "second_factor_switched_on": (switch_on, "By: whoever was signed in as you"),
    "second_factor_switched_off": (
        lambda store, ann: factors.switch_off(store, ann, NOW),
        "By: whoever was signed in as you",
    ),
    "second_factor_reset": (taken_away, "By: thabo"),
    "recovery_codes_renewed": (
        lambda store, ann: factors.renew_recovery_codes(store, ann, NOW),
        "By: whoever was signed in as you",
    ),
    "recovery_code_used": (use_recovery_code, "By: whoever was signed in as you"),
    "linked_to_provider": (
        lambda store, _: person_of(store, PROVIDER, CLAIMS, NOW).name * 0,
        "By: a sign-in through that provider",
    ),
}


def rows(store: Store) -> list[Any]:
    """Return what is queued, oldest first."""
    with store.read() as connection:
        return list(connection.execute(select(outbox).order_by(outbox.c.id)))


def put_ann(store: Store, email: str = "ann@shop.test") -> User:
    """Make Ann's account."""
    people.add_user(store, "ann", Role.RESPONDER, NOW, contact=Contact(email=email))
    return people.known_user(store, "ann")


def test_every_change_that_is_told_is_tried_here() -> None:
    """A new one is a line in `WAYS`."""
    assert set(WAYS) == set(CHANGES)


@pytest.mark.parametrize("verb", sorted(WAYS))
def test_a_change_to_the_way_in_is_mailed_to_the_owner(sqlite_store: Store, verb: str) -> None:
    """What, when, by whom and what to do; never a password, code, secret or link."""
    change, who = WAYS[verb]
    made = change(sqlite_store, put_ann(sqlite_store))
    mail = rows(sqlite_store)[-1]
    assert (mail.channel, mail.recipient) == ("account notice", "ann@shop.test")
    assert mail.subject == f"{CHANGES[verb]}: ann"
    assert "When: 2026-11-22 09:00:00 UTC" in mail.body
    assert who in mail.body
    told = f"{mail.subject} {mail.body} {mail.payload}"
    secrets = [SECRET, *([made] if isinstance(made, str) else made or [])]
    assert not [secret for secret in secrets if secret and secret in told]


def test_other_changes_and_accounts_without_an_address_are_not_told(sqlite_store: Store) -> None:
    """A role is not a way in; a mail needs an address."""
    ann = put_ann(sqlite_store)
    people.change_role(sqlite_store, "ann", Role.AGENT, NOW)
    people.end_sessions(sqlite_store, "ann", NOW)
    people.add_user(sqlite_store, "ben", Role.AGENT, NOW)
    people.reset_password(sqlite_store, "ben", NOW)
    assert ann.email
    assert rows(sqlite_store) == []


def test_the_notice_arrives_and_names_the_account_page(store: Store) -> None:
    """Through a real mail server."""
    people.change_password(store, put_ann(store), CHOSEN, NOW)
    with mail_sink() as mailbox:
        complete = fill_in_links(SEAL, "https://status.shop.test")
        context = make_context(mailbox.port, complete=complete)
        assert OutboxWorker(store, list, context).deliver_due(NOW) == 1
        (mail,) = mailbox.mails
    assert mail["To"] == "ann@shop.test"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "https://status.shop.test/console/account" in text.get_content()


def test_without_a_mail_server_the_notice_is_dropped_and_says_why(sqlite_store: Store) -> None:
    """It is no failure: nothing was promised that can be kept."""
    people.change_password(sqlite_store, put_ann(sqlite_store), CHOSEN, NOW)
    OutboxWorker(sqlite_store, list, make_context()).deliver_due(NOW)
    (mail,) = rows(sqlite_store)
    assert (mail.state, mail.reason) == ("dropped", "no_mail_server")
