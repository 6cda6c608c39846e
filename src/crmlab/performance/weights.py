"""Weights of criteria: from pairwise judgements (AHP) or from the data's own variation (entropy).

Who asks: whoever must add unlike indicators and owes an account of how much each one counts.

Vocabulary. A *judgement* a_ij says how many times as important criterion i is as criterion j, from
1 (alike) to 9 (extremely more), so that a_ji = 1 / a_ij. The *consistency ratio* (CR) compares
the contradictions in a set of judgements with those of random ones; up to 0.1 is the customary
bound. *Entropy weights* ask nobody: a criterion on which all alternatives are alike gets none.

Sources: Saaty, T. L. (1977), A scaling method for priorities in hierarchical structures, Journal
of Mathematical Psychology 15(3), 234–281, doi:10.1016/0022-2496(77)90033-5; Saaty, T. L. (2008),
Decision making with the analytic hierarchy process, International Journal of Services Sciences
1(1), 83–98, doi:10.1504/IJSSCI.2008.017590; Crawford, G. & Williams, C. (1985), A note on the
analysis of subjective judgment matrices, Journal of Mathematical Psychology 29(4), 387–405,
doi:10.1016/0022-2496(85)90002-1 (geometric means); Shannon, C. E. (1948), A mathematical theory of
communication, Bell System Technical Journal 27(3), 379–423,
doi:10.1002/j.1538-7305.1948.tb01338.x; Zeleny, M. (1982), Multiple Criteria Decision Making,
McGraw-Hill (entropy as a weight).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["RANDOM_INDEX", "AHPWeights", "ahp_weights", "entropy_weights", "hierarchy_weights"]

RANDOM_INDEX = {
    1: 0.0, 2: 0.0, 3: 0.52, 4: 0.89, 5: 1.11, 6: 1.25, 7: 1.35, 8: 1.40, 9: 1.45, 10: 1.49,
}  # fmt: skip
"""Saaty's mean consistency index of random judgements, by number of criteria."""

# Values that differ by rounding only are alike: quotients of the same money seldom agree to a bit.
_ALIKE = 1e-9
# Judgements such as 1/6 typed as 0.167 are still reciprocal.
_RECIPROCAL_SLACK = 3e-3


@dataclass(frozen=True)
class AHPWeights:
    """Weights from pairwise judgements, with how consistent the judgements are.

    Attributes
    ----------
    weights : pandas.Series
        Principal eigenvector by criterion, summing to 1.
    geometric_weights : pandas.Series
        Geometric means of the rows, summing to 1: a second route that needs no eigenvector, and
        the same as the first when the judgements are consistent.
    lambda_max : float
        Principal eigenvalue: the number of criteria n when consistent, more otherwise.
    consistency_index : float
        (λ − n) / (n − 1); 0 for one or two criteria, which cannot contradict each other.
    consistency_ratio : float
        Consistency index ÷ Saaty's random index; 0 for one or two criteria, NaN above ten, where
        the table of random indices ends.
    judgements : pandas.DataFrame
        One row per pair, the least consistent first: `criterion`, `versus`, `judgement` (a_ij),
        `implied` (w_i / w_j) and `error` (the larger of a_ij w_j / w_i and its inverse; 1 is
        perfect agreement).
    """

    weights: pd.Series
    geometric_weights: pd.Series
    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    judgements: pd.DataFrame

    @property
    def is_consistent(self):
        """Whether the consistency ratio is at most 0.1 (False where it is NaN)."""
        return bool(self.consistency_ratio <= 0.1)


