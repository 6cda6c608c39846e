"""Figures of what is done with segments: moves, effects and targets. They compute nothing."""

import numpy as np

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
    for name, point in known.iterrows():
        share = sensitivity.loc[name, "chosen_share"]
        ax.annotate(
            f"{_name(name)} ({share:.0%})",
            (point["fit"], point["attractiveness"]),
            xytext=(0, 4 + 0.5 * np.sqrt(size[name])),
            textcoords="offset points",
            ha="center",
            zorder=3,
        )
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
    return ax


def _name(segment):
    """Return a segment's name: its term where it has one, else the number itself."""
    name = str(segment)
    # "1" is a unit of the terms table.
    return label(name) if name in load_terms() and not name.isdigit() else name
