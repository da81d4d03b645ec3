"""How people are reached: `monitor.accounts.contact`."""

from __future__ import annotations

import pytest

from incidents.errors import InvalidInputError
from monitor.accounts.contact import Contact, save_contact
from monitor.accounts.people import add_user, known_user
from monitor.storage.store import Store
from monitor.storage.users import user_by_email
from tests.builders import NOW


def test_what_people_type_is_kept_in_one_form() -> None:
    """Capitals in an address and spacing in a number make no difference."""
    typed = {"email": " Ann@Shop.Example ", "phone": "+27 (82) 123-4567", "display_name": "Ann  N"}
    assert Contact.entered(typed) == Contact("Ann N", "ann@shop.example", "+27821234567")


@pytest.mark.parametrize(
    ("field", "value", "good"),
    [
        ("email", "ann@shop.example", True),
        ("email", "ann@shop", False),
        ("email", "a" * 250 + "@b.example", False),
        ("phone", "+2782123", True),
        ("phone", "0821234567", False),
        ("phone", "+1" * 9, False),
        ("phone", "+1234567890123456", False),
        ("time_zone", "Africa/Johannesburg", True),
        ("time_zone", "../etc/passwd", False),
        ("time_zone", "Mars/Olympus", False),
        ("display_name", "Ann Ndlovu", True),
        ("display_name", "A" * 81, False),
        ("display_name", "Ann\u202e", False),
    ],
)
def test_what_cannot_be_used_is_told_at_its_field(field: str, value: str, good: bool) -> None:
    """A fault is under the field it belongs to; nothing else is blamed."""
    assert list(Contact.entered({field: value}).faults()) == ([] if good else [field])


def test_an_account_is_found_by_its_address(store: Store) -> None:
    """The address is kept in lower case and found so; none is kept as none."""
    add_user(store, "ann", "agent", NOW)
    add_user(store, "bob", "agent", NOW)
    save_contact(store, known_user(store, "ann"), Contact(email="ann@shop.example"), NOW)
    save_contact(store, known_user(store, "bob"), Contact(display_name="Bob"), NOW)
    with store.read() as connection:
        found = user_by_email(connection, "ann@shop.example")
        assert found is not None
        assert (found.name, user_by_email(connection, "")) == ("ann", None)


def test_two_accounts_never_share_an_address(store: Store) -> None:
    """A mail for one person cannot open another's account."""
    for name in ("ann", "bob"):
        add_user(store, name, "agent", NOW)
    save_contact(store, known_user(store, "ann"), Contact(email="ann@shop.example"), NOW)
    with pytest.raises(InvalidInputError, match=r"another account has"):
        save_contact(store, known_user(store, "bob"), Contact(email="ann@shop.example"), NOW)
