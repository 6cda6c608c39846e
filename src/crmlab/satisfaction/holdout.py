"""Which measure foretells an outcome for respondents it has not seen.

Who asks: whoever has several measures of one thing, such as SERVQUAL and SERVPERF, and would keep
the one that says more about satisfaction or about later purchases.

Vocabulary. A *predictor* is one column or several that are judged together. Respondents are cut in
folds; a straight line fitted to the other folds foretells each of them. *Hold-out R²* is one minus
the squared error over that of foretelling everybody the others' mean: 0 says nothing, and below 0
is worse than that mean.

Source: Stone, M. (1974), Cross-validatory choice and assessment of statistical predictions, Journal
of the Royal Statistical Society B 36(2), 111–147.
"""

import numpy as np
import pandas as pd

from crmlab.satisfaction.intervals import percentile_ends, resample_means

__all__ = ["compare_predictors"]


def compare_predictors(
    predictors,
    outcome,
    *,
    baseline=None,
    n_folds=10,
    n_repeats=5,
    n_resamples=400,
    confidence=0.95,
    rng,
):
    """Return each predictor's hold-out R², with interval and lead over a baseline.

    Parameters
    ----------
    predictors : mapping of str to pandas.DataFrame or pandas.Series
        One row per respondent in each; NaN where there is no value.
    outcome : array_like of float, shape (n_respondents,)
        What is to be foretold; 0 and 1 for an event.
    baseline : str or None
        The predictor against which every other one is judged, on the same folds and resamples.
    n_folds, n_repeats : int
        Parts that the respondents are cut in, 2 or more, and how often that is done.
    n_resamples : int
        Bootstrap resamples of the respondents, at least 100.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.
    rng : numpy.random.Generator
        Source of the folds and the resamples.

    Returns
    -------
    pandas.DataFrame, one row per predictor, input order
        `measure`, `n_respondents`, `r_squared` (at most 1), `lower`, `upper`; with a baseline
        `advantage`, `advantage_lower`, `advantage_upper` (differences of R²).

    Raises
    ------
    ValueError
        If lengths differ, the outcome does not vary, or fewer respondents are complete than ten
        for each column of the widest predictor and two for each fold.

    Notes
    -----
    Only respondents who have the outcome and every predictor count, so that all are judged on the
    same people. The interval is about the respondents; the lines are not fitted again in it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = pd.Series(rng.normal(size=200))
    >>> table = compare_predictors({"x": x, "noise": pd.Series(rng.normal(size=200))}, 2 * x,
    ...                            rng=rng)
    >>> table["r_squared"].round(1).tolist()[0]
    1.0
    """
    names, blocks, y = _complete(predictors, outcome, baseline)
    n = len(y)
    widest = max(block.shape[1] for block in blocks)
    if n_folds < 2 or n < max(10 * widest, 2 * n_folds):
        raise ValueError(
            f"{n} respondents have the outcome and every predictor; expected at least "
            f"{max(10 * widest, 2 * n_folds)} for {n_folds} folds and {widest} columns"
        )
    if np.ptp(y) == 0:
        raise ValueError(f"the outcome is {y[0]:g} for every respondent; nothing is to be foretold")
    designs = [np.ones((n, 1)), *(np.column_stack([np.ones(n), block]) for block in blocks)]
    errors = np.zeros((n, len(designs)))
    for _ in range(n_repeats):
        fold = rng.permutation(np.arange(n) % n_folds)
        for k in range(n_folds):
            out = fold == k
            for column, design in enumerate(designs):
                fit = np.linalg.lstsq(design[~out], y[~out], rcond=None)[0]
                errors[out, column] += (y[out] - design[out] @ fit) ** 2 / n_repeats
    means = resample_means(pd.DataFrame(errors), n_resamples=n_resamples, rng=rng)
    point = 1 - errors[:, 1:].mean(axis=0) / errors[:, 0].mean()
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = 1 - means[:, 1:] / means[:, [0]]
    lower, upper = percentile_ends(drawn, confidence=confidence)
    table = pd.DataFrame(
        {"measure": names, "n_respondents": n, "r_squared": point, "lower": lower, "upper": upper}
    )
    if baseline is not None:
        at = names.index(baseline)
        ends = percentile_ends(drawn - drawn[:, [at]], confidence=confidence)
        table["advantage"] = point - point[at]
        table["advantage_lower"], table["advantage_upper"] = ends
    return table


def _complete(predictors, outcome, baseline):
    """Return names, columns and outcome of the respondents who have them all."""
    if not predictors:
        raise ValueError("predictors is empty; expected at least one measure")
    if baseline is not None and baseline not in predictors:
        raise ValueError(f"baseline {baseline!r} is not one of {', '.join(predictors)}")
    y = np.asarray(outcome, dtype=float)
    blocks = []
    for name, block in predictors.items():
        values = np.asarray(block, dtype=float).reshape(len(block), -1)
        if len(values) != len(y):
            raise ValueError(f"{name!r} has {len(values)} rows and the outcome {len(y)}")
        blocks.append(values)
    known = np.isfinite(y) & np.isfinite(np.hstack(blocks)).all(axis=1)
    return list(predictors), [block[known] for block in blocks], y[known]
