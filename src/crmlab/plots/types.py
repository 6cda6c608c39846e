"""Figures of customer types; they draw results and compute none."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

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
    "plot_confusion",
    "plot_diffusion",
    "plot_evidence",
    "plot_key_accounts",
    "plot_profit_claim",
    "plot_scores",
    "plot_type_shares",
]

_CANNOT_TELL = "cannot_tell"
_LETTER = 0.0125  # width of a small letter, as a share of the bars
_NUMBER = 0.04  # share of a bar in which its number has room


def plot_type_shares(shares, ax=None):
    """Draw how the customers are spread over the types of each typology.

    Parameters
    ----------
    shares : pandas.DataFrame
        `typology`, `type` and `customer_share`, one row per type; keys of the terms table.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    typologies = list(dict.fromkeys(shares["typology"]))
    ax = new_axes(ax, n_bars=1.5 * len(typologies))
    for row, typology in enumerate(typologies):
        start, colours = 0.0, iter(PALETTE)
        for kind, share in shares.loc[
            shares["typology"] == typology, ["type", "customer_share"]
        ].itertuples(index=False):
            colour = PALE if kind == _CANNOT_TELL else next(colours)
            ax.barh(row, share, 0.72, left=start, color=colour, edgecolor="white", linewidth=0.8)
            if share >= _NUMBER:
                ax.text(
                    start + share / 2,
                    row,
                    _caption(label(kind), share),
                    ha="center",
                    va="center",
                    color=_readable(colour),
                    fontsize="x-small",
                    linespacing=1.05,
                )
            start += share
    rows_from_top(ax, [label(f"typology_{name}") for name in typologies])
    share_axis(ax.xaxis)
    ax.set(xlabel=label("customer_share"), xlim=(0, 1))
    ax.grid(visible=False)
    return ax


def plot_evidence(means, ax=None):
    """Draw what each measure adds to the log odds, on average in each class.

    Parameters
    ----------
    means : pandas.DataFrame
        One row per class, a column per measure; NaN where nothing is known.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=1.6 * means.shape[1])
    height = 0.8 / len(means)
    for i, (kind, row) in enumerate(means.iterrows()):
        place = np.arange(len(row)) + (i - (len(means) - 1) / 2) * height
        colour = PALE if kind == _CANNOT_TELL else PALETTE[i % len(PALETTE)]
        ax.barh(place, row.fillna(0), height, color=colour, label=label(kind))
    ax.axvline(0, color=GREY, linewidth=1)
    rows_from_top(ax, [label(name) for name in means])
    ax.set(xlabel=label("log_odds_added"))
    legend_above(ax)
    return ax


def plot_confusion(counts, *, truth="type_true", ax=None):
    """Draw which labels the customers of each true type were given.

    Parameters
    ----------
    counts : pandas.DataFrame of int
        Result of `crmlab.segments.types.scoring.confusion`; types are keys of the terms table.
    truth : str
        What the rows are, "type_true" or "type_turned_out"; a key of the terms table.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    table = counts.to_numpy(dtype="float64")
    total = table.sum(axis=1, keepdims=True)
    share = np.divide(table, total, out=np.zeros_like(table), where=total > 0)
    rows, columns = table.shape
    ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        share,
        cmap="Blues",
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=2,
    )
    for i, j in np.ndindex(table.shape):
        text = f"{table[i, j]:,.0f}\n{share[i, j]:.0%}" if total[i] else "0"
        colour = "white" if share[i, j] > 0.55 else "#333333"
        ax.text(j, i, text, ha="center", va="center", color=colour, fontsize="small")
    names = [label(name).replace(" ", "\n", 1) for name in counts.columns]
    ax.set_xticks(np.arange(columns), names, fontsize="small")
    rows_from_top(ax, [label(name) for name in counts.index])
    ax.set(xlabel=label("type_given"), ylabel=label(truth))
    ax.grid(visible=False)
    return ax


