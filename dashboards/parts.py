"""The pieces every dashboard is made of: its data source, variables, annotations and colours."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common, dashboard, prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardLink,
    DashboardLinkType,
    DashboardRangeMapOptions,
    DataSourceRef,
    RangeMap,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
GRAFANA = DataSourceRef(type_val="grafana", uid="-- Grafana --")
GREEN, AMBER, RED, BLUE = "#2e7d32", "#f9a825", "#c62828", "#1565c0"
HERE = 'journey=~"$journey", location=~"$location"'  # what the variables choose

VERDICTS: list[ValueMapping] = [  # words as well as colours
    ValueMap({"0": ValueMappingResult("down", RED), "1": ValueMappingResult("works", GREEN)}),
    RangeMap(
        DashboardRangeMapOptions(
            from_val=0.001, to=0.999, result=ValueMappingResult("down in some places", AMBER)
        )
    ),
]


def query(expr: str, legend: str = "", ref_id: str = "A") -> prometheus.Dataquery:
    """Return a query over the chosen time range, drawn with `legend`."""
    made = prometheus.Dataquery().expr(expr).range().legend_format(legend)
    return made.datasource(SOURCE).ref_id(ref_id)


def query_now(expr: str) -> prometheus.Dataquery:
    """Return a query of the present values alone, for a table or a single number."""
    return prometheus.Dataquery().expr(expr).instant().datasource(SOURCE).ref_id("A")


def legend() -> common.VizLegendOptions:
    """Return the usual legend: a list under the drawing."""
    options = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST)
    return options.placement(LegendPlacement.BOTTOM).show_legend(True)


def thresholds(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Return colours by value, lowest first; the first value is None."""
    config = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE)
    return config.steps([Threshold(value, color) for value, color in steps])


def variables() -> list[Builder[VariableModel]]:
    """Return the choices every dashboard offers: data source, component, journey, location.

    "All" stands for the values listed, so that all journeys of one component are just those.
    """
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return [
        source.hide(VariableHide.HIDE_VARIABLE),
        _choice("component", "label_values(probe_info, component)"),
        _choice("journey", 'label_values(probe_info{component=~"$component"}, journey)'),
        _choice("location", 'label_values(probe_runs_total{journey=~"$journey"}, location)'),
    ]


def address() -> dashboard.TextBoxVariable:
    """Return where the monitor is reached, for links; `monitor grafana push` fills it in."""
    variable = dashboard.TextBoxVariable("monitor").label("Monitor address")
    return variable.default_value("http://localhost:8080")


def marks() -> list[Builder[AnnotationQuery]]:
    """Return what is marked on every time axis: incidents, announced maintenance, pages."""
    return [
        _pushed("Incidents", "incident", RED),
        _pushed("Maintenance", "maintenance", BLUE),
        _measured("Maintenance under way", "max by (component) (monitor_maintenance_active)", BLUE),
        _measured("Critical alerts", 'ALERTS{alertstate="firing", severity="critical"}', AMBER),
    ]


def links() -> list[Builder[DashboardLink]]:
    """Return the ways out of a dashboard: the console and the public page."""
    return [_link("Console", "${monitor}/console"), _link("Status page", "${monitor}/")]


def _link(title: str, url: str) -> dashboard.DashboardLink:
    link = dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url)
    return link.target_blank(True)


def _choice(name: str, definition: str) -> dashboard.QueryVariable:
    everything = VariableOption(selected=True, text="All", value="$__all")
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .datasource(SOURCE)
        .query({"query": definition, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(everything)
    )


def _measured(name: str, expression: str, color: str) -> dashboard.AnnotationQuery:
    """Marks wherever the expression is more than 0, which needs no push."""
    query = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True)
    return query.icon_color(color).expr(f"{expression} > 0")


def _pushed(name: str, tag: str, color: str) -> dashboard.AnnotationQuery:
    """Marks that `monitor grafana push` writes into Grafana, found by their tags."""
    target = dashboard.AnnotationTarget().type("tags").tags(["saypro-monitor", tag])
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(GRAFANA)
        .enable(True)
        .icon_color(color)
        .target(target.match_any(False).limit(100))
    )
