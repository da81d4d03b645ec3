"""Answers for what can be broken on purpose, and which of it is broken now.

Faults are looked up where they bite (pages, gateway, door); this module only knows their names,
bounds and state. State may be changed from any thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from threading import Lock

import psutil

MEBIBYTE = 2**20
MEMORY_PRESSURE_SECONDS = 0.15  # what a request waits for while the process is short of memory


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A way to break the shop; `default` is None where there is nothing to set; bounds included."""

    name: str
    title: str
    effect: str
    group: str
    default: float | None = None
    lowest: float = 0
    highest: float = 0
    unit: str = ""


FAULT_KINDS = {
    kind.name: kind
    for kind in (
        FaultKind(
            "login_500",
            "Log-in breaks",
            "Sending the log-in form answers with an error page (500).",
            "Log-in",
        ),
        FaultKind(
            "login_form_missing",
            "Log-in form missing",
            "The log-in page loads (200), but its form is not on it.",
            "Log-in",
        ),
        FaultKind(
            "search_empty",
            "Search finds nothing",
            "Every search answers 200 and says that there are no results.",
            "Search",
        ),
        FaultKind(
            "search_slow",
            "Search is slow",
            "Search answers correctly, but late.",
            "Search",
            *(8, 0, 120, "seconds"),
        ),
        FaultKind(
            "gateway_refuses",
            "Payments are refused",
            "The payment gateway refuses every card; the shop shows “payment failed” (402).",
            "Checkout",
        ),
        FaultKind(
            "gateway_times_out",
            "Payment gateway hangs",
            "The payment gateway never answers; the shop loses patience and says so (504).",
            "Checkout",
        ),
        FaultKind(
            "gateway_slow",
            "Payment gateway is slow",
            "Each answer of the payment gateway comes late; orders still go through.",
            "Checkout",
            *(2, 0, 120, "seconds"),
        ),
        FaultKind(
            "price_wrong",
            "Total is wrong",
            "The total in the checkout is more than its parts add up to, and is charged like that.",
            "Checkout",
            *(731, 1, 100_000, "cents"),
        ),
        FaultKind(
            "cart_loses_items",
            "Cart loses items",
            "Adding to the cart seems to work, but the cart is empty when it is opened.",
            "Checkout",
        ),
        FaultKind(
            "site_down",
            "Whole site down",
            "Every page answers 503 with a maintenance notice. This panel stays open.",
            "Everything",
        ),
        FaultKind(
            "flaky",
            "Some requests fail",
            "A share of all requests answers 500, at random.",
            "Everything",
            *(0.2, 0, 1, "share (0 to 1)"),
        ),
        FaultKind(
            "certificate_expired",
            "Certificate expired",
            "New TLS connections get a certificate that ran out yesterday. Needs the option --tls.",
            "Everything",
        ),
        FaultKind(
            "memory_pressure",
            "Memory pressure",
            "The process really holds this much more memory, and every request gets slower.",
            "Everything",
            *(256, 1, 1024, "MB"),
        ),
    )
}


class UnknownFault(Exception):
    """There is no fault of that name."""


class FaultValueRefused(Exception):
    """A fault cannot have that value; the message says what it can have."""


class FaultPanel:
    """Which faults are on, and with what value."""

    def __init__(self) -> None:
        self._on: dict[str, float] = {}
        self._lock = Lock()
        self._ballast: mmap | None = None
        self.listeners: list[Callable[[], None]] = []

    def is_on(self, name: str) -> bool:
        """Return whether a fault is on."""
        return name in self._on

    def value(self, name: str) -> float:
        """Return the value of a fault that is on, and 0 of one that is off."""
        return self._on.get(name, 0)

    def active(self) -> dict[str, float]:
        """Return every fault that is on with its value."""
        return dict(self._on)

    def set(self, name: str, on: bool = True, value: float | None = None) -> None:
        """Switch a fault on or off; without a value it gets its default.

        Raises:
            UnknownFault: no fault has this name.
            FaultValueRefused: the value is out of bounds, or the fault takes none.
        """
        kind = find_fault(name)
        checked = _checked_value(kind, value)
        with self._lock:
            if on:
                self._on[name] = checked
            else:
                self._on.pop(name, None)
            self._hold_memory()
        self._tell()

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self._on.clear()
            self._hold_memory()
        self._tell()

    @property
    def held_bytes(self) -> int:
        """Give the memory really held by the fault `memory_pressure`."""
        return 0 if self._ballast is None else len(self._ballast)

    def _hold_memory(self) -> None:
        """Hold as much as asked, but never more than half of what the machine has free."""
        wanted = int(self.value("memory_pressure"))
        if wanted * MEBIBYTE == self.held_bytes:
            return
        if self._ballast is not None:
            self._ballast.close()  # a mapping of its own goes back to the system at once
            self._ballast = None
        size = min(wanted, psutil.virtual_memory().available // 2 // MEBIBYTE)
        if size:
            self._ballast = mmap(-1, size * MEBIBYTE)
            for _ in range(size):  # untouched pages would cost no memory
                self._ballast.write(b"\xa5" * MEBIBYTE)

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()


def find_fault(name: str) -> FaultKind:
    """Return the kind of fault with that name, or raise `UnknownFault`."""
    try:
        return FAULT_KINDS[name]
    except KeyError as error:
        raise UnknownFault(
            f"there is no fault {name!r}; there are: {', '.join(FAULT_KINDS)}"
        ) from error


def _checked_value(kind: FaultKind, value: float | None) -> float:
    if value is None:
        return 1 if kind.default is None else kind.default
    if kind.default is None:
        raise FaultValueRefused(f"{kind.name} is on or off and takes no value")
    if not kind.lowest <= value <= kind.highest:
        raise FaultValueRefused(
            f"{kind.name} takes {kind.lowest:g} to {kind.highest:g} {kind.unit}, not {value:g}"
        )
    return value
