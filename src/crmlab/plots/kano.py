"""Figures of Kano's method; they draw results and compute none."""

import numpy as np
from matplotlib.patches import Ellipse

from crmlab.atlas import load_terms
from crmlab.plots.style import (
    GREY,
    PALE,
    PALETTE,
    label,
    legend_above,
    legend_beside,
    new_axes,
    rows_from_top,
    share_axis,
)

__all__ = [
    "feature_name",
    "number_points",
    "plot_better_worse",
    "plot_coefficient_by_segment",
    "plot_kano_map",
    "plot_kano_shares",
]

_NUMBER_WIDTH = 13.8  # points, of the disc that bears a number
# Must-be and one-dimensional strong, attractive bright, the rest pale: what to act on stands out.
_CLASS_COLOURS = {
    "M": PALETTE[1],
    "O": PALETTE[0],
    "A": PALETTE[2],
    "I": PALE,
    "R": PALETTE[3],
    "Q": "#F0E442",
}
_LIGHT = (PALE, "#BBBBBB", "#F0E442")  # colours on which white is not read


def feature_name(name):
    """Return what a feature is called in the current language, or its own name without a term."""
    key = f"feature_{name}"
    return label(key) if key in load_terms() else str(name).replace("_", " ")


def plot_kano_shares(counts, ax=None):
    """Draw the share of each class by feature as lying, stacked bars.

    Parameters
    ----------
    counts : pandas.DataFrame
        Result of `crmlab.satisfaction.count_classes`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(counts) + 1)
    left = counts["n_pairs"] * 0.0
    for name, colour in _CLASS_COLOURS.items():
        share = counts[name] / counts["n_pairs"].where(counts["n_pairs"] > 0)
        ax.barh(
            range(len(counts)), share, left=left, color=colour, label=label(f"kano_class_{name}")
        )
        left = left + share
    rows_from_top(ax, [feature_name(name) for name in counts.index])
    share_axis(ax.xaxis)
    ax.set(xlabel=label("share_of_respondents"), xlim=(0, 1))
    legend_above(ax, columnspacing=1.0, handlelength=1.2)
    return ax


def plot_better_worse(coefficients, classes=None, ax=None):
    """Draw what presence gains against what absence costs, with intervals and the four quarters.

    Parameters
    ----------
    coefficients : pandas.DataFrame
        Result of `crmlab.satisfaction.kano_coefficients`.
    classes : pandas.Series or None
        Class of each feature, which colours its point.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x, y = -coefficients["worse"], coefficients["better"]
    ax.errorbar(
        x,
        y,
        xerr=[x + coefficients["worse_upper"], -coefficients["worse_lower"] - x],
        yerr=[y - coefficients["better_lower"], coefficients["better_upper"] - y],
        fmt="none",
        ecolor=GREY,
        elinewidth=1,
        zorder=2,
    )
    colours = None if classes is None else [_CLASS_COLOURS.get(c, GREY) for c in classes]
    _quarters(ax, 0.5, (0, 1), (0, 1))
    number_points(ax, x, y, coefficients.index, colours=colours)
    share_axis(ax.xaxis, ax.yaxis)
    ax.set(xlabel=label("cost_of_absence"), ylabel=label("gain_of_presence"))
    return ax


