r"""Whom to ask in each group, and what the answers of all groups say together.

Who asks: whoever plans a survey of customers in groups (*strata*: regions, age bands) of unlike
size, and whoever reads one in which the groups were asked in unlike shares. A *design weight* is
the number of customers a respondent stands for, N_h / n_h.

Sources: Neyman, J. (1934). On the two different aspects of the representative method. Journal of
the Royal Statistical Society 97(4), 558-625; Cochran, W. G. (1977). Sampling Techniques, 3rd ed.
New York: Wiley, chapters 5 and 5A.
"""

import numpy as np
import pandas as pd

from crmlab.data.weighting import refuse_other_categories

__all__ = ["allocate_sample", "compare_allocations", "stratified_mean"]


def allocate_sample(strata, n_respondents, *, method="proportional"):
    r"""Return how many to ask in each stratum, and the standard error of the mean that follows.

    Parameters
    ----------
    strata : pandas.DataFrame, one row per stratum
        `n_customers` (N_h, 1 or more) and, except for a plan without standard error,
        `standard_deviation` (S_h of the score to be measured, 0 or more).
    n_respondents : int
        Respondents n in all: at least one per stratum, at most every customer.
    method : {"proportional", "neyman", "equal"}
        Alike share of every stratum; the shares :math:`N_h S_h` that make the standard error
        smallest (Neyman 1934); or the same number in each.

    Returns
    -------
    pandas.DataFrame, the rows and columns of `strata`
        With `n_exact` (before rounding), `n_respondents` (whole numbers that add up to n, at
        least 1 and at most N_h each), `design_weight` (N_h / n_h, customers per respondent) and
        `variance_share` (the stratum's part of the variance of the mean,
        :math:`(N_h/N)^2 (1-n_h/N_h) S_h^2/n_h`; absent without `standard_deviation`). The
        standard error of the mean is the root of its sum.

    Raises
    ------
    ValueError
        If a stratum is empty, the method is unknown or needs a column that is missing, or the
        number of respondents does not fit.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed. New York: Wiley, sections 5.3 to 5.5.

    Examples
    --------
    >>> strata = pd.DataFrame({"n_customers": [800, 200], "standard_deviation": [1.0, 4.0]})
    >>> allocate_sample(strata, 100)["n_respondents"].tolist()
    [80, 20]
    >>> allocate_sample(strata, 100, method="neyman")["n_respondents"].tolist()
    [50, 50]
    """
    sizes = _sizes(strata)
    spread = strata.get("standard_deviation")
    if spread is not None and not (spread >= 0).all():
        raise ValueError("standard_deviation: expected a number, 0 or more, in every stratum")
    if not (len(sizes) <= n_respondents <= sizes.sum()) or n_respondents != int(n_respondents):
        raise ValueError(
            f"n_respondents is {n_respondents}; expected a whole number from {len(sizes)} (one per "
            f"stratum) to {sizes.sum():g} (everyone)"
        )
    exact = _spread_over(_importance(sizes, spread, method), sizes, n_respondents)
    n = _whole_numbers(exact, sizes, int(n_respondents))
    plan = strata.assign(n_exact=exact, n_respondents=n, design_weight=sizes / n)
    if spread is not None:
        plan["variance_share"] = (sizes / sizes.sum()) ** 2 * (1 - n / sizes) * spread**2 / n
    return plan


def compare_allocations(strata, n_respondents):
    """Return whom proportional and Neyman's allocation ask, and how sure each makes the mean.

    Parameters
    ----------
    strata : pandas.DataFrame, one row per stratum
        `n_customers` and `standard_deviation`, as in `allocate_sample`.
    n_respondents : int

    Returns
    -------
    plans : pandas.DataFrame
        `strata` with `n_proportional` and `n_neyman`, the respondents of each stratum.
    errors : dict of str to float
        Standard error of the mean under "proportional" and "neyman", in the unit of the score.

    Raises
    ------
    ValueError
        As `allocate_sample`.

    Examples
    --------
    >>> strata = pd.DataFrame({"n_customers": [800, 200], "standard_deviation": [1.0, 4.0]})
    >>> plans, errors = compare_allocations(strata, 100)
    >>> plans["n_neyman"].tolist(), errors["neyman"] < errors["proportional"]
    ([50, 50], True)
    """
    plans, errors = strata, {}
    for method in ("proportional", "neyman"):
        plan = allocate_sample(strata, n_respondents, method=method)
        plans = plans.assign(**{f"n_{method}": plan["n_respondents"]})
        errors[method] = float(np.sqrt(plan["variance_share"].sum()))
    return plans, errors


