"""Evaluation by many criteria at once: who is nearest to the best, and does it depend on weights.

Who asks: whoever must say which quarter, branch or supplier did best when no one is best in
everything, and is asked in the next breath "would that change with other weights?".

Vocabulary. *Alternatives* are what is judged (rows), *criteria* what they are judged by (columns),
each with a direction, "higher" or "lower" is better. The *ideal* has the best value seen on every
criterion, the *anti-ideal* the worst; *closeness* is 1 at the ideal and 0 at the anti-ideal.

Sources: Hwang, C.-L. & Yoon, K. (1981), Multiple Attribute Decision Making, Springer,
doi:10.1007/978-3-642-48318-9 (TOPSIS); Tzeng, G.-H. & Huang, J.-J. (2011), Multiple Attribute
Decision Making: Methods and Applications, CRC Press (a worked example).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlab.performance.weights import _check_directions, _check_matrix, _to_unit_range, _varies

__all__ = ["obstacle_degree", "rank_sensitivity", "topsis"]

# Closeness of two alternatives that are alike differs by rounding only.
_TIE = 1e-12


def topsis(matrix, weights, *, directions=None):
    r"""Return how close each alternative comes to the ideal, and its rank (TOPSIS).

    .. math::
        v_{ij} = w_j \frac{x_{ij}}{\sqrt{\sum_i x_{ij}^2}}, \qquad
        d_i^{\pm} = \sqrt{\sum_j (v_{ij} - v_j^{\pm})^2}, \qquad
        c_i = \frac{d_i^-}{d_i^+ + d_i^-}

    Parameters
    ----------
    matrix : pandas.DataFrame or array_like, shape (m_alternatives, n_criteria)
        Values x of each alternative on each criterion, all finite.
    weights : sequence or mapping of str to float, shape (n_criteria,)
        Non-negative, not all 0; only their proportions matter. A criterion with weight 0 is
        ignored.
    directions : sequence or mapping of str, or None
        "higher" or "lower" is better, by criterion; None: all "higher".

    Returns
    -------
    pandas.DataFrame, one row per alternative, input order and index
        `closeness` (0 to 1), `rank` (1 is best; alternatives alike share the better rank),
        `distance_to_ideal` and `distance_to_anti_ideal`. A criterion on which all alternatives
        are alike moves nothing; if they are alike on every weighted criterion, closeness is NaN
        and rank missing.

    Raises
    ------
    ValueError
        If values, weights or directions are not as described.

    Notes
    -----
    Ideal and anti-ideal are taken from the alternatives at hand, so one alternative more can turn
    the ranks of the others round. Closeness is no mark out of ten.

    References
    ----------
    Hwang & Yoon (1981), doi:10.1007/978-3-642-48318-9.

    Examples
    --------
    >>> topsis([[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]], [0.3, 0.4, 0.3])["rank"].tolist()
    [3, 2, 1, 4]
    """
    frame = _check_matrix(matrix)
    weights = _check_weights(weights, frame.columns)
    directions = _check_directions(directions, frame.columns)
    scaled = _vector_scaled(frame.to_numpy(dtype=float), directions)
    to_ideal, to_anti = (part[0] for part in _distances(scaled, weights[None]))
    closeness = _closeness(to_ideal, to_anti)
    return pd.DataFrame(
        {
            "closeness": closeness,
            "rank": pd.array(_ranks(closeness), dtype="Int64"),
            "distance_to_ideal": to_ideal,
            "distance_to_anti_ideal": to_anti,
        },
        index=frame.index,
    )


def rank_sensitivity(matrix, weights, *, directions=None, spread=0.2, n_draws=1000, rng):
    """Return how each alternative's rank holds when the weights are not quite what they seemed.

    Each draw multiplies every weight by exp(spread × a standard normal number) and divides by the
    sum: a weight of 0 stays 0, and a spread of 0.2 moves a weight by about a fifth, up or down.

    Parameters
    ----------
    matrix, weights, directions
        As in `topsis`.
    spread : float
        Standard deviation of the logarithm of a weight, at least 0.
    n_draws : int
        Number of draws, at least 1.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    pandas.DataFrame, one row per alternative, input order and index
        `rank` with the weights as given; `best_rank`, `worst_rank` and `mean_rank` over the
        draws; `same_rank_share` and `first_share` (shares of draws in which the alternative keeps
        its rank, or is first). NaN if the alternatives are alike on every weighted criterion.

    Raises
    ------
    ValueError
        As `topsis`; and if spread or the number of draws is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rank_sensitivity([[3, 3], [2, 2], [1, 1]], [1, 1], rng=rng)["same_rank_share"].tolist()
    [1.0, 1.0, 1.0]
    """
    if not (np.isfinite(spread) and spread >= 0):
        raise ValueError(f"spread is {spread!r}; expected a number of at least 0, such as 0.2")
    if n_draws < 1:
        raise ValueError(f"n_draws is {n_draws!r}; expected at least 1")
    base = topsis(matrix, weights, directions=directions)
    frame = _check_matrix(matrix)
    weights = _check_weights(weights, frame.columns)
    scaled = _vector_scaled(
        frame.to_numpy(dtype=float), _check_directions(directions, frame.columns)
    )
    draws = weights * np.exp(spread * rng.standard_normal((int(n_draws), len(weights))))
    draws = draws / draws.sum(axis=1, keepdims=True)
    ranks = _ranks(_closeness(*_distances(scaled, draws)))
    known = base["rank"].notna().to_numpy()
    rank = base["rank"].to_numpy(dtype=float, na_value=np.nan)
    result = {
        "best_rank": ranks.min(axis=0),
        "worst_rank": ranks.max(axis=0),
        "mean_rank": ranks.mean(axis=0),
        "same_rank_share": (ranks == rank).mean(axis=0),
        "first_share": (ranks == 1).mean(axis=0),
    }
    table = pd.DataFrame(result, index=frame.index)
    table.loc[~known] = np.nan
    table.insert(0, "rank", base["rank"])
    return table


def obstacle_degree(matrix, weights, alternative, *, directions=None):
    r"""Return what holds an alternative back: the weighted gap to the best, by criterion.

    .. math::
        g_j = \frac{|x_j^{best} - x_{ij}|}{|x_j^{best} - x_j^{worst}|}, \qquad
        o_j = \frac{w_j g_j}{\sum_k w_k g_k}

    Parameters
    ----------
    matrix, weights, directions
        As in `topsis`.
    alternative : hashable
        Row of the matrix (its index value) to be improved.

    Returns
    -------
    pandas.DataFrame, one row per criterion, the largest obstacle first
        `criterion`; `value` and `best` (in the criterion's unit); `gap` (0 at the best value
        seen, 1 at the worst); `weight` (sums to 1); `obstacle_degree` (share of the whole
        weighted gap; NaN when the alternative is best in everything); and `closeness_gain`: how
        much the alternative's TOPSIS closeness would rise if this criterion alone were brought to
        the best value seen (NaN where closeness is).

    Raises
    ------
    ValueError
        As `topsis`; and if there is no such alternative.

    Notes
    -----
    The gap says nothing of what it would cost to close it; rank by gain per unit of cost where
    costs are known.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2], "b": [5, 4]}, index=["now", "then"])
    >>> obstacle_degree(frame, [1, 1], "now")[["criterion", "obstacle_degree"]].values.tolist()
    [['a', 1.0], ['b', 0.0]]
    """
    frame = _check_matrix(matrix)
    if alternative not in frame.index:
        raise ValueError(
            f"no alternative {alternative!r}; expected one of {', '.join(map(str, frame.index))}"
        )
    weights = _check_weights(weights, frame.columns)
    directions = _check_directions(directions, frame.columns)
    x = frame.to_numpy(dtype=float)
    row = int(frame.index.get_indexer([alternative])[0])
    best = np.where(directions == "higher", x.max(axis=0), x.min(axis=0))
    gap = np.where(_varies(x), 1 - _to_unit_range(x, directions)[row], 0.0)
    burden = weights * gap
    now = topsis(frame, weights, directions=directions)["closeness"].iloc[row]
    gains = []
    for j in range(x.shape[1]):
        better = x.copy()
        better[row, j] = best[j]
        then = topsis(better, weights, directions=directions)["closeness"].iloc[row]
        gains.append(then - now)
    table = pd.DataFrame(
        {
            "criterion": frame.columns,
            "value": x[row],
            "best": best,
            "gap": gap,
            "weight": weights,
            "obstacle_degree": burden / burden.sum() if burden.sum() > 0 else np.nan,
            "closeness_gain": gains,
        }
    )
    order = np.argsort(-burden, kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _check_weights(weights, names):
    """Return the weights in the order of the criteria, divided by their sum."""
    if isinstance(weights, (Mapping, pd.Series)):
        absent = [name for name in names if name not in weights]
        if absent or len(weights) != len(names):
            raise ValueError(
                f"weights have the names {', '.join(map(str, weights.keys()))}; expected exactly "
                f"{', '.join(map(str, names))}"
            )
        weights = [weights[name] for name in names]
    values = np.asarray(weights, dtype=float)
    if values.shape != (len(names),):
        raise ValueError(
            f"weights have shape {values.shape}; expected one for each of {len(names)} criteria"
        )
    for name, value in zip(names, values, strict=True):
        if not np.isfinite(value) or value < 0:
            raise ValueError(f"the weight of {name!r} is {value}; expected 0 or more")
    if values.sum() == 0:
        raise ValueError("all weights are 0; give at least one criterion a weight above 0")
    return values / values.sum()


def _vector_scaled(x, directions):
    """Return columns of length 1 with "lower" ones turned round, so that higher is better.

    A column whose values differ by rounding only becomes 0: its differences are none.
    """
    length = np.sqrt((x**2).sum(axis=0))
    scaled = np.divide(x, length, out=np.zeros_like(x), where=_varies(x))
    return np.where(directions == "lower", -scaled, scaled)


def _distances(scaled, weights):
    """Return distances to ideal and anti-ideal, shape (n_draws, m), for weights (n_draws, n)."""
    squared = weights**2
    to_ideal = np.sqrt(squared @ ((scaled - scaled.max(axis=0)) ** 2).T)
    to_anti = np.sqrt(squared @ ((scaled - scaled.min(axis=0)) ** 2).T)
    return to_ideal, to_anti


def _closeness(to_ideal, to_anti):
    total = to_ideal + to_anti
    return np.divide(to_anti, total, out=np.full(total.shape, np.nan), where=total > 0)


def _ranks(closeness):
    """Return 1 + how many alternatives are closer, along the last axis; NaN where undefined."""
    better = closeness[..., None, :] > closeness[..., :, None] + _TIE
    ranks = 1.0 + better.sum(axis=-1)
    ranks[np.isnan(closeness)] = np.nan
    return ranks
