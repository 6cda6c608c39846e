"""Kano by segment: who feels differently about a feature, and whether chance would do as well.

Who asks: whoever is about to drop a feature that most are indifferent to. The class of all
customers may be the class of nobody: what delights one half and leaves the other cold comes out
as whatever is a little more frequent.

Sources: Berger, C. et al. (1993), Kano's methods for understanding customer-defined quality,
Center for Quality of Management Journal 2(4), 3–36, who advise looking at segments before taking
the most frequent class; Holm, S. (1979), A simple sequentially rejective multiple test procedure,
Scandinavian Journal of Statistics 6(2), 65–70.
"""

import numpy as np
import pandas as pd

from crmlab.data.sampling import adjust_p_values
from crmlab.satisfaction.kano import KANO_CLASSES, count_classes

__all__ = ["compare_segments", "count_classes_by_segment"]


def count_classes_by_segment(classes, segment):
    """Return how many respondents of each segment put each feature in each class.

    Parameters
    ----------
    classes : pandas.DataFrame
        From `crmlab.satisfaction.kano.classify_answers`.
    segment : pandas.Series, same index
        Segment of each respondent; whoever has none is left out.

    Returns
    -------
    pandas.DataFrame
        Index `feature` and `segment`; columns as `count_classes`.

    Raises
    ------
    ValueError
        If the index differs, or no respondent has a segment.

    Examples
    --------
    >>> from crmlab.satisfaction.kano import classify_answers
    >>> pair = pd.DataFrame({"speed": [1, 1]}), pd.DataFrame({"speed": [5, 3]})
    >>> counts = count_classes_by_segment(classify_answers(*pair), pd.Series(["a", "b"]))
    >>> counts[["O", "A"]].to_numpy().tolist()
    [[1, 0], [0, 1]]
    """
    _check_segment(classes, segment)
    parts = {
        name: count_classes(classes.loc[(segment == name).to_numpy()])
        for name in sorted(segment.dropna().unique())
    }
    table = pd.concat(parts, names=["segment"]).swaplevel()
    order = [(feature, name) for feature in classes.columns for name in parts]
    return table.loc[order]


def compare_segments(classes, segment, *, n_permutations=999, rng):
    """Return for each feature whether the segments differ in its classes more than by chance.

    Parameters
    ----------
    classes : pandas.DataFrame
        From `crmlab.satisfaction.kano.classify_answers`.
    segment : pandas.Series, same index
        Segment of each respondent; whoever has none is left out.
    n_permutations : int
        Shuffles of the segments behind each p value, at least 99.
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    pandas.DataFrame, one row per feature
        `n_pairs`; `chi_square` of the table classes × segments; `cramers_v` (0 to 1); `p_value`,
        the share of shuffles at least as extreme, ``(1 + hits) / (1 + n_permutations)``;
        `p_value_holm`, the same allowing for the number of features compared. NaN where one
        segment alone answered or all gave one class.

    Raises
    ------
    ValueError
        If the index differs, fewer than two segments are named, or there are too few shuffles.

    Notes
    -----
    A shuffled p value needs no expected count of 5, which six classes of a small segment never
    have. With k features compared the least p value that Holm can return is
    ``k / (1 + n_permutations)``.

    References
    ----------
    Holm (1979).

    Examples
    --------
    >>> from crmlab.satisfaction.kano import classify_answers
    >>> pair = pd.DataFrame({"x": [1] * 20}), pd.DataFrame({"x": [5] * 10 + [3] * 10})
    >>> halves = pd.Series(["a"] * 10 + ["b"] * 10)
    >>> rng = np.random.default_rng(0)
    >>> compare_segments(classify_answers(*pair), halves, rng=rng)["cramers_v"].item()
    1.0
    """
    _check_segment(classes, segment)
    if n_permutations < 99:
        raise ValueError(f"n_permutations is {n_permutations}; expected at least 99")
    codes, names = pd.factorize(segment)
    if len(names) < 2:
        raise ValueError(
            f"all respondents are in the segment {names[0]!r}; expected two segments or more"
        )
    is_member = np.equal.outer(codes, np.arange(len(names))).astype(float)
    rows = []
    for feature in classes.columns:
        own = classes[feature].cat.codes.to_numpy()
        known = (own >= 0) & (codes >= 0)
        rows.append(_compare_one(own[known], is_member[known], n_permutations, rng))
    table = pd.DataFrame(rows, index=pd.Index(classes.columns, name="feature"))
    table["p_value_holm"] = adjust_p_values(table["p_value"])
    return table


def _compare_one(own, is_member, n_permutations, rng):
    n = len(own)
    is_class = np.equal.outer(np.arange(len(KANO_CLASSES)), own).astype(float)
    is_class = is_class[is_class.sum(axis=1) > 0]
    is_member = is_member[:, is_member.sum(axis=0) > 0]
    if min(len(is_class), is_member.shape[1]) < 2:
        return {"n_pairs": n, "chi_square": np.nan, "cramers_v": np.nan, "p_value": np.nan}
    expected = np.outer(is_class.sum(axis=1), is_member.sum(axis=0)) / n
    found = _distance(is_class @ is_member, expected)
    order = rng.permuted(np.tile(np.arange(n), (n_permutations, 1)), axis=1)
    shuffled = np.einsum("cn,bns->bcs", is_class, is_member[order], optimize=True)
    # Rounding must not part two tables that are alike.
    n_hits = int((_distance(shuffled, expected) >= found - 1e-9 * max(1.0, found)).sum())
    return {
        "n_pairs": n,
        "chi_square": found,
        "cramers_v": float(np.sqrt(found / (n * (min(expected.shape) - 1)))),
        "p_value": (1 + n_hits) / (1 + n_permutations),
    }


def _distance(observed, expected):
    return ((observed - expected) ** 2 / expected).sum(axis=(-2, -1))


def _check_segment(classes, segment):
    if not segment.index.equals(classes.index):
        raise ValueError(
            "segment and classes have different indexes; expected the segment of each respondent "
            "in the same order"
        )
    if segment.isna().all():
        raise ValueError("no respondent has a segment; expected the segment of each respondent")