def ahp_weights(matrix, *, names=None):
    r"""Return the weights that a matrix of pairwise judgements implies.

    .. math::
        A w = \lambda_{\max} w, \qquad \sum_i w_i = 1, \qquad
        CI = \frac{\lambda_{\max} - n}{n - 1}, \qquad CR = \frac{CI}{RI_n}

    Parameters
    ----------
    matrix : array_like of float, shape (n_criteria, n_criteria)
        Judgements a_ij > 0, 1 on the diagonal, a_ji = 1 / a_ij (to 3 parts in 1,000, so that
        0.167 may stand for 1/6).
    names : sequence of str or None
        Criteria in the order of the rows; None takes a DataFrame's index, or numbers from 1.

    Returns
    -------
    AHPWeights

    Raises
    ------
    ValueError
        If the matrix is not square, not positive or not reciprocal; the message names the pair.
        A consistency ratio above 0.1 is reported, not refused: the judges decide.

    Notes
    -----
    The pair with the largest `error` is the judgement that most disagrees with what all the others
    imply (Saaty 2003, doi:10.1016/S0377-2217(02)00227-8); ask about it first.

    References
    ----------
    Saaty (1977), doi:10.1016/0022-2496(77)90033-5; Crawford & Williams (1985),
    doi:10.1016/0022-2496(85)90002-1.

    Examples
    --------
    >>> result = ahp_weights([[1, 6, 3], [1 / 6, 1, 1 / 2], [1 / 3, 2, 1]], names=["a", "b", "c"])
    >>> bool(np.allclose(result.weights, [6 / 9, 1 / 9, 2 / 9])), result.is_consistent
    (True, True)
    """
    names, values = _check_judgements(matrix, names)
    n = len(values)
    eigenvalues, eigenvectors = np.linalg.eig(values)
    principal = int(np.argmax(eigenvalues.real))
    lambda_max = float(eigenvalues[principal].real)
    vector = np.abs(eigenvectors[:, principal].real)
    weights = vector / vector.sum()
    geometric = np.exp(np.log(values).mean(axis=1))
    geometric = geometric / geometric.sum()
    # Perron: λ is at least n, and rounding alone takes it below; two criteria have λ = n exactly.
    lambda_max = float(n) if n <= 2 else max(lambda_max, float(n))
    index = (lambda_max - n) / (n - 1) if n > 2 else 0.0
    ratio = 0.0 if n <= 2 else index / RANDOM_INDEX.get(n, np.nan)
    rows = []
    for i in range(n):
        for j in range(i + 1, n):
            implied = weights[i] / weights[j]
            agreement = values[i, j] / implied
            rows.append(
                {
                    "criterion": names[i],
                    "versus": names[j],
                    "judgement": values[i, j],
                    "implied": implied,
                    "error": max(agreement, 1 / agreement),
                }
            )
    columns = ["criterion", "versus", "judgement", "implied", "error"]
    judgements = pd.DataFrame(rows, columns=columns)
    judgements = judgements.sort_values("error", ascending=False, kind="stable", ignore_index=True)
    return AHPWeights(
        weights=pd.Series(weights, index=names, name="weight"),
        geometric_weights=pd.Series(geometric, index=names, name="weight"),
        lambda_max=lambda_max,
        consistency_index=index,
        consistency_ratio=ratio,
        judgements=judgements,
    )


def entropy_weights(matrix, directions=None, *, scaling="sum"):
    r"""Return weights from how unevenly the alternatives share each criterion.

    .. math::
        p_{ij} = \frac{x_{ij}}{\sum_i x_{ij}}, \qquad
        e_j = -\frac{1}{\ln m} \sum_{i=1}^{m} p_{ij} \ln p_{ij}, \qquad
        w_j = \frac{1 - e_j}{\sum_k (1 - e_k)}

    Parameters
    ----------
    matrix : pandas.DataFrame or array_like, shape (m_alternatives, n_criteria)
        Values x of each alternative on each criterion, all finite.
    directions : sequence or mapping of str, or None
        "higher" or "lower" is better, by criterion; None: all "higher".
    scaling : {"sum", "range"}
        "sum" shares out the values as they are, and "lower" criteria by their reciprocals: needs
        values of at least 0 (above 0 for "lower"). "range" first carries each criterion to 0–1,
        worst to best, and so takes negative values too.

    Returns
    -------
    pandas.DataFrame, one row per criterion, named by the matrix's columns
        `weight` (sums to 1), `entropy` (0 to 1) and `divergence` (1 − entropy). A criterion
        without variation has entropy 1 and weight 0.

    Raises
    ------
    ValueError
        If values or directions are not as described, there are fewer than two alternatives, or
        no criterion varies, so that nothing can be weighed.

    Notes
    -----
    Variation is not importance: an indicator that chance alone shakes gets a large weight. And
    the two scalings weigh differently, "range" making much of small differences.

    References
    ----------
    Shannon (1948), doi:10.1002/j.1538-7305.1948.tb01338.x; Zeleny (1982).

    Examples
    --------
    >>> entropy_weights([[1, 5, 0], [1, 5, 8]])["weight"].tolist()
    [0.0, 0.0, 1.0]
    """
    frame = _check_matrix(matrix)
    directions = _check_directions(directions, frame.columns)
    if scaling not in ("sum", "range"):
        raise ValueError(f"scaling is {scaling!r}; expected 'sum' or 'range'")
    m = len(frame)
    if m < 2:
        raise ValueError(f"the matrix has {m} alternatives; expected at least 2 to compare")
    x = frame.to_numpy(dtype=float, copy=True)
    is_constant = ~_varies(x)
    if scaling == "range":
        x = _to_unit_range(x, directions)
        x[:, is_constant] = 1.0
    else:
        _check_shares(x, frame.columns, directions)
        is_lower = directions == "lower"
        x[:, is_lower] = 1 / x[:, is_lower]
        x[:, is_constant] = 1.0
    p = x / x.sum(axis=0)
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0)
    # Rounding takes the entropy of nearly equal values past 1.
    entropy = np.where(is_constant, 1.0, np.minimum(np.abs(terms.sum(axis=0)) / np.log(m), 1.0))
    divergence = 1 - entropy
    if divergence.sum() == 0:
        raise ValueError(
            "no criterion differs between the alternatives, so entropy weighs nothing; leave the "
            "constant criteria out or give weights of your own"
        )
    return pd.DataFrame(
        {
            "weight": divergence / divergence.sum(),
            "entropy": entropy,
            "divergence": divergence,
        },
        index=frame.columns,
    )


