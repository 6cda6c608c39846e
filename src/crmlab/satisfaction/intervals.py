"""Intervals of what is counted or averaged over respondents.

Who asks: every module here that shows a share, a mean or a rank and must say how sure it is. A
share gets Wilson's interval; a statistic of means gets the percentile bootstrap, in which the
respondents are drawn again with all their answers, so that answers of one person stay together.

Sources: Wilson, E. B. (1927), Probable inference, the law of succession, and statistical
inference, Journal of the American Statistical Association 22(158), 209–212,
doi:10.1080/01621459.1927.10502953; Efron, B. & Tibshirani, R. J. (1993), An Introduction to the
Bootstrap, Chapman & Hall.
"""

import numpy as np
import pandas as pd
from scipy.special import ndtri

__all__ = ["check_confidence", "percentile_ends", "resample_means", "wilson_interval"]

_CHUNK = 4_000_000  # weights held at once while resampling


def wilson_interval(n_hits, n, *, confidence=0.95):
    """Return share, lower and upper end of a share's Wilson interval.

    Parameters
    ----------
    n_hits, n : array_like of float
        How many of how many; `n_hits` from 0 to `n`.
    confidence : float
        Probability that the interval is to cover, between 0 and 1.

    Returns
    -------
    share, lower, upper : numpy.ndarray of float, 0 to 1
        NaN where `n` is 0.

    Raises
    ------
    ValueError
        If a count is negative or above `n`, or the confidence is no probability.

    Examples
    --------
    >>> [round(float(end), 4) for end in wilson_interval(5, 10)]
    [0.5, 0.2366, 0.7634]
    """
    check_confidence(confidence)
    hits, n = np.broadcast_arrays(np.asarray(n_hits, dtype=float), np.asarray(n, dtype=float))
    if (hits < 0).any() or (hits > n).any():
        raise ValueError("n_hits must lie between 0 and n in every place")
    z = ndtri((1 + confidence) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At a share of 0 or 1 the end is that share exactly; rounding may miss it by one bit.
    lower = np.clip(np.minimum(centre - half, share), 0.0, 1.0)
    return share, lower, np.clip(np.maximum(centre + half, share), 0.0, 1.0)


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
