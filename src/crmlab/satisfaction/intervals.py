"""Intervals of what is averaged over respondents.

Who asks: every module here that shows a mean or a rank and must say how sure it is. A share gets
Wilson's interval (`crmlab.data.sampling`); a statistic of means gets the percentile bootstrap, in
which the respondents are drawn again with all their answers, so that answers of one person stay
together.

Source: Efron, B. & Tibshirani, R. J. (1993), An Introduction to the Bootstrap, Chapman & Hall.
"""

import numpy as np
import pandas as pd

__all__ = ["check_confidence", "percentile_ends", "resample_means"]

_CHUNK = 4_000_000  # weights held at once while resampling


def resample_means(scores, *, n_resamples, rng):
    """Return the column means of bootstrap resamples of the respondents.

    Parameters
    ----------
    scores : pandas.DataFrame, one row per respondent
        NaN where there is no answer; a mean is taken over the answers that a resample holds.
    n_resamples : int
        At least 100.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    numpy.ndarray of float, shape (n_resamples, n_columns)
        NaN where a resample holds no answer to a column.

    Raises
    ------
    ValueError
        If there are fewer than 100 resamples or no respondent.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [1.0, 3.0], "b": [2.0, 2.0]})
    >>> means = resample_means(scores, n_resamples=100, rng=np.random.default_rng(0))
    >>> means.shape, sorted(set(means[:, 0].tolist())), set(means[:, 1].tolist())
    ((100, 2), [1.0, 2.0, 3.0], {2.0})
    """
    if n_resamples < 100:
        raise ValueError(f"n_resamples is {n_resamples}; expected at least 100 for an interval")
    n = len(scores)
    if n == 0:
        raise ValueError("there is no respondent to draw again; expected at least 1 row of scores")
    values = scores.to_numpy(dtype=float)
    is_known = np.isfinite(values)
    both = np.hstack([np.where(is_known, values, 0.0), is_known.astype(float)])
    sums = []
    step = max(1, _CHUNK // n)
    for start in range(0, n_resamples, step):
        drawn = rng.integers(0, n, size=(min(step, n_resamples - start), n))
        drawn += n * np.arange(len(drawn))[:, None]
        weights = np.bincount(drawn.ravel(), minlength=len(drawn) * n).reshape(len(drawn), n)
        sums.append(weights.astype(float) @ both)
    total, count = np.split(np.concatenate(sums), 2, axis=1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def percentile_ends(resampled, *, confidence=0.95):
    """Return the lower and the upper percentile of each column, over the resamples that have one.

    Parameters
    ----------
    resampled : numpy.ndarray of float, shape (n_resamples, n_columns)
        NaN where a resample has no value.
    confidence : float
        Probability that the interval is to cover, between 0 and 1.

    Returns
    -------
    lower, upper : numpy.ndarray of float, shape (n_columns,)
        NaN for a column without any value.

    Examples
    --------
    >>> percentile_ends(np.arange(101.0)[:, None], confidence=0.9)
    (array([5.]), array([95.]))
    """
    check_confidence(confidence)
    frame = pd.DataFrame(resampled)
    tails = frame.quantile([(1 - confidence) / 2, (1 + confidence) / 2]).to_numpy()
    return tails[0], tails[1]


def check_confidence(confidence):
    """Refuse a confidence that is no probability strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; expected a probability between 0 and 1")
