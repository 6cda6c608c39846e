"""Figures of customer value; they draw results and compute none."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator, MaxNLocator

from crmlab.plots.style import (
    GREY,
    PALE,
    PALETTE,
    label,
    legend_above,
    new_axes,
    number_axis,
    rows_from_top,
    share_axis,
)

__all__ = [
    "plot_abc",
    "plot_account",
    "plot_class_means",
    "plot_gains",
    "plot_lorenz",
    "plot_months",
    "plot_repeat_rate",
    "plot_rfm_grid",
    "plot_whale",
]

_CLASS_COLOURS = {"A": PALETTE[0], "B": PALETTE[4], "C": PALE}


def plot_lorenz(curve, gini=None, ax=None):
    """Draw the Lorenz curve against the line of equality.

    Parameters
    ----------
    curve : pandas.DataFrame
        Result of `crmlab.value.contribution.lorenz_curve`.
    gini : float, optional
        Gini coefficient to write beside the curve.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x, y = curve["customer_share"], curve["value_share"]
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, label=label("equal_value_line"))
    ax.fill_between(x, x, y, color=PALETTE[4], alpha=0.25, linewidth=0)
    ax.plot(x, y, color=PALETTE[0], label=label("lorenz_curve"))
    share_axis(ax.xaxis, ax.yaxis)
    ax.set(
        xlabel=label("customer_share_ascending", unit=True),
        ylabel=label("value_share", unit=True),
        xlim=(0, 1),
        ylim=(min(0.0, float(y.min())), 1),
    )
    # In the corner above the line of equality, where no curve comes.
    said = None if gini is None else f"{label('gini')} {gini:.2f}"
    ax.legend(loc="upper left", title=said, alignment="left")
    return ax


def plot_abc(table, ax=None):
    """Draw the cumulative share of value over the customers, best first, with the ABC classes.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.value.contribution.classify_abc`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    ranked = table.sort_values("value", ascending=False, kind="stable")
    x = np.arange(1, len(ranked) + 1) / len(ranked)
    y = ranked["cumulative_share"].to_numpy()
    left = 0.0
    for letter, colour in _CLASS_COLOURS.items():
        inside = (ranked["abc_class"] == letter).to_numpy()
        if not inside.any():
            continue
        right = float(x[inside].max())
        ax.axvspan(left, right, color=colour, alpha=0.22, linewidth=0)
        ax.text(
            (left + right) / 2,
            0.04,
            f"{letter}: {inside.mean():.0%}",
            ha="center",
            va="bottom",
            rotation=0 if right - left > 0.2 else 90,
        )
        left = right
    ax.plot(np.concatenate([[0], x]), np.concatenate([[0], y]), color=PALETTE[0])
    share_axis(ax.xaxis, ax.yaxis)
    ax.set(
        xlabel=label("customer_share_descending", unit=True),
        ylabel=label("cumulative_share", unit=True),
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    return ax


def plot_whale(curve, ax=None):
    """Draw the whale curve: cumulative profit, most profitable customers first.

    Parameters
    ----------
    curve : pandas.DataFrame
        Result of `crmlab.value.contribution.whale_curve`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x, y = curve["customer_share"], curve["profit_share"]
    ax.axhline(1, color=GREY, linewidth=1.2, label=label("total_profit_line"))
    ax.fill_between(x, 1, y, where=y > 1, color=PALETTE[1], alpha=0.3, linewidth=0)
    ax.plot(x, y, color=PALETTE[0], label=label("whale_curve"))
    if y.notna().any():
        ax.set_ylim(0, float(y.max()) * 1.12)
    if y.max() > 1:
        peak = int(y.to_numpy().argmax())
        ax.plot(x[peak], y[peak], "o", color=PALETTE[1])
        ax.annotate(
            f"{y[peak]:.0%}",
            (x[peak], y[peak]),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
        )
    share_axis(ax.xaxis, ax.yaxis)
    ax.set(
        xlabel=label("customer_share_by_profit", unit=True),
        ylabel=label("profit_share", unit=True),
        xlim=(0, 1),
    )
    ax.legend(loc="lower right")
    return ax


