"""How a person is reached: what may be entered for it, and how it is kept.

Any of the four may be empty. What is kept can be compared: e-mail addresses in lower case, phone
numbers as E.164, time zones under their IANA name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError

from incidents.errors import InvalidInputError
from incidents.reports.intake import is_email
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


def is_time_zone(name: str) -> bool:
    """Return whether the zone database has this name; files beside it do not count."""
    return name in available_timezones()


def save_contact(store: Store, user: User, contact: Contact) -> None:
    """Replace how an account's owner is reached.

    Raises:
        InvalidInputError: something cannot be kept, or the address is another account's.
    """
    if faults := contact.faults():
        raise InvalidInputError("; ".join(f"{name}: {why}" for name, why in faults.items()))
    columns = {**asdict(contact), "email": contact.email or None}
    try:
        with store.begin() as tx:
            set_contact(tx, user.id, **columns)
    except IntegrityError as error:
        raise InvalidInputError(f"another account has the address {contact.email}") from error
