r"""Whom to ask in each group, and how to weight those who answered.

Who asks: whoever plans a survey of customers in groups (*strata*: regions, age bands) of unlike
size, and whoever reads one in which some groups answered more than others. A *design weight* is
the number of customers a respondent stands for, N_h / n_h; *raking* moves the weights until the
respondents have the population's shares on several variables at once (with one variable it is
*post-stratification*). Weights mend what they are made of, and nothing else; they cost precision,
which Kish's design effect counts:

.. math:: \mathit{deff} = \frac{n \sum w_i^2}{(\sum w_i)^2}

Sources: Neyman, J. (1934). On the two different aspects of the representative method. Journal of
the Royal Statistical Society 97(4), 558-625; Cochran, W. G. (1977). Sampling Techniques, 3rd ed.
New York: Wiley, chapters 5 and 5A; Kish, L. (1992). Weighting for unequal Pi. Journal of Official
Statistics 8(2), 183-200; Deville, J.-C., Särndal, C.-E. and Sautory, O. (1993). Generalized raking
procedures in survey sampling. Journal of the American Statistical Association 88, 1013-1020.
"""

import numpy as np
import pandas as pd

__all__ = [
    "allocate_sample",
    "check_nonresponse",
    "design_effect",
    "effective_sample_size",
    "rake_weights",
    "stratified_mean",
]

_MOST_ROUNDS = 500
_CLOSE = 1e-10


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
    _refuse_other_strata(kept["stratum"], sizes.index)
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


