"""What an index says: how high with which interval, in which group, what moves it, what to improve.

Who asks: the reader of a published index. All tables come from draws made once, so that they agree
with one another: `crmlab.satisfaction.index.bootstrap_index` and `crmlab.pls.bootstrap_model`.

Source: GB/T 19038-2009, Guidelines for model and methods of customer satisfaction measurement,
whose informative appendix D holds the matrix of importance; C. M. Ringle & M. Sarstedt (2016),
doi:10.1108/IMDS-10-2015-0449.
"""

import numpy as np
import pandas as pd

from crmlab.pls import intervals

__all__ = [
    "IMPROVEMENT_AREAS",
    "improvement_matrix",
    "index_by_group",
    "rank_antecedents",
    "tabulate_index",
]

#: Importance and performance, each above or below its mean over the antecedents.
IMPROVEMENT_AREAS = ("improve_first", "keep_up", "improve_later", "hold")


def tabulate_index(drawn, *, level=0.95):
    """Return the index of every construct with its percentile interval.

    Parameters
    ----------
    drawn : crmlab.pls.PerformanceDraws
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    pandas.DataFrame, by construct
        `index` (0–100), `standard_error`, `lower`, `upper` (points).
    """
    draws = drawn.performance_draws[:, 0]
    return pd.DataFrame(
        {"index": drawn.performance.iloc[0].to_numpy(), **_spread(draws, level)},
        drawn.performance.columns.rename("construct"),
    )


def index_by_group(drawn, construct=None, *, level=0.95):
    """Return the index of a construct in every group, with interval.

    Parameters
    ----------
    drawn : crmlab.pls.PerformanceDraws
    construct : str or None
        None is the target, as a rule satisfaction.
    level : float

    Returns
    -------
    pandas.DataFrame, by group, in their order
        `n_respondents`; `index`, `standard_error`, `lower`, `upper` (points); `difference` from
        everyone with `difference_lower` and `difference_upper`, and `is_different`: whether that
        interval leaves 0 out. A group of fewer than 10 respondents has no interval (NaN) and is
        not called different.
    """
    name = drawn.target if construct is None else construct
    if name not in drawn.performance:
        raise ValueError(f"no construct is named {name!r}: {', '.join(drawn.performance)}")
    place = drawn.performance.columns.get_loc(name)
    draws = drawn.performance_draws[:, 1:, place]
    values = drawn.performance.iloc[:, place]
    away = _spread(draws - drawn.performance_draws[:, :1, place], level)
    return pd.DataFrame(
        {
            "n_respondents": drawn.sizes.iloc[1:],
            "index": values.iloc[1:],
            **_spread(draws, level),
            "difference": values.iloc[1:] - values.iloc[0],
            "difference_lower": away["lower"],
            "difference_upper": away["upper"],
            "is_different": (away["lower"] > 0) | (away["upper"] < 0),
        },
        drawn.sizes.index[1:],
    )


def improvement_matrix(drawn, *, level=0.95):
    """Return what moves the target and how good it is: the matrix of improvement.

    Parameters
    ----------
    drawn : crmlab.pls.PerformanceDraws
    level : float

    Returns
    -------
    pandas.DataFrame, by construct, the most important first
        `importance` (points of the target for one point of the construct, in total), with
        `importance_lower` and `importance_upper`; `performance` (the index), with its interval;
        `improvement_area`: important or not and good or not, against the means over the rows.
        One of `IMPROVEMENT_AREAS`: important and low is to be improved first;
        `quadrant_confidence`, the share of resamples that put it in the same area (0 to 1).

    References
    ----------
    Ringle & Sarstedt (2016), doi:10.1108/IMDS-10-2015-0449; GB/T 19038-2009, appendix D
    """
    names = drawn.importance.index
    places = drawn.performance.columns.get_indexer(names)
    performance = drawn.performance.iloc[0][names]
    importance = _spread(drawn.importance_draws, level)
    shown = _spread(drawn.performance_draws[:, 0, places], level)
    matters = drawn.importance >= drawn.importance.mean()
    good = performance >= performance.mean()
    drawn_matters = _above_mean(drawn.importance_draws)
    drawn_good = _above_mean(drawn.performance_draws[:, 0, places])
    same = (drawn_matters == matters.to_numpy()) & (drawn_good == good.to_numpy())
    table = pd.DataFrame(
        {
            "importance": drawn.importance,
            "importance_lower": importance["lower"],
            "importance_upper": importance["upper"],
            "performance": performance,
            "performance_lower": shown["lower"],
            "performance_upper": shown["upper"],
            "improvement_area": np.select(
                [matters & ~good, matters & good, ~matters & ~good], IMPROVEMENT_AREAS[:3], "hold"
            ),
            "quadrant_confidence": same.mean(axis=0),
        }
    ).rename_axis("construct")
    return table.sort_values("importance", ascending=False, kind="stable")


def rank_antecedents(bootstrap, target="satisfaction", *, level=0.95):
    """Return what moves the target, the strongest first, and how sure the order is.

    Parameters
    ----------
    bootstrap : crmlab.pls.Bootstrap
    target : str
    level : float

    Returns
    -------
    pandas.DataFrame, by construct
        `total_effect` (standardised), `lower`, `upper`; `direct_effect` (0 without a path of its
        own) and `indirect_effect`; `share_strongest`, in how many resamples it was the strongest.

    Raises
    ------
    ValueError
        If nothing leads to the target.
    """
    total = intervals(bootstrap, "total_effects", level=level)
    chosen = (total["target"] == target).to_numpy()
    if not chosen.any():
        raise ValueError(f"nothing leads to {target!r}: choose a construct that paths lead to")
    draws = bootstrap.draws["total_effects"][:, chosen]
    strongest = np.abs(draws).argmax(axis=1)
    total = total[chosen].set_index("source").rename_axis("construct")
    indirect = intervals(bootstrap, "indirect_effects").loc[chosen, "estimate"].to_numpy()
    table = pd.DataFrame(
        {
            "total_effect": total["estimate"],
            "lower": total["low"],
            "upper": total["high"],
            "direct_effect": total["estimate"] - indirect,
            "indirect_effect": indirect,
            "share_strongest": np.bincount(strongest, minlength=chosen.sum()) / len(draws),
        }
    )
    return table.sort_values("total_effect", key=np.abs, ascending=False, kind="stable")


def _above_mean(draws):
    """Return in every draw which values reach the mean of the draw."""
    return draws >= draws.mean(axis=1, keepdims=True)


def _spread(draws, level):
    """Return standard error and percentile interval of draws; NaN where none is known."""
    if not 0 < level < 1:
        raise ValueError(f"level is a share between 0 and 1, such as 0.95, not {level!r}")
    tails = [(1 - level) / 2, (1 + level) / 2]
    known = np.isfinite(draws).any(axis=0)
    some = np.where(known, draws, 0.0)
    lower, upper = np.nanquantile(some, tails, axis=0)
    values = {"standard_error": np.nanstd(some, axis=0, ddof=1), "lower": lower, "upper": upper}
    return {name: np.where(known, value, np.nan) for name, value in values.items()}
