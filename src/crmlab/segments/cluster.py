"""Segments by k-means: features, the fit, and new customers.

Who asks: whoever wants groups of customers who behave alike, found from the data and not drawn
by hand. k-means always returns the number of groups it is asked for, whether or not there are
any; `crmlab.segments.stability` says how many the data support, and whether they support any.

Vocabulary. *Features* are standardised columns, one row per customer. A *segment* is a number
from 1, given in a stated order so that the same data always bears the same labels. A *center*
is the mean of a segment's features.

Sources: J. MacQueen (1967), Some methods for classification and analysis of multivariate
observations, 5th Berkeley Symposium 1, 281-297; M. Wedel & W. A. Kamakura (2000), Market
Segmentation, Kluwer, doi:10.1007/978-1-4615-4651-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from threadpoolctl import ThreadpoolController

__all__ = ["Segmentation", "assign_segments", "fit_segments", "standardize_features"]


def standardize_features(frame, columns, *, log=()):
    """Return columns with mean 0 and standard deviation 1, the skewed ones after a logarithm.

    Distances between customers then weigh every column alike, and one giant customer does not
    become a segment of his own.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer.
    columns : sequence of str
        Numeric columns to use; no missing values.
    log : sequence of str
        Those of `columns` to take the logarithm of first: log(1 + x), and -log(1 - x) where a
        value is negative (a customer who returned more than he bought).

    Returns
    -------
    pandas.DataFrame
        The columns asked for, with the index of `frame` (dimensionless; divisor n).

    Raises
    ------
    ValueError
        If a column is missing, is no number, has missing or infinite values, or is constant.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"recency_days": [10, 20, 30], "total_value": [1.0, 10.0, 100.0]})
    >>> features = standardize_features(frame, ["recency_days", "total_value"], log=["total_value"])
    >>> features["recency_days"].round(3).tolist()
    [-1.225, 0.0, 1.225]
    """
    columns, log = list(columns), list(log)
    unknown = [column for column in log if column not in columns]
    if unknown:
        raise ValueError(
            f"log: {unknown[0]!r} is not among the columns used; expected some of {columns}"
        )
    features = check_features(frame, columns)
    for column in log:
        features[column] = np.sign(features[column]) * np.log1p(features[column].abs())
    spread = features.std(ddof=0)
    # A constant column leaves rounding errors of the order of the machine's precision.
    is_constant = spread <= 1e-12 * features.abs().max()
    if is_constant.any():
        raise ValueError(
            f"features: {is_constant.idxmax()} is the same for all {len(features)} customers; a "
            "constant column separates nobody. Leave it out."
        )
    return (features - features.mean()) / spread


@dataclass(frozen=True)
class Segmentation:
    """A k-means solution: who belongs where, and what each segment looks like.

    Attributes
    ----------
    segment : pandas.Series
        Segment of each customer, 1 to k, named `segment`, with the index of the features.
    centers : pandas.DataFrame
        Mean features, one row per segment, indexed by `segment`.
    inertia : float
        Sum of squared distances of the customers to their centers.
    """

    segment: pd.Series
    centers: pd.DataFrame
    inertia: float


def fit_segments(features, *, n_segments, seed, n_starts=20, order_by=None):
    r"""Return the k-means segmentation with the least squared distance to the centers.

    k-means looks for centers :math:`\mu_1, \dots, \mu_k` that minimise

    .. math:: W = \sum_i \min_s \lVert z_i - \mu_s \rVert^2

    from `n_starts` random starts, and keeps the best end.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised features, one row per customer (`standardize_features`).
    n_segments : int
        Number of segments k, from 1 to the number of distinct customers.
    seed : int
        Seed of the random starts; the same seed gives the same segments.
    n_starts : int
        Number of starts (k-means++).
    order_by : pandas.Series, optional
        A value per customer with the index of `features`: segments are numbered by falling
        mean of it. Without it they are numbered by falling size.

    Returns
    -------
    Segmentation

    Raises
    ------
    ValueError
        If there are fewer distinct customers than segments, or the features have gaps.

    References
    ----------
    MacQueen (1967); D. Arthur & S. Vassilvitskii (2007), k-means++: the advantages of careful
    seeding, SODA '07, 1027-1035.

    Examples
    --------
    >>> import pandas as pd
    >>> features = pd.DataFrame({"x": [0.0, 0.2, 5.0, 5.2, 5.1]})
    >>> fit = fit_segments(features, n_segments=2, seed=1)
    >>> fit.segment.tolist(), fit.centers["x"].round(2).tolist()
    ([2, 2, 1, 1, 1], [5.1, 0.1])
    """
    features = check_features(features, list(features.columns))
    check_n_segments(features, n_segments)
    label, _, inertia = run_k_means(
        features.to_numpy(), n_segments=n_segments, seed=seed, n_starts=n_starts
    )
    segment = pd.Series(
        number_segments(label, n_segments, features, order_by),
        index=features.index,
        name="segment",
    )
    # The means of the members, from our own numbering: what `centers` is said to be.
    centers = features.groupby(segment).mean()
    return Segmentation(segment=segment, centers=centers, inertia=inertia)


def assign_segments(features, centers):
    """Return the segment whose center is nearest to each customer.

    Parameters
    ----------
    features : pandas.DataFrame
        Features on the scale of `centers`, one row per customer: standardised with the mean
        and deviation of the customers the segments were made from.
    centers : pandas.DataFrame
        Mean features, one row per segment, indexed by segment (`Segmentation.centers`).

    Returns
    -------
    pandas.Series
        Named `segment`, with the index of `features`. A customer as near to two centers goes
        to the segment named first.

    Raises
    ------
    ValueError
        If the columns differ or values are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> centers = pd.DataFrame({"x": [5.1, 0.1]}, index=[1, 2])
    >>> assign_segments(pd.DataFrame({"x": [4.0, 1.0]}), centers).tolist()
    [1, 2]
    """
    absent = [column for column in centers.columns if column not in features.columns]
    if absent:
        raise ValueError(
            f"features: column {absent[0]!r} of the centers is missing; expected "
            f"{', '.join(centers.columns)}"
        )
    checked = check_features(features, list(centers.columns))
    nearest = nearest_center(checked.to_numpy(), centers.to_numpy(dtype=float))
    return pd.Series(centers.index.to_numpy()[nearest], index=features.index, name="segment")


def run_k_means(points, *, n_segments, seed, n_starts, init="k-means++"):
    """Return label, centers and inertia of scikit-learn's k-means, the same on any machine.

    `init` is scikit-learn's: "k-means++", or centers to start from (then with one start).
    One thread, because the order in which several add up their parts may change the last bits.
    """
    model = KMeans(n_clusters=n_segments, init=init, n_init=n_starts, random_state=seed)
    with one_thread():
        model.fit(points)
    return model.labels_, model.cluster_centers_, float(model.inertia_)


def nearest_center(points, centers):
    """Return the position of the nearest center of each point; the first of equally near ones."""
    # |p - c|^2 less the part that all centers share.
    distance = (centers**2).sum(axis=1) - 2 * points @ centers.T
    return distance.argmin(axis=1)


def check_features(frame, columns):
    """Return the columns as floats, refusing absent, missing and infinite values."""
    if not columns:
        raise ValueError("features: no column given; expected at least one to compare customers by")
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise ValueError(
            f"features: column {absent[0]!r} is missing; the table has "
            f"{', '.join(map(str, frame.columns))}"
        )
    if len(frame) == 0:
        raise ValueError("features: no customer at all; expected at least one row")
    try:
        features = frame[columns].astype("float64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"features: expected numbers in {', '.join(columns)}; {error}") from error
    bad = ~np.isfinite(features.to_numpy())
    if bad.any():
        column = int(bad.any(axis=0).argmax())
        raise ValueError(
            f"features: {columns[column]} has {int(bad[:, column].sum())} missing or infinite "
            f"values, the first in row {int(bad[:, column].argmax()) + 1}; segments need "
            "every value. Leave those customers out before and count them, or choose other columns."
        )
    return features


def check_n_segments(features, n_segments):
    """Refuse a number of segments that is no count or exceeds the distinct customers."""
    if not isinstance(n_segments, int | np.integer) or n_segments < 1:
        raise ValueError(f"n_segments is {n_segments!r}; expected a whole number from 1")
    n_distinct = len(features.drop_duplicates())
    if n_distinct < n_segments:
        raise ValueError(
            f"features: {len(features)} customers with {n_distinct} distinct rows cannot make "
            f"{n_segments} segments; expected at least as many distinct customers as segments"
        )


def one_thread():
    """Return a context in which numeric libraries use one thread: the same bits on any machine."""
    return _threads().limit(limits=1)


@cache
def _threads():
    """Return the handle on the numeric libraries' threads: finding them takes longer than a fit."""
    return ThreadpoolController()


def number_segments(label, n_segments, features, order_by):
    """Return labels 1..k in the stated order, ties broken by the centers themselves.

    By falling mean of `order_by`, by falling size where that is None.
    """
    if order_by is None:
        key = pd.Series(1.0, index=features.index)
        of_segment = key.groupby(label).sum()
    else:
        if not features.index.equals(order_by.index):
            raise ValueError(
                "order_by: its index differs from that of the features; expected one value per "
                "customer in the same order"
            )
        of_segment = order_by.astype("float64").groupby(label).mean()
    centers = features.groupby(label).mean()
    ranked = np.lexsort((*centers.to_numpy().T[::-1], -of_segment.to_numpy()))
    number = np.empty(n_segments, dtype="int64")
    number[ranked] = np.arange(1, n_segments + 1)
    return number[label]
