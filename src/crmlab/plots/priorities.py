"""Figures of priorities, drivers and service quality; they draw results and compute none."""

import numpy as np

from crmlab.atlas import load_terms
from crmlab.plots.kano import feature_name, number_points
from crmlab.plots.style import (
    GREY,
    PALETTE,
    label,
    legend_above,
    new_axes,
    rows_from_top,
    share_axis,
)

__all__ = [
    "plot_importance_compared",
    "plot_importance_performance",
    "plot_ranked_features",
    "plot_service_gaps",
]

_QUADRANT_COLOURS = {
    "concentrate_here": PALETTE[1],
    "keep_up": PALETTE[2],
    "low_priority": "#BBBBBB",
    "possible_overkill": PALETTE[3],
}
_CORNERS = {
    "concentrate_here": (0, 1),
    "keep_up": (1, 1),
    "low_priority": (0, 0),
    "possible_overkill": (1, 0),
}


def plot_importance_performance(
    placed, *, crosshair="data", importance="stated_importance", ax=None
):
    """Draw the importance–performance map with its crosshair.

    Parameters
    ----------
    placed : pandas.DataFrame
        Result of `crmlab.satisfaction.place_features`.
    crosshair : {"data", "scale", "gap"}
        How the features were placed; "gap" draws the diagonal.
    importance : str
        Key of the term of the vertical axis.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    placed = placed.dropna(subset="quadrant")
    colours = [_QUADRANT_COLOURS[quadrant] for quadrant in placed["quadrant"]]
    number_points(ax, placed["performance"], placed["importance"], placed.index, colours=colours)
    ax.axhline(placed["importance_cut"].iloc[0], color=GREY, linewidth=1, linestyle="--")
    ax.margins(0.16, 0.16)
    if crosshair == "gap":
        ends = np.array(
            [max(ax.get_xlim()[0], ax.get_ylim()[0]), min(ax.get_xlim()[1], ax.get_ylim()[1])]
        )
        ax.plot(ends, ends, color=GREY, linewidth=1, linestyle="--")
    else:
        ax.axvline(placed["performance_cut"].iloc[0], color=GREY, linewidth=1, linestyle="--")
    for quadrant, (right, top) in _CORNERS.items():
        ax.annotate(
            label(f"quadrant_{quadrant}"),
            (0.99 if right else 0.01, 0.985 if top else 0.015),
            xycoords="axes fraction",
            ha="right" if right else "left",
            va="top" if top else "bottom",
            color=GREY,
        )
    ax.set(xlabel=label("mean_performance", unit=True), ylabel=label(importance, unit=True))
    return ax


def plot_importance_compared(stated, derived, ax=None):
    """Draw derived against stated importance of each feature.

    Parameters
    ----------
    stated : pandas.Series
        Mean stated importance by feature, in points.
    derived : pandas.DataFrame
        Result of `crmlab.satisfaction.driver_shares`, of the same features.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x, y = stated.loc[derived.index], derived["r_squared_share"]
    ax.errorbar(
        x,
        y,
        yerr=[y - derived["lower"], derived["upper"] - y],
        fmt="none",
        ecolor=GREY,
        elinewidth=1,
        zorder=2,
    )
    number_points(ax, x, y, derived.index)
    share_axis(ax.yaxis)
    ax.set(xlabel=label("stated_importance", unit=True), ylabel=label("r_squared_share"))
    ax.set_ylim(bottom=0)
    return ax


def plot_ranked_features(table, column, ax=None):
    """Draw a value of each feature with its interval, in the order of the table.

    Parameters
    ----------
    table : pandas.DataFrame, by feature
        Holds `column`, `lower` and `upper`.
    column : str
        What to draw; a key of the terms table.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(table))
    rows = np.arange(len(table))
    ax.barh(rows, table[column], color=PALETTE[4], height=0.62)
    ax.errorbar(
        table[column],
        rows,
        xerr=[table[column] - table["lower"], table["upper"] - table[column]],
        fmt="none",
        ecolor="black",
        elinewidth=1.2,
        capsize=3,
    )
    rows_from_top(ax, [feature_name(name) for name in table.index])
    if load_terms()[column].unit == "share":
        share_axis(ax.xaxis)
    ax.set_xlabel(label(column, unit=True))
    return ax


def plot_service_gaps(gaps, ax=None):
    """Draw what is expected of an excellent firm and what is perceived, by dimension.

    Parameters
    ----------
    gaps : pandas.DataFrame
        Result of `crmlab.satisfaction.dimension_gaps`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(gaps) + 1)
    rows = np.arange(len(gaps))
    ax.hlines(rows, gaps["perceived"], gaps["expected"], color=GREY, linewidth=2, zorder=1)
    half = (gaps["gap_upper"] - gaps["gap_lower"]) / 2
    ax.scatter(gaps["expected"], rows, color=PALETTE[1], label=label("service_expected"), zorder=3)
    ax.errorbar(
        gaps["perceived"],
        rows,
        xerr=half,
        fmt="s",
        capsize=3,
        color=PALETTE[0],
        label=label("service_perceived"),
        zorder=2,
    )
    keys = [f"dimension_{name}" for name in gaps.index]
    names = [
        label(key) if key in load_terms() else str(name)
        for key, name in zip(keys, gaps.index, strict=True)
    ]
    rows_from_top(ax, names)
    ax.set_xlabel(label("mean_score", unit=True))
    legend_above(ax, ncols=2)
    return ax
