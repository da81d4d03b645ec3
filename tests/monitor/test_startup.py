"""What a long-lived process arranges around its start."""

from __future__ import annotations

import subprocess
import sys

SHOW = (
    "import gc, os; from monitor.startup import begin, settled; begin(); resting = gc.isenabled();"
    "kept = [[] for _ in range(1000)]; settled();"
    "print(resting, gc.isenabled(), gc.get_freeze_count() > 1000);"
    "print(os.environ['OPENBLAS_NUM_THREADS'])"
)


def test_the_collector_rests_until_the_service_is_up() -> None:
    """While it starts nothing is collected; after that, nothing that was there by then."""
    shown = subprocess.run([sys.executable, "-c", SHOW], check=True, capture_output=True, text=True)
    assert shown.stdout.split() == ["False", "True", "True", "1"]
