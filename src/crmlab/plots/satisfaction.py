"""Figures and tables of satisfaction and delivered value; they show results and compute none."""

import numpy as np
import pandas as pd

from crmlab.plots.style import (
    GREY,
    MANY_POINTS,
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
    "plot_contributions",
    "plot_correlations",
    "plot_expectation_perception",
    "plot_level_shares",
    "plot_value_map",
    "plot_wave_chart",
    "tabulate_correlations",
    "tabulate_predictions",
]

# From red through grey to blue: the order of the levels is to be seen at a glance.
_LEVEL_COLOURS = ("#D55E00", "#E69F00", "#BBBBBB", "#0072B2")


def plot_level_shares(shares, ax=None):
    """Draw the shares of the four levels as stacked bars, one bar per tolerance.

    Parameters
    ----------
    shares : pandas.DataFrame
        Result of `crmlab.satisfaction.tolerance_sensitivity`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    wide = shares.pivot_table(
        index="tolerance", columns="level", values="share", observed=False, sort=False
    )
    base = np.zeros(len(wide))
    for level, colour in zip(wide.columns, _LEVEL_COLOURS, strict=True):
        name = label(level.replace(" ", "_"))
        ax.bar([f"{t:g}" for t in wide.index], wide[level], bottom=base, color=colour, label=name)
        base = base + wide[level].to_numpy()
    share_axis(ax.yaxis)
    ax.set(xlabel=label("tolerance"), ylabel=label("share_of_respondents"), ylim=(0, 1))
    ax.grid(visible=False, axis="x")
    handles, names = ax.get_legend_handles_labels()
    legend_beside(ax, handles=handles[::-1], labels=names[::-1])
    return ax


def plot_expectation_perception(scores, tolerance, ax=None):
    """Draw how many respondents gave each pair of scores, with the line of confirmation.

    Parameters
    ----------
    scores : pandas.DataFrame
        Columns `expected` and `perceived`, on one scale that starts at 0.
    tolerance : float
        Half-width of "close to 1": the band around the line.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    known = scores[["expected", "perceived"]].dropna()
    counted = known.value_counts().reset_index(name="n")
    ax.scatter(
        counted["expected"],
        counted["perceived"],
        s=12 + 380 * counted["n"] / counted["n"].max(),
        color=PALETTE[4],
        edgecolor=PALETTE[0],
        linewidth=0.6,
        zorder=2,
    )
    top = float(known.max().max())
    line = np.array([0, top * 1.06])
    ax.fill_between(
        line,
        line * (1 - tolerance),
        line * (1 + tolerance),
        color=PALETTE[2],
        alpha=0.3,
        linewidth=0,
        label=label("tolerance_band"),
        zorder=1,
    )
    ax.plot(line, line, color=PALETTE[2], label=label("confirmation_line"), zorder=3)
    ax.set(
        xlabel=label("expected", unit=True),
        ylabel=label("perceived", unit=True),
        xlim=(-0.06 * top, 1.06 * top),
        ylim=(-0.06 * top, 1.06 * top),
    )
    counts = np.unique(np.round(np.linspace(1, counted["n"].max(), 3)).astype(int))
    for n in counts:
        size = 12 + 380 * n / counted["n"].max()
        ax.scatter([], [], s=size, color=PALETTE[4], label=f"n = {n:,}")
    legend_beside(ax, labelspacing=1.1)
    return ax


def plot_value_map(positions, ax=None):
    """Draw the value map: relative benefit against relative cost, with the fair-value line.

    Parameters
    ----------
    positions : pandas.DataFrame
        Result of `crmlab.satisfaction.value_map`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    colours = {
        "superior value": _LEVEL_COLOURS[3],
        "fair value": GREY,
        "inferior value": _LEVEL_COLOURS[0],
    }
    for position, colour in colours.items():
        chosen = positions[positions["position"] == position]
        ax.scatter(
            chosen["relative_cost"],
            chosen["relative_benefit"],
            s=14,
            alpha=0.6,
            linewidth=0,
            rasterized=len(positions) > MANY_POINTS,
            color=colour,
            label=label(position.replace(" ", "_")),
        )
    low, high = ax.get_xlim()
    line = np.array([max(0, low), high])
    ax.plot(line, line, color=GREY, linewidth=1.2, label=label("fair_value_line"))
    ax.set_xlim(low, high)
    ax.set(xlabel=label("relative_cost"), ylabel=label("relative_benefit"))
    legend_beside(ax, markerscale=2)
    return ax


def plot_contributions(contributions, ax=None):
    """Draw the mean contribution of each benefit and each cost to net delivered value.

    Parameters
    ----------
    contributions : pandas.Series
        Mean contribution in points by factor (a key of the terms table), costs negative.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    colours = [PALETTE[0] if value >= 0 else PALETTE[1] for value in contributions]
    ax.barh(range(len(contributions)), contributions.to_numpy(), color=colours)
    ax.axvline(0, color=GREY, linewidth=1)
    rows_from_top(ax, [label(factor) for factor in contributions.index])
    ax.set_xlabel(label("contribution_to_net_value", unit=True))
    return ax


