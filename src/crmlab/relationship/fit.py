"""Which type of relationship fits, and whether fitting pays: no type is better than another.

Who asks: whoever is told that partnership is the goal. A closer type costs more and pays only
where both sides matter to each other, neither can dictate, and leaving would cost a lot
(transaction-cost economics; P. Kraljic 1983, Purchasing must become supply management, Harvard
Business Review 61(5), 109-117). So the recommendation follows from those conditions, and the test
is whether accounts that fit return more than those that do not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.relationship.dependence import dependence_asymmetry
from crmlab.relationship.types import CANNOT_TELL, TYPES

__all__ = ["FITS", "compare_fit", "recommend_types"]

FITS = ("looser than fits", "as fits", "closer than fits")
"""How an account's type stands to the one that fits."""


def recommend_types(
    accounts, switching_cost, *, least_importance=0.5, tolerance=1 / 6, least_switching=50.0
):
    """Return the type that fits each account by three conditions.

    No mutual importance: *transactional*. Importance, but unequal power or low switching costs:
    *preferred supplier*. All three: *partnership*; with goals as alike as the two upper points of
    their scale, *alliance*.

    Parameters
    ----------
    accounts : pandas.DataFrame, one row per account
        `buyer_dependence`, `supplier_dependence`, `goal_congruence`, from 1 to 7.
    switching_cost : pandas.Series
        Index from 0 to 100, same index, such as `switching_cost_from_terms` gives.
    least_importance : float
        Dependence of each side, from 0 to 1, from which on the other is important to it.
    tolerance : float
        Asymmetry up to which power is balanced.
    least_switching : float
        Switching costs that count as high.

    Returns
    -------
    pandas.DataFrame, same index
        `is_important`, `is_balanced`, `is_binding`, and `recommended_type`: one of the four, or
        "cannot tell" where a number is missing.

    Examples
    --------
    >>> accounts = pd.DataFrame({"buyer_dependence": [2.0, 5.0], "supplier_dependence": [2.0, 5.0],
    ...     "goal_congruence": [3.0, 5.0]})
    >>> recommend_types(accounts, pd.Series([90.0, 90.0]))["recommended_type"].tolist()
    ['transactional', 'partnership']
    """
    needed = ("buyer_dependence", "supplier_dependence", "goal_congruence")
    missing = [name for name in needed if name not in accounts]
    if missing:
        raise ValueError(f"accounts: no column {', '.join(missing)}")
    buyer, supplier, goals = (accounts[name].astype("float64") for name in needed)
    both = dependence_asymmetry(buyer, supplier, tolerance=tolerance)
    least = 1 + 6 * least_importance
    important = (buyer >= least) & (supplier >= least)
    balanced = both["position"] == "balanced"
    binding = switching_cost >= least_switching
    is_open = pd.concat([buyer, supplier, goals, switching_cost], axis=1).isna().any(axis=1)
    label = np.select(
        [is_open, ~important, ~(balanced & binding), goals >= 6],
        [CANNOT_TELL, TYPES[0], TYPES[1], TYPES[3]],
        default=TYPES[2],
    )
    return pd.DataFrame(
        {
            "is_important": important,
            "is_balanced": balanced,
            "is_binding": binding,
            "recommended_type": pd.Categorical(
                label, categories=[*TYPES, CANNOT_TELL], ordered=True
            ),
        },
        index=accounts.index,
    )


def compare_fit(actual, recommended, net_return, *, seed, n_permutations=499):
    """Return what accounts return that are looser than, as, or closer than what fits them.

    Parameters
    ----------
    actual, recommended : pandas.Series
        Types of the accounts; those "cannot tell" are left out.
    net_return : pandas.Series
        Money a year, same index; NaN is left out.
    seed : int
        Seed of the permutations.
    n_permutations : int
        Times that the recommendations are dealt out anew among accounts of one actual type.

    Returns
    -------
    table : pandas.DataFrame, one row for each of `FITS`
        `fit`, `n_accounts`, `median_net_return` (NaN without accounts), `share_negative_return`.
    test : dict of str to float
        `difference`: median net return rank (0 to 1) within the actual type of accounts that fit,
        less that of the others; `p_value`: share of permutations, the data included, in which it
        is at least as far from 0, on either side. Ranks within the type, since closer types deal
        in larger sums: fit is asked about, not closeness. NaN where no type has both accounts
        that fit and others.

    Examples
    --------
    >>> actual = pd.Series(["partnership"] * 6)
    >>> fitting = pd.Series(["partnership"] * 3 + ["transactional"] * 3)
    >>> table, test = compare_fit(actual, fitting, pd.Series([9.0, 8, 7, 3, 2, 1]), seed=1)
    >>> table["n_accounts"].tolist(), round(test["difference"], 2)
    ([0, 3, 3], 0.5)
    """
    places = {name: place for place, name in enumerate(TYPES)}
    frame = pd.DataFrame(
        {
            "actual": actual.astype("object").map(places),
            "fitting": recommended.astype("object").map(places),
            "net_return": net_return.astype("float64"),
        }
    ).dropna()
    distance = np.sign(frame["actual"] - frame["fitting"])
    rows = []
    for fit, sign in zip(FITS, (-1, 0, 1), strict=True):
        chosen = frame.loc[distance == sign, "net_return"]
        rows.append(
            {
                "fit": fit,
                "n_accounts": len(chosen),
                "median_net_return": chosen.median() if len(chosen) else np.nan,
                "share_negative_return": (chosen < 0).mean() if len(chosen) else np.nan,
            }
        )
    table = pd.DataFrame(rows)
    test = {"difference": np.nan, "p_value": np.nan}
    fits = (distance == 0).groupby(frame["actual"])
    is_mixed = fits.transform(lambda column: 0 < column.mean() < 1).astype(bool)
    frame, is_fit = frame[is_mixed], (distance == 0)[is_mixed].to_numpy()
    if frame.empty:
        return table, test
    rank = frame.groupby("actual")["net_return"].rank(pct=True).to_numpy()
    groups = [np.flatnonzero(frame["actual"] == name) for name in frame["actual"].unique()]
    rng = np.random.default_rng(seed)
    observed = _lead(rank, is_fit)
    at_least = 1
    for _ in range(n_permutations):
        shuffled = is_fit.copy()
        for group in groups:
            shuffled[group] = rng.permutation(is_fit[group])
        at_least += abs(_lead(rank, shuffled)) >= abs(observed) - 1e-12
    return table, {"difference": observed, "p_value": at_least / (1 + n_permutations)}


def _lead(rank, is_fit):
    return float(np.median(rank[is_fit]) - np.median(rank[~is_fit]))
