"""Satisfaction as a comparison of what was perceived with what was expected.

Who asks: a manager who has both answers of each customer, and wants four plain levels from them;
a student who wants to know what those levels hide.

Vocabulary. *Expected* (a) is the level a customer counted on, *perceived* (b) the level that
customer says was met. The *satisfaction ratio* is C = b / a, *disconfirmation* is d = b − a,
*performance only* is b alone. A ratio has a meaning only on a scale that starts at 0: an item
answered from 1 to 10 is shifted to 0 to 9 first (`shift_scale`), and only then can C reach 0.

Sources: Oliver, R. L. (1980), A cognitive model of the antecedents and consequences of
satisfaction decisions, Journal of Marketing Research 17(4), 460–469,
doi:10.1177/002224378001700405, for satisfaction as expectation and its disconfirmation; Peter,
J. P., Churchill, G. A. & Brown, T. J. (1993), Caution in the use of difference scores in consumer
research, Journal of Consumer Research 19(4), 655–662, for what is wrong with a difference of two
answers; Cronin, J. J. & Taylor, S. A. (1992), Measuring service quality, Journal of Marketing
56(3), 55–68, doi:10.1177/002224299205600304, for performance only.
"""

import numpy as np
import pandas as pd

__all__ = [
    "LEVELS",
    "disconfirmation",
    "level_shares",
    "ratio_disagreement",
    "satisfaction_ratio",
    "shift_scale",
    "tolerance_sensitivity",
]

LEVELS = ("very dissatisfied", "dissatisfied", "satisfied", "delighted")
"""The four levels of satisfaction, lowest first; keys of the terms table with `_` for the space."""

# 1 - 0.95 is 0.05000000000000004 in floating point: the band's ends belong to "satisfied".
_SLACK = 1e-12


def shift_scale(scores, minimum, maximum):
    """Return scores moved so that the scale starts at 0: score − minimum.

    Parameters
    ----------
    scores : array_like of float
        Answers between `minimum` and `maximum`, ends included; NaN where there is none.
    minimum, maximum : float
        Ends of the scale as it was asked (1 and 10 for an item answered from 1 to 10).

    Returns
    -------
    numpy.ndarray, or the pandas type that was passed
        Scores from 0 to maximum − minimum, in the same points; NaN stays NaN.

    Raises
    ------
    ValueError
        If the ends are not two finite numbers in order, or a score lies outside of them.

    Notes
    -----
    Shifting states an assumption: that the lowest answer means "nothing at all". Differences
    between customers are unchanged by it, ratios are not.

    Examples
    --------
    >>> shift_scale([1, 5.5, 10], 1, 10)
    array([0. , 4.5, 9. ])
    """
    if not (np.isfinite(minimum) and np.isfinite(maximum) and minimum < maximum):
        raise ValueError(
            f"the scale's ends are {minimum!r} and {maximum!r}; expected two finite numbers, the "
            "lower one first"
        )
    values = np.asarray(scores, dtype=float)
    outside = (values < minimum) | (values > maximum)
    if outside.any():
        where = tuple(int(index) for index in np.argwhere(outside)[0])
        place = where[0] if len(where) == 1 else where
        raise ValueError(
            f"score {float(values[where])} at position {place} lies outside the scale "
            f"{minimum}–{maximum} ({int(outside.sum())} such scores); check the ends of the scale"
        )
    if isinstance(scores, (pd.Series, pd.DataFrame)):
        return scores.astype("float64") - minimum
    return values - minimum