def plot_kano_map(points, ax=None):
    """Draw the features as points with confidence ellipses on the plane of absence and presence.

    Parameters
    ----------
    points : pandas.DataFrame
        Result of `crmlab.satisfaction.locate_features`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    for point in points.dropna(subset="semi_major").itertuples():
        ax.add_patch(
            Ellipse(
                (point.absence, point.presence),
                2 * point.semi_major,
                2 * point.semi_minor,
                angle=point.angle_degrees,
                facecolor=PALETTE[4],
                edgecolor=PALETTE[0],
                alpha=0.35,
                zorder=2,
            )
        )
    colours = [_CLASS_COLOURS.get(quarter, GREY) for quarter in points["kano_quarter"]]
    low = min(0.0, float(points[["absence", "presence"]].min().min()) - 0.4)
    _quarters(ax, 2.0, (low, 4), (low, 4))
    number_points(ax, points["absence"], points["presence"], points.index, colours=colours)
    ax.set(xlabel=label("absence", unit=True), ylabel=label("presence", unit=True))
    return ax


def plot_coefficient_by_segment(coefficients, column, ax=None):
    """Draw better or worse of each feature by segment, with intervals.

    Parameters
    ----------
    coefficients : pandas.DataFrame
        Result of `crmlab.satisfaction.kano_coefficients`; index `feature` and `segment`.
    column : {"better", "worse"}
        What to draw.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    features = list(dict.fromkeys(coefficients.index.get_level_values("feature")))
    segments = list(dict.fromkeys(coefficients.index.get_level_values("segment")))
    ax = new_axes(ax, n_bars=len(features) + 1)
    for k, segment in enumerate(segments):
        own = coefficients.xs(segment, level="segment").reindex(features)
        rows = [row + 0.5 * ((k + 1) / (len(segments) + 1) - 0.5) for row in range(len(features))]
        ax.errorbar(
            own[column],
            rows,
            xerr=[own[column] - own[f"{column}_lower"], own[f"{column}_upper"] - own[column]],
            fmt="os^Dv"[k % 5],
            markersize=5,
            capsize=2,
            color=PALETTE[k % len(PALETTE)],
            label=label(segment) if segment in load_terms() else str(segment),
        )
    rows_from_top(ax, [feature_name(name) for name in features])
    share_axis(ax.xaxis)
    ax.set_xlabel(label(f"{column}_coefficient"))
    legend_above(ax)
    return ax


def number_points(ax, x, y, names, *, colours=None):
    """Draw numbered points and say beside the axes which feature each number is.

    Where two numbers would cover one another, they stand beside their points; the limits of the
    axes are best set before.
    """
    colours = [PALETTE[0]] * len(names) if colours is None else colours
    points = list(zip(x, y, strict=True))
    beside = _beside(ax, points)
    for k, (point, name, colour) in enumerate(zip(points, names, colours, strict=True), start=1):
        is_moved = np.hypot(*beside[k - 1]) > 1
        size = 18 if is_moved else _NUMBER_WIDTH**2
        ax.scatter(*[[end] for end in point], s=size, color=colour, edgecolor="white", zorder=3)
        text = {"ha": "center", "va": "center", "fontsize": 9, "zorder": 4}
        text["color"] = "black" if colour in _LIGHT else "white"
        if is_moved:
            text["bbox"] = {"boxstyle": "circle", "facecolor": colour, "edgecolor": "white"}
            text["arrowprops"] = {"arrowstyle": "-", "color": GREY, "linewidth": 1}
        ax.annotate(str(k), point, beside[k - 1], textcoords="offset points", **text)
        ax.scatter([], [], s=40, color=colour, label=f"{k}  {feature_name(name)}")
    legend_beside(ax)


def _beside(ax, points):
    """Return how far each number stands from its point, in typographic points."""
    drawn = ax.scatter(*zip(*points, strict=True)) if points else None  # opens the axes to them
    at = ax.transData.transform(np.reshape(points, (-1, 2))) * 72 / ax.figure.dpi
    if drawn is not None:
        drawn.remove()
    moved = at.copy()
    for _ in range(20):
        for i in range(len(at)):
            for j in range(i):
                away = moved[i] - moved[j]
                distance = np.hypot(*away)
                if distance < _NUMBER_WIDTH:
                    away = away / distance if distance > 0 else np.array([1.0, 0.0])
                    moved[i] += away * (0.6 * _NUMBER_WIDTH - distance / 2)
                    moved[j] -= away * (0.6 * _NUMBER_WIDTH - distance / 2)
    return moved - at


def _quarters(ax, middle, across, up):
    """Draw the lines of the four quarters and name them in their outer corners."""
    ax.axvline(middle, color=GREY, linewidth=1, linestyle="--", zorder=1)
    ax.axhline(middle, color=GREY, linewidth=1, linestyle="--", zorder=1)
    corners = {"A": (0, 1), "O": (1, 1), "I": (0, 0), "M": (1, 0)}
    for name, (right, top) in corners.items():
        ax.annotate(
            label(f"kano_class_{name}"),
            (0.99 if right else 0.01, 0.985 if top else 0.015),
            xycoords="axes fraction",
            ha="right" if right else "left",
            va="top" if top else "bottom",
            color=GREY,
        )
    ax.set(xlim=across, ylim=up)
