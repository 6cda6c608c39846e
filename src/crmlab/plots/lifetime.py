"""Figures of lifetime value; they draw results and compute none."""

import numpy as np

from crmlab.atlas import load_terms
from crmlab.plots.style import (
    GREY,
    MANY_POINTS,
    PALETTE,
    label,
    legend_above,
    new_axes,
    number_axis,
    rows_from_top,
    share_axis,
)

__all__ = [
    "plot_alive_grid",
    "plot_engagement",
    "plot_expectations",
    "plot_lifetime_value",
    "plot_profile_effects",
    "plot_tracking",
    "plot_value_matrix",
]


def plot_tracking(table, ax=None, *, is_total=False):
    """Draw the repeat orders of each week, or their running total, beside the forecast.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.value.lifetime.track_orders`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.
    is_total : bool
        Draw the running totals.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    seen, expected = (
        ("total_repeat_orders", "total_expected_orders")
        if is_total
        else ("n_repeat_orders", "expected_orders")
    )
    ax.plot(table["week"], table[seen], color=GREY, linewidth=1.3, label=label("orders_seen"))
    ax.plot(table["week"], table[expected], color=PALETTE[0], label=label("orders_expected"))
    if not is_total:
        ax.plot(
            table["week"],
            table["run_rate_orders"],
            color=PALETTE[1],
            linestyle="--",
            label=label("run_rate"),
        )
    first = table.loc[table["is_holdout"], "week"].min()
    if first == first:
        ax.axvline(first - 0.5, color=GREY, linewidth=1, linestyle=":")
    number_axis(ax.yaxis)
    said = seen if is_total else "repeat_orders_a_week"
    ax.set(xlabel=label("week_of_window"), ylabel=label(said), ylim=(0, None))
    legend_above(ax)
    return ax


def plot_expectations(table, ax=None):
    """Draw the mean orders in the hold-out by repeat orders before: seen, expected, run rate.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.value.lifetime.expectations_by_frequency`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x = table["n_repeat_orders"].to_numpy()
    for column, name, style in [
        ("mean_later_orders", "orders_seen", {"color": GREY, "marker": "o"}),
        ("mean_expected_orders", "orders_expected", {"color": PALETTE[0], "marker": "s"}),
        ("mean_run_rate_orders", "run_rate", {"color": PALETTE[1], "marker": "^", "ls": "--"}),
    ]:
        ax.plot(x, table[column], label=label(name), **style)
    names = [f"{n:.0f}" for n in x]
    if len(names):
        names[-1] += "+"
    ax.set_xticks(x, names)
    number_axis(ax.yaxis)
    ax.set(xlabel=label("repeat_orders_before"), ylabel=label("mean_later_orders"), ylim=(0, None))
    legend_above(ax)
    return ax


def plot_alive_grid(grid, ax=None):
    """Draw the probability of being alive by repeat orders and weeks since the last one.

    Parameters
    ----------
    grid : pandas.DataFrame
        Probabilities, index repeat orders, columns weeks since the last purchase; NaN where the
        two cannot meet.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    mesh = ax.pcolormesh(
        grid.columns.to_numpy(dtype="float64"),
        grid.index.to_numpy(dtype="float64"),
        np.ma.masked_invalid(grid.to_numpy()),
        cmap="viridis",
        vmin=0,
        vmax=1,
        shading="nearest",
        rasterized=True,
    )
    bar = ax.figure.colorbar(mesh, ax=ax, label=label("probability_alive"))
    share_axis(bar.ax.yaxis)
    ax.grid(visible=False)
    ax.set(xlabel=label("weeks_since_last_order"), ylabel=label("n_repeat_orders"))
    return ax


def plot_lifetime_value(table, ax=None):
    """Draw the share of lifetime value held by each tenth of the customers, with its interval.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per tenth, the best first: `tenth`, `value_share`, `lower`, `upper`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(table))
    rows = np.arange(len(table))
    ax.barh(rows, table["value_share"], color=PALETTE[0])
    # From end to end: an interval of few resamples need not hold the estimate itself.
    middle, reach = (table["lower"] + table["upper"]) / 2, (table["upper"] - table["lower"]) / 2
    ax.errorbar(middle, rows, xerr=reach, fmt="none", ecolor=GREY, capsize=3)
    rows_from_top(ax, [f"{n}" for n in table["tenth"]])
    share_axis(ax.xaxis)
    ax.set(xlabel=label("value_share", unit=True), ylabel=label("tenth"), xlim=(0, None))
    return ax


def plot_value_matrix(table, ax=None):
    """Draw the customers by current and potential value, coloured by quadrant.

    Parameters
    ----------
    table : pandas.DataFrame
        `current_value`, `potential_value` and `value_quadrant` (ordered categorical).
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    colours = (PALETTE[2], PALETTE[5], PALETTE[0], PALETTE[6])
    many = len(table) >= MANY_POINTS
    for name, colour in zip(table["value_quadrant"].cat.categories, colours, strict=True):
        part = table[table["value_quadrant"] == name]
        ax.scatter(
            part["current_value"].clip(lower=0),
            part["potential_value"].clip(lower=0),
            s=9,
            color=colour,
            alpha=0.5,
            linewidths=0,
            label=label(name),
            rasterized=many,
        )
    for axis in ("x", "y"):
        getattr(ax, f"set_{axis}scale")("symlog", linthresh=1)
    number_axis(ax.xaxis, ax.yaxis)
    ax.set(
        xlabel=label("current_value", unit=True),
        ylabel=label("potential_value", unit=True),
        xlim=(0, None),
        ylim=(0, None),
    )
    legend_above(ax, ncols=2, markerscale=2.5)
    return ax


def plot_profile_effects(table, ax=None):
    """Draw how much more often customers of each kind buy than those they are compared with.

    Parameters
    ----------
    table : pandas.DataFrame
        `profile` and `profile_value` (as they are written, or with terms of their own),
        `rate_ratio`, `lower`, `upper`; see `crmlab.value.lifetime.try_profiles`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(table))
    rows = np.arange(len(table))
    ax.axvline(1, color=GREY, linewidth=1.2, linestyle=":")
    ax.hlines(rows, table["lower"], table["upper"], color=PALETTE[0], linewidth=1.6)
    ax.scatter(table["rate_ratio"], rows, color=PALETTE[0], s=30, zorder=3)
    names = [
        f"{_name(profile, profile)} · {_name(f'{profile}_{value}', value)}"
        for profile, value in zip(table["profile"], table["profile_value"], strict=True)
    ]
    rows_from_top(ax, names)
    number_axis(ax.xaxis)
    ax.set(xlabel=label("rate_ratio"), ylabel=label("profile"))
    return ax


def plot_engagement(table, ax=None):
    """Draw what customers of each tenth are worth by their own orders and by those they referred.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per tenth by lifetime value, the best first: `tenth`, `lifetime_value` and
        `referral_value` (means, money per customer).
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    place = np.arange(len(table))
    for shift, column, colour in [
        (-0.2, "lifetime_value", PALETTE[0]),
        (0.2, "referral_value", PALETTE[5]),
    ]:
        ax.bar(place + shift, table[column], 0.4, color=colour, label=label(column))
    ax.set_xticks(place, [f"{n}" for n in table["tenth"]])
    number_axis(ax.yaxis)
    ax.set(xlabel=label("tenth"), ylabel=label("mean_value_of_tenth", unit=True))
    ax.grid(visible=False, axis="x")
    legend_above(ax)
    return ax


def _name(key, otherwise):
    """Return the term of a key, or what stands in the data where it has none."""
    return label(key) if key in load_terms() else str(otherwise)
