"""Figures of performance: indicators, weights, evaluation; they draw results and compute none."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from crmlab.plots.style import PALETTE, label

__all__ = [
    "plot_closeness",
    "plot_indicator_panels",
    "plot_obstacles",
    "plot_principles",
    "plot_rank_ranges",
    "plot_weights",
]

_GREY = "#777777"
_VIEW_COLOURS = {
    "customer_knowledge": PALETTE[4],
    "customer_interaction": PALETTE[5],
    "customer_value": PALETTE[0],
    "customer_satisfaction": PALETTE[2],
}


def plot_indicator_panels(by_quarter, *, n_columns=4):
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
    figure, grid = plt.subplots(
        n_rows, n_columns, figsize=(3.1 * n_columns, 1.9 * n_rows + 0.4), squeeze=False, sharex=True
    )
    axes = grid.ravel()
    for ax, indicator in zip(axes, indicators, strict=False):
        rows = by_quarter[by_quarter["indicator"] == indicator].sort_values("period")
        view, unit = rows["view"].iloc[0], rows["unit"].iloc[0]
        x = np.arange(len(rows))
        ax.plot(x, rows["value"], marker="o", markersize=4, color=_VIEW_COLOURS[view])
        arrow = "↑" if rows["direction"].iloc[0] == "higher" else "↓"
        ax.set_title(f"{label(indicator, unit=True)} {arrow}", fontsize="small")
        if unit == "share":
            ax.yaxis.set_major_formatter(PercentFormatter(1))
        elif rows["value"].abs().max() >= 10_000:
            ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        ax.yaxis.set_major_locator(MaxNLocator(4))
        shown = x[:: max(1, -(-len(x) // 4))]
        ax.set_xticks(shown, rows["period"].to_numpy()[shown])
        ax.tick_params(labelsize="x-small", labelbottom=True)
        ax.margins(y=0.2)
    for ax in axes[len(indicators) :]:
        ax.remove()
    handles = [plt.Line2D([], [], color=_VIEW_COLOURS[v], marker="o") for v in _VIEW_COLOURS]
    used = set(by_quarter["view"])
    shown = [(h, v) for h, v in zip(handles, _VIEW_COLOURS, strict=True) if v in used]
    figure.legend(
        [handle for handle, _ in shown],
        [label(view) for _, view in shown],
        loc="outside upper center",
        ncols=len(shown),
        frameon=False,
    )
    # Laying out two dozen panels is slow: do it once, and not again for every file.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return axes[: len(indicators)]


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
    ax = _axes(ax)
    rows = np.arange(len(checklist))
    left = ax.barh(rows, -checklist["one_side"], color=PALETTE[0], label=label("one_side"))
    right = ax.barh(rows, checklist["other_side"], color=PALETTE[5], label=label("other_side"))
    for bars, numbers in ((left, checklist["one_side"]), (right, checklist["other_side"])):
        ax.bar_label(bars, [str(n) for n in numbers], padding=4)
    keys = [principle.replace("-", "_").replace(" ", "_") for principle in checklist["principle"]]
    ax.set_yticks(rows, [label(key) for key in keys])
    ax.invert_yaxis()
    ax.axvline(0, color=_GREY, linewidth=1)
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.12)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    ax.set_xlabel(label("n_indicators_of_principle"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
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
    ax = _axes(ax)
    rows = np.arange(len(weights))
    height = 0.8 / weights.shape[1]
    for k, weighting in enumerate(weights.columns):
        at = rows + (k - (weights.shape[1] - 1) / 2) * height
        ax.barh(at, weights[weighting], height=height, color=PALETTE[k], label=label(weighting))
    ax.set_yticks(rows, [label(criterion) for criterion in weights.index])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel(label("weight", unit=True))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
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
    ax = _axes(ax)
    table = evaluation.sort_values(["closeness"], ascending=False, kind="stable")
    rows = np.arange(len(table))
    ax.barh(rows, table["closeness"], color=PALETTE[0], label=label("closeness"), height=0.55)
    for row, (ideal, anti) in enumerate(
        zip(table["distance_to_ideal"], table["distance_to_anti_ideal"], strict=True)
    ):
        text = f"$d^+$ = {ideal:.3f}   $d^-$ = {anti:.3f}"
        ax.annotate(text, (1.02, row), va="center", fontsize="small", annotation_clip=False)
    names = [f"{rank}. {name}" for rank, name in zip(table["rank"], table.index, strict=True)]
    ax.set_yticks(rows, names)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set(xlim=(0, 1), xlabel=label("closeness"))
    note = f"$d^+$: {label('distance_to_ideal')};  $d^-$: {label('distance_to_anti_ideal')}"
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
    ax = _axes(ax)
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
    ax.plot(x, sensitivity["mean_rank"], "_", markersize=16, color=_GREY, label=label("mean_rank"))
    ranks = sensitivity["rank"].to_numpy(dtype=float, na_value=np.nan)
    ax.plot(x, ranks, "o", color=PALETTE[0], label=label("rank_as_weighted"))
    ax.set_xticks(x, [str(name) for name in sensitivity.index])
    ax.tick_params(axis="x", labelsize="small")
    ax.set_ylim(len(sensitivity) + 0.5, 0.5)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False, axis="x")
    ax.set(xlabel=label("quarter"), ylabel=label("rank"))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False, fontsize="small")
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
    ax = _axes(ax)
    shown = obstacles.head(n_shown)
    rows = np.arange(len(shown))
    ax.barh(rows, shown["obstacle_degree"], color=PALETTE[1])
    ax.set_yticks(rows, [label(criterion) for criterion in shown["criterion"]])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel(label("obstacle_degree", unit=True))
    return ax


def _axes(ax):
    return plt.subplots()[1] if ax is None else ax
