"""Figures and tables of performance: they show results and compute none."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crmlab.plots.style import (
    GREY,
    PALETTE,
    label,
    legend_above,
    new_axes,
    number_axis,
    rows_from_top,
    share_axis,
)

__all__ = [
    "plot_closeness",
    "plot_indicator_panels",
    "plot_obstacles",
    "plot_principles",
    "plot_rank_ranges",
    "plot_weights",
    "tabulate_indicators",
    "tabulate_scorecard",
]

_VIEW_COLOURS = {
    "customer_knowledge": PALETTE[4],
    "customer_interaction": PALETTE[5],
    "customer_value": PALETTE[0],
    "customer_satisfaction": PALETTE[2],
}


def plot_indicator_panels(by_quarter, *, n_columns=3):
    """Draw each indicator over the quarters in a small panel of its own.

    Parameters
    ----------
    by_quarter : pandas.DataFrame
        Result of `crmlab.performance.indicators_by_quarter`.
    n_columns : int
        Panels side by side.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        One per indicator, in the order of the table; their figure is `axes[0].figure`.
    """
    indicators = list(dict.fromkeys(by_quarter["indicator"]))
    n_rows = -(-len(indicators) // n_columns)
    # The places are worked out by hand, in inches: laying out two dozen panels takes seconds.
    width, height, top, foot = 2.9 * n_columns, 1.6 * n_rows + 0.75, 0.75, 0.3
    figure, grid = plt.subplots(
        n_rows,
        n_columns,
        figsize=(width, height),
        squeeze=False,
        gridspec_kw={
            "left": 0.62 / width,
            "right": 1 - 0.22 / width,
            "top": 1 - top / height,
            "bottom": foot / height,
            "wspace": 0.36,
            "hspace": 0.62,
        },
    )
    figure.set_layout_engine("none")
    axes = grid.ravel()
    for ax, indicator in zip(axes, indicators, strict=False):
        rows = by_quarter[by_quarter["indicator"] == indicator].sort_values("period")
        _draw_panel(ax, indicator, rows)
    for ax in axes[len(indicators) :]:
        ax.remove()
    used = set(by_quarter["view"])
    shown = [view for view in _VIEW_COLOURS if view in used]
    figure.legend(
        [plt.Line2D([], [], color=_VIEW_COLOURS[view], marker="o") for view in shown],
        [label(view) for view in shown],
        loc="upper center",
        bbox_to_anchor=(0.5, 1),
        ncols=len(shown),
        fontsize="small",
    )
    return axes[: len(indicators)]


def _draw_panel(ax, indicator, rows):
    view, unit = rows["view"].iloc[0], rows["unit"].iloc[0]
    x = np.arange(len(rows))
    ax.plot(x, rows["value"], marker="o", markersize=4, color=_VIEW_COLOURS[view])
    title = f"{label(indicator, unit=True)} {_arrow(rows['direction'].iloc[0])}"
    ax.set_title(title, fontsize=9.5, x=-0.12, pad=9)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    (share_axis if unit == "share" else number_axis)(ax.yaxis)
    # First and last quarter: what lies between them is told by counting.
    ends = sorted({0, len(rows) - 1})
    ax.set_xticks(ends, rows["period"].to_numpy()[ends])
    ax.set_xlim(-0.5, len(rows) - 0.5)
    ax.grid(visible=False, axis="x")
    ax.tick_params(labelsize=9, pad=2)
    ax.margins(y=0.2)


def _arrow(direction):
    return "↑" if direction == "higher" else "↓"


def plot_principles(checklist, ax=None):
    """Draw how many indicators stand on either side of each balance.

    Parameters
    ----------
    checklist : pandas.DataFrame
        Result of `crmlab.performance.principle_checklist`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    rows = np.arange(len(checklist))
    left = ax.barh(rows, -checklist["one_side"], color=PALETTE[0], label=label("one_side"))
    right = ax.barh(rows, checklist["other_side"], color=PALETTE[5], label=label("other_side"))
    for bars, numbers in ((left, checklist["one_side"]), (right, checklist["other_side"])):
        ax.bar_label(bars, [str(n) for n in numbers], padding=4)
    keys = [principle.replace("-", "_").replace(" ", "_") for principle in checklist["principle"]]
    rows_from_top(ax, [label(key) for key in keys])
    ax.axvline(0, color=GREY, linewidth=1)
    ax.margins(x=0.12)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    ax.set_xlabel(label("n_indicators_of_principle"))
    legend_above(ax)
    return ax


