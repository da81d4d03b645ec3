"""Time-based one-time codes and recovery codes: what is right, what is spent, how it is shown.

RFC 6238 with what every authenticator app understands: SHA-1, six digits, steps of 30 seconds.
Nothing here stores anything; `monitor.accounts.factors` does.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

import pyotp
import segno

from monitor.accounts.passwords import ALPHABET, one_time_password

STEP_SECONDS = 30
DRIFT_STEPS = 1  # RFC 6238 § 5.2: one step either way for clocks and typing
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_GROUPS = 3  # of five characters: 74 bits, too many to try even against a stolen hash


def new_secret() -> str:
    """Return a secret of 160 bits (RFC 4226 § 4, R6) in base 32."""
    return pyotp.random_base32()


def matching_step(secret: str, typed: str, now: datetime, *, after: int) -> int | None:
    """Return the time step whose code was typed; None if none of those about now.

    Steps up to `after` are spent: RFC 6238 § 5.2 lets a code be used once.
    """
    code = "".join(typed.split())
    if not (len(code) == DIGITS and code.isascii() and code.isdigit()):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), code) and step > after:
            found = step
    return found


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """Return the address that authenticator apps read from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer.replace(":", " "))


def qr_svg(text: str) -> str:
    """Return the text as a QR code: SVG without any style of its own, black on white."""
    code = segno.make(text, error="m", micro=False)
    return str(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))


def grouped(secret: str) -> str:
    """Return a secret in groups of four, to be typed by hand."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def new_recovery_codes() -> list[str]:
    """Return fresh recovery codes, such as `k7mwp-3xq9d-h2vne`."""
    return [one_time_password(RECOVERY_GROUPS) for _ in range(RECOVERY_CODES)]


def recovery_hash(user_id: int, typed: str) -> str:
    """Return what a recovery code is kept as; spacing, hyphens and capitals do not matter."""
    code = "".join(letter for letter in typed.lower() if letter in ALPHABET)
    return sha256(f"recovery\0{user_id}\0{code}".encode()).hexdigest()
