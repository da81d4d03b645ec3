"""How a person is reached: what may be entered for it, and how it is kept.

Any of the four may be empty. What is kept can be compared: e-mail addresses in lower case, phone
numbers as E.164, time zones under their IANA name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError

from incidents.errors import InvalidInputError
from incidents.reports.intake import is_email
from incidents.timeline import AUTOMATION
from monitor.accounts.records import record_of
from monitor.storage.proofs import drop_proofs_of
from monitor.storage.store import Store
from monitor.storage.users import User, set_contact

LONGEST_NAME = 80
PHONE = re.compile(r"\+[1-9]\d{6,14}")  # E.164: at most 15 digits, country code first
SPACING = re.compile(r"[\s().\-/]")  # what people put between digits
FIELDS = ("display_name", "email", "phone", "time_zone")


@dataclass(frozen=True)
class Contact:
    """How somebody is reached, as it is kept; what is not known is empty."""

    display_name: str = ""
    email: str = ""
    phone: str = ""
    time_zone: str = ""  # empty: the site's

    @classmethod
    def of(cls, user: User) -> Contact:
        """Return what is known of an account's owner."""
        return cls(user.display_name, user.email or "", user.phone, user.time_zone)

    @classmethod
    def entered(cls, fields: Mapping[str, str]) -> Contact:
        """Return what somebody typed, brought into the form that is kept."""
        typed = {name: " ".join(fields.get(name, "").split()) for name in FIELDS}
        typed["email"] = typed["email"].lower()
        typed["phone"] = SPACING.sub("", typed["phone"])
        return cls(**typed)

    def columns(self) -> dict[str, str | None]:
        """Return it as the columns of the table."""
        return {**asdict(self), "email": self.email or None}

    def check(self) -> None:
        """Refuse what cannot be kept.

        Raises:
            InvalidInputError: names each field and what it expects.
        """
        if faults := self.faults():
            raise InvalidInputError("; ".join(f"{name}: {why}" for name, why in faults.items()))

    def faults(self) -> dict[str, str]:
        """Return what cannot be kept, by field, in words for who typed it."""
        found = {}
        if len(self.display_name) > LONGEST_NAME or not self.display_name.isprintable():
            found["display_name"] = f"Use at most {LONGEST_NAME} plain characters."
        if self.email and not is_email(self.email):
            found["email"] = "This is no e-mail address, such as ann@shop.example."
        if self.phone and not PHONE.fullmatch(self.phone):
            found["phone"] = "Use the international form, such as +27 82 123 4567."
        if self.time_zone and not is_time_zone(self.time_zone):
            found["time_zone"] = "Choose a zone from the list, such as Africa/Johannesburg."
        return found


NOWHERE = Contact()


def is_time_zone(name: str) -> bool:
    """Return whether the zone database has this name; files beside it do not count."""
    return name in available_timezones()


def zone_choices(site_zone: str) -> list[tuple[str, str]]:
    """Return every zone as (value, label), first the site's own, which is kept as none."""
    named = [(zone, zone) for zone in sorted(available_timezones())]
    return [("", f"The site’s: {site_zone}"), *named]


def save_contact(
    store: Store, user: User, contact: Contact, now: datetime, *, by: str = AUTOMATION
) -> None:
    """Replace how an account's owner is reached.

    Whoever reads a new address can reset the password: links sent to the old one end.

    Raises:
        InvalidInputError: something cannot be kept, or the address is another account's.
    """
    contact.check()
    before, after = asdict(Contact.of(user)), asdict(contact)
    fields = [name for name in FIELDS if before[name] != after[name]]
    try:
        with store.begin() as tx:
            set_contact(tx, user.id, **contact.columns())
            if "email" in fields:
                drop_proofs_of(tx, user.id)
            if fields:
                record_of(tx, user.name, "contact_changed", by, now, fields=fields)
    except IntegrityError as error:
        raise InvalidInputError(f"another account has the address {contact.email}") from error
