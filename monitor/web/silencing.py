"""What the console and the API have in common about silences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from incidents.alerts.matchers import Matcher, Operator
from monitor.use_cases.silences import Preview, RuleFacts, preview
from monitor.web.services import Services

LISTED = timedelta(days=30)  # how long one that is over is listed
LONGEST_COMMENT = 1_000
SHOWN_PERIODS = 20
MOST_VALUES = 20  # of one label in one matcher; more would make an address nobody can send
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def silence_form(label_sets: Sequence[Mapping[str, str]], comment: str = "") -> str:
    """Return the address of the form that silences these alerts, as narrow as matchers can say it.

    Labels that only some of them have, or that differ too much, are left out. Empty where nothing
    is left to match by.
    """
    shared = set.intersection(*(set(labels) for labels in label_sets)) if label_sets else set()
    matchers = [
        str(_matcher(name, sorted({labels[name] for labels in label_sets})))
        for name in sorted(shared)
        if len({labels[name] for labels in label_sets}) <= MOST_VALUES
    ]
    if not matchers:
        return ""
    said = {"matchers": "\n".join(matchers), "comment": comment}
    return "/console/silences/new?" + urlencode({name: text for name, text in said.items() if text})


def _matcher(name: str, values: Sequence[str]) -> Matcher:
    if len(values) == 1:
        return Matcher(name, Operator.EQUAL, values[0])
    any_of = "|".join(_SPECIAL.sub(r"\\\g<0>", value) for value in values)
    return Matcher(name, Operator.LIKE, any_of)


def preview_of(services: Services, matchers: Sequence[Matcher]) -> Preview:
    """Return what a silence would mute now."""
    rules = [
        RuleFacts(rule.name, rule.labels)
        for group in services.rules.groups()
        for rule in group.rules
        if rule.alerting
    ]
    with services.store.read() as connection:
        return preview(connection, matchers, rules)
