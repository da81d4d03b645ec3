"""Mail to the owner of an account when the way into it has changed: what, when, by whom.

It is queued with the change, so that none goes untold, and holds nothing that opens anything. An
account without an address is told nothing; without a mail server the mail is dropped, and the list
of notifications says so.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from incidents.timeline import AUTOMATION
from monitor.notify.kinds import ACCOUNT_NOTICE
from monitor.notify.recheck import ACCOUNT_CHANGED
from monitor.storage.outbox import enqueue
from monitor.storage.store import Transaction
from monitor.storage.users import User, user_by_name

PROVIDER = "sign-in provider"  # as the audit log names it
PRIORITY = 5
PLACE = "{account}"  # where the account's page goes in the mail's text
CHANGES = {  # verbs of the audit log
    "password_changed": "Your password was changed",
    "password_reset": "Your password was replaced by a one-time password",
    "password_reset_by_mail": "Your password was changed by a link sent to this address",
    "second_factor_switched_on": "A second factor was switched on",
    "second_factor_switched_off": "Your second factor was switched off",
    "second_factor_reset": "Your second factor was taken away",
    "recovery_codes_renewed": "Your recovery codes were replaced",
    "recovery_code_used": "A recovery code was used to sign in",
    "linked_to_provider": "Your account was linked to a sign-in provider",
}
BODY = f"""{{what}}.

Account: {{name}}
When: {{at:%Y-%m-%d %H:%M:%S}} UTC
By: {{who}}

If this was you, or you know of it, there is nothing to do.

If it was not you, somebody else may be using your account: choose a new password and end all its
sessions at once ({PLACE}), and tell an administrator.
"""


def tell_owner(tx: Transaction, name: str, verb: str, by: str, now: datetime) -> None:
    """Queue the notice of a change to the way into an account, where it is one."""
    what = CHANGES.get(verb)
    owner = user_by_name(tx.connection, name) if what else None
    if what and owner is not None and owner.email:
        enqueue(tx, [_mail(owner, owner.email, what, by, now)])


def with_page(body: str, public_url: str) -> str:
    """Return a notice's text with the address of the account's page, where that is known."""
    page = f"{public_url}/console/account" if public_url else "on the page of your account"
    return body.replace(PLACE, page)


def _mail(owner: User, address: str, what: str, by: str, now: datetime) -> dict[str, object]:
    key = f"{ACCOUNT_CHANGED}:{secrets.token_urlsafe(16)}"
    who = {
        owner.name: "whoever was signed in as you, or had your link",
        AUTOMATION: "an operator, on the server itself",
        PROVIDER: "a sign-in through that provider",
    }.get(by, by)
    return {
        "key": key,
        "event": ACCOUNT_CHANGED,
        "channel": ACCOUNT_NOTICE,
        "recipient": address,
        "severity": "info",
        "subject": f"{what}: {owner.name}",
        "body": BODY.replace("{what}", what).format(
            name=owner.name, at=now, who=who, account=PLACE
        ),
        "priority": PRIORITY,
        "payload": {"key": key, "event": ACCOUNT_CHANGED},
        "created_at": now,
    }
