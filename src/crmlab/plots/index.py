"""Figures of the satisfaction index: its height, what to improve, whether paths are recovered."""

import numpy as np

from crmlab.plots.paths import say_name
from crmlab.plots.style import GREY, PALE, PALETTE, label, legend_above, new_axes

__all__ = ["plot_improvement", "plot_index", "plot_recovery", "say_p_values"]


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
    ax.margins(0.14, 0.16)
    _name_points(
        ax,
        {
            say_name(name): point
            for name, point in zip(x.index, zip(x, y, strict=True), strict=True)
        },
    )
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


def _name_points(ax, points):
    """Write each point's name beside it, on the side where it covers least of what is there."""
    places = np.array(list(points.values()), dtype=float)
    ends = np.array([ax.get_xlim(), ax.get_ylim()])
    size = ax.get_window_extent().size * 72 / ax.figure.dpi  # of the axes, in points
    places = (places - ends[:, 0]) / np.ptp(ends, axis=1) * size
    boxes = [(*(place - 4), *(place + 4)) for place in places]
    for (name, point), place in zip(points.items(), places, strict=True):
        wide = 5.6 * sum(2 if ord(sign) > 0x2E80 else 1 for sign in name)
        found = []
        for up, right in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            x, y = place + 7 * np.array([right, up])
            box = (min(x, x + right * wide), min(y, y + up * 12))
            box += (box[0] + wide, box[1] + 12)
            outside = box[0] < 0 or box[2] > size[0]
            found.append(
                (sum(_shared(box, other) for other in boxes) + 1e4 * outside, box, up, right)
            )
        _, box, up, right = min(found, key=lambda one: one[0])
        boxes.append(box)
        ax.annotate(
            name,
            point,
            (7 * right, 7 * up),
            textcoords="offset points",
            ha="left" if right > 0 else "right",
            va="bottom" if up > 0 else "top",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
        )


def _shared(one, other):
    """Return the area that two boxes share, each left, bottom, right, top."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def say_p_values(values):
    """Return p values in three decimals, those below as "<0.001"; missing ones stay missing.

    Examples
    --------
    >>> import pandas as pd
    >>> say_p_values(pd.Series([0.0291, 0.0000004, None])).tolist()
    ['0.029', '<0.001', None]
    """
    said = ["<0.001" if p < 0.001 else f"{p:.3f}" if p == p else None for p in values]
    result = values.astype("object")
    result[:] = said
    return result


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
