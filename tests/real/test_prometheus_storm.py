"""Ten thousand alerts at once from a real Prometheus: the right incidents, each ended once.

Straight to us, and through a real Alertmanager; a person is told a handful of times, not thousands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.real.alertmanager import PROGRAM, alertmanager
from tests.real.gap import PROMETHEUS, TO_US, Us, World, world
from tests.servers import free_port

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed"),
    pytest.mark.skipif(PROGRAM is None, reason="alertmanager is not installed"),
]
MANY = 10_000
EACH = MANY // 2  # of each of two components
UNTIL_SECONDS = 120


@contextmanager
def storm(folder: Path, door: str) -> Iterator[tuple[World, Us]]:
    """A shop of ten thousand parts that work, watched by everybody."""
    port = free_port() if door == "alertmanager" else 0
    changes = {"receiver": port, "kind": door, "resend": "30s", "every": "1h"}
    if port:
        changes["server_url"] = f"http://127.0.0.1:{port}"
    with world(folder, **changes) as here:
        here.exporter.all_well("checkout", "search", count=EACH)
        config = TO_US.format(port=here.port)
        them = alertmanager(folder / "am", port, config) if port else nullcontext()
        with here.us() as us, them, here.prometheus():
            yield here, us


@pytest.mark.parametrize("door", ["prometheus", "alertmanager"])
def test_ten_thousand_alerts_are_one_incident_for_each_component(tmp_path: Path, door: str) -> None:
    """All but one part work again, which ends nothing; then the last, which ends each once."""
    with storm(tmp_path, door) as (here, us):
        here.exporter.broken("checkout", "search", count=EACH)
        us.until_alerts({"firing": MANY}, UNTIL_SECONDS)
        here.exporter.all_well("checkout", "search", count=EACH - 1, first=1)
        us.until_alerts({"firing": 2, "resolved": MANY - 2}, UNTIL_SECONDS)
        assert [incident.is_open for incident in us.incidents()] == [True, True]
        here.exporter.all_well("checkout", "search")
        found = us.until(lambda found: not any(i.is_open for i in found), "end of the storm")
        assert us.alerts() == {"resolved": MANY}
        assert sorted(str(incident.component) for incident in found) == ["checkout", "search"]
        assert [us.lines(one).count("resolved") for one in found] == [1, 1]
        assert [one.reopened_count for one in found] == [0, 0]
        here.sink.wait_for(4)
    assert Counter(here.events()) == {"incident_opened": 2, "incident_resolved": 2}