def stratified_mean(scores, strata, sizes):
    """Return the mean of a stratified sample, and its standard error.

    Parameters
    ----------
    scores : array_like of float, shape (n_respondents,)
        NaN where a question was not answered: counted out.
    strata : array_like, shape (n_respondents,)
        Stratum of each respondent; a missing one is counted out with the score.
    sizes : mapping or pandas.Series
        Customers N_h of each stratum.

    Returns
    -------
    dict
        `mean` (each stratum's mean by its share of the customers), `standard_error` (NaN where a
        stratum has a single answer), `unweighted_mean`, `n_answers`, `n_left_out`.

    Raises
    ------
    ValueError
        If a stratum with customers has no answer: nothing speaks for it; merge it with another.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed. New York: Wiley, theorem 5.3.

    Examples
    --------
    >>> found = stratified_mean([1, 3, 10, 10], ["a", "a", "b", "b"], {"a": 900, "b": 100})
    >>> found["mean"], found["unweighted_mean"]
    (2.8, 6.0)
    """
    sizes = pd.Series(sizes, dtype="float64")
    answers = pd.DataFrame({"score": np.asarray(scores, float), "stratum": pd.Series(list(strata))})
    kept = answers.dropna()
    groups = kept.groupby("stratum")["score"].agg(["size", "mean", "var"]).reindex(sizes.index)
    refuse_other_categories(kept["stratum"], sizes.index, "strata")
    empty = groups.index[groups["size"].isna() & (sizes > 0)]
    if len(empty):
        raise ValueError(
            f"stratum {empty[0]!r} has {sizes[empty[0]]:g} customers and no answer; expected at "
            "least one. Merge it with a stratum like it."
        )
    share = sizes / sizes.sum()
    variance = share**2 * (1 - groups["size"] / sizes) * groups["var"] / groups["size"]
    # A stratum asked in full adds no error, even where one customer is all there is.
    variance = variance.mask(groups["size"] == sizes, 0.0)
    return {
        "mean": float((share * groups["mean"]).sum()),
        "standard_error": float(np.sqrt(variance.sum(skipna=False))),
        "unweighted_mean": float(kept["score"].mean()),
        "n_answers": len(kept),
        "n_left_out": len(answers) - len(kept),
    }


def _sizes(strata):
    sizes = strata["n_customers"].astype("float64")
    bad = np.flatnonzero(~(sizes >= 1).to_numpy())
    if len(bad):
        raise ValueError(
            f"n_customers, row {bad[0] + 1}: {sizes.iloc[bad[0]]:g} customers; expected 1 or more. "
            "Leave an empty stratum out."
        )
    return sizes


def _importance(sizes, spread, method):
    if method not in ("proportional", "neyman", "equal"):
        raise ValueError(f"method is {method!r}; expected 'proportional', 'neyman' or 'equal'")
    if method == "neyman":
        if spread is None or not spread.sum() > 0:
            raise ValueError(
                "method 'neyman' needs the column standard_deviation with a value above 0; "
                "expected one from an earlier survey. Without it, allocate in proportion."
            )
        return sizes * spread
    return sizes if method == "proportional" else pd.Series(1.0, index=sizes.index)


def _spread_over(importance, sizes, n):
    """Return n shared out by importance; a stratum asked in full passes its rest to the others."""
    exact = pd.Series(0.0, index=sizes.index)
    is_full = pd.Series(False, index=sizes.index)
    while not is_full.all():
        rest = importance[~is_full]
        # Where only strata of no spread are left, their size decides.
        rest = rest if rest.sum() > 0 else sizes[~is_full]
        exact[~is_full] = (n - sizes[is_full].sum()) * rest / rest.sum()
        over = (exact > sizes) & ~is_full
        if not over.any():
            break
        is_full |= over
        exact[is_full] = sizes[is_full]
    return exact


def _whole_numbers(exact, sizes, n):
    """Return whole numbers that add up to n: rounded down, at least 1, the rest to the largest."""
    whole = np.maximum(np.floor(exact + 1e-9), 1)
    while whole.sum() < n:
        whole[(exact - whole).where(whole < sizes, -np.inf).idxmax()] += 1
    while whole.sum() > n:
        whole[(whole - exact).where(whole > 1, -np.inf).idxmax()] -= 1
    return whole.astype("int64")
