"""One customer base, five methods: which segments are the data's, and which the method's.

Who asks: whoever chose a method because it was at hand. k-means looks for round segments of like
spread, Ward's method joins what is nearest and shows the tree, a mixture allows long and
overlapping segments, k-prototypes and latent classes take words as well as numbers. Where they
agree the segments are the data's; where they do not they are the method's.

Sources: J. H. Ward (1963), Hierarchical grouping to optimize an objective function, Journal of the
American Statistical Association 58, 236-244, doi:10.1080/01621459.1963.10500845; the others in
`crmlab.segments.cluster`, `crmlab.segments.mixture` and `crmlab.segments.prototypes`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.segments.cluster import (
    assign_segments,
    check_features,
    check_n_segments,
    fit_segments,
    number_segments,
)
from crmlab.segments.mixture import fit_latent_classes, fit_mixture
from crmlab.segments.prototypes import fit_prototypes
from crmlab.segments.stability import compare_partitions

__all__ = ["METHODS", "compare_methods", "fit_ward", "segment_customers"]

#: Names of the methods. The last two take words too, and need them.
METHODS = ("k_means", "ward", "gaussian_mixture", "k_prototypes", "latent_classes")


def fit_ward(features, *, n_segments, seed, order_by=None, max_customers=3000):
    """Return the segments of Ward's hierarchical clustering, the tree cut at `n_segments`.

    At each step the two groups are joined whose union adds least to the sum of squared distances.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised features, one row per customer.
    n_segments : int
        Where the tree is cut.
    seed : int
        Seed of the draw below; the method itself has no chance in it.
    order_by : pandas.Series, optional
        Segments are numbered by falling mean of it; by falling size without it.
    max_customers : int
        The tree needs room for every pair of customers. Above this number it is grown from so
        many drawn at random, and the others go to the nearest center.

    Returns
    -------
    pandas.Series
        Named `segment`, with the index of `features`.

    Raises
    ------
    ValueError
        If the features have gaps or too few distinct customers.

    References
    ----------
    Ward (1963), doi:10.1080/01621459.1963.10500845

    Examples
    --------
    >>> fit_ward(pd.DataFrame({"x": [0.0, 0.2, 5.0, 5.2, 5.1]}), n_segments=2, seed=1).tolist()
    [2, 2, 1, 1, 1]
    """
    from scipy.cluster.hierarchy import ward

    features = check_features(features, list(features.columns))
    check_n_segments(features, n_segments)
    grown = features
    if len(features) > max_customers:
        rows = np.random.default_rng(seed).choice(len(features), max_customers, replace=False)
        grown = features.iloc[np.sort(rows)]
    check_n_segments(grown, n_segments)
    label = np.zeros(1, dtype="int64")
    if len(grown) > 1:
        label = _cut_tree(ward(grown.to_numpy()), n_segments)
    if len(grown) < len(features):
        label = assign_segments(features, grown.groupby(label).mean()).to_numpy()
    found, label = np.unique(label, return_inverse=True)
    segment = number_segments(label, len(found), features, order_by)
    return pd.Series(segment, index=features.index, name="segment")


def _cut_tree(tree, n_segments):
    """Return the group of each leaf once all joins but the last n_segments - 1 are made.

    scipy's cut goes by height: of joins at one height it makes all or none, so that equal
    distances would leave fewer groups than asked for.
    """
    n = len(tree) + 1
    group = np.arange(n + len(tree))
    for row in reversed(range(n - n_segments)):
        group[tree[row, :2].astype("int64")] = group[n + row]
    return np.unique(group[:n], return_inverse=True)[1]


def segment_customers(method, features, categories=None, *, n_segments, seed, order_by=None):
    """Return the segment of each customer by the method of that name.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    features : pandas.DataFrame
        Standardised numbers, one row per customer.
    categories : pandas.DataFrame, optional
        Words, with the index of `features`; methods of numbers alone pass them by.
    n_segments, seed, order_by
        As for `crmlab.segments.cluster.fit_segments`.

    Returns
    -------
    pandas.Series
        Named `segment`, numbered from 1 in the stated order.

    Raises
    ------
    ValueError
        If there is no such method, or it needs words and there are none.

    Examples
    --------
    >>> features = pd.DataFrame({"x": [0.0, 0.2, 5.0, 5.2, 5.1]})
    >>> segment_customers("k_means", features, n_segments=2, seed=1).tolist()
    [2, 2, 1, 1, 1]
    """
    options = {"n_segments": n_segments, "seed": seed, "order_by": order_by}
    if method == "k_means":
        return fit_segments(features, **options).segment
    if method == "ward":
        return fit_ward(features, **options)
    if method == "gaussian_mixture":
        return fit_mixture(features, **options).segment
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    if categories is None or categories.shape[1] == 0:
        raise ValueError(
            f"method {method!r} needs words beside the numbers, and these customers have none; "
            "expected k_means, ward or gaussian_mixture, or a base with words"
        )
    fit = fit_prototypes if method == "k_prototypes" else fit_latent_classes
    return fit(features, categories, **options).segment


def compare_methods(segments, *, seed, n_permutations=99):
    """Return how far the segments of each pair of methods agree.

    Parameters
    ----------
    segments : dict of str to pandas.Series
        Segment of each customer by name of the method, the same index.
    seed : int
        Seed of the permutations behind the limit of chance.
    n_permutations : int
        As for `crmlab.segments.stability.compare_partitions`.

    Returns
    -------
    pandas.DataFrame
        One row per pair, in order: `first`, `second`, `adjusted_rand`, `chance_bound`.

    Examples
    --------
    >>> one = pd.Series([1, 1, 2, 2])
    >>> compare_methods({"k_means": one, "ward": 3 - one}, seed=1)["adjusted_rand"].tolist()
    [1.0]
    """
    names = list(segments)
    rows = []
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            found = compare_partitions(
                segments[first], segments[second], seed=seed, n_permutations=n_permutations
            )
            kept = {key: found[key] for key in ("adjusted_rand", "chance_bound")}
            rows.append({"first": first, "second": second} | kept)
    return pd.DataFrame(rows, columns=["first", "second", "adjusted_rand", "chance_bound"])
