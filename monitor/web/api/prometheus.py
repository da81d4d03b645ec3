"""The HTTP API of Prometheus over our own samples and rules, for Grafana and promtool.

Answers for reading the questions and for the shape of refusals; queries are bounded in length,
nesting, time, steps and samples (`monitor.web.queries`), so that a hostile one gets an error.
Where a Prometheus evaluates the rules, every question is answered 404: it is to be asked there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from monitor.promql import (
    Matcher,
    Matrix,
    PromqlError,
    PromqlSyntaxError,
    QueryLimitError,
    ValueType,
    evaluate_instant,
    evaluate_range,
    parse,
)
from monitor.web.api import prometheus_answers as answers
from monitor.web.api.prometheus_asked import (
    Asked,
    Fields,
    Refused,
    bad,
    length,
    moment,
    selectors,
    whole,
)
from monitor.web.queries import MAXIMUM_SECONDS, Queries
from monitor.web.security import metrics_reader
from monitor.web.services import Given

router = APIRouter(prefix="/api/v1", dependencies=[Depends(metrics_reader)], tags=["prometheus"])
MOST_SERIES = 10_000  # of a `series` answer; each has all its labels
Answer = Callable[[Queries, Fields, float], Any]


@dataclass(frozen=True)
class Remarked:
    """An answer with what is to be remarked about it."""

    data: Any
    remarks: dict[str, list[str]]


def answered(services: Given, asked: Fields, answer: Answer) -> JSONResponse:
    """Return the answer in Prometheus's shape, or the refusal in its."""
    queries = services.queries
    if queries is None:
        return refusal("not_found", "a Prometheus evaluates here; ask that", 404)
    try:
        with turn(queries):
            data = answer(queries, asked, services.clock.now().timestamp())
    except PromqlSyntaxError as error:
        return refusal("bad_data", f"invalid parameter: {error}", 400)
    except QueryLimitError as error:
        late = "took longer" in str(error)
        return refusal("timeout" if late else "execution", str(error), 503 if late else 422)
    except PromqlError as error:
        return refusal("execution", str(error), 422)
    except Refused as error:
        return refusal(error.kind, str(error), error.status)
    remarks = data.remarks if isinstance(data, Remarked) else {}
    data = data.data if isinstance(data, Remarked) else data
    return JSONResponse({"status": "success", "data": data, **remarks})


@contextmanager
def turn(queries: Queries) -> Iterator[None]:
    """Wait for a turn; a query that gets none in time is refused."""
    if not queries.turn.acquire(timeout=MAXIMUM_SECONDS):
        raise Refused("timeout", "too many queries at once", 503)
    try:
        yield
    finally:
        queries.turn.release()


def refusal(kind: str, text: str, status: int) -> JSONResponse:
    """Return a refusal in Prometheus's shape."""
    return JSONResponse({"status": "error", "errorType": kind, "error": text}, status_code=status)


# Questions ---------------------------------------------------------------------------------------


def series_of(queries: Queries, matchers: Iterable[Sequence[Matcher]]) -> list[dict[str, str]]:
    """Return the labels of all series that satisfy any of the selectors, each once, in order."""
    found = {
        tuple(sorted(labels.items())): labels
        for one in matchers
        for labels in queries.samples.matching(one).all_labels
    }
    return [dict(found[key]) for key in sorted(found)]


def instant_query(queries: Queries, asked: Fields, now: float) -> Any:
    """Return the value of an expression at one time."""
    options = queries.options(length(asked, "timeout"))
    at, expr = moment(asked, "time", now), parse(asked.get("query", ""))
    value = evaluate_instant(expr, queries.samples, at, options=options)
    return Remarked(answers.result(value), remarks_of(value))


def range_query(queries: Queries, asked: Fields, now: float) -> Any:
    """Return the values of an expression at every step."""
    del now
    start, end = moment(asked, "start", None), moment(asked, "end", None)
    step = length(asked, "step") or 0.0
    if end < start:
        raise bad("invalid parameter 'end': end timestamp must not be before start time")
    if step <= 0:
        raise bad("invalid parameter 'step': expected more than zero")
    options = queries.options(length(asked, "timeout"))
    if (end - start) / step >= options.max_steps:
        raise bad(f"exceeded maximum resolution of {options.max_steps} points per timeseries")
    expr = parse(asked.get("query", ""))
    if expr.type not in (ValueType.SCALAR, ValueType.VECTOR):
        raise bad(f"invalid parameter 'query': a {expr.type} has no value at every step")
    value = evaluate_range(expr, queries.samples, start, end, step, options=options)
    return Remarked(answers.result(value), remarks_of(value))


def remarks_of(value: Any) -> dict[str, list[str]]:
    """Return warnings and infos, where there are any."""
    found = {"warnings": list(value.remarks.warnings), "infos": list(value.remarks.infos)}
    return {name: texts for name, texts in found.items() if texts}


def series(queries: Queries, asked: Fields, now: float) -> Any:
    """Return the label sets that selectors find; times are not looked at."""
    del now
    matchers = selectors(asked)
    if not matchers:
        raise bad("no match[] parameter provided")
    found = series_of(queries, matchers)
    limit = whole(asked, "limit") or MOST_SERIES
    return found[: min(limit, MOST_SERIES)]


def label_names(queries: Queries, asked: Fields, now: float) -> Any:
    """Return the names of all labels, or of those of the series selected."""
    del now
    matchers = selectors(asked)
    if not matchers:
        return sorted(queries.samples.label_values())
    return sorted({name for labels in series_of(queries, matchers) for name in labels})


