"""Figures of what is done with segments: moves, effects and targets. They compute nothing."""

import numpy as np
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from crmlab.atlas import load_terms
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

__all__ = ["plot_effects", "plot_targets", "plot_transitions"]

_SIDES = [(0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
_SIDES += [(0, step) for step in range(2, 12)]


def plot_transitions(table, ax=None):
    """Draw the share of each state before that is in each state after, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.segments.migration.transition_table`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    rows, columns = (list(dict.fromkeys(table[side])) for side in ("before", "after"))
    wide = table.pivot(index="before", columns="after", values="share").loc[rows, columns]
    mesh = ax.pcolormesh(
        np.arange(len(columns)),
        np.arange(len(rows)),
        wide,
        cmap="Blues",
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=2,
    )
    place = {"before": {n: i for i, n in enumerate(rows)}}
    place["after"] = {n: i for i, n in enumerate(columns)}
    for cell in table.itertuples():
        ax.text(
            place["after"][cell.after],
            place["before"][cell.before],
            f"{cell.share:.0%}\n({cell.lower:.0%}\N{EN DASH}{cell.upper:.0%})",
            ha="center",
            va="center",
            fontsize="small" if len(columns) <= 5 else "x-small",
            color="white" if cell.share > 0.55 else "#333333",
        )
    share_axis(ax.figure.colorbar(mesh, ax=ax).ax.yaxis)
    ax.set_xticks(np.arange(len(columns)), [_name(name) for name in columns])
    n_before = table.groupby("before")["n_customers"].sum()
    rows_from_top(ax, [f"{_name(name)} (n = {n_before[name]:,})" for name in rows])
    ax.set(xlabel=label("segment_after"), ylabel=label("segment_before"))
    ax.grid(visible=False)
    return ax


def plot_effects(table, value, *, pooled=None, truth=None, ax=None):
    """Draw an effect in each segment with its interval, beside no effect and the pooled one.

    Parameters
    ----------
    table : pandas.DataFrame
        `segment`, the value, `lower`, `upper`: from `crmlab.segments.effects`.
    value : str
        Column to draw, "uplift" (a share) or "difference"; a key of the terms table.
    pooled : float, optional
        Effect over all segments, drawn as a line.
    truth : sequence of float, optional
        The true effect of each segment.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(table))
    place = np.arange(len(table))
    ax.axvline(0, color="#333333", linewidth=0.9)
    if pooled is not None and np.isfinite(pooled):
        ax.axvline(pooled, color=GREY, linestyle="--", linewidth=1.2, label=label("all_segments"))
    ax.hlines(place, table["lower"], table["upper"], color=PALETTE[0], linewidth=2.2)
    ax.plot(table[value], place, "o", color=PALETTE[0], label=label("estimate_with_interval"))
    if truth is not None:
        ax.plot(truth, place, "D", color=PALETTE[1], markersize=6, label=label("true_value"))
    rows_from_top(ax, [_name(segment) for segment in table["segment"]])
    if value == "uplift":
        share_axis(ax.xaxis)
    else:
        number_axis(ax.xaxis)
    ax.set(xlabel=label(value, unit=True), ylabel=label("segment"))
    legend_above(ax)
    return ax


def plot_targets(scores, sensitivity, ax=None):
    """Draw the segments by attractiveness and fit; the larger, the oftener first.

    Parameters
    ----------
    scores : pandas.DataFrame
        Result of `crmlab.segments.targeting.score_segments`.
    sensitivity : pandas.DataFrame
        Result of `crmlab.segments.targeting.weight_sensitivity`, the same rows.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    for axis in (ax.axvline, ax.axhline):
        axis(0.5, color=GREY, linestyle="--", linewidth=1)
    known = scores[["attractiveness", "fit"]].dropna()
    size = 60 + 900 * sensitivity.loc[known.index, "chosen_share"]
    ax.scatter(known["fit"], known["attractiveness"], s=size, color=PALETTE[4], alpha=0.8, zorder=2)
    corners = {
        "build_segment": (0, 1),
        "target_segment": (1, 1),
        "leave_segment": (0, 0),
        "keep_segment": (1, 0),
    }
    for advice, (right, top) in corners.items():
        ax.text(
            0.02 + 0.96 * right,
            0.02 + 0.96 * top,
            label(advice),
            ha="right" if right else "left",
            va="top" if top else "bottom",
            transform=ax.transAxes,
            color=GREY,
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    ax.set(
        xlabel=label("segment_fit"),
        ylabel=label("attractiveness"),
        xlim=(-0.15, 1.15),
        ylim=(-0.22, 1.36),
        xticks=[0, 0.5, 1],
        yticks=[0, 0.5, 1],
    )
    number_axis(ax.xaxis, ax.yaxis)
    chosen = sensitivity.loc[known.index, "chosen_share"]
    names = [f"{_name(name)} ({share:.0%})" for name, share in chosen.items()]
    _write_beside(ax, known[["fit", "attractiveness"]].to_numpy(), names, size.to_numpy())
    return ax


def _write_beside(ax, points, names, sizes):
    """Write each name at its point, on the side where it covers no other name and no point.

    Above first, then around; where no side is free, ever farther up, with a line to the point.
    """
    ax.figure.draw_without_rendering()  # settles where the axes are
    scale = ax.figure.dpi / 72
    at, radius = ax.transData.transform(points), 0.5 * np.sqrt(sizes) * scale
    taken = [text.get_window_extent() for text in ax.texts]
    taken += [Bbox([place - r, place + r]) for place, r in zip(at, radius, strict=True)]
    for place, name, size in zip(points, names, sizes, strict=True):
        for right, up in _SIDES:
            away = 0.5 * np.sqrt(size) + (3 if right and up else 4) + 14 * max(up - 1, 0)
            text = ax.annotate(
                name,
                place,
                xytext=(right * away, np.sign(up) * away),
                textcoords="offset points",
                ha={0: "center", 1: "left", -1: "right"}[right],
                va={0: "center", 1: "bottom", -1: "top"}[np.sign(up)],
                arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.8} if up > 1 else None,
                zorder=3,
            )
            text.update_positions(ax.figure.canvas.get_renderer())
            box = Text.get_window_extent(text)  # of the letters, without the line
            if not any(box.overlaps(other) for other in taken) or (right, up) == _SIDES[-1]:
                break
            text.remove()
        taken.append(box)


def _name(segment):
    """Return a segment's name: its term where it has one, else the number itself."""
    name = str(segment)
    # "1" is a unit of the terms table.
    return label(name) if name in load_terms() and not name.isdigit() else name
