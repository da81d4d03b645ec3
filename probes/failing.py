"""How a step gives up from deep inside: with a reason, a sentence, and what was expected."""

from __future__ import annotations

from probes.result import Reason


class StepFailed(Exception):  # noqa: N818 - says what happened; never leaves a run
    """A step cannot go on; caught by the runner and turned into the step's result."""

    def __init__(self, reason: Reason, detail: str, expectation: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.expectation = reason, detail, expectation
