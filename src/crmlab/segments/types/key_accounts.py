"""Key accounts: a score whose weights can be read, and what other weights would have said.

Who asks: whoever must name the few customers who get people of their own. Firms choose them by
sales and by what the customer means to others and to the firm's steadiness (Boles, J., Johnston,
W. & Gardner, A. 1999, The selection and organization of national accounts, Journal of Business &
Industrial Marketing 14(4), 264-275; Homburg, C., Workman, J. P. & Jensen, O. 2002, A
configurational perspective on key account management, Journal of Marketing 66(2), 38-60,
doi:10.1509/jmkg.66.2.38.18471). The weights in ``key_weights.csv`` are a judgement: income (sales)
.30, gross profit (contribution) .25, influence (links .15, referrals .10) and steadiness
(probability of staying) .20. Each criterion counts by the customer's place in the population, so
that money and counts can be added.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.segments.types.rules import place_in_population

__all__ = ["read_key_weights", "score_key_accounts", "weight_sensitivity"]


def read_key_weights():
    """Return the weights of the criteria as they are shipped.

    Returns
    -------
    pandas.Series, indexed by `criterion`, adding up to 1

    Examples
    --------
    >>> float(read_key_weights().sum())
    1.0
    """
    table = pd.read_csv(Path(__file__).with_name("key_weights.csv"))
    return table.set_index("criterion")["weight"]


def score_key_accounts(measures, weights, *, n_key, least_weight=0.5):
    """Return the key-account score of each customer, and who is a key account.

    Parameters
    ----------
    measures : pandas.DataFrame
        One row per customer, a column for each criterion, more being better; NaN where unknown.
    weights : pandas.Series
        By criterion, 0 or more; brought to a sum of 1. A criterion of which nothing is known of
        anybody, or the same of everybody, is left out, and the others take its weight; where no
        criterion tells the customers apart, all are equal.
    n_key : int
        How many key accounts the firm can look after.
    least_weight : float
        Weight of what is known of a customer for a score to be given; below it there is none.

    Returns
    -------
    pandas.DataFrame, index of `measures`
        `key_score` (0 to 1, weighted mean of the places in the population over what is known; NaN
        where too little is), `key_rank` (1 the highest, equals share the better rank) and
        `is_key`. Customers of equal score at the last place are all key accounts. `key_score`
        stands beside the places, under the names of the criteria.

    Raises
    ------
    ValueError
        If a weight is negative, none is above 0 for a criterion that is known, or `n_key` is not
        1 or more.

    Examples
    --------
    >>> import pandas as pd
    >>> measures = pd.DataFrame({"total_value": [9.0, 5.0, 1.0], "n_linked": [1.0, 2.0, 3.0]})
    >>> weights = pd.Series({"total_value": 3.0, "n_linked": 1.0})
    >>> score_key_accounts(measures, weights, n_key=1)["key_score"].round(2).tolist()
    [0.67, 0.5, 0.33]
    """
    places, weights = _places(measures, weights, n_key)
    score = _weighted(places.to_numpy(), weights.to_numpy()[None, :], least_weight)[:, 0]
    table = pd.DataFrame({"key_score": score}, index=measures.index)
    table["key_rank"] = table["key_score"].rank(ascending=False, method="min")
    table["is_key"] = table["key_rank"] <= n_key
    return table.join(places)


def weight_sensitivity(measures, weights, *, n_key, rng, spread=0.3, n_draws=200, least_weight=0.5):
    """Return in how many worlds of other weights each customer would be a key account.

    Each draw multiplies every weight by a random factor of its own, lognormal with `spread`, and
    brings the sum back to 1.

    Parameters
    ----------
    measures, weights, n_key, least_weight
        As for `score_key_accounts`.
    rng : numpy.random.Generator
        Drawn from.
    spread : float
        Standard deviation of the logarithm of a factor, 0 or more: 0.3 moves a weight by about a
        third either way.
    n_draws : int
        1 or more.

    Returns
    -------
    pandas.DataFrame, index of `measures`
        `key_share` (of the draws in which the customer is a key account), `best_rank` and
        `worst_rank`; NaN where there is no score.

    Examples
    --------
    >>> import pandas as pd
    >>> measures = pd.DataFrame({"total_value": [9.0, 5.0], "n_linked": [2.0, 1.0]})
    >>> weights = pd.Series({"total_value": 3.0, "n_linked": 1.0})
    >>> found = weight_sensitivity(measures, weights, n_key=1, rng=np.random.default_rng(1))
    >>> found["key_share"].tolist()
    [1.0, 0.0]
    """
    if spread < 0 or n_draws < 1:
        raise ValueError(f"spread is {spread!r} and n_draws {n_draws!r}; expected 0 and 1 or more")
    places, weights = _places(measures, weights, n_key)
    factors = np.exp(spread * rng.standard_normal((n_draws, len(weights))))
    drawn = weights.to_numpy() * factors
    drawn /= drawn.sum(axis=1, keepdims=True)
    scores = _weighted(places.to_numpy(), drawn, least_weight)
    ranks = pd.DataFrame(scores, index=measures.index).rank(ascending=False, method="min")
    is_scored = ranks.notna().all(axis=1)
    table = pd.DataFrame(
        {
            "key_share": (ranks <= n_key).mean(axis=1),
            "best_rank": ranks.min(axis=1),
            "worst_rank": ranks.max(axis=1),
        }
    )
    return table.where(is_scored)


def _places(measures, weights, n_key):
    """Return the places of the known criteria and their weights, with a sum of 1."""
    if not (isinstance(n_key, (int, np.integer)) and n_key >= 1):
        raise ValueError(f"n_key is {n_key!r}; expected a whole number, 1 or more")
    if not (weights >= 0).all():
        raise ValueError(f"weights: {weights.idxmin()} has {weights.min()}; expected 0 or more")
    known = [name for name in weights.index if name in measures and measures[name].notna().any()]
    span = measures[known].max() - measures[known].min()
    telling = [name for name in known if span[name] > 0 and weights[name] > 0]
    known = [name for name in known if name in telling or not telling]
    weights = weights[known].astype("float64")
    if not weights.sum() > 0:
        raise ValueError(
            "weights: no criterion with a weight above 0 is known of any customer; expected one"
        )
    places = pd.DataFrame(
        {name: place_in_population(measures[name]) for name in known}, index=measures.index
    )
    return places, weights / weights.sum()


def _weighted(places, weights, least_weight):
    """Return the weighted means of the known places, shape (n_customers, n_draws)."""
    is_known = ~np.isnan(places)
    known = is_known.astype("float64") @ weights.T
    total = np.where(is_known, places, 0.0) @ weights.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known >= least_weight, total / known, np.nan)
