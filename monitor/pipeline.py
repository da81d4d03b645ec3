"""One tick told as a story: run → confirm → record → evaluate → open, update or resolve.

Answers for the order of these and for what happens between them. How a run is done is in
`probes`, what a verdict is in `probes.verdict`, what follows from an alert in
`monitor.use_cases.alerts`.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.log import logger
from probes.journey import Journey
from probes.result import ProbeRun

RunJourney = Callable[[Journey, int], ProbeRun]
log = logger("pipeline")
