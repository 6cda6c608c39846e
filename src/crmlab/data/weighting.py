r"""How to weight those who answered a survey, and what it costs.

Who asks: whoever reads a survey in which some groups of customers answered more than others.
*Raking* moves the weights until the respondents have the population's shares on several variables
at once (with one variable it is *post-stratification*). Weights mend what they are made of, and
nothing else; they cost precision, which Kish's design effect counts:

.. math:: \mathit{deff} = \frac{n \sum w_i^2}{(\sum w_i)^2}

Sources: Kish, L. (1992). Weighting for unequal Pi. Journal of Official Statistics 8(2), 183-200;
Deville, J.-C., Särndal, C.-E. and Sautory, O. (1993). Generalized raking procedures in survey
sampling. Journal of the American Statistical Association 88, 1013-1020.
"""

import numpy as np
import pandas as pd

__all__ = [
    "check_nonresponse",
    "design_effect",
    "effective_sample_size",
    "rake_weights",
    "refuse_other_categories",
]

_MOST_ROUNDS = 500
_CLOSE = 1e-10


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


def refuse_other_categories(values, known, name):
    """Refuse respondents of a category that the population does not have.

    Parameters
    ----------
    values : pandas.Series
        Category of each respondent, none missing.
    known : pandas.Index
        Categories of the population.
    name : str
        How the message names the variable.

    Raises
    ------
    ValueError
        If a value is none of the categories.

    Examples
    --------
    >>> refuse_other_categories(pd.Series(["n", "x"]), pd.Index(["n", "s"]), "region")
    Traceback (most recent call last):
        ...
    ValueError: region: 'x' of a respondent is no category of the population; expected one of n, s
    """
    other = values[~values.isin(known).to_numpy()]
    if len(other):
        raise ValueError(
            f"{name}: {other.iloc[0]!r} of a respondent is no category of the population; expected "
            f"one of {', '.join(map(str, known))}"
        )


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


def _target(respondents, variable, margin):
    if variable not in respondents.columns:
        raise ValueError(f"margins: {variable!r} is not a column of the respondents")
    margin = pd.Series(margin, dtype="float64")
    margin = margin[margin > 0]
    values = respondents[variable]
    refuse_other_categories(values.dropna(), margin.index, variable)
    codes = pd.Categorical(values, categories=margin.index).codes
    unheard = margin.index[~margin.index.isin(values.dropna())]
    if len(unheard):
        raise ValueError(
            f"{variable}: nobody of the category {unheard[0]!r} answered; expected at least one "
            "respondent for each category of the population. Merge categories."
        )
    return codes, (margin / margin.sum()).to_numpy()


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
