"""Figures of the data collected: how full, how it joins, how sure a survey is, its worth."""

import numpy as np

from crmlab.atlas import load_terms
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
    "plot_chain",
    "plot_enrichment",
    "plot_filled_fields",
    "plot_filled_tables",
    "plot_margin_of_error",
    "plot_mode_effects",
]

_CLASSES = ("descriptive", "promotional", "transactional", "attitudinal")
_CLASS_COLORS = dict(zip(_CLASSES, PALETTE, strict=False))


def plot_filled_tables(overview, ax=None):
    """Draw how far each table is filled, coloured by class of data, with its number of rows.

    Parameters
    ----------
    overview : pandas.DataFrame
        From `crmlab.data.collection.describe_tables`.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> overview = pd.DataFrame({"table": ["orders"], "data_class": ["transactional"],
    ...                          "n_rows": [1200], "share_filled": [0.9]})
    >>> [text.get_text() for text in plot_filled_tables(overview).texts]
    ['90.0%   1,200 rows']
    >>> plt.close()
    """
    ax = new_axes(ax, n_bars=len(overview))
    for data_class in _CLASSES:
        rows = np.flatnonzero(overview["data_class"] == data_class)
        if len(rows):
            shares, colour = overview["share_filled"].iloc[rows], _CLASS_COLORS[data_class]
            ax.barh(rows, shares, color=colour, label=label(data_class))
    unit = label("rows")
    shares, n_rows = overview["share_filled"].fillna(0), overview["n_rows"]
    texts = [f"{share:.1%}   {n:,} {unit}" for share, n in zip(shares, n_rows, strict=True)]
    _write_beside(ax, texts)
    share_axis(ax.xaxis)
    rows_from_top(ax, [label(f"table_{name}") for name in overview["table"]])
    ax.set(xlabel=label("share_filled"), xlim=(0, 1))
    legend_above(ax, ncols=2)
    return ax


def plot_filled_fields(columns, ax=None):
    """Draw how far each field of the customer profile is filled.

    Parameters
    ----------
    columns : pandas.DataFrame, one row per field, drawn from the top
        `column` and `share_filled`. A column that is no term, as a user's own table may have,
        keeps its name.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> columns = pd.DataFrame({"column": ["gender", "region"], "share_filled": [0.8, 1.0]})
    >>> [text.get_text() for text in plot_filled_fields(columns).get_yticklabels()]
    ['Gender', 'Region']
    >>> plt.close()
    """
    ax = new_axes(ax, n_bars=len(columns))
    terms = load_terms()
    shares = columns["share_filled"]
    ax.barh(range(len(columns)), shares, color=_CLASS_COLORS["descriptive"])
    _write_beside(ax, [f"{share:.1%}" for share in shares.fillna(0)])
    share_axis(ax.xaxis)
    rows_from_top(ax, [label(name) if name in terms else name for name in columns["column"]])
    ax.set(xlabel=label("share_filled"), xlim=(0, 1))
    return ax


def plot_chain(chain, ax=None):
    """Draw how many customers pass each step of the chain know, promote, transact.

    Parameters
    ----------
    chain : pandas.DataFrame
        From `crmlab.data.profile.chain_coverage`.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> chain = pd.DataFrame({"step": ["known", "transacted"], "n_customers": [400, 100],
    ...                       "share_of_known": [1.0, 0.25]})
    >>> [text.get_text() for text in plot_chain(chain).texts]
    ['400 (100.0%)', '100 (25.0%)']
    >>> plt.close()
    """
    ax = new_axes(ax)
    steps = [label(step) for step in chain["step"]]
    bars = ax.bar(steps, chain["n_customers"], color=PALETTE[0], width=0.6)
    pairs = zip(chain["n_customers"], chain["share_of_known"].fillna(0), strict=True)
    ax.bar_label(bars, [f"{n:,} ({share:.1%})" for n, share in pairs], padding=3)
    ax.grid(visible=False, axis="x")
    ax.margins(y=0.12)
    number_axis(ax.yaxis)
    ax.set(xlabel=label("step"), ylabel=label("n_customers"))
    return ax


