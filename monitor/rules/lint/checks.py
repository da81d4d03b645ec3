"""The checks that look at rules: names, labels, words and patience."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from monitor.promql import Binary, Call, Expr, VectorSelector, selectors_of
from monitor.rules.lint import expressions
from monitor.rules.lint.labels import ABSENT, possible_labels
from monitor.rules.lint.surroundings import COMPARISONS, Surroundings
from monitor.rules.model import AlertingRule, RecordingRule, Rule

LOOKBACK_SECONDS = 300.0
LONGEST_FOR_SECONDS = 86_400.0
SEVERITIES = frozenset({"critical", "warning", "info", "none"})
LABEL_USE = re.compile(r"(?:\$labels|\.Labels)\.([A-Za-z_]\w*)")
ALERT_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
RECORD_NAME = re.compile(r"[a-z_][a-z0-9_]*:[a-z_][a-zA-Z0-9_]*:[a-zA-Z0-9_]+")


Check = Callable[[Rule, Surroundings], Iterator[str]]


def annotation(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Whoever gets the alert reads what it is, what it means and what to do."""
    if isinstance(rule, AlertingRule):
        for name in around.annotations:
            if name not in rule.annotations:
                yield f"has no annotation {name}"


def comparison(rule: Rule, around: Surroundings) -> Iterator[str]:
    """An alert without condition always fires; with severity none that is meant."""
    del around
    if not isinstance(rule, AlertingRule) or _has_condition(rule.expr):
        return
    if "severity" not in rule.labels or rule.labels["severity"].text != "none":
        yield "has no condition: it fires as long as there is any result"


def _has_condition(expr: Expr) -> bool:
    return any(
        (isinstance(node, Binary) and (node.op in COMPARISONS or node.op in ("and", "unless"))
         and not node.bool_modifier)
        or (isinstance(node, Call) and node.function in ABSENT)
        or (isinstance(node, VectorSelector) and node.metric_name in ("ALERTS", "probe_down_info"))
        for node in expr.walk()
    )  # fmt: skip


def template(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A value in a label changes the alert's identity; a label that is not there prints nothing."""
    del around
    if not isinstance(rule, AlertingRule):
        return
    for name, text in rule.labels.items():
        if re.search(r"\$value|\.Value\b", text.text):
            yield f"label {name} contains the value: every change would be another alert"
    known = possible_labels(rule.expr)
    for field_name, texts in (("label", rule.labels), ("annotation", rule.annotations)):
        for name, text in texts.items():
            for used in _labels_used(text.text):
                if known is not None and used not in known:
                    yield f"{field_name} {name} uses {used}, which the expression does not leave"


def _labels_used(text: str) -> list[str]:
    """Return the alert's labels a template names; those inside range and with are of others."""
    own = re.sub(r"{{-?\s*(?:range|with)\b.*?{{-?\s*end\s*-?}}", "", text, flags=re.DOTALL)
    return [found[1] for found in LABEL_USE.finditer(own) if f"$labels.{found[1]}" in own]


def patience(rule: Rule, around: Surroundings) -> Iterator[str]:
    """`for` below the interval is no patience; above a day nobody waits so long."""
    if not isinstance(rule, AlertingRule):
        return
    if 0 < rule.for_seconds < around.group.interval_seconds:
        yield f"for is shorter than the group's interval of {around.group.interval_seconds:g} s"
    for name, seconds in (("for", rule.for_seconds), ("keep_firing_for", rule.keep_firing_seconds)):
        if seconds > LONGEST_FOR_SECONDS:
            yield f"{name} is longer than a day"


def absence(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A series is absent for a moment whenever one scrape fails."""
    calls = [n for n in rule.expr.walk() if isinstance(n, Call) and n.function == "absent"]
    least = 2 * around.scrape_seconds
    if calls and isinstance(rule, AlertingRule) and rule.for_seconds < least:
        yield f"absent() needs a for of at least two scrapes ({least:g} s)"


def severity(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Severity decides who is told: it must be there and one of the four."""
    del around
    if not isinstance(rule, AlertingRule):
        return
    text = rule.labels["severity"].text if "severity" in rule.labels else None
    if text is None:
        yield "has no label severity"
    elif "{{" not in text and text not in SEVERITIES:
        yield f"severity {text!r} is none of {', '.join(sorted(SEVERITIES))}"


def naming(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Names tell kinds apart: `JourneyDown`, `level:metric:operations`."""
    del around
    if isinstance(rule, AlertingRule) and not ALERT_NAME.fullmatch(rule.name):
        yield "an alert is named in the form JourneyDown"
    if isinstance(rule, RecordingRule) and not RECORD_NAME.fullmatch(rule.name):
        yield "a recording rule is named in the form level:metric:operations"


def dependency(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A name with colons is recorded by some rule, or nowhere."""
    for selector in selectors_of(rule.expr):
        name = selector.metric_name
        if name and ":" in name and name not in around.recorded:
            yield f"reads {name}, which no rule records"


def runbook(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A link that leads nowhere is found out at night."""
    if not isinstance(rule, AlertingRule) or around.runbooks is None:
        return
    text = rule.annotations["runbook_url"].text if "runbook_url" in rule.annotations else ""
    found = re.fullmatch(r"/runbooks/([\w-]+)", text)
    if found and found[1] not in around.runbooks:
        yield f"there is no runbook {found[1]}.md"


def interval(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A series written less often than every five minutes is absent in between."""
    if around.group.interval_seconds > LOOKBACK_SECONDS and isinstance(rule, RecordingRule):
        yield "is recorded less often than every 5 min: it will be absent in between"


def external_labels(rule: Rule, around: Surroundings) -> Iterator[str]:
    """An external label that the rule sets itself is not added."""
    for name in rule.labels:
        if name in around.external_labels:
            yield f"label {name} hides the external label of that name"


def portability(rule: Rule, around: Surroundings) -> Iterator[str]:
    """The same files are meant to run in Prometheus 2.42 as well."""
    if around.group.query_offset_seconds and rule is around.group.rules[0]:
        yield "its group has query_offset, which Prometheus before 2.53 does not know"


CHECKS: dict[str, Check] = {
    "alerts/annotation": annotation,
    "alerts/comparison": comparison,
    "alerts/template": template,
    "alerts/for": patience,
    "alerts/absent": absence,
    "alerts/external_labels": external_labels,
    "rule/label": severity,
    "rule/name": naming,
    "rule/dependency": dependency,
    "rule/link": runbook,
    "rule/portability": portability,
    "group/interval": interval,
    "promql/rate": expressions.rate_ranges,
    "promql/counter": expressions.counters,
    "promql/fragile": expressions.fragile,
    "promql/nan": expressions.division,
    "promql/impossible": expressions.impossible,
    "promql/vector_matching": expressions.matching,
    "promql/regexp": expressions.regexes,
    "promql/selector": expressions.nameless,
}