def plot_weights(weights, ax=None):
    """Draw several weightings of the same criteria side by side.

    Parameters
    ----------
    weights : pandas.DataFrame
        One row per criterion and one column per weighting, both keys of the terms table.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    rows = np.arange(len(weights))
    height = 0.8 / weights.shape[1]
    for k, weighting in enumerate(weights.columns):
        at = rows + (k - (weights.shape[1] - 1) / 2) * height
        ax.barh(at, weights[weighting], height=height, color=PALETTE[k], label=label(weighting))
    rows_from_top(ax, [label(criterion) for criterion in weights.index])
    share_axis(ax.xaxis)
    ax.set_xlabel(label("weight"))
    legend_above(ax, ncols=2)
    return ax


def plot_closeness(evaluation, ax=None):
    """Draw the closeness of each alternative, best first, with its two distances.

    Parameters
    ----------
    evaluation : pandas.DataFrame
        Result of `crmlab.performance.topsis`, named by its index.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    table = evaluation.sort_values(["closeness"], ascending=False, kind="stable")
    ax = new_axes(ax, n_bars=min(len(table), 7))
    rows = np.arange(len(table))
    ax.barh(rows, table["closeness"], color=PALETTE[0], label=label("closeness"), height=0.55)
    for row, (ideal, anti) in enumerate(
        zip(table["distance_to_ideal"], table["distance_to_anti_ideal"], strict=True)
    ):
        text = f"d⁺ = {ideal:.3f}   d⁻ = {anti:.3f}"
        ax.annotate(text, (1.02, row), va="center", fontsize="small", annotation_clip=False)
    names = [f"{rank}. {name}" for rank, name in zip(table["rank"], table.index, strict=True)]
    rows_from_top(ax, names)
    ax.set(xlim=(0, 1), xlabel=label("closeness"))
    mark, gap = (":", ";  ") if label("closeness").isascii() else ("：", "；")
    note = f"d⁺{mark}{label('distance_to_ideal')}{gap}d⁻{mark}{label('distance_to_anti_ideal')}"
    ax.set_title(note, fontsize="small")
    return ax


def plot_rank_ranges(sensitivity, ax=None):
    """Draw each alternative's rank and its range over perturbed weights.

    Parameters
    ----------
    sensitivity : pandas.DataFrame
        Result of `crmlab.performance.rank_sensitivity`, named by its index.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x = np.arange(len(sensitivity))
    ax.vlines(
        x,
        sensitivity["best_rank"],
        sensitivity["worst_rank"],
        color=PALETTE[4],
        linewidth=7,
        alpha=0.6,
        label=label("rank_range"),
    )
    ax.plot(x, sensitivity["mean_rank"], "_", markersize=16, color=GREY, label=label("mean_rank"))
    ranks = sensitivity["rank"].to_numpy(dtype=float, na_value=np.nan)
    ax.plot(x, ranks, "o", color=PALETTE[0], label=label("rank_as_weighted"))
    ax.set_xticks(x, [str(name) for name in sensitivity.index])
    ax.tick_params(axis="x", labelsize="small")
    ax.set_ylim(len(sensitivity) + 0.5, 0.5)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False, axis="x")
    ax.set(xlabel=label("quarter"), ylabel=label("rank"))
    legend_above(ax, ncols=2, fontsize="small")
    return ax


def plot_obstacles(obstacles, ax=None, *, n_shown=10):
    """Draw what share of the weighted gap to the best is due to each criterion.

    Parameters
    ----------
    obstacles : pandas.DataFrame
        Result of `crmlab.performance.obstacle_degree`; its criteria are keys of the terms table.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.
    n_shown : int
        How many of the largest obstacles to draw.

    Returns
    -------
    matplotlib.axes.Axes
    """
    shown = obstacles.head(n_shown)
    ax = new_axes(ax, n_bars=min(len(shown), 7))
    rows = np.arange(len(shown))
    ax.barh(rows, shown["obstacle_degree"], color=PALETTE[1])
    rows_from_top(ax, [label(criterion) for criterion in shown["criterion"]])
    ax.xaxis.set_major_locator(MaxNLocator(6))
    share_axis(ax.xaxis)
    ax.set_xlabel(label("obstacle_degree"))
    return ax


def tabulate_indicators(indicators, keys=None):
    """Return indicators by period as a table to be shown: one row each, one column a period.

    Parameters
    ----------
    indicators : pandas.DataFrame
        Rows of `crmlab.performance.indicators_by_quarter` or `indicators_in_total`, or both.
    keys : sequence of str or None
        Indicators to show, in this order; None shows all in the order of the table.

    Returns
    -------
    pandas.DataFrame
        One row per indicator that is known at least once: `direction`, then its value in each
        period, NaN where it is not known; the whole window is the column `whole_window`.
    """
    keys = list(dict.fromkeys(indicators["indicator"])) if keys is None else list(keys)
    known = indicators[indicators["indicator"].isin(keys) & indicators["value"].notna()]
    periods = list(dict.fromkeys(indicators["period"]))
    values = known.pivot_table(index="indicator", columns="period", values="value")
    directions = known.drop_duplicates("indicator").set_index("indicator")["direction"]
    shown = [key for key in keys if key in directions.index]
    table = values.reindex(index=pd.Index(shown, name="indicator"), columns=periods)
    table.insert(0, "direction", directions.reindex(shown).astype("str"))
    return table.rename(columns={"total": "whole_window"}).rename_axis(columns="quarter")


def tabulate_scorecard(card):
    """Return a scorecard as a table to be shown, by department.

    Parameters
    ----------
    card : pandas.DataFrame
        Result of `crmlab.performance.scorecard`.

    Returns
    -------
    pandas.DataFrame
        One row per indicator that is known in the quarter, the better direction beside it.
    """
    known = card[card["value"].notna()].sort_values(["department", "indicator"])
    names = {
        "direction": "direction",
        "previous": "previous_quarter",
        "value": "this_quarter",
        "change": "change",
        "trend": "trend",
        "z": "z_of_change",
    }
    return known.set_index(["department", "indicator"])[list(names)].rename(columns=names)
