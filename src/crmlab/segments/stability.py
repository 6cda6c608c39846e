"""How many segments, how stable, and whether the data have any: the comparison k-means lacks.

Who asks: whoever must defend a number of segments, and say whether the groups were found in the
market or made by the analyst. Every index is set beside the same index on structureless data of
the same size and shape, because k-means draws neat groups, and indices praise them, on a single
shapeless cloud as well.

Vocabulary (Dolnicar & Leisch 2010). *Natural* segments come out again on new samples and are
better separated than those of a structureless cloud; *reproducible* ones come out again without
being separate, so that any fixed cut would do as well; *constructive* ones do neither, and have
only the use one makes of them.

Sources: P. J. Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics
20, 53-65, doi:10.1016/0377-0427(87)90125-7; T. Calinski & J. Harabasz (1974), A dendrite method
for cluster analysis, Communications in Statistics 3(1), 1-27, doi:10.1080/03610927408827101;
D. L. Davies & D. W. Bouldin (1979), A cluster separation measure, IEEE Transactions on Pattern
Analysis and Machine Intelligence 1(2), 224-227, doi:10.1109/TPAMI.1979.4766909; R. Tibshirani,
G. Walther & T. Hastie (2001), Estimating the number of clusters in a data set via the gap
statistic, Journal of the Royal Statistical Society B 63(2), 411-423,
doi:10.1111/1467-9868.00293; C. Hennig (2007), Cluster-wise assessment of cluster stability,
Computational Statistics & Data Analysis 52(1), 258-271, doi:10.1016/j.csda.2006.11.025;
L. Hubert & P. Arabie (1985), Comparing partitions, Journal of Classification 2, 193-218,
doi:10.1007/BF01908075; S. Dolnicar & F. Leisch (2010), Evaluation of structure and
reproducibility of cluster solutions using the bootstrap, Marketing Letters 21, 83-101,
doi:10.1007/s11002-009-9083-4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from crmlab.segments.cluster import check_features, check_n_segments, nearest_center, run_k_means

__all__ = [
    "REFERENCES",
    "SegmentChoice",
    "choose_n_segments",
    "compare_n_segments",
    "compare_partitions",
    "segment_stability",
    "simulate_reference",
]

#: Kinds of structureless data: see `simulate_reference`.
REFERENCES = ("normal", "permuted", "uniform")
_SEED_RANGE = 2**31 - 1
_MOST_SILHOUETTES = 1000
_STARTS_FOR_THE_DATA = 4  # times as many as for a resample


def compare_n_segments(
    features,
    *,
    n_segments=range(2, 8),
    seed,
    n_starts=2,
    n_resamples=20,
    n_references=5,
    reference="normal",
    max_customers=5000,
):
    """Return the indices of k-means for each number of segments, beside structureless data.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised features, one row per customer (`standardize_features`).
    n_segments : iterable of int
        Numbers of segments to compare, each at least 1. One segment, that is none, has a gap and
        no other index: those are NaN.
    seed : int
        Seed of starts, resamples and reference sets: the same seed, the same table.
    n_starts : int
        Random starts of each fit to a resample; the data themselves get four times as many.
    n_resamples : int
        Bootstrap resamples behind each stability; the reference sets share half as many.
    n_references : int
        Structureless sets, at least 2.
    reference : {"normal", "permuted", "uniform"}
        Kind of structureless data, see `simulate_reference`.
    max_customers : int
        Above this number, a random part of the customers is compared (drawn with `seed`), so
        that the time stays bounded. The silhouette, whose work grows with the square of their
        number, is taken over at most 1,000 of them.

    Returns
    -------
    pandas.DataFrame
        One row per number of segments, ascending. `n_segments`; `n_customers` compared;
        `inertia`, the sum of squared distances; `silhouette` (-1 to 1, high is good);
        `calinski_harabasz` (high is good); `davies_bouldin` (low is good); `stability`, the
        mean adjusted Rand index of `segment_stability` (1 the same segments again, 0 chance);
        `reference_silhouette`, `reference_silhouette_error` (mean and standard deviation over
        the reference sets), `reference_stability`; `gap` and `gap_error`, the gap statistic
        against that reference and its standard error.

    Raises
    ------
    ValueError
        If there are no more distinct customers than segments, the features have gaps, or a
        setting is out of range.

    References
    ----------
    Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7; Tibshirani, Walther & Hastie (2001),
    doi:10.1111/1467-9868.00293; Hennig (2007), doi:10.1016/j.csda.2006.11.025

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> features = pd.DataFrame(rng.normal(0, 0.1, (60, 2)) + np.repeat([[0, 0], [4, 4]], 30, 0))
    >>> table = compare_n_segments(features, n_segments=[2, 3], seed=1, n_resamples=3)
    >>> bool(table["silhouette"][0] > 0.9), float(table["stability"][0])
    (True, 1.0)
    """
    features = check_features(features, list(features.columns))
    counts = sorted(set(n_segments))
    if not counts or counts[0] < 1 or counts == [1]:
        raise ValueError(
            f"n_segments is {list(n_segments)}; expected numbers of segments from 1 upward, and "
            "more than 1 alone"
        )
    for name, value, lowest in [
        ("n_starts", n_starts, 1),
        ("n_resamples", n_resamples, 1),
        ("n_references", n_references, 2),
        ("max_customers", max_customers, 2 * counts[-1]),
    ]:
        if value < lowest:
            raise ValueError(f"{name} is {value!r}; expected at least {lowest}")
    rng = np.random.default_rng(seed)
    points = features.to_numpy()
    if len(points) > max_customers:
        points = points[np.sort(rng.choice(len(points), max_customers, replace=False))]
    check_n_segments(pd.DataFrame(points), counts[-1])
    if len(np.unique(points, axis=0)) == counts[-1]:
        raise ValueError(
            f"n_segments goes up to {counts[-1]}, as many as there are distinct customers, where "
            "every customer is a segment and no index is defined; expected fewer segments"
        )
    references = [simulate_reference(points, kind=reference, rng=rng) for _ in range(n_references)]
    seen = np.arange(len(points))
    if len(points) > _MOST_SILHOUETTES:
        seen = np.sort(rng.choice(len(points), _MOST_SILHOUETTES, replace=False))
    settings = {"n_starts": n_starts, "rng": rng, "seen": seen}
    # The points are checked above; scikit-learn need not check them in each of hundreds of fits.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        rows = [
            _indices(points, k, n_resamples=n_resamples, **settings)
            | _reference_indices(references, k, n_resamples=n_resamples, **settings)
            for k in counts
        ]
    table = pd.DataFrame(rows)
    table["gap"] = table.pop("reference_log_inertia") - np.log(table["inertia"])
    table["gap_error"] = table.pop("reference_log_inertia_spread") * np.sqrt(1 + 1 / n_references)
    return table


@dataclass(frozen=True)
class SegmentChoice:
    """A number of segments, and what kind of segments they are.

    Attributes
    ----------
    n_segments : int
    structure : {"natural_segments", "reproducible_segments", "constructive_segments"}
        Keys of the terms table.
    """

    n_segments: int
    structure: str


def choose_n_segments(table, *, min_stability=0.85, min_silhouette=0.50, n_errors=2.0):
    """Return the number of segments by a stated rule, and what kind of segments they are.

    1. Keep the numbers of segments whose stability is at least `min_stability`. If none is,
       the segments are *constructive*, and the most stable number is taken.
    2. Of these, keep those whose silhouette is at least `min_silhouette` and exceeds the mean
       silhouette of the structureless sets by more than `n_errors` of their standard
       deviations. If any is left the segments are *natural*, and the one with the highest
       silhouette is taken.
    3. Otherwise they are *reproducible*, and the largest number that is stable is taken: the
       finest division that would come out again.

    Of equally good numbers the smaller one is taken.

    Parameters
    ----------
    table : pandas.DataFrame
        As returned by `compare_n_segments`.
    min_stability : float
        Adjusted Rand index, from 0 to 1. A convention: Hennig reads a mean Jaccard similarity of
        0.85 in his kind of bootstrap as "highly stable".
    min_silhouette : float
        From -1 to 1. Kaufman & Rousseeuw (1990) read 0.51-0.70 as a reasonable structure and
        0.26-0.50 as one that could be artificial.
    n_errors : float
        Standard deviations of the reference sets that count as beyond chance; 0 or more.

    Returns
    -------
    SegmentChoice

    Raises
    ------
    ValueError
        If the table lacks a column or has no row, or a setting is out of range.

    References
    ----------
    Dolnicar & Leisch (2010), doi:10.1007/s11002-009-9083-4; L. Kaufman & P. J. Rousseeuw (1990),
    Finding Groups in Data, Wiley, doi:10.1002/9780470316801

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "n_segments": [2, 3, 4], "stability": [0.95, 0.90, 0.50],
    ...     "silhouette": [0.45, 0.60, 0.62], "reference_silhouette": [0.40, 0.35, 0.33],
    ...     "reference_silhouette_error": [0.03, 0.01, 0.01],
    ... })
    >>> choose_n_segments(table)
    SegmentChoice(n_segments=3, structure='natural_segments')
    >>> choose_n_segments(table.assign(silhouette=[0.45, 0.42, 0.40])).structure
    'reproducible_segments'
    """
    needed = [
        "n_segments",
        "stability",
        "silhouette",
        "reference_silhouette",
        "reference_silhouette_error",
    ]
    absent = [column for column in needed if column not in table.columns]
    if absent or len(table) == 0:
        raise ValueError(
            f"table: expected the rows of compare_n_segments with {', '.join(needed)}, got "
            f"{len(table)} rows of {', '.join(map(str, table.columns))}"
        )
    if not 0 <= min_stability <= 1 or not -1 <= min_silhouette <= 1 or n_errors < 0:
        raise ValueError(
            f"min_stability={min_stability!r}, min_silhouette={min_silhouette!r}, "
            f"n_errors={n_errors!r}; expected a stability from 0 to 1, a silhouette from -1 to 1 "
            "and a number of errors from 0"
        )
    table = table[table["n_segments"] > 1].sort_values("n_segments", ignore_index=True)
    if len(table) == 0:
        raise ValueError("table: one segment alone; expected a row with two or more")
    excess = table["silhouette"] - table["reference_silhouette"]
    is_stable = table["stability"] >= min_stability
    is_separate = (table["silhouette"] >= min_silhouette) & (
        excess > n_errors * table["reference_silhouette_error"]
    )
    if not is_stable.any():
        chosen, structure = table["stability"].idxmax(), "constructive_segments"
    elif (is_stable & is_separate).any():
        found = table["silhouette"][is_stable & is_separate]
        chosen, structure = found.idxmax(), "natural_segments"
    else:
        chosen, structure = table.index[is_stable].max(), "reproducible_segments"
    return SegmentChoice(n_segments=int(table.loc[chosen, "n_segments"]), structure=structure)


def segment_stability(features, *, n_segments, seed, n_resamples=20, n_starts=2):
    """Return how well a segmentation comes out again on bootstrap resamples.

    The customers are drawn anew with replacement, segmented, and every original customer is
    assigned to the nearest center found. The adjusted Rand index compares that with the
    segmentation of the original customers: 1 the same segments, 0 what chance would give.

    Parameters
    ----------
    features : pandas.DataFrame
        Standardised features, one row per customer.
    n_segments : int
        At least 2.
    seed : int
        Seed of resamples and starts.
    n_resamples, n_starts : int
        Resamples, and random starts of the fit to each; one more starts from the centers of
        the data, and the best fit counts.

    Returns
    -------
    numpy.ndarray of float, shape (n_resamples,)
        Adjusted Rand index of each resample.

    References
    ----------
    Hubert & Arabie (1985), doi:10.1007/BF01908075; Hennig (2007),
    doi:10.1016/j.csda.2006.11.025

    Examples
    --------
    >>> import pandas as pd
    >>> features = pd.DataFrame({"x": [0.0, 0.1, 0.2, 0.3, 7.0, 7.1, 7.2, 7.3]})
    >>> segment_stability(features, n_segments=2, seed=1, n_resamples=3).tolist()
    [1.0, 1.0, 1.0]
    """
    features = check_features(features, list(features.columns))
    check_n_segments(features, n_segments)
    if n_segments < 2:
        raise ValueError(f"n_segments is {n_segments!r}; one segment is always stable, ask for 2")
    rng = np.random.default_rng(seed)
    points = features.to_numpy()
    label, centers, _ = _fit(points, n_segments, n_starts=n_starts, rng=rng)
    return _rand_of_resamples(
        points, label, centers, n_resamples=n_resamples, n_starts=n_starts, rng=rng
    )


def compare_partitions(first, second, *, seed, n_permutations=199):
    """Return how far two divisions of the same customers agree, beside what chance gives.

    Parameters
    ----------
    first, second : pandas.Series
        Group of each customer in each division, the same index, no missing values.
    seed : int
        Seed of the permutations.
    n_permutations : int
        Times that `second` is dealt out anew at random, sizes kept; at least 19.

    Returns
    -------
    dict of str to float
        `adjusted_rand` (1 the same division, 0 chance), `chance_bound`, the 95th percentile of
        the index over the permutations, and `p_value`, the share of permutations, the data
        itself included, that agree at least as well.

    Raises
    ------
    ValueError
        If the indices differ, a group is missing, or there are too few permutations.

    References
    ----------
    Hubert & Arabie (1985), doi:10.1007/BF01908075

    Examples
    --------
    >>> import pandas as pd
    >>> found, truth = pd.Series([1, 1, 1, 2, 2, 2]), pd.Series(list("aaabbb"))
    >>> compare_partitions(found, truth, seed=1)["adjusted_rand"]
    1.0
    """
    if not first.index.equals(second.index):
        raise ValueError("first and second have different indices; expected the same customers")
    if first.isna().any() or second.isna().any():
        raise ValueError("first and second: missing groups; expected a group for every customer")
    if n_permutations < 19:
        raise ValueError(f"n_permutations is {n_permutations!r}; expected at least 19")
    rng = np.random.default_rng(seed)
    left, right = pd.factorize(first)[0], pd.factorize(second)[0]
    observed = _adjusted_rand(left, right)
    by_chance = np.array(
        [_adjusted_rand(left, rng.permutation(right)) for _ in range(n_permutations)]
    )
    return {
        "adjusted_rand": observed,
        "chance_bound": float(np.quantile(by_chance, 0.95)),
        "p_value": float((1 + (by_chance >= observed).sum()) / (1 + n_permutations)),
    }


def simulate_reference(points, *, kind, rng):
    """Return structureless data of the size of `points`: what there would be without segments.

    Parameters
    ----------
    points : array_like of float, shape (n_customers, n_features)
    kind : {"normal", "permuted", "uniform"}
        normal: one normal cloud with the means and covariances of the data, the null
        hypothesis of Liu, Hayes, Nobel & Marron (2008). permuted: every
        column shuffled by itself, which keeps each distribution and breaks all association.
        uniform: spread evenly over the box along the principal axes, as Tibshirani, Walther &
        Hastie (2001) do, the reference easiest to beat.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float, shape of `points`

    Raises
    ------
    ValueError
        If `kind` is none of the three.

    References
    ----------
    Y. Liu, D. N. Hayes, A. Nobel & J. S. Marron (2008), Statistical significance of clustering
    for high-dimension, low-sample size data, Journal of the American Statistical Association
    103(483), 1281-1293, doi:10.1198/016214508000000454

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    >>> shuffled = simulate_reference(points, kind="permuted", rng=np.random.default_rng(2))
    >>> sorted(shuffled[:, 1].tolist())
    [10.0, 20.0, 30.0]
    """
    points = np.asarray(points, dtype=float)
    if kind == "permuted":
        return rng.permuted(points, axis=0)
    mean = points.mean(axis=0)
    _, _, axes = np.linalg.svd(points - mean, full_matrices=False)
    scores = (points - mean) @ axes.T
    if kind == "normal":
        drawn = rng.normal(0.0, scores.std(axis=0), size=(len(points), scores.shape[1]))
    elif kind == "uniform":
        drawn = rng.uniform(
            scores.min(axis=0), scores.max(axis=0), size=(len(points), scores.shape[1])
        )
    else:
        raise ValueError(f"reference is {kind!r}; expected one of {', '.join(REFERENCES)}")
    return mean + drawn @ axes


def _indices(points, k, *, n_starts, n_resamples, rng, seen):
    if k == 1:
        names = ("silhouette", "calinski_harabasz", "davies_bouldin", "stability")
        first = {"n_segments": 1, "n_customers": len(points), "inertia": _total(points)}
        return first | dict.fromkeys(names, np.nan)
    label, centers, inertia = _fit(points, k, n_starts=n_starts, rng=rng)
    rand = _rand_of_resamples(
        points, label, centers, n_resamples=n_resamples, n_starts=n_starts, rng=rng
    )
    return {
        "n_segments": k,
        "n_customers": len(points),
        "inertia": inertia,
        "silhouette": _silhouette(points, label, seen),
        "calinski_harabasz": float(calinski_harabasz_score(points, label)),
        "davies_bouldin": float(davies_bouldin_score(points, label)),
        "stability": float(rand.mean()),
    }


def _reference_indices(references, k, *, n_starts, n_resamples, rng, seen):
    """Return the same on structureless data; half the resamples are shared out among the sets."""
    if k == 1:
        log_inertia = np.log([_total(points) for points in references])
        names = ("reference_silhouette", "reference_silhouette_error", "reference_stability")
        return dict.fromkeys(names, np.nan) | _of_references(log_inertia)
    log_inertia, silhouette, stability = [], [], []
    n_each = -(-n_resamples // (2 * len(references)))
    for points in references:
        label, centers, inertia = _fit(points, k, n_starts=n_starts, rng=rng)
        rand = _rand_of_resamples(
            points, label, centers, n_resamples=n_each, n_starts=n_starts, rng=rng
        )
        log_inertia.append(np.log(inertia))
        silhouette.append(_silhouette(points, label, seen))
        stability.append(rand.mean())
    return {
        "reference_silhouette": float(np.mean(silhouette)),
        "reference_silhouette_error": float(np.std(silhouette, ddof=1)),
        "reference_stability": float(np.mean(stability)),
    } | _of_references(log_inertia)


def _of_references(log_inertia):
    return {
        "reference_log_inertia": float(np.mean(log_inertia)),
        "reference_log_inertia_spread": float(np.std(log_inertia)),
    }


def _total(points):
    """Return the inertia of one segment."""
    return float(((points - points.mean(axis=0)) ** 2).sum())


def _fit(points, k, *, n_starts, rng):
    return run_k_means(
        points, n_segments=k, seed=_draw_seed(rng), n_starts=_STARTS_FOR_THE_DATA * n_starts
    )


def _silhouette(points, label, seen):
    """Return the mean silhouette of the customers seen; NaN when they are all of one segment."""
    if len(np.unique(label[seen])) < 2:
        return float("nan")
    return float(silhouette_score(points[seen], label[seen]))


def _rand_of_resamples(points, label, centers, *, n_resamples, n_starts, rng):
    """Return the agreement of `label` with the segments of each resample.

    Each resample is fitted from random starts and from the centers of the data, and the fit
    with the least inertia counts: a failure to find the best fit is no lack of stability.
    """
    rand = np.empty(n_resamples)
    kind = np.unique(points, axis=0, return_inverse=True)[1].ravel()
    for i in range(n_resamples):
        rows = rng.integers(0, len(points), len(points))
        drawn = points[rows]
        # Few distinct customers may leave a resample with fewer than k of them.
        n_found = min(len(centers), len(np.unique(kind[rows])))
        fits = [run_k_means(drawn, n_segments=n_found, seed=_draw_seed(rng), n_starts=n_starts)]
        if n_found == len(centers):
            fits.append(run_k_means(drawn, n_segments=n_found, seed=0, n_starts=1, init=centers))
        _, found, _ = min(fits, key=lambda fit: fit[2])
        rand[i] = _adjusted_rand(label, nearest_center(points, found))
    return rand


def _adjusted_rand(left, right):
    """Return the adjusted Rand index of two partitions given as whole numbers from 0.

    In whole numbers of pairs to the last step, as scikit-learn counts them, and twenty times
    faster than its function, which looks over the labels each time.
    """
    width = int(right.max()) + 1
    counts = np.bincount(left * width + right, minlength=(int(left.max()) + 1) * width)
    counts = counts.reshape(-1, width)
    together = int((counts**2).sum())
    only_right = int((counts.sum(axis=0) ** 2).sum()) - together
    only_left = int((counts.sum(axis=1) ** 2).sum()) - together
    both, neither = together - len(left), len(left) ** 2 - only_left - only_right - together
    if not only_left and not only_right:
        return 1.0
    lower = (both + only_left) * (only_left + neither) + (both + only_right) * (
        only_right + neither
    )
    return 2.0 * (both * neither - only_left * only_right) / lower


def _draw_seed(rng):
    return int(rng.integers(_SEED_RANGE))
