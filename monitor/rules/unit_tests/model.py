"""The shape of a rule test file.

The format is promtool's: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from monitor.rules.files import Duration, Text


def _float(value: object) -> object:
    if isinstance(value, str):
        word = value.lower().removeprefix("+")
        special = {".nan": "nan", ".inf": "inf", "-.inf": "-inf"}.get(word, word)
        try:
            return float(special)
        except ValueError as error:
            raise ValueError("expected a number") from error
    return value


Number = Annotated[float, BeforeValidator(_float)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSeries(_Part):
    """A series and its values, one an interval from time 0 on."""

    series: str
    values: Annotated[str, BeforeValidator(lambda value: str(value))]


class ExpectedAlert(_Part):
    """An alert that must be firing."""

    exp_labels: dict[str, Text] | None = None
    exp_annotations: dict[str, Text] | None = None


class AlertTest(_Part):
    """Which alerts of one name fire at a time, exactly."""

    eval_time: Duration = 0.0
    alertname: str
    exp_alerts: list[ExpectedAlert] | None = None


class ExpectedSample(_Part):
    """A sample of an expression's result; `labels` is written as a series."""

    labels: str = ""
    value: Number = 0.0


class ExpressionTest(_Part):
    """What an expression gives at a time, exactly."""

    expr: Text
    eval_time: Duration = 0.0
    exp_samples: list[ExpectedSample] | None = None


class RuleTest(_Part):
    """One test: input series, and what must follow from them."""

    name: str = ""
    interval: Duration | None = None
    input_series: list[InputSeries] | None = None
    alert_rule_test: list[AlertTest] | None = None
    promql_expr_test: list[ExpressionTest] | None = None
    external_labels: dict[str, Text] | None = None
    external_url: str = ""

    def last_time(self) -> float:
        """Return the last moment anything is checked at, in seconds."""
        checks = [*(self.alert_rule_test or ()), *(self.promql_expr_test or ())]
        return max((check.eval_time for check in checks), default=0.0)


class RuleTestFile(_Part):
    """A whole file."""

    rule_files: Annotated[list[str], Field(min_length=1)]
    evaluation_interval: Duration = 60.0
    group_eval_order: list[str] | None = None
    fuzzy_compare: bool = False
    tests: list[RuleTest] | None = None