def satisfaction_ratio(perceived, expected, *, tolerance=0.05, minimum=0):
    r"""Return the satisfaction ratio C = perceived / expected of each customer, and its level.

    The level is read from C with a tolerance ε for "close to 1":

    .. math::
        C = b / a, \qquad
        \begin{cases}
        C = 0 & \text{very dissatisfied} \\
        0 < C < 1 - \varepsilon & \text{dissatisfied} \\
        |C - 1| \le \varepsilon & \text{satisfied} \\
        C > 1 + \varepsilon & \text{delighted}
        \end{cases}

    Parameters
    ----------
    perceived, expected : array_like of float, shape (n_customers,)
        Scores b and a on one ratio scale that starts at 0 (a 1–10 item must be shifted first,
        see `shift_scale`); NaN where the customer gave no answer. Two Series must have the same
        index.
    tolerance : float
        Half-width ε of "close to 1", in units of C, at least 0 and below 1; 0.05 unless a study
        says otherwise. Both ends of the band count as satisfied.
    minimum : float
        Lowest answer that the scale allows, as the items table has it. Anything but 0 is refused:
        where nobody can answer 0, nobody can be very dissatisfied.

    Returns
    -------
    pandas.DataFrame, one row per customer, input order and index
        `ratio` (dimensionless) and `level`, an ordered category: very dissatisfied <
        dissatisfied < satisfied < delighted. Both are missing where either score is missing, and
        where `expected` is 0: who expected nothing has no ratio, whatever was met.

    Raises
    ------
    ValueError
        If a score is negative, if the two columns differ in length or index, if the tolerance is
        out of range, or if the scale does not start at 0.

    Notes
    -----
    C compares a customer with that customer alone: one who expected 1 and met 1 is as satisfied
    as one who expected 9 and met 9. `ratio_disagreement` counts how many such cases there are.

    References
    ----------
    Oliver (1980), doi:10.1177/002224378001700405, for the comparison; the ratio is the form in
    which CRM textbooks teach it.

    Examples
    --------
    >>> satisfaction_ratio([9, 6, 0, 6.2], [6, 9, 9, 6])
          ratio              level
    0  1.500000          delighted
    1  0.666667       dissatisfied
    2  0.000000  very dissatisfied
    3  1.033333          satisfied
    """
    _check_tolerance(tolerance)
    if minimum != 0:
        raise ValueError(
            f"the scale starts at {minimum:g}, where C = 0 cannot happen and a ratio depends on "
            f"that start; move both scores to 0 first with shift_scale(scores, {minimum:g}, "
            "maximum)"
        )
    index, b, a = _pair(perceived, expected)
    for name, values in (("perceived", b), ("expected", a)):
        below = np.flatnonzero(values < 0)
        if len(below):
            raise ValueError(
                f"{name} is {float(values[below[0]])} at position {int(below[0])}, below 0; "
                "expected scores on a scale that starts at 0 (see shift_scale)"
            )
    ratio = np.divide(b, a, out=np.full(len(a), np.nan), where=a > 0)
    distance = np.abs(ratio - 1)
    code = np.full(len(ratio), -1)
    code[ratio < 1] = 1
    code[ratio > 1] = 3
    code[distance <= tolerance + _SLACK] = 2
    code[ratio == 0] = 0
    level = pd.Categorical.from_codes(code, categories=list(LEVELS), ordered=True)
    return pd.DataFrame({"ratio": ratio, "level": level}, index=index)


def disconfirmation(perceived, expected):
    """Return the disconfirmation d = perceived − expected of each customer.

    Parameters
    ----------
    perceived, expected : array_like of float, shape (n_customers,)
        Scores on one interval scale; where it starts does not matter. NaN where the customer
        gave no answer. Two Series must have the same index.

    Returns
    -------
    pandas.Series, float, input order and index, named "disconfirmation"
        Points of the scale: below 0 worse than expected, above 0 better; NaN where either score
        is missing.

    Raises
    ------
    ValueError
        If the two columns differ in length or index, or hold an infinite score.

    Notes
    -----
    A difference of two answers is less reliable than either of them when they go together, and
    is tied to both by construction; correlate it with a third thing with care.

    References
    ----------
    Peter, Churchill & Brown (1993), Journal of Consumer Research 19(4), 655–662.

    Examples
    --------
    >>> disconfirmation([9, 6], [6, 9]).tolist()
    [3.0, -3.0]
    """
    index, b, a = _pair(perceived, expected)
    return pd.Series(b - a, index=index, name="disconfirmation")


def level_shares(levels):
    """Return how many customers have each of the four levels.

    Parameters
    ----------
    levels : pandas.Series
        The column `level` of `satisfaction_ratio`.

    Returns
    -------
    pandas.DataFrame, one row per level, lowest first
        `level`, `n_customers`, and `share` of the customers who have a level (NaN when none has).

    Raises
    ------
    ValueError
        If the column is not the ordered category that `satisfaction_ratio` returns.

    Examples
    --------
    >>> level_shares(satisfaction_ratio([9, 6, 6, 2], [6, 9, 6, 0])["level"])["share"].sum()
    np.float64(1.0)
    """
    dtype = getattr(levels, "dtype", None)
    if not isinstance(dtype, pd.CategoricalDtype) or list(dtype.categories) != list(LEVELS):
        raise ValueError(
            "levels must be the column 'level' of satisfaction_ratio, an ordered category of "
            f"{', '.join(LEVELS)}"
        )
    counts = levels.value_counts(sort=False).reindex(list(LEVELS))
    n = int(counts.sum())
    return pd.DataFrame(
        {
            "level": pd.Categorical(list(LEVELS), categories=list(LEVELS), ordered=True),
            "n_customers": counts.to_numpy(dtype="int64"),
            "share": counts.to_numpy(dtype=float) / n if n else np.full(len(LEVELS), np.nan),
        }
    )


