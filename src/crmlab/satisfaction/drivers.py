r"""Drivers: how much of overall satisfaction goes with each attribute.

Who asks: whoever mistrusts what customers *say* is important and would see what *goes with* their
satisfaction (derived importance). Attributes are correlated, so regression coefficients share
what is common among them by accident; here each attribute gets its mean gain in R² over all orders
in which the attributes can enter the regression. In the theory of games this is the Shapley value,
in statistics it is called LMG.

.. math:: \phi_j = \sum_{S \not\ni j} \frac{|S|!\,(p - |S| - 1)!}{p!}\,
          \left( R^2_{S \cup j} - R^2_S \right)

Sources: Lindeman, R. H., Merenda, P. F. & Gold, R. Z. (1980), Introduction to Bivariate and
Multivariate Analysis, Scott, Foresman, 119 ff.; Grömping, U. (2007), Estimators of relative
importance in linear regression based on variance decomposition, The American Statistician 61(2),
139–147, doi:10.1198/000313007X188252; Lipovetsky, S. & Conklin, M. (2001), Analysis of regression
in game theory approach, Applied Stochastic Models in Business and Industry 17(4), 319–330,
doi:10.1002/asmb.446.
"""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.satisfaction.intervals import percentile_ends

__all__ = ["MOST_ATTRIBUTES", "driver_shares", "shapley_r_squared"]

MOST_ATTRIBUTES = 15
"""2¹⁵ regressions take about a second; twice as many attributes would take hours."""

_TOLERANCE = 1e-8  # smallest share of an attribute's variance that others must leave to it
_CHUNK = 1_000_000  # numbers held at once


def driver_shares(attributes, outcome, *, n_resamples=200, confidence=0.95, rng):
    """Return how much of the outcome's variance goes with each attribute, by Shapley's value.

    Parameters
    ----------
    attributes : pandas.DataFrame, one row per respondent
        Ratings, a column per attribute, at most `MOST_ATTRIBUTES`; NaN where there is none.
    outcome : array_like of float, shape (n_respondents,)
        Overall satisfaction, or whatever is to be explained.
    n_resamples : int
        Bootstrap resamples of the respondents, at least 100; 0 leaves the intervals NaN.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame, one row per attribute, input order
        `r_squared_share` (0 to 1; they sum to the R² of all attributes), `lower`, `upper`;
        `relative_share`, its part of that R²; `correlation` with the outcome, `beta`, the
        standardised coefficient, and `vif`, the variance inflation factor. The attribute
        `n_respondents` of the frame's `attrs` says how many answered everything, `r_squared` how
        much all attributes explain.

    Raises
    ------
    ValueError
        If there are more attributes than `MOST_ATTRIBUTES`, or as many as respondents; an
        attribute or the outcome does not vary; or an attribute follows from others (it is named).

    Notes
    -----
    Respondents with an answer missing are left out. Resamples in which a rating does not vary are
    drawn again. A share is a description of the sample's correlations: an attribute may go with
    satisfaction because satisfied people rate everything highly, and one that nobody is
    dissatisfied with cannot show what its absence would cost.

    References
    ----------
    Lindeman, Merenda & Gold (1980); Grömping (2007), doi:10.1198/000313007X188252

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = pd.DataFrame(rng.normal(size=(500, 2)), columns=["price", "speed"])
    >>> y = 2 * x["price"] + x["speed"] + rng.normal(size=500)
    >>> table = driver_shares(x, y, rng=rng)
    >>> bool(table["r_squared_share"].sum().round(9) == round(table.attrs["r_squared"], 9))
    True
    """
    names, data = _complete(attributes, outcome)
    n, p = data.shape[0], data.shape[1] - 1
    correlation = np.corrcoef(data.T)
    _refuse_collinear(names, correlation[1:, 1:])
    shares = shapley_r_squared(correlation)
    inverse = np.linalg.inv(correlation[1:, 1:])
    lower = upper = np.full(p, np.nan)
    if n_resamples:
        if n_resamples < 100:
            raise ValueError(f"n_resamples is {n_resamples}; expected 0, or at least 100")
        drawn = _resample_correlations(data, n_resamples, rng)
        lower, upper = percentile_ends(shapley_r_squared(drawn), confidence=confidence)
    total = shares.sum()
    table = pd.DataFrame(
        {
            "r_squared_share": shares,
            "lower": lower,
            "upper": upper,
            "relative_share": shares / total if total > 0 else np.nan,
            "correlation": correlation[0, 1:],
            "beta": inverse @ correlation[1:, 0],
            "vif": np.diag(inverse),
        },
        index=pd.Index(names, name="feature"),
    )
    table.attrs |= {"n_respondents": n, "r_squared": float(total)}
    return table