def plot_correlations(table, ax=None):
    """Draw each measure's rank correlation with its interval, and the band of chance.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.satisfaction.criterion_correlations`; its measures are keys of the terms
        table.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    bound = table["chance_bound"].max()
    ax.axvspan(-bound, bound, color=PALE, alpha=0.7, label=label("chance_bound"), zorder=0)
    rows = np.arange(len(table))
    ax.errorbar(
        table["correlation"],
        rows,
        xerr=[table["correlation"] - table["lower"], table["upper"] - table["correlation"]],
        fmt="o",
        color=PALETTE[0],
        capsize=4,
    )
    rows_from_top(ax, [label(measure) for measure in table["measure"]])
    ax.set_xlabel(label("rank_correlation"))
    legend_above(ax)
    return ax


def plot_wave_chart(chart, ax=None):
    """Draw the control chart of the mean answer by wave.

    Parameters
    ----------
    chart : pandas.DataFrame
        Result of `crmlab.satisfaction.wave_chart`.
    ax : matplotlib.axes.Axes or None
        Axes to draw on; None makes new ones.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    x = np.arange(len(chart))
    ax.fill_between(
        np.append(x - 0.5, len(chart) - 0.5),
        np.append(chart["lower_limit"], chart["lower_limit"].iloc[-1]),
        np.append(chart["upper_limit"], chart["upper_limit"].iloc[-1]),
        step="post",
        color=PALE,
        alpha=0.7,
        linewidth=0,
        label=label("control_limits"),
    )
    ax.axhline(chart["centre"].iloc[0], color=GREY, linewidth=1.2, label=label("centre_line"))
    ax.plot(x, chart["mean"], marker="o", color=PALETTE[0], label=label("mean_score"))
    alerts = chart["is_alert"].to_numpy()
    if alerts.any():
        ax.plot(
            x[alerts],
            chart["mean"].to_numpy()[alerts],
            "o",
            markersize=11,
            fillstyle="none",
            color=PALETTE[1],
            label=label("alert_wave"),
        )
    names = [str(wave) for wave in chart["wave"]]
    ax.set_xticks(x, names)
    if max(len(name) for name in names) > 7:
        ax.set_xticks(x, names, rotation=30, ha="right", rotation_mode="anchor")
    ax.set(xlabel=label("wave"), ylabel=label("mean_score", unit=True), xlim=(-0.5, len(x) - 0.5))
    ax.grid(visible=False, axis="x")
    legend_beside(ax)
    return ax


def tabulate_correlations(table):
    """Return rank correlations with their intervals as a table to be shown.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.satisfaction.criterion_correlations`; its measures are keys of the terms
        table.

    Returns
    -------
    pandas.DataFrame
        One row per measure; intervals are pairs. The lead over the baseline is NaN for the
        baseline itself.
    """
    bound = table["chance_bound"]
    shown = {
        "n_respondents": table["n_customers"],
        "correlation": table["correlation"],
        "interval": _pairs(table["lower"], table["upper"]),
        "chance_bound": _pairs(-bound, bound),
    }
    if "advantage" in table:
        lead = table[["advantage", "advantage_lower", "advantage_upper"]]
        is_baseline = (lead == 0).all(axis=1)
        shown["advantage"] = lead["advantage"].mask(is_baseline)
        intervals = _pairs(lead["advantage_lower"], lead["advantage_upper"])
        shown["advantage_interval"] = intervals.mask(is_baseline)
    return pd.DataFrame(shown).set_index(table["measure"])


def tabulate_predictions(table):
    """Return hold-out R² with its interval, and the lead over the baseline, as a table to be shown.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of `crmlab.satisfaction.compare_predictors` with a baseline; its measures are keys
        of the terms table.

    Returns
    -------
    pandas.DataFrame
        One row per measure; intervals are pairs. The lead is NaN for the baseline itself.
    """
    ends = ["r_squared", "lower", "upper", "advantage", "advantage_lower", "advantage_upper"]
    is_baseline = (table[ends[3:]] == 0).all(axis=1)
    # Tenths of a per cent, or hundredths where all of a column are below one; and no −0.
    for column in (ends[:1], ends[1:3], ends[3:4], ends[4:]):
        digits = 3 if table[column].abs().max(axis=None) >= 0.01 else 4
        table = table.assign(**(table[column].round(digits) + 0.0))
    lead = table[ends[3:]]
    lead_ends = _pairs(lead["advantage_lower"], lead["advantage_upper"])
    shown = {
        "n_respondents": table["n_respondents"],
        "holdout_r_squared": table["r_squared"],
        "holdout_interval": _pairs(table["lower"], table["upper"]),
        "holdout_advantage": lead["advantage"].mask(is_baseline),
        "holdout_advantage_interval": lead_ends.mask(is_baseline),
    }
    return pd.DataFrame(shown).set_index(table["measure"])


def _pairs(lower, upper):
    return pd.Series(list(zip(lower, upper, strict=True)), index=lower.index)