def plot_rfm_grid(grid, column="mean_value", ax=None):
    """Draw a heat map of customers or value by recency and frequency score.

    Parameters
    ----------
    grid : pandas.DataFrame
        Result of `crmlab.value.rfm.rfm_grid`.
    column : {"mean_value", "n_customers"}
        What the colour shows; the numbers of customers stand in the cells.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    counts = grid.pivot(index="f_score", columns="r_score", values="n_customers")
    shown = grid.pivot(index="f_score", columns="r_score", values=column)
    # A logarithmic colour: values differ by a factor between cells. Cells without one stay white.
    shown = shown.where((counts > 0) & (shown > 0)).astype(float)
    mesh = ax.pcolormesh(
        counts.columns,
        counts.index,
        shown,
        cmap="Blues",
        norm=LogNorm(),
        linewidth=2,
        edgecolors="white",
    )
    for row in grid[grid["n_customers"] > 0].itertuples():
        colour = shown.loc[row.f_score, row.r_score]
        ax.text(
            row.r_score,
            row.f_score,
            f"{row.n_customers:,}",
            ha="center",
            va="center",
            fontsize="small",
            color="white" if mesh.norm(colour) > 0.5 else "#333333",
        )
    bar = ax.figure.colorbar(mesh, ax=ax, label=label(column, unit=True))
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    number_axis(bar.ax.yaxis)
    bar.ax.minorticks_off()
    ax.set(xlabel=label("r_score"), ylabel=label("f_score"), aspect="equal")
    ax.set_xticks(list(counts.columns))
    ax.set_yticks(list(counts.index))
    ax.grid(visible=False)
    return ax


def plot_gains(curves, share=None, ax=None):
    """Draw the later value held by the best customers, as each ranking picks them.

    Parameters
    ----------
    curves : dict of str to pandas.DataFrame
        Results of `crmlab.value.holdout.gains_curve` by the term of the ranking.
    share : float, optional
        Share of customers picked, marked by a line.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    for (name, curve), colour, dashes in zip(
        curves.items(), PALETTE, ["-", "--", "-.", ":", "-", "--", "-."], strict=False
    ):
        ax.plot(
            curve["customer_share"], curve["value_share"], dashes, color=colour, label=label(name)
        )
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, label=label("by_chance"))
    if share is not None:
        ax.axvline(share, color=GREY, linewidth=0.8, linestyle=":")
    share_axis(ax.xaxis, ax.yaxis)
    ax.set(
        xlabel=label("customer_share_by_rank", unit=True),
        ylabel=label("holdout_value_share", unit=True),
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    ax.legend(loc="lower right")
    return ax


def plot_class_means(table, group_key, ax=None):
    """Draw the mean later value of each class with two standard errors either side.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.value.holdout.compare_classes`.
    group_key : str
        Term of what the classes are, for the axis.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    place = np.arange(len(table))
    ax.bar(place, table["mean_value"], color=PALETTE[0], width=0.7)
    ax.errorbar(
        place,
        table["mean_value"],
        yerr=2 * table["standard_error"],
        fmt="none",
        ecolor="#333333",
        capsize=4,
    )
    ax.set_xticks(place, [str(name) for name in table["group"]])
    ax.set(xlabel=label(group_key), ylabel=label("mean_holdout_value", unit=True))
    number_axis(ax.yaxis)
    ax.grid(visible=False, axis="x")
    return ax


def plot_months(months, ax=None):
    """Draw value by month, incomplete months pale, with the customers who bought.

    Parameters
    ----------
    months : pandas.DataFrame
        Result of `crmlab.value.trend.summarize_months`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
        That of the value; the customers have a twin axis.
    """
    ax = new_axes(ax)
    for is_complete, colour in ((True, PALETTE[4]), (False, PALE)):
        chosen = months[months["is_complete"] == is_complete]
        name = label("net_sales" if is_complete else "incomplete_month")
        if len(chosen):
            ax.bar(chosen["month"], chosen["total_value"], width=24, color=colour, label=name)
    twin = ax.twinx()
    twin.plot(
        months["month"],
        months["n_customers"],
        "o-",
        color=PALETTE[1],
        markersize=4,
        label=label("n_customers"),
    )
    # Room above the highest mark, and none cut at the axes.
    twin.set(ylabel=label("n_customers", unit=True), ylim=(0, 1.08 * months["n_customers"].max()))
    twin.grid(visible=False)
    twin.spines["right"].set_visible(True)
    ax.set(xlabel=label("month"), ylabel=label("net_sales", unit=True))
    number_axis(ax.yaxis)
    _month_axis(ax, months["month"])
    (bars, bar_names), (lines, line_names) = (a.get_legend_handles_labels() for a in (ax, twin))
    handles, names = bars + lines, bar_names + line_names
    legend_above(ax, handles=handles, labels=names)
    return ax


def plot_repeat_rate(cohorts, ax=None):
    """Draw the repeat rate of each complete cohort, its size as the size of the mark.

    Parameters
    ----------
    cohorts : pandas.DataFrame
        Result of `crmlab.value.trend.repeat_rate_by_cohort`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    known = cohorts[cohorts["is_complete"]]
    ax.plot(known["month"], known["repeat_rate"], color=PALETTE[0])
    sizes = 12 + 160 * known["n_customers"] / max(1, known["n_customers"].max())
    ax.scatter(known["month"], known["repeat_rate"], s=sizes, color=PALETTE[0])
    share_axis(ax.yaxis)
    ax.set(
        xlabel=label("cohort_month"),
        ylabel=label("repeat_rate", unit=True),
    )
    # Room above the highest mark, and none cut at the axes.
    highest = known["repeat_rate"].max()
    ax.set_ylim(0, highest * 1.15 if highest > 0 else 1)
    ax.margins(x=0.06)
    _month_axis(ax, known["month"])
    return ax


def _month_axis(ax, months):
    """Write at most six months, ISO style: it reads alike in every language."""
    shown = list(months)[:: -(-len(months) // 6) or 1]
    ax.set_xticks(shown, [f"{month:%Y-%m}" for month in shown])


def plot_account(total, ax=None):
    """Draw where the sales go: goods, activities, other costs, and what is left.

    Parameters
    ----------
    total : pandas.Series
        Money by item: `total_value` first, costs, and `contribution` last; the costs take the
        one down to the other.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(total))
    rows = np.arange(len(total))
    costs = total.to_numpy(dtype="float64")[1:-1]
    left = total.iloc[0] - costs.cumsum()
    ax.barh(rows[[0, -1]], total.iloc[[0, -1]], color=[PALETTE[0], PALETTE[2]], height=0.6)
    # An edge of its own colour: a white one would swallow a small cost.
    style = {"color": PALETTE[1], "edgecolor": PALETTE[1], "linewidth": 1}
    ax.barh(rows[1:-1], costs, left=left, height=0.6, **style)
    names = ["net_sales" if name == "total_value" else name for name in total.index]
    rows_from_top(ax, [label(name) for name in names])
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    number_axis(ax.xaxis)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set(xlabel=label("account_money", unit=True), ylabel=label("account_item"))
    return ax
