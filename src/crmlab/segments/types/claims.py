"""Is one kind of customer more profitable than another? A claim, and how it is put to the test.

Who asks: whoever has read that relational customers are the profitable ones and is about to spend
money on it. Reinartz and Kumar found long-lived customers of a mail-order firm not to be more
profitable as such (2000, On the profitability of long-life customers in a noncontractual setting,
Journal of Marketing 64(4), 17-35, doi:10.1509/jmkg.64.4.17.18077). The difference of means is
given with Welch's interval (unequal variances) and a permutation test, which needs no normal
distribution; where a few customers hold most of the profit, the probability that one of the first
kind brings more than one of the other says what is usual.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["compare_all", "compare_profit", "judge_claim"]


def compare_profit(profit, label, first, other, *, seed, n_permutations=999, confidence=0.95):
    """Return by how much one type is more profitable than another, and how sure that is.

    Parameters
    ----------
    profit : pandas.Series of float
        Money per customer; customers without a known profit are left out and counted.
    label : pandas.Series
        Type of each customer, index of `profit`.
    first, other : str
        The two types; all other customers are left out.
    seed : int
        Of the permutations.
    n_permutations : int
        1 or more.
    confidence : float
        Of the interval, between 0 and 1.

    Returns
    -------
    pandas.Series
        `n_first`, `n_other`, `n_left_out` (of the two types, profit unknown), `mean_first`,
        `mean_other`, `difference` with `lower` and `upper` (Welch), `standardized_difference`
        (Cohen's d, pooled; NaN where nobody differs), `permutation_p_value` (two-sided, at least
        1 / (n_permutations + 1)), `superiority` (probability that one of the first kind brings
        more than one of the other, ties counted half).

    Raises
    ------
    ValueError
        If either type has fewer than two customers of known profit.

    Examples
    --------
    >>> import pandas as pd
    >>> profit, label = pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series(list("aabb"))
    >>> compare_profit(profit, label, "b", "a", seed=1)[["difference", "superiority"]].tolist()
    [2.0, 1.0]
    """
    from scipy import stats

    chosen = label.isin([first, other])
    known = chosen & profit.notna()
    one = profit[known & (label == first)].to_numpy(dtype="float64")
    two = profit[known & (label == other)].to_numpy(dtype="float64")
    if min(len(one), len(two)) < 2:
        raise ValueError(
            f"{first} has {len(one)} and {other} {len(two)} customers of known profit; expected "
            "two or more of each, or there is nothing to compare"
        )
    difference = one.mean() - two.mean()
    variances = one.var(ddof=1) / len(one), two.var(ddof=1) / len(two)
    if sum(variances) > 0:
        test = stats.ttest_ind(one, two, equal_var=False)
        lower, upper = test.confidence_interval(confidence)
    else:
        lower = upper = difference
    pooled = np.sqrt(
        (one.var(ddof=1) * (len(one) - 1) + two.var(ddof=1) * (len(two) - 1))
        / (len(one) + len(two) - 2)
    )
    ranks = stats.rankdata(np.concatenate([one, two]))[: len(one)].sum()
    superiority = (ranks - len(one) * (len(one) + 1) / 2) / (len(one) * len(two))
    return pd.Series(
        {
            "n_first": len(one),
            "n_other": len(two),
            "n_left_out": int((chosen & profit.isna()).sum()),
            "mean_first": one.mean(),
            "mean_other": two.mean(),
            "difference": difference,
            "lower": lower,
            "upper": upper,
            "standardized_difference": difference / pooled if pooled > 0 else np.nan,
            "permutation_p_value": _permutation_p(one, two, seed, n_permutations),
            "superiority": superiority,
        }
    )


def compare_all(trials, first, other, *, seed, n_permutations=999, confidence=0.95):
    """Return `compare_profit` for each of several trials, and why some cannot be made.

    Parameters
    ----------
    trials : mapping of str to (pandas.Series, pandas.Series)
        Profit and label of each trial, with one index.
    first, other, seed, n_permutations, confidence
        As for `compare_profit`.

    Returns
    -------
    tested : pandas.DataFrame
        A row for each trial that can be made, with the entries of `compare_profit`.
    refusals : dict of str to str
        By trial, why it cannot be.

    Examples
    --------
    >>> import pandas as pd
    >>> profit, label = pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series(list("aabb"))
    >>> tested, refusals = compare_all({"now": (profit, label)}, "b", "c", seed=1)
    >>> len(tested), refusals["now"][:44]
    (0, 'b has 2 and c 0 customers of known profit; e')
    """
    tested, refusals = {}, {}
    how = {"seed": seed, "n_permutations": n_permutations, "confidence": confidence}
    for name, (profit, label) in trials.items():
        try:
            tested[name] = compare_profit(profit, label, first, other, **how)
        except ValueError as refusal:
            refusals[name] = str(refusal)
    return pd.DataFrame(tested).T, refusals


def judge_claim(tested, trial, *, level=0.05):
    """Return what a trial says of the claim that the first kind brings more.

    Parameters
    ----------
    tested : pandas.DataFrame
        From `compare_all`.
    trial : str
        Row to go by.
    level : float
        Permutation p value below which a difference counts, if the interval agrees.

    Returns
    -------
    str
        "more" or "less" where interval and permutations both speak for a difference, "open" where
        not both do, "untested" where the trial could not be made.

    Examples
    --------
    >>> import pandas as pd
    >>> tested = pd.DataFrame(
    ...     {"lower": [1.0, -1.0], "upper": 3.0, "permutation_p_value": 0.01}, index=["a", "b"])
    >>> [judge_claim(tested, trial) for trial in ("a", "b", "c")]
    ['more', 'open', 'untested']
    """
    if trial not in tested.index:
        return "untested"
    lower, upper, p_value = tested.loc[trial, ["lower", "upper", "permutation_p_value"]]
    if p_value >= level or lower <= 0 <= upper:
        return "open"
    return "more" if lower > 0 else "less"


def _permutation_p(one, two, seed, n_permutations):
    """Return how often a division at random differs at least as much."""
    rng = np.random.default_rng(seed)
    both = np.concatenate([one, two])
    observed = abs(one.mean() - two.mean())
    n, total = len(one), both.sum()
    sums = np.array([rng.permutation(both)[:n].sum() for _ in range(n_permutations)])
    found = np.abs(sums / n - (total - sums) / len(two))
    # Sums of the same numbers in another order differ by rounding alone.
    n_as_far = (found >= observed - 1e-9 * max(observed, np.abs(both).max())).sum()
    return (1 + n_as_far) / (1 + n_permutations)
