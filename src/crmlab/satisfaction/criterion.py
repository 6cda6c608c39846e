"""Find the measure that goes best with a criterion, and whether chance would do as well.

Who asks: whoever has the ratio, the difference and the plain perception of the same customers and
must choose one of them, or wants to know whether the choice matters.

Vocabulary. A *measure* is a column to be judged, the *criterion* what it should go with (stated
satisfaction, orders to come). The interval is a percentile bootstrap over customers; the *chance
bound* is the size of correlation that shuffled answers reach in one case of twenty.

Source: Efron, B. & Tibshirani, R. J. (1993), An Introduction to the Bootstrap, Chapman & Hall.
"""

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say

__all__ = ["criterion_correlations"]

_CHUNK = 2_000_000  # numbers held at once while resampling


def criterion_correlations(
    measures, criterion, *, baseline=None, n_resamples=400, confidence=0.95, rng
):
    """Return each measure's rank correlation with a criterion, with interval and chance bound.

    Parameters
    ----------
    measures : pandas.DataFrame, one row per customer
        The measures to be compared, in columns.
    criterion : array_like of float, shape (n_customers,)
        What the measures should go with.
    baseline : str or None
        A column of `measures` against which every other one is judged, on the same resamples.
    n_resamples : int
        Bootstrap resamples, and shuffles for the chance bound; at least 100.
    confidence : float
        Probability that the interval is to cover, between 0 and 1.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame, one row per measure, input order
        `measure`; `n_customers` used; `correlation` (Spearman's, −1 to 1), `lower`, `upper`;
        `chance_bound` (the `confidence` quantile of the absolute correlation with a shuffled
        criterion); and, with a baseline, `advantage` (its absolute correlation less the
        baseline's), `advantage_lower`, `advantage_upper`. NaN where a measure does not vary.

    Raises
    ------
    ValueError
        If lengths differ, fewer than 3 customers are complete, or an argument is out of range.

    Notes
    -----
    Customers with a missing value in the criterion or in any measure are left out of all
    comparisons, so that every correlation speaks of the same customers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> b = rng.normal(size=200)
    >>> table = criterion_correlations(
    ...     pd.DataFrame({"b": b, "noise": rng.normal(size=200)}), b**3, rng=rng)
    >>> bool(table["correlation"].iloc[0] > 0.999), bool(abs(table["correlation"].iloc[1]) < 0.3)
    (True, True)
    """
    if not isinstance(measures, pd.DataFrame) or measures.shape[1] == 0:
        raise ValueError("measures must be a pandas.DataFrame with one column per measure")
    if n_resamples < 100:
        raise ValueError(f"n_resamples is {n_resamples}; expected at least 100 for an interval")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; expected a probability between 0 and 1")
    if baseline is not None and baseline not in measures.columns:
        raise ValueError(
            f"baseline {baseline!r} is not one of the measures {', '.join(map(str, measures))}"
        )
    y = np.asarray(criterion, dtype=float)
    if y.shape != (len(measures),):
        raise ValueError(
            f"criterion has shape {y.shape}; expected one number for each of the "
            f"{len(measures)} rows of measures"
        )
    x = measures.to_numpy(dtype=float)
    complete = np.isfinite(x).all(axis=1) & np.isfinite(y)
    n = int(complete.sum())
    if n < 3:
        raise ValueError(say("satisfaction_criterion_few", n=n))
    data = np.column_stack([y, x])[complete]
    point = _rank_correlations(data[None])[0]
    resampled, shuffled = [], []
    step = max(1, _CHUNK // data.size)
    for start in range(0, n_resamples, step):
        k = min(step, n_resamples - start)
        resampled.append(_rank_correlations(data[rng.integers(0, n, size=(k, n))]))
        permuted = np.repeat(data[None], k, axis=0)
        permuted[:, :, 0] = rng.permuted(permuted[:, :, 0], axis=1)
        shuffled.append(_rank_correlations(permuted))
    resampled, shuffled = np.concatenate(resampled), np.concatenate(shuffled)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    lower, upper = _quantiles(resampled, tails)
    table = pd.DataFrame(
        {
            "measure": [str(name) for name in measures.columns],
            "n_customers": n,
            "correlation": point,
            "lower": lower,
            "upper": upper,
            "chance_bound": _quantiles(np.abs(shuffled), [confidence])[0],
        }
    )
    if baseline is not None:
        at = list(measures.columns).index(baseline)
        advantage = np.abs(resampled) - np.abs(resampled[:, [at]])
        table["advantage"] = np.abs(point) - np.abs(point[at])
        table["advantage_lower"], table["advantage_upper"] = _quantiles(advantage, tails)
    return table


def _rank_correlations(samples):
    """Return Spearman's correlation of column 0 with the others, for each sample of a stack."""
    # scipy.stats takes a second to import; nothing else here needs it.
    from scipy.stats import rankdata

    ranks = rankdata(samples, axis=1)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    y, x = ranks[:, :, :1], ranks[:, :, 1:]
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    product = (x * y).sum(axis=1)
    return np.divide(product, spread, out=np.full(product.shape, np.nan), where=spread > 0)


def _quantiles(values, probabilities):
    """Return quantiles by column over the resamples that have a correlation."""
    result = np.full((len(probabilities), values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        known = values[~np.isnan(values[:, column]), column]
        if known.size:
            result[:, column] = np.quantile(known, probabilities)
    return result
