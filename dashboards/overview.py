"""The overview dashboard: does the shop work for its customers, and if not, where does it fail?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataTransformerConfig
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.parts import (
    AMBER,
    GREEN,
    HERE,
    RED,
    SOURCE,
    VERDICTS,
    address,
    legend,
    links,
    marks,
    query,
    query_now,
    thresholds,
    variables,
)

UID = "saypro-overview"


def overview() -> dashboard.Dashboard:
    """Return the dashboard: five panels, from the verdict down to the failing step."""
    board = (
        dashboard.Dashboard("Shop journeys: overview")
        .uid(UID)
        .description("Does the shop work for its customers, and if not, where does it fail?")
        .tags(["saypro-monitor"])
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-3h", "now")
        .readonly()
        .variables([*variables(), address()])
        .annotations(marks())
        .links(links())
    )
    for panel in (verdicts(), success(), failures(), durations(), firing()):
        board.with_panel(panel)
    return board


def verdicts() -> statetimeline.Panel:
    """Show when each journey worked, over all chosen locations."""
    way = dashboard.DashboardLink("Open this journey in the console")
    return (
        statetimeline.Panel()
        .id(1)
        .title("Does each journey work?")
        .description("The confirmed verdict. A gap means unknown: nobody could tell.")
        .datasource(SOURCE)
        .with_target(query(f"avg by (journey) (probe_up{{{HERE}}})", "{{journey}}"))
        .mappings(VERDICTS)
        .merge_values(True)
        .show_value(VisibilityMode.AUTO)
        .legend(common.VizLegendOptions().show_legend(False))
        .data_links([way.url("${monitor}/console/journeys/${__field.labels.journey}")])
        .height(7)
        .span(16)
    )


def success() -> stat.Panel:
    """Show the share of runs that passed in the last hour."""
    return (
        stat.Panel()
        .id(2)
        .title("Runs that passed in the last hour")
        .description("Of runs that passed or failed. Runs that could not tell count neither way.")
        .datasource(SOURCE)
        .with_target(
            query_now(
                '1 - journey:probe_failures_per_runs:ratio_rate1h{journey=~"$journey"}'
            ).legend_format("{{journey}}")
        )
        .unit("percentunit")
        .decimals(1)
        .min(0)
        .max(1)
        .thresholds(thresholds((None, RED), (0.95, AMBER), (0.995, GREEN)))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .no_value("no runs")
        .height(7)
        .span(8)
    )


def failures() -> timeseries.Panel:
    """Show where journeys failed, and why."""
    failed = f"increase(probe_failures_total{{{HERE}}}[$__rate_interval])"
    return (
        timeseries.Panel()
        .id(3)
        .title("Where runs fail, and why")
        .description("Failed runs by journey, first failing step and reason.")
        .datasource(SOURCE)
        .with_target(
            query(
                f"sum by (journey, step, reason) ({failed}) > 0",
                "{{journey}} · {{step}} · {{reason}}",
            )
        )
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(70)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
        .decimals(0)
        .min(0)
        .no_value("no failed runs")
        .legend(legend())
        .height(8)
        .span(12)
    )


def durations() -> timeseries.Panel:
    """Show how long customers would have waited: the usual run and the slow one."""
    buckets = f"probe_run_duration_seconds_bucket{{{HERE}}}"
    rate = f"sum by (journey, le) (rate({buckets}[$__rate_interval]))"
    return (
        timeseries.Panel()
        .id(4)
        .title("How long a run takes")
        .description("Half of the runs were faster than the first line, 19 of 20 than the second.")
        .datasource(SOURCE)
        .with_target(query(f"histogram_quantile(0.5, {rate})", "{{journey}} median", "A"))
        .with_target(query(f"histogram_quantile(0.95, {rate})", "{{journey}} slow", "B"))
        .unit("s")
        .min(0)
        .legend(legend())
        .height(8)
        .span(12)
    )


def firing() -> table.Panel:
    """Show the alerts that fire now."""
    return (
        table.Panel()
        .id(5)
        .title("Alerts firing now")
        .description("The heartbeat, which always fires, is left out.")
        .datasource(SOURCE)
        .with_target(
            query_now(
                "sum by (alertname, severity, component, journey, step, reason) "
                '(ALERTS{alertstate="firing", severity!="none", journey=~"$journey|"})'
            ).format(PromQueryFormat.TABLE)
        )
        .with_transformation(
            DataTransformerConfig(
                "organize", options={"excludeByName": {"Time": True, "Value": True}}
            )
        )
        .no_value("nothing fires")
        .height(7)
        .span(24)
    )
