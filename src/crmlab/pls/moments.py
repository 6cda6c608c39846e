"""Means and covariances of samples that are counts of the same respondents.

Who asks: the estimate (everyone counts once), resamples, training parts and groups. One matrix
product gives the moments of hundreds of samples.

The products that are summed are first put on a grid so fine that no digit is lost when they are
added (about 12 digits for hundreds of respondents, 9 for a million): the sums are then exact, and
the same to the last bit whatever the number of processors among which a library shares the work.
"""

from __future__ import annotations

import numpy as np

__all__ = ["counted_moments", "sample_moments"]

_ROWS_AT_ONCE = 20_000
_EXACT_BITS = 52


def counted_moments(columns, counts):
    """Return means and covariances (n - 1) of columns, one sample per row of counts.

    Parameters
    ----------
    columns : ndarray, shape (n_respondents, n_columns)
    counts : ndarray of int, shape (n_samples, n_respondents)
        How often each respondent stands in each sample.

    Returns
    -------
    means : ndarray, shape (n_samples, n_columns)
    covariances : ndarray, shape (n_samples, n_columns, n_columns)
    """
    n = counts.sum(axis=1).astype(float)
    width = columns.shape[1]
    rows, cols = np.triu_indices(width)
    columns = _on_grid(columns, n.max(), np.abs(columns).max())
    largest = np.abs(columns).max() ** 2
    first, second = np.zeros((len(counts), width)), np.zeros((len(counts), len(rows)))
    for start in range(0, len(columns), _ROWS_AT_ONCE):
        part = columns[start : start + _ROWS_AT_ONCE]
        times = counts[:, start : start + _ROWS_AT_ONCE].astype(float)
        first += times @ part
        second += times @ _on_grid(part[:, rows] * part[:, cols], n.max(), largest)
    means = first / n[:, None]
    second -= n[:, None] * means[:, rows] * means[:, cols]
    second /= n[:, None] - 1
    covariances = np.empty((len(counts), width, width))
    covariances[:, rows, cols] = second
    covariances[:, cols, rows] = second
    return means, covariances


def sample_moments(columns):
    """Return the means of columns and their covariances (n - 1)."""
    means, covariances = counted_moments(columns, np.ones((1, len(columns)), dtype=int))
    return means[0], covariances[0]


def _on_grid(values, n, largest):
    """Round values so that sums of n of them, none above the largest, are exact."""
    step = 2.0 ** (np.ceil(np.log2(n * largest)) + 1 - _EXACT_BITS)
    return np.rint(values / step) * step
