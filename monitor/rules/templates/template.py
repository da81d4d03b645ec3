"""A template of a rule: parsed once at load, filled in for each alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.execute import Execution
from monitor.rules.templates.functions import NAMES, Query, bound_functions
from monitor.rules.templates.parse import parse_tree
from monitor.rules.templates.tree import Text, Tree
from monitor.rules.templates.values import Root, Sample

VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")


def _no_query(text: str) -> Sequence[Sample]:
    raise TemplateError(f"no queries can be answered here: {text}")


@dataclass(frozen=True, slots=True)
class AlertData:
    """What a template is about: the labels of the alert's series and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Environment:
    """Where templates are expanded: `query` answers expressions at the evaluation's time `now`."""

    query: Query = _no_query
    now: float = 0.0
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """The text of a template with its parsed form; equal where the texts are."""

    text: str
    tree: Tree = field(compare=False, repr=False)

    @property
    def is_constant(self) -> bool:
        """Whether it says the same for every alert."""
        return all(isinstance(node, Text) for node in self.tree.root)

    def expand(self, data: AlertData, environment: Environment) -> str:
        """Return the text for one alert.

        Raises:
            TemplateError: a value does not fit, a query fails, or a bound is reached.
        """
        if self.is_constant:
            return "".join(node.text for node in self.tree.root if isinstance(node, Text))
        fields: dict[str, object] = {
            "Labels": data.labels,
            "ExternalLabels": environment.external_labels,
            "ExternalURL": environment.external_url,
            "Value": data.value,
        }
        values = (data.labels, environment.external_labels, environment.external_url, data.value)
        functions = bound_functions(environment.query, environment.external_url, environment.now)
        execution = Execution(self.tree, functions, list(zip(VARIABLES, values, strict=True)))
        return execution.run(Root(fields))

    def expand_or_explain(self, data: AlertData, environment: Environment) -> str:
        """Return the text, or what is wrong with it in its place: an alert is never held back."""
        try:
            return self.expand(data, environment)
        except TemplateError as error:
            return f"<error expanding template: {error.message}>"


def parse(text: str) -> Template:
    """Return the template of `text`.

    Raises:
        TemplateError: the first fault, with its line.
    """
    return Template(text, parse_tree(text, NAMES, VARIABLES))