def shapley_r_squared(correlation):
    """Return Shapley's value of R² of each attribute, from correlations alone.

    Parameters
    ----------
    correlation : numpy.ndarray of float, shape (1 + p, 1 + p) or (n_stacked, 1 + p, 1 + p)
        Correlations of the outcome (first) and p attributes, p at most `MOST_ATTRIBUTES`; one
        matrix or a stack of them.

    Returns
    -------
    numpy.ndarray of float, shape (p,) or (n_stacked, p)

    Raises
    ------
    ValueError
        If the shape is not as described.

    Examples
    --------
    >>> shapley_r_squared(np.array([[1, 0.6, 0.5], [0.6, 1, 0], [0.5, 0, 1]])).round(2).tolist()
    [0.36, 0.25]
    """
    stack = np.asarray(correlation, dtype=float)
    if stack.ndim not in (2, 3) or stack.shape[-1] != stack.shape[-2] or stack.shape[-1] < 2:
        raise ValueError(f"correlation has shape {stack.shape}; expected a square matrix, or more")
    p = stack.shape[-1] - 1
    if p > MOST_ATTRIBUTES:
        raise ValueError(_too_many(p))
    if stack.ndim == 2:
        return shapley_r_squared(stack[None])[0]
    step = max(1, _CHUNK // 2**p)
    parts = [_shapley_of(stack[start : start + step]) for start in range(0, len(stack), step)]
    return np.concatenate(parts)


def _shapley_of(stack):
    """Return the values of a stack of correlations: R² of every subset, then their gains."""
    p = stack.shape[1] - 1
    r_squared = np.zeros((len(stack), 2**p))
    for size in range(1, p + 1):
        members = np.array(list(combinations(range(p), size)))
        step = max(1, _CHUNK // (len(stack) * size**2))
        for start in range(0, len(members), step):
            chosen = members[start : start + step] + 1
            inner = stack[:, chosen[:, :, None], chosen[:, None, :]]
            outer = stack[:, 0, chosen][..., None]
            explained = (outer * np.linalg.solve(inner, outer)).sum(axis=(2, 3))
            r_squared[:, (1 << (chosen - 1)).sum(axis=1)] = explained
    subsets = np.arange(2**p)
    sizes = np.array([bin(s).count("1") for s in subsets])
    weight = np.array([factorial(k) * factorial(p - k - 1) / factorial(p) for k in range(p)])
    values = np.empty((len(stack), p))
    for j in range(p):
        without = subsets[(subsets >> j) & 1 == 0]
        gain = r_squared[:, without | (1 << j)] - r_squared[:, without]
        values[:, j] = gain @ weight[sizes[without]]
    return values


def _complete(attributes, outcome):
    """Return the attributes' names, and outcome and attributes of those who answered everything."""
    names = list(attributes.columns)
    p = len(names)
    if not 1 <= p <= MOST_ATTRIBUTES:
        raise ValueError(_too_many(p))
    y = np.asarray(outcome, dtype=float)
    if y.shape != (len(attributes),):
        raise ValueError(
            f"outcome has shape {y.shape}; expected one number for each of the {len(attributes)} "
            "rows of attributes"
        )
    data = np.column_stack([y, attributes.to_numpy(dtype=float)])
    data = data[np.isfinite(data).all(axis=1)]
    if len(data) <= p + 1:
        raise ValueError(say("satisfaction_drivers_few", n=len(data), p=p, least=p + 1))
    outcome_name = {"en": "the outcome", "zh": "结果变量"}
    for name, column in zip([outcome_name, *map(repr, names)], data.T, strict=True):
        if np.ptp(column) == 0:
            constant = f"{column[0]:g}"
            raise ValueError(say("satisfaction_drivers_constant", name=name, value=constant))
    return names, data


def _refuse_collinear(names, correlation):
    """Refuse an attribute that the ones before it leave no variance of its own."""
    for j in range(1, len(names)):
        inner, outer = correlation[:j, :j], correlation[:j, j]
        left = 1 - outer @ np.linalg.solve(inner, outer)
        if left < _TOLERANCE:
            at = int(np.abs(outer).argmax())
            known = {"nearest": repr(names[at]), "r": f"{outer[at]:.3f}"}
            raise ValueError(say("satisfaction_drivers_repeat", name=repr(names[j]), **known))


def _resample_correlations(data, n_resamples, rng):
    """Return the correlations of bootstrap resamples in which every column varies."""
    n, k = data.shape
    scaled = (data - data.mean(axis=0)) / data.std(axis=0)
    found, n_found, n_tried = [], 0, 0
    step = max(1, min(n_resamples, _CHUNK // (n * k)))
    while n_found < n_resamples:
        if n_tried > 20 * n_resamples:
            raise ValueError(say("satisfaction_drivers_resamples", n=n))
        sample = scaled[rng.integers(0, n, size=(step, n))]
        sample -= sample.mean(axis=1, keepdims=True)
        products = np.einsum("bni,bnj->bij", sample, sample, optimize=True) / n
        spread = np.sqrt(np.einsum("bii->bi", products))
        is_sound = spread.min(axis=1) > 0
        unit = products[is_sound] / (spread[is_sound, :, None] * spread[is_sound, None, :])
        unit = unit[np.linalg.eigvalsh(unit[:, 1:, 1:])[:, 0] > _TOLERANCE]
        found.append(unit)
        n_found += len(unit)
        n_tried += step
    return np.concatenate(found)[:n_resamples]


def _too_many(p):
    return say("satisfaction_drivers_many", n=p, most=MOST_ATTRIBUTES)
