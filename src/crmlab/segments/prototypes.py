"""Segments of mixed columns by k-prototypes: numbers and words in one distance.

Who asks: whoever knows of each customer some numbers (how often, how much) and some words (which
channel, person or firm), as in the practitioner's list of type, frequency, spending power,
preference and habit. Writing the words as 0/1 columns and running k-means lets a word weigh by how
many values it has; k-prototypes counts a differing word as one mismatch, weighed by gamma.

Source: Z. Huang (1998), Extensions to the k-means algorithm for clustering large data sets with
categorical values, Data Mining and Knowledge Discovery 2, 283-304, doi:10.1023/A:1009769707641.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.segments.cluster import check_features, number_segments

__all__ = ["Prototypes", "check_categories", "fit_prototypes"]

_MOST_ROUNDS = 100


@dataclass(frozen=True)
class Prototypes:
    """A k-prototypes solution.

    Attributes
    ----------
    segment : pandas.Series
        Segment of each customer, 1 to k.
    centers : pandas.DataFrame
        One row per segment: the mean of each number and the commonest of each word.
    cost : float
        Sum of the distances of the customers to their prototypes.
    gamma : float
        Weight of a mismatch.
    """

    segment: pd.Series
    centers: pd.DataFrame
    cost: float
    gamma: float


def fit_prototypes(
    features, categories, *, n_segments, seed, gamma=None, n_starts=5, order_by=None
):
    r"""Return the k-prototypes segmentation with the least cost of several starts.

    .. math:: E = \sum_i \min_s \Bigl( \sum_j (z_{ij} - \mu_{sj})^2
              + \gamma \sum_c [x_{ic} \neq q_{sc}] \Bigr)

    with means μ of the numbers and modes q of the words. All customers go to their nearest
    prototype, then all prototypes are made anew, in turns until nothing changes (Huang moves a
    prototype after each customer; the cost is the same, and falls at every turn here too). A
    segment that loses all its members starts anew at the customer worst placed.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised numbers, one row per customer.
    categories : pandas.DataFrame
        Words, with the index of `features`, no missing values.
    n_segments : int
        From 1 to the number of distinct customers.
    seed : int
        Seed of the starts (distinct customers drawn at random).
    gamma : float, optional
        Weight of a mismatch, above 0. Unless given, half the mean standard deviation of the
        numbers, so 0.5 where they are standardised, and 0.5 where they are all alike: a
        convention. More of it lets the words decide; close to 0 it is k-means of the numbers.
    n_starts : int
        Random starts.
    order_by : pandas.Series, optional
        Segments are numbered by falling mean of it; by falling size without it.

    Returns
    -------
    Prototypes

    Raises
    ------
    ValueError
        If values are missing, indices differ, or there are too few distinct customers.

    References
    ----------
    Huang (1998), doi:10.1023/A:1009769707641

    Examples
    --------
    >>> numbers = pd.DataFrame({"x": [0.0, 0.1, 0.0, 0.1, 3.0, 3.1]})
    >>> words = pd.DataFrame({"channel": ["web", "web", "store", "store", "web", "web"]})
    >>> fit = fit_prototypes(numbers, words, n_segments=3, seed=1)
    >>> fit.segment.tolist(), fit.cost < 0.1
    ([1, 1, 2, 2, 3, 3], True)
    """
    check_categories(categories, features)
    features = check_features(features, list(features.columns))
    if gamma is None:
        spread = float(features.std(ddof=0).mean())
        # Numbers that are all alike leave the words to decide, whatever a mismatch weighs.
        gamma = 0.5 * spread if spread > 1e-12 * features.abs().max().max() else 0.5
    if not gamma > 0:
        raise ValueError(f"gamma is {gamma!r}; expected a weight above 0")
    points = features.to_numpy()
    codes = np.column_stack([pd.factorize(categories[name])[0] for name in categories])
    distinct = np.unique(np.column_stack([points, codes]), axis=0, return_index=True)[1]
    if not isinstance(n_segments, int | np.integer) or not 1 <= n_segments <= len(distinct):
        raise ValueError(
            f"n_segments is {n_segments!r}; expected a whole number from 1 to the "
            f"{len(distinct)} distinct customers"
        )
    rng = np.random.default_rng(seed)
    best = None
    for _ in range(n_starts):
        start = np.sort(rng.choice(distinct, n_segments, replace=False))
        label, cost = _alternate(points, codes, points[start], codes[start], gamma)
        if best is None or cost < best[1]:
            best = label, cost
    label, cost = best
    segment = pd.Series(
        number_segments(label, n_segments, features, order_by),
        index=features.index,
        name="segment",
    )
    words = categories.groupby(segment).agg(lambda column: column.mode().iloc[0])
    return Prototypes(segment, features.groupby(segment).mean().join(words), cost, gamma)


def _alternate(points, codes, centers, modes, gamma):
    """Return labels and cost once neither customers nor prototypes move."""
    k = len(centers)
    centers, modes = centers.copy(), modes.copy()
    sizes = codes.max(axis=0) + 1
    label = np.full(len(points), -1)
    for _ in range(_MOST_ROUNDS):
        distance = ((points[:, None, :] - centers[None]) ** 2).sum(axis=2)
        distance += gamma * (codes[:, None, :] != modes[None]).sum(axis=2)
        found = distance.argmin(axis=1)
        least = distance[np.arange(len(points)), found]
        for empty in np.flatnonzero(np.bincount(found, minlength=k) == 0):
            worst = int(least.argmax())
            found[worst], least[worst] = empty, 0.0
        if (found == label).all():
            break
        label = found
        n = np.bincount(label, minlength=k)
        for j in range(points.shape[1]):
            centers[:, j] = np.bincount(label, points[:, j], minlength=k) / n
        for c, size in enumerate(sizes):
            counts = np.bincount(label * size + codes[:, c], minlength=k * size)
            modes[:, c] = counts.reshape(k, size).argmax(axis=1)
    return label, float(least.sum())


def check_categories(categories, features):
    """Refuse words with gaps, without a column, without numbers, or of other customers."""
    if not categories.index.equals(features.index):
        raise ValueError("features and categories have different indices; expected the same rows")
    if categories.shape[1] == 0:
        raise ValueError(
            "categories: no column; expected at least one of words. With numbers alone use k-means."
        )
    if features.shape[1] == 0:
        raise ValueError(
            "features: no number beside the words; expected at least one column. Where the words "
            "alone are to decide, give a column that is 0 for all customers."
        )
    missing = categories.isna().sum()
    if missing.any():
        raise ValueError(
            f"categories: {missing.idxmax()} is missing for {int(missing.max())} customers; give "
            "them a word of their own, such as 'unknown', or leave them out and count them"
        )
