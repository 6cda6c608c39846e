"""Figures of a sweep: how one number moves with what was varied."""

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from crmlab.atlas import term
from crmlab.plots.style import (
    GREY,
    PALETTE,
    label,
    legend_above,
    new_axes,
    number_axis,
    share_axis,
)

__all__ = ["draw_sweep", "plot_sweep"]

MARKERS = "osD^vPX"
MOST_TICKS = 12


def plot_sweep(table, result, *, words, x_unit="", ax=None):
    """Draw a number against a varied parameter: a line each value of a second, spread over seeds.

    Parameters
    ----------
    table : pandas.DataFrame, one row per point
        `x` (number or word), `line` (word; one value where nothing else varies), `seed` and
        `value` (NaN is left out).
    result : str
        The number's key in the terms table, for the axis.
    words : dict of str to str
        `x` and `line`, what the two are; `mean` and `range`, what is drawn of several seeds.
    x_unit : str
        Key of the unit of `x`; shares are written in per cent.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [3, 3, 4, 4], "line": "", "seed": [1, 2, 1, 2],
    ...                       "value": [0.2, 0.3, 0.4, 0.5]})
    >>> words = {"x": "segments", "line": "", "mean": "mean", "range": "range over seeds"}
    >>> [float(y) for y in plot_sweep(table, "gini", words=words).lines[0].get_ydata()]
    [0.25, 0.45]
    >>> plt.close()
    """
    ax = new_axes(ax)
    table = table.dropna(subset="value")
    is_number = table["x"].map(lambda x: isinstance(x, int | float) and not isinstance(x, bool))
    places = table["x"]
    is_scale = bool(is_number.all())
    if not is_scale:
        names = [str(name) for name in dict.fromkeys(table["x"])]
        places = table["x"].astype(str).map(names.index)
        ax.set_xticks(range(len(names)), names)
    table = table.assign(x=places)
    has_seeds = table["seed"].nunique() > 1
    lines = list(dict.fromkeys(table["line"]))
    for i, line in enumerate(lines):
        part = table[table["line"] == line]
        _draw_line(ax, part, line, i, has_seeds=has_seeds, is_scale=is_scale)
    if is_scale:
        _mark_values(ax, sorted(table["x"].unique()), x_unit)
    if term(result).unit == "share":
        share_axis(ax.yaxis)
    else:
        number_axis(ax.yaxis)
        if (table["value"] % 1 == 0).all():
            ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=words["x"], ylabel=label(result, unit=True))
    ax.margins(x=0.05)
    _explain(ax, words, has_lines=len(lines) > 1, has_seeds=has_seeds)
    return ax


def draw_sweep(panels, result, *, words, x_unit=""):
    """Draw a number over a grid of more than two parameters: a panel each value of the others.

    Parameters
    ----------
    panels : dict of str to pandas.DataFrame
        By what the panel shows, the table that `plot_sweep` takes; one without a title stands
        alone.
    result, words, x_unit
        As for `plot_sweep`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n_columns = min(2, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(1.0 + 6.0 * n_columns if n_columns > 1 else 7.0, 4.2 * n_rows),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    for ax, (title, table) in zip(axes.flat, panels.items(), strict=False):
        plot_sweep(table, result, words=words, x_unit=x_unit, ax=ax)
        if title:
            ax.set_title(title, fontsize="medium")
    if len(panels) > 1:
        legend = axes.flat[0].get_legend()
        for ax in axes.flat:
            ax.label_outer()
            if ax.get_legend() is not None:
                ax.get_legend().remove()
        if legend is not None:
            figure.legend(
                legend.legend_handles,
                [text.get_text() for text in legend.get_texts()],
                title=legend.get_title().get_text() or None,
                loc="outside upper left",
                ncols=4,
                alignment="left",
            )
    return figure


def _draw_line(ax, table, line, i, *, has_seeds, is_scale):
    """Draw the mean at each value and the range over seeds; words are not joined by a line."""
    colour, marker = PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]
    values = table.groupby("x")["value"]
    mean, low, high = values.mean(), values.min(), values.max()
    if has_seeds:
        if is_scale:
            ax.fill_between(low.index, low, high, color=colour, alpha=0.15, linewidth=0)
        else:
            ax.vlines(low.index, low, high, color=colour, alpha=0.3, linewidth=6)
        ax.scatter(table["x"], table["value"], s=12, color=colour, alpha=0.5, linewidth=0)
    style = {"linestyle": "-" if is_scale else "none", "marker": marker, "markersize": 6}
    ax.plot(mean.index, mean, color=colour, label=str(line), **style)


def _mark_values(ax, values, unit):
    """Put the ticks where there are points, as long as they are few."""
    if len(values) <= MOST_TICKS:
        ax.set_xticks(values)
    if unit == "share":
        share_axis(ax.xaxis)


def _explain(ax, words, *, has_lines, has_seeds):
    handles, labels = ax.get_legend_handles_labels() if has_lines else ([], [])
    if has_seeds:
        handles += [
            plt.Line2D([], [], color=GREY, marker="o"),
            plt.Rectangle((0, 0), 1, 1, color=GREY, alpha=0.25, linewidth=0),
        ]
        labels += [words["mean"], words["range"]]
    if handles:
        title = words["line"] if has_lines else None
        legend_above(ax, handles=handles, labels=labels, title=title, alignment="left")