def rake_weights(respondents, margins, *, base=None):
    r"""Return weights under which the respondents have the population's shares.

    Of all weights that do, these are nearest to the base weights (least
    :math:`\sum w_i \ln(w_i/d_i)`).

    Parameters
    ----------
    respondents : pandas.DataFrame, one row per respondent
        A column for each variable of `margins`. A respondent whose value is missing keeps, for
        that variable, the weight it has.
    margins : mapping of str to (mapping or pandas.Series)
        For each variable the share, or the number, of the population in each category.
    base : array_like of float or None
        Design weights d_i, above 0; None for equal ones.

    Returns
    -------
    numpy.ndarray of float, shape (n_respondents,)
        Above 0, with mean 1.

    Raises
    ------
    ValueError
        If a category of the population has no respondent, a respondent has a category that the
        population lacks, or the margins cannot be met together.

    Examples
    --------
    >>> people = pd.DataFrame({"sex": ["f", "f", "f", "m"]})
    >>> rake_weights(people, {"sex": {"f": 0.5, "m": 0.5}}).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    weights = np.ones(len(respondents)) if base is None else _weights(base, len(respondents))
    weights = weights / weights.mean()
    targets = [_target(respondents, variable, margin) for variable, margin in margins.items()]
    for _ in range(_MOST_ROUNDS):
        largest = 0.0
        for codes, share in targets:
            is_known = codes >= 0
            held = np.bincount(codes[is_known], weights[is_known], minlength=len(share))
            factor = share * held.sum() / held
            weights = np.where(is_known, weights * factor[codes], weights)
            largest = max(largest, np.abs(factor - 1).max())
        if largest < _CLOSE:
            return weights / weights.mean()
    raise ValueError(
        f"the margins of {', '.join(margins)} are not met after {_MOST_ROUNDS} rounds (off by "
        f"{largest:.2g}); they contradict each other among these respondents. Merge categories."
    )


def design_effect(weights):
    """Return Kish's design effect of weighting: by how much unequal weights raise the variance.

    Parameters
    ----------
    weights : array_like of float, shape (n,)
        Above 0; their unit does not matter.

    Returns
    -------
    float
        1 for equal weights, up to n where one respondent carries everything.

    Raises
    ------
    ValueError
        If a weight is missing, infinite or not above 0.

    Examples
    --------
    >>> design_effect([1, 1, 1, 1]), design_effect([1, 3])
    (1.0, 1.25)
    """
    weights = _weights(weights, None)
    return float(len(weights) * (weights**2).sum() / weights.sum() ** 2)


def effective_sample_size(weights):
    """Return how many equally weighted respondents would be as precise: n / design effect.

    Examples
    --------
    >>> effective_sample_size([1, 3])
    1.6
    """
    weights = _weights(weights, None)
    return len(weights) / design_effect(weights)


def check_nonresponse(frame, has_answered, variables):
    """Return how those who answered differ from those who did not, on what is known of both.

    Parameters
    ----------
    frame : pandas.DataFrame, one row per customer asked
    has_answered : array_like of bool, shape (n_customers,)
    variables : sequence of str
        Columns of `frame`. Words are compared category by category, numbers by their mean.

    Returns
    -------
    pandas.DataFrame, one row per variable and category
        `variable`, `category` (empty for a number), `answered` and `not_answered` (share or
        mean, missing values left out), `standardized_difference` (in standard deviations,
        pooled) and `p_value` (of the variable as a whole: chi-squared test of independence, or
        Welch's test of the means; NaN where it cannot be tested). Many tests find something by
        chance: read the differences first.

    Raises
    ------
    ValueError
        If nobody, or everybody, answered, or a variable is not a column.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [20, 30, 40, 50], "region": ["n", "n", "s", "s"]})
    >>> checked = check_nonresponse(frame, [False, True, False, True], ["age"])
    >>> checked[["variable", "answered", "not_answered"]]
      variable  answered  not_answered
    0      age      40.0          30.0
    """
    answered = np.asarray(has_answered, dtype=bool)
    if answered.all() or not answered.any():
        raise ValueError(
            f"has_answered: {answered.sum()} of {len(answered)} answered; expected some who did "
            "and some who did not, for the two are compared"
        )
    absent = [name for name in variables if name not in frame.columns]
    if absent:
        raise ValueError(f"variables: {absent[0]!r} is not a column of the frame")
    rows = [row for name in variables for row in _compare(frame[name], answered)]
    columns = ["variable", "category", "answered", "not_answered", "standardized_difference"]
    return pd.DataFrame(rows, columns=[*columns, "p_value"])


def _compare(values, answered):
    from scipy import stats

    known, is_in = values[values.notna().to_numpy()], answered[values.notna().to_numpy()]
    if pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known):
        numbers = known.to_numpy(dtype=float)
        inside, outside = numbers[is_in], numbers[~is_in]
        p_value = np.nan
        if min(len(inside), len(outside)) > 1 and np.ptp(numbers) > 0:
            p_value = stats.ttest_ind(inside, outside, equal_var=False).pvalue
        yield _difference(values.name, None, inside, outside, p_value)
        return
    table = pd.crosstab(known.astype("str").to_numpy(), is_in)
    testable = table.shape[0] > 1 and table.shape[1] == 2
    p_value = stats.chi2_contingency(table, correction=False).pvalue if testable else np.nan
    for category in table.index:
        has_it = (known.astype("str") == category).to_numpy(dtype=float)
        yield _difference(values.name, category, has_it[is_in], has_it[~is_in], p_value)


def _difference(variable, category, inside, outside, p_value):
    means = [part.mean() if len(part) else np.nan for part in (inside, outside)]
    spread = np.sqrt(np.mean([part.var() if len(part) else np.nan for part in (inside, outside)]))
    difference = (means[0] - means[1]) / spread if spread > 0 else np.nan
    return (variable, category, *means, difference, p_value)


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


def _target(respondents, variable, margin):
    if variable not in respondents.columns:
        raise ValueError(f"margins: {variable!r} is not a column of the respondents")
    margin = pd.Series(margin, dtype="float64")
    margin = margin[margin > 0]
    values = respondents[variable]
    _refuse_other_strata(values.dropna(), margin.index, variable)
    codes = pd.Categorical(values, categories=margin.index).codes
    unheard = margin.index[~margin.index.isin(values.dropna())]
    if len(unheard):
        raise ValueError(
            f"{variable}: nobody of the category {unheard[0]!r} answered; expected at least one "
            "respondent for each category of the population. Merge categories."
        )
    return codes, (margin / margin.sum()).to_numpy()


def _refuse_other_strata(values, known, name="strata"):
    other = values[~values.isin(known).to_numpy()]
    if len(other):
        raise ValueError(
            f"{name}: {other.iloc[0]!r} of a respondent is no category of the population; expected "
            f"one of {', '.join(map(str, known))}"
        )


def _weights(weights, length):
    weights = np.asarray(weights, dtype=float)
    if weights.ndim != 1 or len(weights) == 0 or (length is not None and len(weights) != length):
        raise ValueError(f"weights have the shape {weights.shape}; expected one per respondent")
    bad = np.flatnonzero(~((weights > 0) & np.isfinite(weights)))
    if len(bad):
        raise ValueError(
            f"weights, respondent {bad[0] + 1}: {weights[bad[0]]:g}; expected a number above 0"
        )
    return weights