def plot_scores(scores, ax=None):
    """Draw how well each assignment does, beside what chance gives.

    Parameters
    ----------
    scores : pandas.DataFrame
        Indexed by key of the terms table: `balanced_accuracy`, `chance_balanced_accuracy`,
        `chance_error`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(scores))
    place = np.arange(len(scores))
    ax.barh(place, scores["balanced_accuracy"], 0.55, color=PALETTE[0], label=label("this_rule"))
    ax.errorbar(
        scores["chance_balanced_accuracy"],
        place,
        xerr=2 * scores["chance_error"],
        fmt="o",
        color=PALETTE[1],
        capsize=4,
        markersize=5,
        label=label("labels_at_random"),
    )
    rows_from_top(ax, [label(name) for name in scores.index])
    share_axis(ax.xaxis)
    ax.set(xlabel=label("balanced_accuracy"), xlim=(0, 1))
    legend_above(ax, fontsize="small")
    return ax


def plot_profit_claim(claims, ax=None):
    """Draw by how much one type is more profitable than the other, with intervals.

    Parameters
    ----------
    claims : pandas.DataFrame
        Indexed by key of the terms table: `difference`, `lower`, `upper`, in money.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=1.2 * len(claims) + 0.5)
    place = np.arange(len(claims))
    middle = claims["difference"].to_numpy()
    ends = np.abs(np.array([middle - claims["lower"], claims["upper"] - middle]))
    ax.errorbar(middle, place, xerr=ends, fmt="o", color=PALETTE[0], capsize=5, markersize=7)
    ax.axvline(0, color=GREY, linewidth=1.2, linestyle="--")
    rows_from_top(ax, [label(name) for name in claims.index])
    number_axis(ax.xaxis)
    ax.set(xlabel=label("profit_difference", unit=True))
    return ax


def plot_diffusion(adopters, expected=None, ax=None):
    """Draw the adopters of each period, and those that Bass's model expects.

    Parameters
    ----------
    adopters : pandas.Series
        Result of `crmlab.segments.types.adoption.adopters_by_period`.
    expected : array_like of float, optional
        The same from a fitted model.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    ax.bar(adopters.index, adopters, 0.8, color=PALE, label=label("adopters_seen"))
    if expected is not None:
        ax.plot(adopters.index, expected, "o-", color=PALETTE[0], label=label("adopters_expected"))
    ax.set(xlabel=label("period_since_launch"), ylabel=label("n_adopters"))
    ax.grid(visible=False, axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(0, 1.08 * max(adopters.max(), 0 if expected is None else np.max(expected), 1))
    legend_above(ax)
    return ax


def plot_key_accounts(table, ax=None):
    """Draw the highest key-account scores, and how often other weights would choose the same.

    Parameters
    ----------
    table : pandas.DataFrame
        Customers in order of rank: `key_score` and `key_share`; the index names them.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones unless given.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax, n_bars=len(table))
    place = np.arange(len(table))
    is_key = table["is_key"].to_numpy()
    for chosen, colour, name in ((is_key, PALETTE[0], "key_account"), (~is_key, PALE, "runner_up")):
        if chosen.any():
            ax.barh(place[chosen], table["key_score"][chosen], 0.6, color=colour, label=label(name))
    ax.plot(
        table["key_share"], place, "D", color=PALETTE[1], markersize=6, label=label("key_share")
    )
    rows_from_top(ax, [str(name) for name in table.index])
    ax.set(xlabel=label("key_score_and_share"), xlim=(0, 1.04))
    legend_above(ax)
    return ax


def _caption(name, share):
    """Return the name, folded where it must be, and the share; the share alone in a short bar."""
    words = name.replace("-", "-\n").replace(" ", "\n").split("\n")
    folded = "\n".join(words) if len(words) < 3 else f"{words[0]}\n{' '.join(words[1:])}"
    for text in (name, folded):
        if max(map(_width, text.split("\n"))) * _LETTER < share:
            return f"{text}\n{share:.0%}"
    return f"{share:.0%}"


def _width(text):
    """Return the width of a text in small letters: a Chinese character is as wide as two."""
    return sum(2 if letter > "\u2e80" else 1 for letter in text)


def _readable(colour):
    """Return black or white, whichever is told apart from a colour."""
    red, green, blue = to_rgb(colour)
    return "#222222" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.55 else "white"