def label_values(name: str) -> Answer:
    """Return what answers with the values of one label."""

    def answer(queries: Queries, asked: Fields, now: float) -> Any:
        del now
        matchers = selectors(asked)
        if not matchers:
            return sorted(queries.samples.label_values().get(name, ()))
        return sorted({labels[name] for labels in series_of(queries, matchers) if name in labels})

    return answer


def metadata(queries: Queries, asked: Fields, now: float) -> Any:
    """Return type and help of our own metrics."""
    del now
    return answers.metadata(queries.metadata(), asked.get("metric"), whole(asked, "limit"))


def rules(queries: Queries, asked: Fields, now: float) -> Any:
    """Return all groups and rules, or those of a type, name, group or file."""
    del now
    kind = {"alert": "alerting", "record": "recording", "": ""}.get(asked.get("type", ""))
    if kind is None:
        raise bad(f"not supported value {asked.get('type')!r}")
    names, groups, files = (
        set(asked.getlist(name)) for name in ("rule_name[]", "rule_group[]", "file[]")
    )
    found = []
    for group in queries.engine.groups:
        positions = [
            position
            for position, rule in enumerate(group.rules)
            if (not kind or answers.kind_of(rule) == kind) and (not names or rule.name in names)
        ]
        wanted = (not groups or group.name in groups) and (not files or group.file in files)
        if wanted and (positions or not (kind or names)):
            found.append(answers.group(queries.engine, group, positions))
    return {"groups": found}


def alerts(queries: Queries, asked: Fields, now: float) -> Any:
    """Return every pending and firing alert."""
    del asked, now
    engine = queries.engine
    return {
        "alerts": [
            answers.alert(active)
            for group in engine.groups
            for position in range(len(group.rules))
            if answers.kind_of(group.rules[position]) == "alerting"
            for active in engine.alerts(group, position)
        ]
    }


def targets(queries: Queries, asked: Fields, now: float) -> Any:
    """Return where samples come from: every job and instance with an `up` series."""
    del asked
    up = evaluate_instant(parse("up"), queries.samples, now, options=queries.options())
    assert not isinstance(up, Matrix)
    active = [
        {
            "discoveredLabels": {},
            "labels": {name: text for name, text in one["metric"].items() if name != "__name__"},
            "scrapePool": one["metric"].get("job", ""),
            "scrapeUrl": "",
            "globalUrl": "",
            "lastError": "" if one["value"][1] == "1" else "the last scrape failed",
            "health": "up" if one["value"][1] == "1" else "down",
        }
        for one in answers.result(up)["result"]
    ]
    return {"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {}}


def build(queries: Queries, asked: Fields, now: float) -> Any:
    """Return which Prometheus we answer like, so that clients know what they may ask."""
    del queries, asked, now
    return {
        "version": "3.0.0",
        "revision": "saypro-monitor",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }


def exemplars(queries: Queries, asked: Fields, now: float) -> Any:
    """Return no exemplars: none are kept."""
    del queries, asked, now
    return []


FIELDS: dict[str, dict[str, str]] = {  # what each question reads; all of it is text
    "/query": {"query": "PromQL", "time": "moment", "timeout": "length"},
    "/query_range": {
        "query": "PromQL",
        "start": "moment",
        "end": "moment",
        "step": "length",
        "timeout": "length",
    },
    "/query_exemplars": {"query": "PromQL", "start": "moment", "end": "moment"},
    "/series": {"match[]": "selector; may be repeated", "limit": "number"},
    "/labels": {"match[]": "selector; may be repeated", "limit": "number"},
    "/metadata": {"metric": "name of a metric", "limit": "number"},
    "/rules": {"type": "`alert` or `record`", "rule_name[]": "name; may be repeated"},
    "/label/{name}/values": {"match[]": "selector; may be repeated", "limit": "number"},
}
FIELD_WORDS = {"moment": "Unix seconds or RFC 3339", "length": "seconds or such as `5m`"}
QUESTIONS: dict[str, tuple[Answer, list[str]]] = {
    "/query": (instant_query, ["GET", "POST"]),
    "/query_range": (range_query, ["GET", "POST"]),
    "/query_exemplars": (exemplars, ["GET", "POST"]),
    "/series": (series, ["GET", "POST"]),
    "/labels": (label_names, ["GET", "POST"]),
    "/metadata": (metadata, ["GET"]),
    "/rules": (rules, ["GET"]),
    "/alerts": (alerts, ["GET"]),
    "/targets": (targets, ["GET"]),
    "/status/buildinfo": (build, ["GET"]),
}


def _fields(path: str, method: str) -> dict[str, Any]:
    """Return the description of what a question reads: of its address, or of a form."""
    texts = {
        name: {"type": "string", "description": FIELD_WORDS.get(word, word)}
        for name, word in FIELDS.get(path, {}).items()
    }
    if method == "POST":
        form = {"schema": {"type": "object", "properties": texts}}
        return {"requestBody": {"content": {"application/x-www-form-urlencoded": form}}}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in texts.items()
        ]
    }


def _endpoint(answer: Answer) -> Callable[..., JSONResponse]:
    def endpoint(services: Given, asked: Asked) -> JSONResponse:
        return answered(services, asked, answer)

    endpoint.__doc__ = answer.__doc__
    return endpoint


for path, (question, methods) in QUESTIONS.items():
    for method in methods:  # a route each, so that each has a name of its own
        router.add_api_route(
            path,
            _endpoint(question),
            methods=[method],
            name=question.__name__,
            response_model=None,
            openapi_extra=_fields(path, method),
        )


@router.get("/label/{name}/values", openapi_extra=_fields("/label/{name}/values", "GET"))
def values_of_label(name: str, services: Given, asked: Asked) -> JSONResponse:
    """Return the values of one label."""
    return answered(services, asked, label_values(name))
