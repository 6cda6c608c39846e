"""Figures of data quality, record linkage and privacy; they show results and compute none."""

import numpy as np

from crmlab.atlas import load_terms
from crmlab.plots.style import (
    GREY,
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
    "plot_anonymity_cost",
    "plot_link_rates",
    "plot_match_weights",
    "plot_private_counts",
    "plot_quality_scores",
    "plot_unicity",
]

_LEVELS = ("equal", "close", "differs")


def plot_quality_scores(scores, key, ax=None):
    """Draw the score of each dimension of quality, in a grid: a row per table or system.

    Parameters
    ----------
    scores : pandas.DataFrame
        Rows named as the index; a column per dimension, shares, NaN where nothing was checked.
    key : str
        What the rows are, such as "table" or "system": names are looked up as ``table_orders``.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"accuracy": [0.99], "timeliness": [None]}, index=["orders"])
    >>> [text.get_text() for text in plot_quality_scores(scores, "table").texts]
    ['99.0%', '–']
    >>> plt.close()
    """
    ax = new_axes(ax, n_bars=len(scores) + 1)
    values = scores.to_numpy(dtype=float)
    ax.imshow(values, cmap="Blues", vmin=0.3, vmax=1.15, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{value:.1%}"
        colour = "white" if value > 0.85 else "black"
        ax.text(column, row, text, ha="center", va="center", color=colour)
    names = [label(name) for name in scores.columns]
    ax.set_xticks(range(len(names)), names, fontsize="small")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    rows_from_top(ax, [_name(value, key) for value in scores.index])
    ax.grid(visible=False)
    return ax


def plot_match_weights(parameters, ax=None):
    """Draw what each field adds to the match weight, by how well it agrees.

    Parameters
    ----------
    parameters : pandas.DataFrame
        From `crmlab.data.fellegi_sunter.FellegiSunter.parameters`.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> parameters = pd.DataFrame({"field": ["name"] * 3, "level": ["differs", "close", "equal"],
    ...                            "match_weight": [-3.0, 6.0, 15.0]})
    >>> [float(bar.get_width()) for bar in plot_match_weights(parameters).patches]
    [15.0, 6.0, -3.0]
    >>> plt.close()
    """
    fields = parameters["field"].drop_duplicates().tolist()
    ax = new_axes(ax, n_bars=1.6 * len(fields))
    colours = dict(zip(_LEVELS, (PALETTE[0], PALETTE[4], PALETTE[1]), strict=True))
    for place, level in enumerate(_LEVELS):
        rows = parameters[parameters["level"] == level].set_index("field").reindex(fields)
        at = np.arange(len(fields)) + 0.27 * (place - 1)
        ax.barh(
            at,
            rows["match_weight"],
            height=0.25,
            color=colours[level],
            label=label(f"level_{level}"),
        )
    ax.axvline(0, color=GREY, linewidth=1)
    rows_from_top(ax, [label(f"field_{name}") for name in fields])
    number_axis(ax.xaxis)
    ax.set(xlabel=label("match_weight", unit=True))
    legend_above(ax)
    return ax


def plot_link_rates(rates, found=None, threshold=None, ax=None):
    """Draw precision and recall of the links against the threshold.

    Parameters
    ----------
    rates : pandas.DataFrame
        `threshold`, `precision`, `recall`, as the model expects them.
    found : pandas.DataFrame or None
        The same, counted against the truth; None where it is not known.
    threshold : float or None
        The threshold taken.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> rates = pd.DataFrame({"threshold": [0.1, 0.9], "precision": [0.8, 1.0],
    ...                       "recall": [1.0, 0.9]})
    >>> len(plot_link_rates(rates, rates, threshold=0.5).lines)
    5
    >>> plt.close()
    """
    ax = new_axes(ax)
    for part, style in ((rates, "-"), (found, "--")):
        if part is None:
            continue
        word = label("rate_expected" if style == "-" else "rate_found")
        for name, colour in (("precision", PALETTE[0]), ("recall", PALETTE[1])):
            text = f"{label(name)} · {word}"
            ax.plot(part["threshold"], part[name], style, color=colour, label=text)
    if threshold is not None:
        ax.axvline(threshold, color=GREY, linewidth=1.2, linestyle=":", label=label("threshold"))
    share_axis(ax.yaxis)
    number_axis(ax.xaxis)
    ax.set(xlabel=label("link_probability_threshold"), ylabel=label("share_of_pairs"))
    legend_beside(ax)
    return ax


def plot_anonymity_cost(costs, k=None, ax=None):
    """Draw what anonymity costs: loss of information and remaining risk against k.

    Parameters
    ----------
    costs : pandas.DataFrame
        `k`, `information_loss`, `risk_mean` and `share_suppressed`.
    k : int or None
        The k asked for.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> costs = pd.DataFrame({"k": [2, 5], "information_loss": [0.1, 0.3],
    ...                       "risk_mean": [0.04, 0.01], "share_suppressed": [0.0, 0.01]})
    >>> plot_anonymity_cost(costs, k=5).get_xlabel()
    'k'
    >>> plt.close()
    """
    ax = new_axes(ax)
    names = ("information_loss", "risk_mean", "share_suppressed")
    for name, colour, mark in zip(names, PALETTE, "osD", strict=False):
        ax.plot(costs["k"], costs[name], marker=mark, color=colour, label=label(name))
    if k is not None:
        ax.axvline(k, color=GREY, linewidth=1.2, linestyle=":", label=label("k_asked"))
    ax.set_xscale("log")
    ax.set_xticks(costs["k"], [f"{value:,}" for value in costs["k"]])
    ax.set_xticks([], minor=True)
    share_axis(ax.yaxis)
    ax.set_ylim(bottom=0)
    ax.set(xlabel=label("k_short"), ylabel=label("share_or_risk"))
    legend_beside(ax)
    return ax


def plot_private_counts(errors, key, ax=None):
    """Draw how far private counts are off, as a share of the count, and how far they may be.

    Parameters
    ----------
    errors : pandas.DataFrame
        Rows named as the index: `off_by` (published over true, less 1) and `range`, which 19 of 20
        counts keep within.
    key : str
        What the rows are, such as "region".
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> errors = pd.DataFrame({"off_by": [0.01, -0.2], "range": [0.02, 0.3]},
    ...                       index=["east", "west"])
    >>> [text.get_text() for text in plot_private_counts(errors, "region").get_yticklabels()]
    ['east', 'west']
    >>> plt.close()
    """
    ax = new_axes(ax, n_bars=len(errors) + 1)
    rows = np.arange(len(errors))
    ax.barh(
        rows,
        2 * errors["range"],
        left=-errors["range"],
        height=0.5,
        color=PALE,
        label=label("range_of_19_in_20"),
    )
    ax.plot(errors["off_by"], rows, "o", color=PALETTE[1], markersize=8, label=label("n_published"))
    ax.axvline(0, color=GREY, linewidth=1)
    rows_from_top(ax, [_name(value, key) for value in errors.index])
    share_axis(ax.xaxis)
    ax.set(xlabel=label("off_by"))
    legend_above(ax)
    return ax


def plot_unicity(unicity, ax=None):
    """Draw the share of customers singled out against the number of purchases known.

    Parameters
    ----------
    unicity : pandas.DataFrame
        From `crmlab.data.unicity.measure_unicity`.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> unicity = pd.DataFrame({"grain": ["day"] * 2, "n_known": [1, 2], "unicity": [0.0, 0.6],
    ...                         "standard_error": [0.0, 0.02]})
    >>> plot_unicity(unicity).get_xlabel()
    'Purchases known'
    >>> plt.close()
    """
    ax = new_axes(ax)
    marks = "osD^v"
    for place, (grain, rows) in enumerate(unicity.groupby("grain", sort=False)):
        ax.errorbar(
            rows["n_known"],
            rows["unicity"],
            yerr=2 * rows["standard_error"],
            marker=marks[place % len(marks)],
            color=PALETTE[place % len(PALETTE)],
            capsize=3,
            label=label(f"grain_{grain}"),
        )
    ax.set_xticks(sorted(unicity["n_known"].unique()))
    share_axis(ax.yaxis)
    ax.set_ylim(-0.03, 1.03)
    ax.set(xlabel=label("n_known"), ylabel=label("unicity"))
    legend_beside(ax)
    return ax


def _name(value, key):
    """Return what a level is called; a user's own word keeps its name."""
    terms, value = load_terms(), str(value)
    known = [name for name in (f"{key}_{value}", value) if name in terms]
    return label(known[0]) if known else value