def tolerance_sensitivity(perceived, expected, *, tolerances):
    """Return the shares of the four levels for each of several tolerances.

    Parameters
    ----------
    perceived, expected : array_like of float, shape (n_customers,)
        As in `satisfaction_ratio`.
    tolerances : sequence of float
        Half-widths of "close to 1" to try, each at least 0 and below 1.

    Returns
    -------
    pandas.DataFrame, one row per tolerance and level
        `tolerance`, `level`, `n_customers`, `share` (of the customers who have a ratio).

    Raises
    ------
    ValueError
        As `satisfaction_ratio`; and if no tolerance is given.

    Examples
    --------
    >>> shares = tolerance_sensitivity([10, 9, 8], [9, 9, 9], tolerances=[0.0, 0.2])
    >>> shares.loc[shares["level"] == "satisfied", "share"].tolist()
    [0.3333333333333333, 1.0]
    """
    tolerances = list(tolerances)
    if not tolerances:
        raise ValueError("tolerances is empty; give at least one half-width, such as 0.05")
    tables = []
    for tolerance in tolerances:
        levels = satisfaction_ratio(perceived, expected, tolerance=tolerance)["level"]
        table = level_shares(levels)
        table.insert(0, "tolerance", float(tolerance))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def ratio_disagreement(perceived, expected, *, midpoint, tolerance=0.05):
    """Return how often the ratio and the perceived level itself tell different stories.

    The ratio calls a customer satisfied when C is at least 1 − ε. Perceived performance alone
    calls a customer well served when b is at least the scale's midpoint. They part company in
    two cases: little was expected and little was met (satisfied with little), or very much was
    expected and much was met (dissatisfied with much).

    Parameters
    ----------
    perceived, expected : array_like of float, shape (n_customers,)
        As in `satisfaction_ratio`.
    midpoint : float
        Score from which perceived performance counts as good, in points of the same scale, above
        0 (4.5 for a 1–10 item shifted to 0–9).
    tolerance : float
        Half-width of "close to 1", as in `satisfaction_ratio`.

    Returns
    -------
    pandas.DataFrame, four rows in a fixed order
        `case` ("both satisfied", "both dissatisfied", "satisfied with little", "dissatisfied
        with much"), `has_agreement` (bool), `n_customers`, `share` of the customers who have a
        ratio (NaN when none has), `mean_expected` and `mean_perceived` in points (NaN in a case
        that nobody is in).

    Raises
    ------
    ValueError
        As `satisfaction_ratio`; and if the midpoint is not a number above 0.

    Examples
    --------
    >>> table = ratio_disagreement([1, 8, 8, 2], [1, 9, 8, 5], midpoint=4.5)
    >>> table[["case", "n_customers"]].to_numpy().tolist()[2:]
    [['satisfied with little', 1], ['dissatisfied with much', 1]]
    """
    if not (np.isfinite(midpoint) and midpoint > 0):
        raise ValueError(f"midpoint is {midpoint!r}; expected a score above 0 on the same scale")
    result = satisfaction_ratio(perceived, expected, tolerance=tolerance)
    _, b, a = _pair(perceived, expected)
    known = result["ratio"].notna().to_numpy()
    is_satisfied = (result["level"] >= "satisfied").to_numpy()
    is_good = b >= midpoint
    cases = {
        "both satisfied": is_satisfied & is_good,
        "both dissatisfied": ~is_satisfied & ~is_good,
        "satisfied with little": is_satisfied & ~is_good,
        "dissatisfied with much": ~is_satisfied & is_good,
    }
    rows = []
    for case, chosen in cases.items():
        chosen = chosen & known
        n = int(chosen.sum())
        rows.append(
            {
                "case": case,
                "has_agreement": case.startswith("both"),
                "n_customers": n,
                "share": n / known.sum() if known.any() else np.nan,
                "mean_expected": a[chosen].mean() if n else np.nan,
                "mean_perceived": b[chosen].mean() if n else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _pair(perceived, expected):
    """Return index, perceived and expected as float arrays, refusing what does not go together."""
    both_series = isinstance(perceived, pd.Series) and isinstance(expected, pd.Series)
    if both_series and not perceived.index.equals(expected.index):
        raise ValueError(
            "perceived and expected have different indexes; expected one row per customer in the "
            "same order in both"
        )
    columns = []
    for name, scores in (("perceived", perceived), ("expected", expected)):
        values = (
            scores.to_numpy(dtype=float, na_value=np.nan)
            if isinstance(scores, pd.Series)
            else np.asarray(scores, dtype=float)
        )
        if values.ndim != 1:
            raise ValueError(f"{name} has {values.ndim} dimensions; expected one column of scores")
        if np.isinf(values).any():
            position = int(np.flatnonzero(np.isinf(values))[0])
            raise ValueError(f"{name} is infinite at position {position}; expected a finite score")
        columns.append(values)
    b, a = columns
    if len(b) != len(a):
        raise ValueError(
            f"perceived has {len(b)} scores and expected {len(a)}; expected one of each per "
            "customer"
        )
    given = next((s for s in (perceived, expected) if isinstance(s, pd.Series)), None)
    return (given.index if given is not None else pd.RangeIndex(len(b))), b, a


def _check_tolerance(tolerance):
    if not (np.isfinite(tolerance) and 0 <= tolerance < 1):
        raise ValueError(
            f"tolerance is {tolerance!r}; expected a half-width of at least 0 and below 1, such "
            "as 0.05"
        )
