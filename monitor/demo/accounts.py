"""Answers for who may log in: accounts with hashed passwords, the probe's buyer among them."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

PROBE_EMAIL = "probe@shop.example"
CUSTOMER_PASSWORD = "kijani-demo-2026"  # the simulated customers own nothing worth stealing
CUSTOMERS = (
    ("amina@customers.example", "Amina Otieno"),
    ("kofi@customers.example", "Kofi Mensah"),
    ("thandi@customers.example", "Thandi Nkosi"),
    ("youssef@customers.example", "Youssef Alaoui"),
    ("grace@customers.example", "Grace Nakato"),
)
ACCOUNT_LIMIT = 1_000
SCRYPT_COST = (
    2**12
)  # about 4 MB and 10 ms a login: enough for a demo that hashes several times a minute


class EmailTaken(Exception):
    """Somebody has registered with this e-mail address before."""


@dataclass(slots=True)
class Account:
    """A customer who can log in; `is_probe` marks the one whose orders are tests."""

    email: str
    name: str
    salt: bytes = field(repr=False)
    password_hash: bytes = field(repr=False)
    is_probe: bool = False


class Accounts:
    """All accounts by e-mail; past the limit the oldest registered one goes, seeded ones stay."""

    def __init__(self, probe_email: str, probe_password: str) -> None:
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._seeded = {probe_email, *(email for email, _ in CUSTOMERS)}
        self.register(probe_email, "Petra Probe", probe_password).is_probe = True
        for email, name in CUSTOMERS:
            self.register(email, name, CUSTOMER_PASSWORD)

    def find(self, email: str) -> Account | None:
        """Return the account with that address, in any case, or nothing."""
        return self._accounts.get(email.strip().casefold())

    def register(self, email: str, name: str, password: str) -> Account:
        """Return the new account.

        Raises:
            EmailTaken: there is one with this address.
        """
        email = email.strip().casefold()
        if email in self._accounts:
            raise EmailTaken(email)
        salt = secrets.token_bytes(16)
        account = Account(email, name.strip(), salt, hash_password(password, salt))
        self._accounts[email] = account
        self._forget_oldest()
        return account

    def log_in(self, email: str, password: str) -> Account | None:
        """Return the account if the password is right; as slow when there is no such account."""
        account = self.find(email)
        salt = account.salt if account else b"nobody"
        given = hash_password(password, salt)
        if account is None or not hmac.compare_digest(given, account.password_hash):
            return None
        return account

    def _forget_oldest(self) -> None:
        if len(self._accounts) > ACCOUNT_LIMIT:
            oldest = next(email for email in self._accounts if email not in self._seeded)
            del self._accounts[oldest]


def hash_password(password: str, salt: bytes) -> bytes:
    """Return the scrypt hash that is stored instead of the password."""
    return hashlib.scrypt(password.encode(), salt=salt, n=SCRYPT_COST, r=8, p=1, dklen=32)
