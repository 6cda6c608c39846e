"""A Markov chain of states that are seen: how often customers move, and what a state is worth.

Who asks: `crmlab.relationship.ladder` for its rungs, and whoever has states of their own, such as
months since the last purchase: P. E. Pfeifer & R. L. Carraway (2000), Modeling customer
relationships as Markov chains, Journal of Interactive Marketing 14(2), 43-55.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.sampling import wilson_interval
from crmlab.relationship.panel import arrange_months

__all__ = [
    "estimate_transitions",
    "markov_value",
    "recency_chain",
    "transition_table",
]


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
        raise ValueError(say("relationship_nobody_seen_to_move"))
    before = np.concatenate([codes[a][: b.stop - b.start] for a, b in pairs])
    after = np.concatenate([codes[b] for _, b in pairs])
    who = np.concatenate([np.arange(n) for n in months.sizes[1:]])
    rows = []
    for i in range(n_states):
        in_state = before == i
        by_customer = np.bincount(who[in_state])
        n = int(in_state.sum())
        for j in range(n_states) if n else ():
            moved = np.bincount(who[in_state & (after == j)], minlength=len(by_customer))
            p = moved.sum() / n
            n_free = _independent_months(moved, p, by_customer)
            _, lower, upper = map(float, wilson_interval(p * n_free, n_free, confidence=level))
            rows.append(
                {
                    "from_state": state.cat.categories[i],
                    "to_state": state.cat.categories[j],
                    "n_moves": int(moved.sum()),
                    "n_customers": int((by_customer > 0).sum()),
                    "probability": p,
                    "lower": lower,
                    "upper": upper,
                }
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


def _independent_months(moved, p, n_of):
    """Return how many independent months would scatter as those of these customers do."""
    n, n_customers = n_of.sum(), (n_of > 0).sum()
    if n_customers == 1:
        return 1  # one customer's months may all be alike, and nobody can tell
    scatter = ((moved - p * n_of) ** 2).sum() * n_customers / (n_customers - 1)
    return min(n, p * (1 - p) * n**2 / scatter) if scatter > 0 else n
