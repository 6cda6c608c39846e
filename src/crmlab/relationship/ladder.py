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

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import norm

from crmlab.relationship.panel import arrange_months

__all__ = [
    "RUNGS",
    "assign_rungs",
    "climb_ladder",
    "estimate_transitions",
    "foretell_value",
    "markov_value",
    "recency_chain",
    "transition_table",
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


def estimate_transitions(panel, state, *, level=0.95):
    """Return how often customers moved from each state to each other one within a month.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month without gaps
        `customer_id`, `month_on`.
    state : pandas.Series of category
        State of each row, same index, such as `assign_rungs` gives.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame, one row per pair of states, from states that were left at least once
        `from_state`, `to_state`, `n_moves`, `n_customers` (in the first state), `probability`,
        `lower`, `upper`. Wilson's interval, with as many independent months as the scatter
        between customers allows: months of one customer are alike.

    Raises
    ------
    ValueError
        If the index differs, a state is missing, or nobody has two months.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": ["a"] * 3 + ["b"] * 3,
    ...     "month_on": list(pd.date_range("2024-01-01", periods=3, freq="MS")) * 2})
    >>> state = pd.Series(list("xxyxyy"), dtype="category")
    >>> estimate_transitions(panel, state)["probability"].round(2).tolist()
    [0.33, 0.67, 0.0, 1.0]
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; expected between 0 and 1")
    if not panel.index.equals(state.index) or state.isna().any():
        raise ValueError("state: expected one of each row of the panel, none missing")
    state = state.astype("category")
    months = arrange_months(panel.assign(_none=0), ["_none"])
    codes = state.cat.codes.to_numpy()[months.rows]
    n_states = len(state.cat.categories)
    pairs = list(pairwise(months.blocks()))
    if not pairs:
        raise ValueError("no customer has two months: nobody was seen to move or to stay")
    before = np.concatenate([codes[a][: b.stop - b.start] for a, b in pairs])
    after = np.concatenate([codes[b] for _, b in pairs])
    who = np.concatenate([np.arange(n) for n in months.sizes[1:]])
    z = norm.ppf(0.5 + level / 2)
    rows = []
    for i in range(n_states):
        in_state = before == i
        by_customer = np.bincount(who[in_state])
        n = int(in_state.sum())
        for j in range(n_states) if n else ():
            moved = np.bincount(who[in_state & (after == j)], minlength=len(by_customer))
            p = moved.sum() / n
            scatter = ((moved - p * by_customer) ** 2).sum()
            n_free = min(n, p * (1 - p) * n**2 / scatter) if scatter > 0 else n
            rows.append(
                {
                    "from_state": state.cat.categories[i],
                    "to_state": state.cat.categories[j],
                    "n_moves": int(moved.sum()),
                    "n_customers": int((by_customer > 0).sum()),
                    "probability": p,
                }
                | _wilson(p, n_free, z)
            )
    return pd.DataFrame(rows)


def transition_table(estimates):
    """Return transition probabilities as a square table, from state by to state.

    A state that nobody was seen to leave keeps its customers: probability 1 of itself.

    Examples
    --------
    >>> estimates = pd.DataFrame({"from_state": ["x", "x"], "to_state": ["x", "y"],
    ...     "probability": [0.7, 0.3]})
    >>> transition_table(estimates).to_numpy().tolist()
    [[0.7, 0.3], [0.0, 1.0]]
    """
    names = list(dict.fromkeys(estimates["to_state"]))
    table = estimates.set_index(["from_state", "to_state"])["probability"].unstack()  # noqa: PD010
    table = table.reindex(index=names, columns=names).astype(float)
    lost = table.isna().all(axis=1)
    table.loc[lost] = 0.0
    for name in table.index[lost]:
        table.loc[name, name] = 1.0
    return table


def climb_ladder(panel, rungs, *, level=0.95):
    """Return how many customers reached each rung, of those whose first purchase was seen.

    Parameters
    ----------
    panel : pandas.DataFrame
        As for `assign_rungs`.
    rungs : pandas.Series
        From `assign_rungs`.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame, one row for *new*, *regular* and *lifetime*
        `rung`, `n_customers` who reached it, `share_of_previous` of those on the rung below, with
        Wilson's `lower` and `upper` (NaN for the first rung, or where nobody stood below). Who
        came late had less time to climb: the shares are those within the window.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": list("aabb"), "n_orders": [1, 1, 1, 0],
    ...     "month_on": list(pd.date_range("2024-01-01", periods=2, freq="MS")) * 2})
    >>> climb_ladder(panel, assign_rungs(panel))["n_customers"].tolist()
    [2, 1, 0]
    """
    z = norm.ppf(0.5 + level / 2)
    seen = pd.crosstab(panel["customer_id"], rungs.astype("str")) > 0
    seen = seen.reindex(columns=list(RUNGS), fill_value=False)
    seen = seen[seen["new"]]
    rows, below = [], None
    for rung in ("new", "regular", "lifetime"):
        n = int(seen[rung].sum())
        share = np.nan if not below else n / below
        bounds = _wilson(share, below, z) if below else {"lower": np.nan, "upper": np.nan}
        rows.append({"rung": rung, "n_customers": n, "share_of_previous": share} | bounds)
        below = n
    return pd.DataFrame(rows)


def markov_value(transitions, rewards, *, period_discount_rate, n_periods=None):
    r"""Return what a customer in each state is worth: :math:`V = \sum_t ((1+d)^{-1}P)^t R`.

    Parameters
    ----------
    transitions : pandas.DataFrame, shape (n_states, n_states)
        Probability P of the next period's state (columns) by this one's (rows); rows sum to 1.
    rewards : pandas.Series, shape (n_states,)
        R: money that a period in the state brings, received at its beginning.
    period_discount_rate : float
        d: of one period, 0 or more; above 0 without a horizon.
    n_periods : int, optional
        Periods after the present one; endless unless given: :math:`(I - (1+d)^{-1}P)^{-1}R`.

    Returns
    -------
    pandas.Series, index of `transitions`
        Present value in money, the present period included.

    Raises
    ------
    ValueError
        If rows do not sum to 1, states differ, or a rate or horizon is out of range.

    References
    ----------
    Pfeifer & Carraway (2000), Journal of Interactive Marketing 14(2), 43-55

    Examples
    --------
    The paper's example: 40 of margin per purchase, 4 per mailing, 20 % a period.

    >>> chain = recency_chain([0.30, 0.20, 0.15, 0.05])
    >>> rewards = pd.Series([36.0, -4, -4, -4, 0], index=chain.index)
    >>> markov_value(chain, rewards, period_discount_rate=0.20).round(2).tolist()
    [52.32, 5.55, 1.25, -1.82, 0.0]
    """
    chain = np.asarray(transitions, dtype=float)
    if list(transitions.index) != list(transitions.columns) or (
        set(rewards.index) != set(transitions.index)
    ):
        raise ValueError("transitions and rewards name different states; expected the same ones")
    if not (np.isfinite(chain).all() and (chain >= 0).all() and np.allclose(chain.sum(axis=1), 1)):
        raise ValueError("transitions: each row must hold probabilities that sum to 1")
    reward = rewards.loc[transitions.index].to_numpy(dtype=float)
    if not np.isfinite(reward).all():
        raise ValueError("rewards: expected a number for each state")
    least = 0 if n_periods is not None else 1e-12
    if not period_discount_rate >= least:
        raise ValueError(
            f"period_discount_rate is {period_discount_rate!r}; expected 0 or more, and above 0 "
            "where the value has no horizon"
        )
    step = chain / (1 + period_discount_rate)
    if n_periods is None:
        value = np.linalg.solve(np.eye(len(chain)) - step, reward)
    else:
        value = reward.copy()
        for _ in range(n_periods):
            value = reward + step @ value
    return pd.Series(value, index=transitions.index)


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
        raise ValueError(
            f"holdout_months is {holdout_months!r} of {len(last)} months; expected 1 or more, and "
            "two months left to see customers move"
        )
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


def recency_chain(purchase_probabilities):
    """Return the chain of Pfeifer & Carraway: states are periods since the last purchase.

    Parameters
    ----------
    purchase_probabilities : sequence of float
        Probability of a purchase in the next period, by periods since the last one. Who does not
        buy after the last of them is a former customer for good.

    Returns
    -------
    pandas.DataFrame
        Square; states "1", "2", ... and "former".

    Examples
    --------
    >>> recency_chain([0.3, 0.2]).loc["2"].tolist()
    [0.2, 0.0, 0.8]
    """
    p = np.asarray(purchase_probabilities, dtype=float)
    if p.ndim != 1 or not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("purchase_probabilities: expected probabilities, at least one")
    chain = np.zeros((len(p) + 1, len(p) + 1))
    chain[:-1, 0] = p
    chain[np.arange(len(p)), np.arange(1, len(p) + 1)] += 1 - p
    chain[-1, -1] = 1.0
    names = [*(str(i + 1) for i in range(len(p))), "former"]
    return pd.DataFrame(chain, index=names, columns=names)


def _wilson(share, n, z):
    """Return Wilson's interval of a share."""
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return {"lower": max(0.0, middle - reach), "upper": min(1.0, middle + reach)}
