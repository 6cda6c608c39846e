"""The conversion ladder, how customers move on it, and what a rung is worth.

Who asks: whoever wants to know how many new customers become old ones, how many old ones stay for
good, and what a customer on each rung will still bring.

Vocabulary. *Prospect*: known, nothing bought yet. *New*: has bought and has not come back yet.
*Regular* (老客户): has come back. *Lifetime* (终身客户): has come back and has been a customer
for a long time, which is a threshold of ours. *Lapsed*: nothing bought for some months. Everybody
from *new* on is an actual customer (现实客户). The ladder: M. Christopher, A. Payne & D. Ballantyne
(1991), Relationship Marketing, Butterworth-Heinemann; that movements follow a Markov chain, and
what states are then worth: P. E. Pfeifer & R. L. Carraway (2000), Modeling customer relationships
as Markov chains, Journal of Interactive Marketing 14(2), 43-55.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.sampling import wilson_interval
from crmlab.relationship.chain import (
    estimate_transitions,
    markov_value,
    transition_table,
)
from crmlab.relationship.panel import arrange_months

__all__ = [
    "RUNGS",
    "assign_rungs",
    "climb_ladder",
    "foretell_value",
    "judge_values",
]

RUNGS = ("prospect", "new", "regular", "lifetime", "lapsed")
"""Rungs of the ladder, and beside it those who left it."""


def assign_rungs(panel, *, active_months=6, lifetime_months=18, tenure_months=None):
    """Return the rung of each customer at the end of each month.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on`, `n_orders`.
    active_months : int
        Months without a purchase after which a customer has lapsed.
    lifetime_months : int
        Months since the first purchase from which on an active customer who has come back is one
        for good.
    tenure_months : array_like of int, shape (n_rows,), optional
        Months since the customer joined, where that is known from elsewhere. Where it says that
        a customer joined before the panel shows them, their first purchase in it is a return.

    Returns
    -------
    pandas.Series, one per row of `panel`, same index
        Ordered category of `RUNGS`.

    Raises
    ------
    ValueError
        If the panel has gaps or a threshold is below 1.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": "a", "n_orders": [0, 1, 0, 1, 1, 0, 0, 1],
    ...     "month_on": pd.date_range("2024-01-01", periods=8, freq="MS")})
    >>> print(*assign_rungs(panel, active_months=2, lifetime_months=4))
    prospect new new regular regular lifetime lapsed lifetime
    """
    for name, value in (("active_months", active_months), ("lifetime_months", lifetime_months)):
        if value < 1:
            raise ValueError(f"{name} is {value!r}; expected 1 or more")
    months = arrange_months(panel, ["n_orders"])
    bought = np.nan_to_num(months.spread(months.counts[:, 0])) > 0
    number = np.arange(bought.shape[1])
    first = np.where(bought.any(axis=1), bought.argmax(axis=1), bought.shape[1])[:, np.newaxis]
    tenure = number - first
    if tenure_months is not None:
        given = np.asarray(tenure_months, dtype=float)[months.rows]
        tenure = np.fmax(tenure, months.spread(given))
    n_bought = np.cumsum(bought, axis=1)
    has_returned = (n_bought >= 2) | ((n_bought == 1) & (tenure > number - first))
    last = np.maximum.accumulate(np.where(bought, number, -1), axis=1)
    rung = np.select(
        [
            n_bought == 0,
            number - last >= active_months,
            has_returned & (tenure >= lifetime_months),
            has_returned,
        ],
        [0, 4, 3, 2],
        default=1,
    )
    codes = months.gather(rung.astype(float)).astype(int)
    rungs = pd.Categorical.from_codes(codes, categories=list(RUNGS), ordered=True)
    return pd.Series(rungs, index=panel.index)


def climb_ladder(panel, rungs, *, lifetime_months=None, level=0.95):
    """Return how many customers reached each rung, of those whose first purchase was seen.

    Parameters
    ----------
    panel : pandas.DataFrame
        As for `assign_rungs`.
    rungs : pandas.Series
        From `assign_rungs`.
    lifetime_months : int, optional
        As for `assign_rungs`. If given, the share of *lifetime* is taken of the regulars who came
        early enough to become one; else of all regulars, whether they had the time or not.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame, one row for *new*, *regular* and *lifetime*
        `rung`, `n_customers` who reached it, `share_of_previous` of those on the rung below, with
        Wilson's `lower` and `upper` (NaN for the first rung, or where nobody stood below or had
        the time). Who came late had less time to come back: that share is one within the window.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": list("aabb"), "n_orders": [1, 1, 1, 0],
    ...     "month_on": list(pd.date_range("2024-01-01", periods=2, freq="MS")) * 2})
    >>> climb_ladder(panel, assign_rungs(panel))["n_customers"].tolist()
    [2, 1, 0]
    """
    months = pd.crosstab(panel["customer_id"], rungs.astype("str"))
    months = months.reindex(columns=list(RUNGS), fill_value=0)
    months = months[months["new"] > 0]
    seen = months > 0
    had_time = pd.Series(True, index=seen.index)
    if lifetime_months is not None:
        had_time = months.drop(columns="prospect").sum(axis=1) > lifetime_months
    could = {"regular": seen["new"], "lifetime": seen["regular"] & had_time}
    rows = []
    for rung in ("new", "regular", "lifetime"):
        n = int(seen[rung].sum())
        n_could = int(could[rung].sum()) if rung in could else 0
        share, lower, upper = map(
            float, wilson_interval(n if n_could else 0, n_could, confidence=level)
        )
        found = {"rung": rung, "n_customers": n, "share_of_previous": share}
        rows.append(found | {"lower": lower, "upper": upper})
    return pd.DataFrame(rows)


def foretell_value(panel, rungs, *, holdout_months):
    """Return what the chain foretells each rung will bring, beside what it brought.

    The chain sees the months before the last `holdout_months`: its transitions, and the mean value
    of a month on each rung. Nothing is discounted, for the money is compared with money as it came.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on`, `total_value`.
    rungs : pandas.Series of category
        From `assign_rungs`, which looks at the past alone.
    holdout_months : int
        Months foretold, fewer than there are.

    Returns
    -------
    pandas.DataFrame, one row per rung with customers at the split
        `rung`, `n_customers`, `predicted_value`, `naive_value` (the mean month of everybody, times
        the months), `mean_value` (what came), `standard_error` of that mean (NaN for one
        customer); money per customer over the `holdout_months`.

    Raises
    ------
    ValueError
        If too few months are left to see anybody move.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": "a", "n_orders": 1, "total_value": 5.0,
    ...     "month_on": pd.date_range("2024-01-01", periods=6, freq="MS")})
    >>> table = foretell_value(panel, assign_rungs(panel), holdout_months=2)
    >>> table[["predicted_value", "mean_value"]].to_numpy().tolist()
    [[10.0, 10.0]]
    """
    month = panel["month_on"]
    last = sorted(month.unique())
    if not 1 <= holdout_months <= len(last) - 2:
        months = len(last)
        raise ValueError(say("relationship_holdout_months", found=holdout_months, months=months))
    cut = last[-holdout_months - 1]
    is_early = (month <= cut).to_numpy()
    early, seen = panel[is_early], rungs[is_early]
    chain = transition_table(estimate_transitions(early, seen))
    means = early["total_value"].groupby(seen, observed=False).mean()
    rewards = means.reindex(chain.index).fillna(0.0)
    ahead = markov_value(chain, rewards, period_discount_rate=0.0, n_periods=holdout_months)
    now = (month == cut).to_numpy()
    later = panel[~is_early].groupby("customer_id")["total_value"].sum()
    came = panel.loc[now, "customer_id"].map(later)
    by_rung = came.groupby(rungs[now], observed=True)
    table = pd.DataFrame(
        {
            "n_customers": by_rung.size(),
            "predicted_value": ahead - rewards,
            "mean_value": by_rung.mean(),
            "standard_error": by_rung.std() / np.sqrt(by_rung.size()),
        }
    )
    table.insert(2, "naive_value", holdout_months * early["total_value"].mean())
    table = table.loc[[name for name in RUNGS if name in by_rung.groups]]
    return table.rename_axis("rung").reset_index()


def judge_values(foretold):
    """Return how far the chain's values are off, and whether the plain mean does better.

    Parameters
    ----------
    foretold : pandas.DataFrame
        From `foretell_value`.

    Returns
    -------
    dict of str to float
        `chain_error` and `mean_error`: by how much the chain, and the mean of everybody, miss what
        a rung brought, in absolute value and each rung counted by its customers, as a part of what
        all of them brought; `standard_error`, that of what came, on the same scale;
        and `verdict`: 1 where the chain does better by more than two of these, -1 where the mean
        does, 0 where neither does. A rung of one customer may err by all that this one brought.

    Raises
    ------
    ValueError
        If nobody brought anything in the months foretold.

    Examples
    --------
    >>> foretold = pd.DataFrame({"n_customers": [50, 50], "predicted_value": [9.0, 2.0],
    ...     "naive_value": [5.0, 5.0], "mean_value": [8.0, 2.0], "standard_error": [0.4, 0.1]})
    >>> judged = judge_values(foretold)
    >>> round(judged["chain_error"], 3), round(judged["mean_error"], 3), judged["verdict"]
    (0.1, 0.6, 1)
    """
    size, came = foretold["n_customers"], foretold["mean_value"]
    total = float((size * came).abs().sum())
    if not total > 0:
        raise ValueError(say("relationship_nothing_came"))
    chain, mean = (
        float((size * (foretold[name] - came).abs()).sum()) / total
        for name in ("predicted_value", "naive_value")
    )
    error = foretold["standard_error"].fillna(came.abs())
    noise = float(np.sqrt(((size * error) ** 2).sum())) / total
    verdict = int(np.sign(mean - chain)) if abs(mean - chain) > 2 * noise else 0
    return {"chain_error": chain, "mean_error": mean, "standard_error": noise, "verdict": verdict}
