"""Figures of segments; they draw results and compute none."""

from textwrap import wrap

import numpy as np
from matplotlib.ticker import MaxNLocator

from crmlab.atlas import load_terms
from crmlab.plots.style import (
    GREY,
    MANY_POINTS,
    PALE,
    PALETTE,
    label,
    legend_above,
    legend_beside,
    new_axes,
    number_axis,
    rows_from_top,
    share_axis,
)

__all__ = [
    "plot_bases",
    "plot_partition_agreement",
    "plot_segment_index",
    "plot_segment_profile",
    "plot_segment_scatter",
    "plot_segment_sizes",
]

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def plot_segment_index(table, index="silhouette", chosen=None, ax=None):
    """Draw an index over the number of segments, beside the same on structureless data.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.segments.stability.compare_n_segments`.
    index : str
        Column to draw, such as "silhouette" or "stability".
    chosen : int, optional
        Number of segments to mark.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x = table["n_segments"]
    if f"reference_{index}" in table:
        reference = table[f"reference_{index}"]
        if f"reference_{index}_error" in table:
            error = 2 * table[f"reference_{index}_error"]
            ax.fill_between(
                x, reference - error, reference + error, color=GREY, alpha=0.2, linewidth=0
            )
        ax.plot(x, reference, "s--", color=GREY, markersize=5, label=label("structureless_data"))
    ax.plot(x, table[index], "o-", color=PALETTE[0], label=label("these_customers"))
    # Room above the highest line: for its marks, and for the legend over them.
    shown = [table[name] for name in (index, f"reference_{index}") if name in table]
    highest = max(float(column.max()) for column in shown)
    if chosen is not None:
        ax.axvline(chosen, color=PALETTE[1], linewidth=1.2, linestyle=":", zorder=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        xlabel=label("n_segments"),
        ylabel=label(index),
        ylim=(min(0, table[index].min()), 1.06 * highest if highest > 0 else None),
    )
    ax.legend(loc="lower left")
    return ax


def plot_segment_profile(profile, *, names=None, ax=None):
    """Draw how far each segment stands from all other customers, variable by variable.

    Parameters
    ----------
    profile : pandas.DataFrame
        Result of `crmlab.segments.profile.profile_segments`.
    names : dict of str to str, optional
        What to call the variables, such as the wording of questions; their terms unless given.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    variables = list(dict.fromkeys(profile["variable"]))
    segments = list(dict.fromkeys(profile["segment"]))
    wide = profile.pivot(index="variable", columns="segment", values="standardized_difference")
    wide = wide.loc[variables, segments]
    bound = float(np.nanmax(np.abs(wide.to_numpy()))) if wide.notna().any(axis=None) else 1.0
    mesh = ax.pcolormesh(
        np.arange(len(segments)),
        np.arange(len(variables)),
        wide,
        cmap="RdBu",
        vmin=-bound,
        vmax=bound,
        edgecolors="white",
        linewidth=2,
    )
    for i, j in np.ndindex(wide.shape):
        number = wide.iloc[i, j]
        if not np.isnan(number):
            colour = "white" if abs(number) > 0.65 * bound else "#333333"
            shown = f"{number:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")
            shown = shown.replace("-", "\N{MINUS SIGN}")
            ax.text(j, i, shown, ha="center", va="center", color=colour)
    bar = ax.figure.colorbar(mesh, ax=ax)
    bar.set_label(label("standardized_difference"), fontsize="small")
    sizes = profile.drop_duplicates("segment").set_index("segment")["share"]
    ticks = [f"{_name(segment)}\n{sizes[segment]:.0%}" for segment in segments]
    ax.set_xticks(np.arange(len(segments)), ticks)
    called = [label(v) if names is None else _wrap(names[v]) for v in variables]
    rows_from_top(ax, called)
    ax.set(xlabel=label("segment_and_share"))
    ax.grid(visible=False)
    return ax