def hierarchy_weights(group_weights, groups):
    """Return the weight of each criterion from the weight of its group, shared out alike.

    Parameters
    ----------
    group_weights : pandas.Series or mapping of str to float
        Weight of each group (view), of at least 0.
    groups : pandas.Series of str, index the criteria
        Group of each criterion.

    Returns
    -------
    pandas.Series of float, index the criteria
        Weight of the group ÷ its number of criteria, divided by the sum over all criteria, so
        that the weights sum to 1 even if a group has no criterion.

    Raises
    ------
    ValueError
        If a criterion's group has no weight, a weight is negative or not finite, or all are 0.

    Examples
    --------
    >>> groups = pd.Series({"revenue": "value", "margin": "value", "csat": "satisfaction"})
    >>> hierarchy_weights({"value": 0.6, "satisfaction": 0.4}, groups).tolist()
    [0.3, 0.3, 0.4]
    """
    given = dict(group_weights)
    for criterion, group in groups.items():
        if group not in given:
            raise ValueError(
                f"criterion {criterion!r} belongs to {group!r}, which has no weight; expected one "
                f"of {', '.join(map(str, given))}"
            )
    weights = groups.map({group: float(weight) for group, weight in given.items()})
    weights = (weights / groups.map(groups.value_counts())).astype("float64")
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() == 0:
        raise ValueError("expected finite weights of at least 0 and not all 0")
    return (weights / weights.sum()).rename("weight")


def _check_judgements(matrix, names):
    if names is None and isinstance(matrix, pd.DataFrame):
        names = list(matrix.index)
    values = np.asarray(matrix, dtype=float)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) == 0:
        raise ValueError(
            f"the judgements have shape {values.shape}; expected a square matrix, one row and one "
            "column per criterion"
        )
    n = len(values)
    names = [str(k + 1) for k in range(n)] if names is None else [str(name) for name in names]
    if len(names) != n or len(set(names)) != n:
        raise ValueError(f"names has {len(names)} entries; expected {n} different ones")
    for i in range(n):
        for j in range(n):
            if not np.isfinite(values[i, j]) or values[i, j] <= 0:
                raise ValueError(
                    f"the judgement of {names[i]!r} against {names[j]!r} is {values[i, j]}; "
                    "expected a number above 0 (1 for alike, 9 for extremely more)"
                )
    for i in range(n):
        if abs(values[i, i] - 1) > _RECIPROCAL_SLACK:
            raise ValueError(
                f"{names[i]!r} against itself is {values[i, i]}; expected 1 on the diagonal"
            )
        for j in range(i + 1, n):
            if abs(values[i, j] * values[j, i] - 1) > _RECIPROCAL_SLACK:
                raise ValueError(
                    f"{names[i]!r} against {names[j]!r} is {values[i, j]}, but the other way round "
                    f"it is {values[j, i]}; expected {1 / values[i, j]:.4g}, the reciprocal"
                )
    return names, values


def _check_matrix(matrix):
    frame = matrix if isinstance(matrix, pd.DataFrame) else pd.DataFrame(np.asarray(matrix))
    values = frame.to_numpy(dtype=float)
    if values.ndim != 2 or values.size == 0:
        raise ValueError("the matrix is empty; expected one row per alternative")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise ValueError(
            f"alternative {frame.index[row]!r}, criterion {frame.columns[column]!r} is "
            f"{values[row, column]}; expected a finite number: leave out or fill in what is missing"
        )
    return frame


def _check_directions(directions, names):
    if directions is None:
        return np.full(len(names), "higher")
    if isinstance(directions, (dict, pd.Series)):
        absent = [name for name in names if name not in directions]
        if absent:
            raise ValueError(f"directions lack {absent}; expected one for each criterion")
        directions = [directions[name] for name in names]
    directions = np.asarray(list(directions), dtype=object)
    if len(directions) != len(names):
        raise ValueError(
            f"{len(directions)} directions for {len(names)} criteria; expected as many"
        )
    for name, direction in zip(names, directions, strict=True):
        if direction not in ("higher", "lower"):
            raise ValueError(
                f"the direction of {name!r} is {direction!r}; expected 'higher' or 'lower'"
            )
    return directions


def _check_shares(x, names, directions):
    for j, (name, direction) in enumerate(zip(names, directions, strict=True)):
        least = x[:, j].min()
        if least < 0 or (direction == "lower" and least == 0):
            expected = "above 0" if direction == "lower" else "of at least 0"
            raise ValueError(
                f"criterion {name!r} has the value {least}; scaling='sum' needs values "
                f"{expected}: use scaling='range'"
            )


def _varies(x):
    """Return, by criterion, whether the alternatives differ by more than rounding."""
    return x.max(axis=0) - x.min(axis=0) > _ALIKE * np.abs(x).max(axis=0)


def _to_unit_range(x, directions):
    """Return the values carried to 0 (worst) – 1 (best) by criterion; constant ones to 0."""
    low, spread, varies = x.min(axis=0), np.ptp(x, axis=0), _varies(x)
    scaled = np.divide(x - low, spread, out=np.zeros_like(x), where=varies)
    return np.where((directions == "lower") & varies, 1 - scaled, scaled)
