"""Figures of relationships; they draw results and compute none."""

import numpy as np
from matplotlib.colors import ListedColormap
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
    "plot_course",
    "plot_level_choice",
    "plot_moves",
    "plot_paths",
    "plot_rung_value",
    "plot_stage_rates",
    "plot_survival",
    "plot_type_evidence",
    "plot_value_split",
]

# One colour for each stage or type from first to last, and grey for the end.
_COLOURS = (PALETTE[4], PALETTE[0], PALETTE[2], PALETTE[1], PALE)
_MARKERS = ("o", "s", "^", "D", "x")


def plot_stage_rates(rates, ax=None):
    """Draw the mean counts of a month in each stage.

    Parameters
    ----------
    rates : pandas.DataFrame
        `rates` of a `crmlab.relationship.markov_stages.StageModel`: stages by counts.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    place = np.arange(len(rates))
    width = 0.8 / rates.shape[1]
    for i, name in enumerate(rates.columns):
        shift = (i - (rates.shape[1] - 1) / 2) * width
        ax.bar(place + shift, rates[name], width, color=PALETTE[i], label=label(name))
    ax.set_xticks(place, _names("relationship_stage", rates.index))
    ax.set(xlabel=label("relationship_stage"), ylabel=label("count_of_a_month"))
    number_axis(ax.yaxis)
    ax.grid(visible=False, axis="x")
    legend_above(ax)
    return ax


def plot_course(shares, ax=None):
    """Draw what share of the customers is in each stage, by the month of the relationship.

    Parameters
    ----------
    shares : pandas.DataFrame
        Result of `crmlab.relationship.stages.average_course`: months by stages.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    ax.stackplot(
        shares.index,
        shares.to_numpy().T,
        colors=_COLOURS,
        labels=_names("relationship_stage", shares.columns),
        edgecolor="white",
        linewidth=0.4,
    )
    share_axis(ax.yaxis)
    ax.set(
        xlabel=label("month_number"),
        ylabel=label("share_of_customers"),
        xlim=(shares.index.min(), shares.index.max()),
        ylim=(0, 1),
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, names = ax.get_legend_handles_labels()
    legend_beside(ax, handles=handles[::-1], labels=names[::-1])
    ax.grid(visible=False)
    return ax


def plot_paths(stages, ax=None):
    """Draw the stage of single customers, month by month.

    Parameters
    ----------
    stages : pandas.DataFrame
        One row per customer (index: identifiers), one column per month (their first days): the
        position of the stage from 0, NaN before the customer came.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    colours = _COLOURS
    ax.pcolormesh(
        np.arange(stages.shape[1]),
        np.arange(len(stages)),
        stages.to_numpy(dtype=float),
        cmap=ListedColormap(list(colours)),
        vmin=-0.5,
        vmax=len(colours) - 0.5,
        edgecolors="white",
        linewidth=0.8,
    )
    rows_from_top(ax, list(stages.index))
    step = -(-stages.shape[1] // 6)
    shown = range(0, stages.shape[1], step)
    ax.set_xticks(list(shown), [f"{stages.columns[i]:%Y-%m}" for i in shown])
    ax.grid(visible=False)
    ax.set(xlabel=label("month"), ylabel=label("customer_id"))
    names = ("exploration", "formation", "stability", "decline", "ended")
    handles = [
        ax.scatter([], [], marker="s", s=70, color=colour, label=name)
        for colour, name in zip(colours, _names("relationship_stage", names), strict=True)
    ]
    legend_above(ax, handles=handles, ncols=5, fontsize="small", columnspacing=1, handletextpad=0)
    return ax


def plot_moves(table, kind, *, xlabel, ylabel, ax=None):
    """Draw a square table of shares, such as transitions or a confusion of labels, rows to 100 %.

    Parameters
    ----------
    table : pandas.DataFrame
        Shares from 0 to 1.
    kind : str
        Beginning of the terms of rows and columns, such as "relationship_stage".
    xlabel, ylabel : str
        Terms of what columns and rows are.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    shares = table.to_numpy(dtype=float)
    ax.pcolormesh(
        np.arange(table.shape[1]),
        np.arange(len(table)),
        shares,
        cmap="Blues",
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=2,
    )
    for i, j in np.ndindex(shares.shape):
        share = shares[i, j]
        if share >= 0.0005:  # less would read 0.0%
            text = f"{share:.0%}" if share >= 0.01 else f"{share:.1%}"
            colour = "white" if share > 0.55 else "#333333"
            ax.text(j, i, text, ha="center", va="center", color=colour)
    ax.set_xticks(np.arange(table.shape[1]), _names(kind, table.columns))
    if table.shape[1] > 4:
        ax.tick_params(axis="x", labelsize="small")
    rows_from_top(ax, _names(kind, table.index))
    ax.grid(visible=False)
    ax.set(xlabel=label(xlabel), ylabel=label(ylabel))
    return ax


def plot_survival(curve, ax=None):
    """Draw the share of relationships that last longer than each length, with its interval.

    Parameters
    ----------
    curve : pandas.DataFrame
        Result of `crmlab.relationship.duration.estimate_survival`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    known = curve["lower"].notna()
    ax.fill_between(
        curve.loc[known, "tenure_days"],
        curve.loc[known, "lower"],
        curve.loc[known, "upper"],
        step="post",
        color=PALETTE[4],
        alpha=0.35,
        linewidth=0,
        label=label("interval_95"),
    )
    ax.step(
        curve["tenure_days"],
        curve["survival"],
        where="post",
        color=PALETTE[0],
        label=label("survival"),
    )
    ax.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    share_axis(ax.yaxis)
    number_axis(ax.xaxis)
    ax.set(
        xlabel=label("tenure_days", unit=True),
        ylabel=label("survival"),
        ylim=(0, 1.02),
        xlim=(0, None),
    )
    legend_above(ax)
    return ax


def plot_type_evidence(types, ax=None):
    """Draw how the evidence of each account is divided among the types, loosest account first.

    Parameters
    ----------
    types : pandas.DataFrame
        Result of `crmlab.relationship.types.assign_types`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    ranked = types.dropna(subset="closeness").sort_values("closeness", kind="stable")
    place = np.arange(len(ranked))
    below = np.zeros(len(ranked))
    names = list(types.columns[:4])
    shown = _names("relationship_type", names)
    for name, text, colour in zip(names, shown, _COLOURS, strict=False):
        part = ranked[name].to_numpy()
        # An edge of the bar's own colour closes the seams between bars.
        ax.bar(
            place,
            part,
            1.0,
            bottom=below,
            color=colour,
            label=text,
            edgecolor=colour,
            linewidth=0.4,
        )
        below = below + part
    share_axis(ax.yaxis)
    ax.set(
        xlabel=label("accounts_by_closeness"),
        ylabel=label("share_of_evidence"),
        ylim=(0, 1),
        xlim=(-0.5, max(len(ranked) - 0.5, 0.5)),
    )
    ax.grid(visible=False)
    legend_above(ax, ncols=4, fontsize="small")
    return ax


def plot_value_split(accounts, kind, ax=None):
    """Draw the size of what two firms create against our share of it, types by colour and mark.

    Parameters
    ----------
    accounts : pandas.DataFrame
        `joint_value` (money a year) and `supplier_value_share`.
    kind : pandas.Series
        Type of each account, an ordered category, same index.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    names = list(kind.cat.categories)
    for name, text, colour, marker in zip(
        names, _names("relationship_type", names), _COLOURS, _MARKERS, strict=False
    ):
        chosen = accounts[(kind == name) & (accounts["joint_value"] > 0)]
        if len(chosen):
            ax.scatter(
                chosen["joint_value"],
                chosen["supplier_value_share"],
                s=28,
                alpha=0.8,
                marker=marker,
                color=GREY if colour == PALE else colour,
                rasterized=len(accounts) > MANY_POINTS,
                label=text,
            )
    ax.set_xscale("log")
    number_axis(ax.xaxis)
    share_axis(ax.yaxis)
    ax.set(
        xlabel=label("joint_value", unit=True), ylabel=label("supplier_value_share"), ylim=(0, 1)
    )
    legend_above(ax, fontsize="small", columnspacing=1, handletextpad=0.2)
    return ax


def plot_level_choice(choice, groups, kind, ax=None):
    """Draw Kotler's table of levels, with the groups of customers in their cells.

    Parameters
    ----------
    choice : pandas.DataFrame
        `crmlab.relationship.levels.LEVEL_CHOICE`: levels by number of customers and margin.
    groups : pandas.DataFrame
        Result of `crmlab.relationship.levels.choose_levels`; the index names the groups.
    kind : str
        Beginning of the terms of the groups, such as "industry".
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    levels = ["basic", "reactive", "accountable", "proactive", "partnership"]
    place = [[levels.index(level) for level in row] for row in choice.to_numpy()]
    ax.pcolormesh(
        np.arange(choice.shape[1]),
        np.arange(len(choice)),
        np.array(place, dtype=float),
        cmap="Blues",
        vmin=-1,
        vmax=7,
        edgecolors="white",
        linewidth=3,
    )
    for i, size in enumerate(choice.index):
        for j, margin in enumerate(choice.columns):
            name = label(f"relationship_level_{choice.loc[size, margin]}")
            ax.text(j, i - 0.3, name, ha="center", va="center", color="#333333")
            inside = groups.index[(groups["size"] == size) & (groups["margin"] == margin)]
            names = _names(kind, inside)
            lines = [" · ".join(names[k : k + 2]) for k in range(0, len(names), 2)]
            style = {"fontsize": "x-small", "linespacing": 1.4, "color": "black"}
            ax.text(j, i + 0.1, "\n".join(lines), ha="center", va="center", **style)
    ax.set_xticks(np.arange(choice.shape[1]), _names("margin_level", choice.columns))
    rows_from_top(ax, _names("group_size", choice.index))
    ax.set(xlabel=label("margin_level"), ylabel=label("group_size"))
    ax.grid(visible=False)
    return ax


def plot_rung_value(table, ax=None):
    """Draw what each rung was predicted to bring beside what it brought, with two standard errors.

    Parameters
    ----------
    table : pandas.DataFrame
        `rung`, `predicted_value`, `mean_value`, `standard_error` (money per customer).
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    place = np.arange(len(table))
    ax.bar(
        place - 0.2,
        table["predicted_value"],
        0.38,
        color=PALETTE[0],
        label=label("predicted_value"),
    )
    ax.bar(place + 0.2, table["mean_value"], 0.38, color=PALE, label=label("actual_value"))
    ax.errorbar(
        place + 0.2,
        table["mean_value"],
        yerr=2 * table["standard_error"].fillna(0),
        fmt="none",
        ecolor="#333333",
        capsize=4,
    )
    ax.set_xticks(place, _names("ladder_rung", table["rung"]))
    number_axis(ax.yaxis)
    ax.set(xlabel=label("ladder_rung"), ylabel=label("value_per_customer", unit=True))
    ax.grid(visible=False, axis="x")
    legend_above(ax)
    return ax


def _names(kind, names):
    """Return the terms of names of one kind, such as "ladder_rung"; a name without is itself."""
    keys = [str(name).replace(" ", "_").replace("-", "_") for name in names]
    keys = [key if key == "cannot_tell" else f"{kind}_{key}" for key in keys]
    known = load_terms()
    return [
        label(key) if key in known else str(name) for key, name in zip(keys, names, strict=True)
    ]