def plot_segment_sizes(summary, ax=None):
    """Draw each segment's share of the customers beside its share of the value.

    Parameters
    ----------
    summary : pandas.DataFrame
        Result of `crmlab.segments.profile.summarize_segments`; segments are numbers, or keys
        of the terms table.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    place = np.arange(len(summary))
    height = 0.38
    for shift, column, colour in (
        (-height / 2, "customer_share", PALE),
        (height / 2, "value_share", PALETTE[0]),
    ):
        ax.barh(place + shift, summary[column], height, color=colour, label=label(column))
    rows_from_top(ax, [_name(segment) for segment in summary["segment"]])
    share_axis(ax.xaxis)
    ax.set(xlabel=label("share_of_total"), ylabel=label("segment"))
    legend_above(ax)
    return ax


def plot_segment_scatter(frame, segment, x, y, ax=None):
    """Draw the customers by two measures, segments by colour and mark.

    The axes are logarithmic beyond 1 and straight within, so that a customer at 0, or below,
    has a place too.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer.
    segment : pandas.Series
        Segment of each customer, with the index of `frame`.
    x, y : str
        Columns to draw; terms of the terms table.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    for place, name in enumerate(sorted(segment.unique())):
        chosen = frame[segment == name]
        ax.scatter(
            chosen[x],
            chosen[y],
            s=14,
            alpha=0.5,
            linewidth=0,
            rasterized=len(frame) > MANY_POINTS,
            marker=_MARKERS[place % len(_MARKERS)],
            color=PALETTE[place % len(PALETTE)],
            label=_name(name),
        )
    for axis, scale, column in (
        (ax.xaxis, ax.set_xscale, x),
        (ax.yaxis, ax.set_yscale, y),
    ):
        scale("symlog", linthresh=1, linscale=0.5)
        number_axis(axis)
        axis.set_label_text(label(column, unit=True))
    legend_beside(ax, title=label("segment"), markerscale=1.6)
    return ax


def plot_bases(table, ax=None):
    """Draw how much of each outcome a base of segmentation accounts for, with chance marked.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.segments.bases.compare_bases`; bases and outcomes are keys of the
        terms table.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    bases = list(dict.fromkeys(table["base"]))
    ax = new_axes(ax, n_bars=max(6, len(bases)))
    outcomes = list(dict.fromkeys(table["outcome"]))
    height = 0.8 / len(outcomes)
    for i, outcome in enumerate(outcomes):
        rows = table[table["outcome"] == outcome].set_index("base").loc[bases]
        place = np.arange(len(bases)) + (i - (len(outcomes) - 1) / 2) * height
        ax.barh(place, rows["eta_squared"], height, color=PALETTE[i], label=label(outcome))
        ax.plot(
            rows["chance_eta_squared"],
            place,
            "|",
            color="#111111",
            markersize=5,
            markeredgewidth=1.3,
            zorder=4,
            label=label("by_chance") if i == len(outcomes) - 1 else None,
        )
    rows_from_top(ax, [label(base) for base in bases])
    share_axis(ax.xaxis)
    # Room on the left: chance is near 0, and its marks would vanish in the axis.
    ax.set(xlabel=label("eta_squared"), xlim=(-0.02 * ax.get_xlim()[1], None))
    legend_above(ax, ncols=2, fontsize="small")
    return ax


def plot_partition_agreement(agreements, ax=None):
    """Draw how far the segments agree with other divisions, beside what chance gives.

    Parameters
    ----------
    agreements : dict of str to dict
        Results of `crmlab.segments.stability.compare_partitions` by the term of the division.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(agreements))
    place = np.arange(len(agreements))
    found = list(agreements.values())
    ax.barh(place, [one["adjusted_rand"] for one in found], 0.55, color=PALETTE[0])
    ax.plot(
        [one["chance_bound"] for one in found],
        place,
        "|",
        color=PALETTE[1],
        markersize=22,
        markeredgewidth=2,
        label=label("chance_limit"),
    )
    rows_from_top(ax, [label(name) for name in agreements])
    ax.set(xlabel=label("adjusted_rand"), xlim=(min(0, *ax.get_xlim()), 1))
    legend_above(ax)
    return ax


def _wrap(text):
    """Return a sentence in lines of 36 letters, or 18 Chinese characters."""
    wide = any("\u4e00" <= letter <= "\u9fff" for letter in text)
    return "\n".join(wrap(text, 18 if wide else 36))


def _name(segment):
    """Return a segment's name: its term where it has one, else the number itself."""
    return label(segment) if segment in load_terms() else str(segment)
