"""A process of its own that receives alerts until it is killed; says which it has accepted.

Each line on its output is the number of an alert whose receipt has returned: it must be there
after any crash. Every third alert is resolved later, so that closing is interrupted as well.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from incidents.alerts.model import Alert
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from tests.monitor.use_cases.desk import Desk, configuration, labels

COMPONENTS = ("login", "search", "checkout", "back-office")


def alert(number: int, now: datetime, *, over: bool = False) -> Alert:
    """Return the alert of that number; its component has many."""
    component = COMPONENTS[number % len(COMPONENTS)]
    end = now if over else now + timedelta(hours=1)
    return Alert(labels(component, instance=str(number)), starts_at=now, ends_at=end)


def main(url: str, first: int) -> None:
    """Receive alerts from number `first` on, and say each number once it is accepted."""
    desk = Desk(Store(open_engine(url)), configuration(), now=datetime.now(UTC))
    number = first
    while True:
        desk.now = datetime.now(UTC)
        desk.deliver(alert(number, desk.now))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if number % 3 == 0:
            desk.deliver(alert(number, datetime.now(UTC), over=True))
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
