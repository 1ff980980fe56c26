"""Parts that the dashboards are built of: a PostgreSQL query, panels with our defaults, variables, the writer.

Every panel has a description that says what is counted and where from, a unit, and a hint for when it is empty.
"""

import json
import pathlib

from grafana_foundation_sdk.builders import barchart, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.cog import builder as cogbuilder
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

SOURCE = DataSourceRef(type_val="grafana-postgresql-datasource", uid="callsink")
NOTHING = "No calls in this span and selection"


class Query(variants.Dataquery, cogbuilder.Builder):
    """A query of Grafana's PostgreSQL data source, which the SDK has no builder for."""

    def __init__(self, sql, form, ref="A"):
        self.sql = "\n".join(line.rstrip() for line in sql.strip().splitlines())
        self.form = form
        self.ref = ref

    def build(self):
        return self

    def to_json(self):
        return {
            "refId": self.ref,
            "datasource": {"type": SOURCE.type_val, "uid": SOURCE.uid},
            "editorMode": "code",
            "format": self.form,
            "rawQuery": True,
            "rawSql": self.sql,
        }


def thresholds(*steps):
    """`thresholds("green", (5, "red"))`: green below 5."""
    first, *rest = steps
    points = [Threshold(color=first, value=None)] + [Threshold(color=color, value=value) for value, color in rest]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(points)


def _common(panel, title, about, unit, width, height, empty, steps, decimals):
    panel.title(title).description(about).datasource(SOURCE).span(width).height(height).no_value(empty)
    if unit:
        panel.unit(unit)
    if decimals is not None:
        panel.decimals(decimals)
    if steps:
        panel.thresholds(steps)
    return panel


def figure(title, sql, about, unit, steps=None, decimals=None, width=3, height=4):
    """One number."""
    panel = stat.Panel().graph_mode(common_models.BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    if steps is None:
        panel.color_mode(common_models.BigValueColorMode.NONE)
    panel.with_target(Query(sql, "table"))
    return _common(panel, title, about, unit, width, height, "none", steps, decimals)


def course(title, sql, about, unit, steps=None, decimals=None, width=8, height=8, stacked=False, interval="1h", bars=False):
    """Lines over time: columns time, metric, value."""
    panel = timeseries.Panel().interval(interval).with_target(Query(sql, "time_series"))
    panel.show_points(common_models.VisibilityMode.AUTO).span_nulls(True).line_width(2)
    panel.legend(
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(common_models.TooltipDisplayMode.MULTI)
        .sort(common_models.SortOrder.DESCENDING)
    )
    panel.min(0)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A")).fill_opacity(35)
        panel.span_nulls(False)
    if bars:
        panel.draw_style(common_models.GraphDrawStyle.BARS)
    if steps:
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED))
    return _common(panel, title, about, unit, width, height, NOTHING, steps, decimals)


def ranking(title, sql, about, unit, steps=None, decimals=None, width=8, height=8):
    """Horizontal bars: columns name, value."""
    panel = barchart.Panel().orientation(common_models.VizOrientation.HORIZONTAL)
    panel.legend(
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.HIDDEN)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(False)
        .calcs([])
    )
    panel.with_target(Query(sql, "table"))
    return _common(panel, title, about, unit, width, height, NOTHING, steps, decimals)


def rows(title, sql, about, units=None, steps=None, links=None, width=12, height=9, empty=NOTHING):
    """A table; `units` and `steps` by column, `links` a pair of column and address."""
    panel = table.Panel().with_target(Query(sql, "table"))
    for column, unit in (units or {}).items():
        properties = [DynamicConfigValue(id_val="unit", value=unit)]
        if unit in ("percent", "ms", "s", "none"):
            properties.append(DynamicConfigValue(id_val="decimals", value=2 if unit == "none" else 1))
        if steps and column in steps:
            first, *rest = steps[column]
            points = [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in rest]
            properties += [
                DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": points}),
                DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
            ]
        panel.override_by_name(column, properties)
    for column, (label, address) in (links or {}).items():
        link = [{"title": label, "url": address}]
        panel.override_by_name(column, [DynamicConfigValue(id_val="links", value=link)])
    return _common(panel, title, about, None, width, height, empty, None, None)


def choice(name, label, sql, about):
    """A variable with several values, all of them at first."""
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .description(about)
        .datasource(SOURCE)
        .query(sql)
        .multi(True)
        .include_all(True)
        .current(everything)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def typed(name, label, about):
    """A variable that is typed, or comes from a link."""
    return dashboard.TextBoxVariable(name).label(label).description(about).hide(VariableHide.DONT_HIDE).default_value("")


def board(uid, title, about, start, refresh):
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["callsink"])
        .time(start, "now")
        .refresh(refresh)
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            dashboard.DashboardLink("callsink")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["callsink"])
            .as_dropdown(False)
            .keep_time(True)
            .include_vars(False)
        )
    )


def row(title):
    return dashboard.Row(title)


def write(name, built):
    text = json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (pathlib.Path(__file__).parent / "dashboards" / f"{name}.json").write_text(text)
