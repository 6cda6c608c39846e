"""Figures of the satisfaction index: its height, what to improve, whether paths are recovered."""

import numpy as np

from crmlab.plots.paths import say_name
from crmlab.plots.style import GREY, PALE, PALETTE, label, legend_above, new_axes

__all__ = ["plot_improvement", "plot_index", "plot_recovery"]


def plot_improvement(matrix, ax=None):
    """Draw the matrix of improvement: importance against performance, cut at the means.

    Parameters
    ----------
    matrix : pandas.DataFrame
        Result of `crmlab.satisfaction.improvement_matrix`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x, y = matrix["performance"], matrix["importance"]
    ax.axvline(x.mean(), color=GREY, linewidth=1, zorder=1)
    ax.axhline(y.mean(), color=GREY, linewidth=1, zorder=1)
    ax.errorbar(
        x,
        y,
        xerr=[x - matrix["performance_lower"], matrix["performance_upper"] - x],
        yerr=[y - matrix["importance_lower"], matrix["importance_upper"] - y],
        fmt="o",
        color=PALETTE[0],
        ecolor=PALETTE[4],
        elinewidth=1.1,
        capsize=3,
        zorder=3,
    )
    for name, row in matrix.iterrows():
        is_right = row["performance"] > x.max() - 0.3 * np.ptp(x)
        ax.annotate(
            say_name(name),
            (row["performance"], row["importance"]),
            (-7 if is_right else 7, 7),
            textcoords="offset points",
            ha="right" if is_right else "left",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
        )
    ax.margins(0.14, 0.16)
    corners = {"improve_first": (0, 1), "keep_up": (1, 1), "improve_later": (0, 0), "hold": (1, 0)}
    for area, (right, top) in corners.items():
        ax.text(
            0.985 if right else 0.015,
            0.975 if top else 0.025,
            label(area),
            transform=ax.transAxes,
            ha="right" if right else "left",
            va="top" if top else "bottom",
            color=PALETTE[1] if area == "improve_first" else GREY,
            zorder=2,
        )
    ax.set(xlabel=label("performance", unit=True), ylabel=label("importance_points", unit=True))
    ax.grid(visible=False)
    return ax


def plot_index(table, *, overall=None, ax=None):
    """Draw indices with their intervals, one row each.

    Parameters
    ----------
    table : pandas.DataFrame
        `index`, `lower`, `upper`, by construct or group: results of
        `crmlab.satisfaction.tabulate_index` or `index_by_group`. Rows are said by the terms table,
        groups as levels of what the index is named after.
    overall : float or None
        The index of everyone, drawn as a line.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(table))
    rows = np.arange(len(table))
    if overall is not None:
        ax.axvline(overall, color=GREY, linewidth=1.2, zorder=1, label=label("index_of_all"))
    ax.errorbar(
        table["index"],
        rows,
        xerr=[table["index"] - table["lower"], table["upper"] - table["index"]],
        fmt="o",
        color=PALETTE[0],
        capsize=4,
        zorder=3,
    )
    for row, value in zip(rows, table["index"], strict=True):
        ax.annotate(
            f"{value:.1f}",
            (value, row),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    ax.set_yticks(rows, [say_name(name, table.index.name) for name in table.index])
    ax.set_ylim(len(table) - 0.5, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(label("index", unit=True))
    if overall is not None:
        legend_above(ax)
    return ax


def plot_recovery(table, ax=None):
    """Draw estimated paths with their intervals beside the true ones.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per path: `source`, `target`, `method` (a key of the terms table), `estimate`,
        `low`, `high`, `truth`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    methods = list(dict.fromkeys(table["method"]))
    paths = list(dict.fromkeys(zip(table["source"], table["target"], strict=True)))
    ax = new_axes(ax, n_bars=len(paths))
    place = {path: row for row, path in enumerate(paths)}
    for k, (method, colour) in enumerate(
        zip(methods, (PALETTE[1], PALETTE[0], PALETTE[2]), strict=False)
    ):
        chosen = table[table["method"] == method]
        pairs = zip(chosen["source"], chosen["target"], strict=True)
        rows = np.array([place[pair] for pair in pairs]) + 0.27 * (k - (len(methods) - 1) / 2)
        ax.errorbar(
            chosen["estimate"],
            rows,
            xerr=[chosen["estimate"] - chosen["low"], chosen["high"] - chosen["estimate"]],
            fmt="o",
            color=colour,
            capsize=3,
            markersize=5,
            label=label(method),
            zorder=3,
        )
    truth = table.drop_duplicates(["source", "target"])
    ax.scatter(
        truth["truth"],
        range(len(truth)),
        marker="D",
        s=42,
        color="black",
        zorder=4,
        label=label("true_path"),
    )
    for row in range(0, len(paths), 2):
        ax.axhspan(row - 0.5, row + 0.5, color=PALE, alpha=0.25, linewidth=0, zorder=0)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks(range(len(paths)), [f"{say_name(s)} → {say_name(t)}" for s, t in paths])
    ax.set_ylim(len(paths) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(label("coefficient"))
    ax.figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return ax
