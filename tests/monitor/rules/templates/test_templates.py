"""Go templates: what they print, what they refuse, and that nothing else happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.templates import AlertData, Environment, TemplateError, parse
from monitor.rules.templates.values import Sample
from tests.monitor.rules.templates.cases import BROKEN, FAILING, PRINTED, UP, VALUE

ENVIRONMENT = Environment(
    query=lambda text: () if text == "nothing" else UP,
    external_labels={"region": "eu"},
    external_url="http://monitor.example/pre",
)
DATA = AlertData({"__name__": "v", "i": "a"}, VALUE)


@pytest.mark.parametrize(("text", "printed"), PRINTED)
def test_template_prints_what_prometheus_prints(text: str, printed: str) -> None:
    """The expected texts were printed by promtool 2.42; test_against_promtool asks it again."""
    assert parse(text).expand(DATA, ENVIRONMENT) == printed


@pytest.mark.parametrize("text", FAILING)
def test_template_that_cannot_be_filled_in_says_so_in_its_place(text: str) -> None:
    """An alert is never held back by its own words."""
    template = parse(text)
    with pytest.raises(TemplateError):
        template.expand(DATA, ENVIRONMENT)
    assert template.expand_or_explain(DATA, ENVIRONMENT).startswith("<error expanding template: ")


@pytest.mark.parametrize(("text", "message", "line"), BROKEN)
def test_broken_template_is_refused_with_its_line(text: str, message: str, line: int) -> None:
    """What can be known without data is known at load."""
    with pytest.raises(TemplateError, match=message) as caught:
        parse(text)
    assert caught.value.line == line


def test_external_url_gives_links_and_prefix() -> None:
    """The words about our own address follow `external_url`."""
    text = '{{ externalURL }} {{ pathPrefix }} {{ $externalURL }} {{ graphLink "a b" }}'
    printed = (
        "http://monitor.example/pre /pre http://monitor.example/pre /graph?g0.expr=a+b&g0.tab=0"
    )
    assert parse(text).expand(DATA, ENVIRONMENT) == printed


def test_template_that_prints_without_end_is_cut_off() -> None:
    """Loops within loops over query results are bounded in steps and in length."""
    many = tuple(Sample({"i": str(i)}, 1.0) for i in range(1000))
    nested = '{{ range query "a" }}' * 3 + "x" + "{{ end }}" * 3
    with pytest.raises(TemplateError, match="more than"):
        parse(nested).expand(DATA, Environment(query=lambda _: many))


def test_template_that_includes_itself_is_cut_off() -> None:
    """Recursion ends with an error and not with the process."""
    with pytest.raises(TemplateError, match="nested deeper"):
        parse('{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}').expand(
            DATA, ENVIRONMENT
        )


def test_deep_nesting_is_refused() -> None:
    """A hostile file gets a fault and does not exhaust the stack."""
    with pytest.raises(TemplateError, match="nested deeper"):
        parse("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}")


@given(st.text(alphabet="{}-%.$|()\"'`\\ \n:=,abifendrgwthlsx019", max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    """Whatever stands in a file, the worst that happens is a TemplateError."""
    try:
        template = parse("{{" + text + "}}")
    except TemplateError:
        return
    template.expand_or_explain(DATA, ENVIRONMENT)


@given(st.text(max_size=80).filter(lambda text: "{{" not in text))
def test_text_without_actions_stays_as_it_is(text: str) -> None:
    """Plain text is its own template."""
    assert parse(text).expand(DATA, ENVIRONMENT) == text


@given(st.floats())
def test_every_number_can_be_humanized_or_is_refused(value: float) -> None:
    """NaN, infinities and the largest numbers included."""
    for word in ("humanize", "humanize1024", "humanizePercentage", "humanizeDuration",
                 "humanizeTimestamp", "print", 'printf "%.3g"', "toTime"):  # fmt: skip
        text = parse("{{ $value | " + word + " }}").expand_or_explain(
            AlertData({}, value), ENVIRONMENT
        )
        assert text