def plot_margin_of_error(curves, survey=None, ax=None):
    """Draw the margin of error of a share against the number of respondents.

    Parameters
    ----------
    curves : pandas.DataFrame
        `n_respondents`, `population` ("population_finite" or "population_infinite") and
        `margin_of_error`.
    survey : tuple of (float, float) or None
        Respondents and margin of error of a survey to mark.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> curves = pd.DataFrame({"n_respondents": [100, 400], "margin_of_error": [0.098, 0.049],
    ...                        "population": "population_infinite"})
    >>> plot_margin_of_error(curves, survey=(250, 0.062)).get_xlabel()
    'Respondents'
    >>> plt.close()
    """
    ax = new_axes(ax)
    styles = {"population_finite": PALETTE[0], "population_infinite": PALETTE[6]}
    for population, rows in curves.groupby("population", sort=True):
        ax.plot(
            rows["n_respondents"],
            rows["margin_of_error"],
            color=styles[population],
            label=label(population),
        )
    if survey is not None:
        ax.plot(*survey, "o", color=PALETTE[1], markersize=9, label=label("this_survey"))
    share_axis(ax.yaxis)
    number_axis(ax.xaxis)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set(xlabel=label("n_respondents"), ylabel=label("margin_of_error"))
    ax.legend()
    return ax


def plot_mode_effects(modes, ax=None):
    """Draw how each mode's answers differ from the reference's, before and after weighting.

    Parameters
    ----------
    modes : pandas.DataFrame
        `modes` of `crmlab.data.modes.ModeEffect`, the reference first; it is the zero line.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> modes = pd.DataFrame({"mode": ["web", "telephone"], "raw_difference": [0.0, 0.9],
    ...                       "mode_effect": [0.0, 0.2], "lower": [0.0, -0.1], "upper": [0.0, 0.5]})
    >>> [text.get_text() for text in plot_mode_effects(modes).get_yticklabels()]
    ['telephone']
    >>> plt.close()
    """
    others = modes.iloc[1:]
    ax = new_axes(ax, n_bars=2 * len(others))
    rows = np.arange(len(others))
    ax.axvline(0, color=GREY, linewidth=1)
    ax.plot(
        others["raw_difference"],
        rows - 0.15,
        "o",
        color=PALETTE[5],
        label=label("raw_difference"),
    )
    effect = others["mode_effect"]
    ax.errorbar(
        effect,
        rows + 0.15,
        xerr=[effect - others["lower"], others["upper"] - effect],
        fmt="s",
        color=PALETTE[0],
        capsize=4,
        label=label("mode_effect"),
    )
    number_axis(ax.xaxis)
    rows_from_top(ax, [label(f"mode_{mode}") for mode in others["mode"]])
    reference = label(f"mode_{modes['mode'].iloc[0]}")
    mean, unit, compared = (label(n) for n in ("difference_of_means", "points", "reference_mode"))
    said = f"{mean} ({unit}; {compared}: {reference})"
    if not mean.isascii():  # Chinese has marks of its own
        said = f"{mean}（{unit}；{compared}：{reference}）"
    ax.set_xlabel(said)
    legend_above(ax, ncols=2)
    return ax


def plot_enrichment(found, ax=None):
    """Draw what the customers picked bring, by what the pick knows.

    Parameters
    ----------
    found : crmlab.data.enrichment.EnrichmentValue
        Where no record was matched, the bar of the bought fields is left out.
    ax : matplotlib.axes.Axes or None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from types import SimpleNamespace
    >>> found = SimpleNamespace(value_by_chance=1.0, value_own=3.0, value_enriched=3.5,
    ...     value_perfect=5.0, gain_lower=0.1, gain_upper=0.9, n_matched=100)
    >>> [float(bar.get_width()) for bar in plot_enrichment(found).patches]
    [1.0, 3.0, 3.5, 5.0]
    >>> plt.close()
    """
    names = ["value_by_chance", "value_own", "value_enriched", "value_perfect"]
    if not found.n_matched:
        names.remove("value_enriched")
    ax = new_axes(ax, n_bars=len(names))
    values = [getattr(found, name) for name in names]
    ax.barh(range(len(names)), values, color=[_ENRICHMENT_COLORS[name] for name in names])
    if found.n_matched:
        # The interval is of the gain over the own data's pick.
        ends = found.value_own + np.array([found.gain_lower, found.gain_upper])
        middle = found.value_enriched
        ax.errorbar(
            middle,
            names.index("value_enriched"),
            xerr=np.maximum(0, [[middle - ends[0]], [ends[1] - middle]]),
            fmt="none",
            color="black",
            capsize=4,
        )
    _write_beside(ax, [f"{value:,.2f}" for value in values])
    number_axis(ax.xaxis)
    rows_from_top(ax, [label(name) for name in names])
    ax.set_xlabel(label("value_per_customer", unit=True))
    return ax


_ENRICHMENT_COLORS = {
    "value_by_chance": PALE,
    "value_own": PALETTE[0],
    "value_enriched": PALETTE[2],
    "value_perfect": PALE,
}


def _write_beside(ax, texts):
    """Write a text to the right of the axes beside each bar."""
    for row, text in enumerate(texts):
        ax.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center")
