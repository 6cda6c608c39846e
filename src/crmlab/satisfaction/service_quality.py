"""Service quality by dimension: the gap between an excellent firm and this one, and its rivals.

Who asks: whoever runs a service and would know which side of it falls short of what customers
expect of an excellent firm; and whoever doubts that the expectations are worth asking.

Vocabulary. *Expected* (E) is what customers say of an excellent firm, *perceived* (P) what they
say of this one, both on the same statements; a *dimension* is a group of statements. The gap is
P − E, negative where the firm falls short. SERVQUAL is the mean gap of the dimensions, SERVPERF
the mean perception alone; each may weigh the dimensions by the points customers gave them.

Sources: Parasuraman, A., Zeithaml, V. A. & Berry, L. L. (1985), A conceptual model of service
quality and its implications for future research, Journal of Marketing 49(4), 41–50; the same
(1988), SERVQUAL: A multiple-item scale for measuring consumer perceptions of service quality,
Journal of Retailing 64(1), 12–40; Cronin, J. J. & Taylor, S. A. (1992), Measuring service quality:
a reexamination and extension, Journal of Marketing 56(3), 55–68, doi:10.1177/002224299205600304,
for SERVPERF; Peter, J. P., Churchill, G. A. & Brown, T. J. (1993), Caution in the use of difference
scores in consumer research, Journal of Consumer Research 19(4), 655–662, for the reliability of
gaps.
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from crmlab.atlas.sentences import say
from crmlab.satisfaction.intervals import check_confidence

__all__ = [
    "SERVICE_DIMENSIONS",
    "cronbach_alpha",
    "dimension_gaps",
    "pair_statements",
    "read_points",
    "service_measures",
]

SERVICE_DIMENSIONS = ("tangibles", "reliability", "responsiveness", "assurance", "empathy")
"""The five dimensions of SERVQUAL; a survey may name others."""


def pair_statements(survey, items):
    """Return the expected and the perceived answers to every statement, by dimension.

    Parameters
    ----------
    survey : pandas.DataFrame
        One row per respondent, a column per item.
    items : pandas.DataFrame
        One row per item, with `item`, `construct` (``service_expectation``,
        ``service_perception``), `feature` (the dimension), `minimum` and `maximum`. The k-th
        expectation of a dimension and its k-th perception are a pair.

    Returns
    -------
    expected, perceived : pandas.DataFrame
        Columns of two levels, `dimension` and `statement` (1, 2, ...), the same in both.

    Raises
    ------
    ValueError
        If there is no such item, an item names no dimension, a dimension has not as many
        expectations as perceptions, or the two are asked on different scales.

    Examples
    --------
    >>> items = pd.DataFrame({"item": ["e1", "p1"], "feature": ["empathy"] * 2, "minimum": 1.0,
    ...                       "maximum": 7.0,
    ...                       "construct": ["service_expectation", "service_perception"]})
    >>> expected, perceived = pair_statements(pd.DataFrame({"e1": [7], "p1": [5]}), items)
    >>> expected.columns.tolist(), (perceived - expected).to_numpy().tolist()
    ([('empathy', 1)], [[-2.0]])
    """
    sides = {
        kind: items[items["construct"] == f"service_{kind}"]
        for kind in ("expectation", "perception")
    }
    for kind, asked in sides.items():
        if asked.empty:
            raise ValueError(
                f"the items table has no item of the construct service_{kind}; the gap needs the "
                "same statements of an excellent firm and of this one"
            )
        if asked["feature"].isna().any():
            item = asked.loc[asked["feature"].isna(), "item"].iloc[0]
            raise ValueError(say("satisfaction_service_nameless", item=repr(item)))
    counts = pd.DataFrame({kind: asked["feature"].value_counts() for kind, asked in sides.items()})
    for dimension, (n_expected, n_perceived) in counts.iterrows():
        if n_expected != n_perceived:
            counted = {"n": f"{n_expected:g}", "m": f"{n_perceived:g}"}
            said = say("satisfaction_service_unpaired", dimension=repr(dimension), **counted)
            raise ValueError(said)
    ends = pd.concat(sides.values())[["minimum", "maximum"]].drop_duplicates()
    if len(ends) > 1:
        raise ValueError(say("satisfaction_service_scales"))
    frames = []
    for asked in sides.values():
        frame = survey[list(asked["item"])].astype("float64")
        numbers = asked.groupby("feature").cumcount() + 1
        frame.columns = pd.MultiIndex.from_arrays(
            [asked["feature"], numbers], names=["dimension", "statement"]
        )
        frames.append(frame)
    expected, perceived = frames
    return expected, perceived[expected.columns]


def read_points(survey, items):
    """Return the weight that each respondent gave each dimension, or None if it was not asked.

    Parameters
    ----------
    survey, items : pandas.DataFrame
        As for `pair_statements`; the construct is ``service_weight``.

    Returns
    -------
    pandas.DataFrame or None
        A column per dimension; each row sums to 1, and is missing where a point is missing,
        negative, or all are 0.

    Examples
    --------
    >>> items = pd.DataFrame({"item": ["a", "b"], "construct": "service_weight",
    ...                       "feature": ["empathy", "tangibles"]})
    >>> read_points(pd.DataFrame({"a": [30, 0], "b": [70, 0]}), items)["empathy"].tolist()
    [0.3, nan]
    """
    asked = items[items["construct"] == "service_weight"]
    if asked.empty:
        return None
    points = survey[list(asked["item"])].astype("float64")
    points.columns = list(asked["feature"])
    total = points.sum(axis=1, skipna=False)
    is_sound = (points >= 0).all(axis=1) & (total > 0)
    return points.div(total.where(is_sound), axis=0)


def service_measures(expected, perceived, *, weights=None):
    """Return each respondent's service quality by SERVQUAL and by SERVPERF.

    Parameters
    ----------
    expected, perceived : pandas.DataFrame
        From `pair_statements`.
    weights : pandas.DataFrame or None
        From `read_points`; None leaves the weighted measures out.

    Returns
    -------
    pandas.DataFrame, one row per respondent
        `servqual` (points, −6 to 6 on a scale of 7) and `servperf` (points of the scale): the
        mean over the dimensions of each dimension's mean statement; with weights also
        `servqual_weighted` and `servperf_weighted`. NaN where any of the answers behind a measure
        is missing: a mean of fewer statements would be another measure.

    Raises
    ------
    ValueError
        If the two have different columns or rows, or a dimension has no weight.

    References
    ----------
    Parasuraman, Zeithaml & Berry (1988); Cronin & Taylor (1992), doi:10.1177/002224299205600304

    Examples
    --------
    >>> columns = pd.MultiIndex.from_tuples([("empathy", 1), ("empathy", 2), ("tangibles", 1)])
    >>> expected = pd.DataFrame([[7.0, 7.0, 5.0]], columns=columns)
    >>> perceived = pd.DataFrame([[5.0, 3.0, 5.0]], columns=columns)
    >>> service_measures(expected, perceived).iloc[0].tolist()
    [-1.5, 4.5]
    """
    _check_pair(expected, perceived)
    gaps, levels = _by_dimension(perceived - expected), _by_dimension(perceived)
    measures = {
        "servqual": gaps.mean(axis=1, skipna=False),
        "servperf": levels.mean(axis=1, skipna=False),
    }
    if weights is not None:
        missing = [name for name in gaps if name not in weights]
        if missing:
            raise ValueError(say("satisfaction_service_weight", name=repr(missing[0])))
        own = weights[list(gaps)]
        own = own.div(own.sum(axis=1, skipna=False), axis=0)
        measures["servqual_weighted"] = (gaps * own).sum(axis=1, skipna=False)
        measures["servperf_weighted"] = (levels * own).sum(axis=1, skipna=False)
    return pd.DataFrame(measures)


def dimension_gaps(expected, perceived, *, weights=None, confidence=0.95):
    """Return the gap of each dimension with its interval, its weight and its reliabilities.

    Parameters
    ----------
    expected, perceived : pandas.DataFrame
        From `pair_statements`.
    weights : pandas.DataFrame or None
        From `read_points`.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.

    Returns
    -------
    pandas.DataFrame, by dimension
        `n_statements`; `n_respondents` with every answer of the dimension; `expected`,
        `perceived`, `gap`, `gap_lower`, `gap_upper` (points; Student's interval of the mean);
        `weight` (the mean share of the points; 1 over the number of dimensions without any);
        `weighted_gap` = weight × gap; Cronbach's `alpha_expected`, `alpha_perceived`,
        `alpha_gap`. Interval and alphas are NaN with fewer than two respondents.

    Raises
    ------
    ValueError
        If the two have different columns or rows, or nobody answered a dimension in full.

    Notes
    -----
    A gap inherits the errors of two answers. Where the two go together, little but error is left
    of their difference, and `alpha_gap` falls below both others.

    Examples
    --------
    >>> columns = pd.MultiIndex.from_tuples([("empathy", 1), ("empathy", 2)])
    >>> expected = pd.DataFrame([[7.0, 6.0], [6.0, 7.0]], columns=columns)
    >>> gaps = dimension_gaps(expected, expected - 2)
    >>> gaps.loc["empathy", ["expected", "perceived", "gap"]].tolist()
    [6.5, 4.5, -2.0]
    """
    check_confidence(confidence)
    _check_pair(expected, perceived)
    rows = {}
    for name in dict.fromkeys(expected.columns.get_level_values(0)):
        e, p = expected[name].to_numpy(), perceived[name].to_numpy()
        known = np.isfinite(e).all(axis=1) & np.isfinite(p).all(axis=1)
        n = int(known.sum())
        if n == 0:
            raise ValueError(say("satisfaction_service_unanswered", name=repr(name)))
        gap = (p - e)[known].mean(axis=1)
        spread = gap.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        half = stdtrit(max(n - 1, 1), (1 + confidence) / 2) * spread
        rows[name] = {
            "n_statements": e.shape[1],
            "n_respondents": n,
            "expected": e[known].mean(),
            "perceived": p[known].mean(),
            "gap": gap.mean(),
            "gap_lower": gap.mean() - half,
            "gap_upper": gap.mean() + half,
            "alpha_expected": cronbach_alpha(e[known]),
            "alpha_perceived": cronbach_alpha(p[known]),
            "alpha_gap": cronbach_alpha((p - e)[known]),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("dimension")
    table = table.astype({"n_statements": "int64", "n_respondents": "int64"})
    share = 1 / len(table) if weights is None else weights[list(table.index)].mean()
    table.insert(7, "weight", share)
    table.insert(8, "weighted_gap", table["weight"] * table["gap"])
    return table


def cronbach_alpha(scores):
    r"""Return Cronbach's alpha of the items in columns, from their covariances.

    .. math:: \alpha = \frac{k}{k-1}\left(1 - \frac{\sum_i s_i^2}{s_{\text{sum}}^2}\right)

    Parameters
    ----------
    scores : array_like of float, shape (n_respondents, k)
        Complete answers.

    Returns
    -------
    float
        At most 1; below 0 where items go against each other. NaN for one item, fewer than two
        respondents, or answers whose sum does not vary.

    Examples
    --------
    >>> cronbach_alpha([[1, 1], [2, 2], [4, 4]])
    1.0
    """
    values = np.asarray(scores, dtype=float)
    n, k = values.shape
    if n < 2 or k < 2:
        return np.nan
    total = values.sum(axis=1).var(ddof=1)
    if total == 0:
        return np.nan
    return float(k / (k - 1) * (1 - values.var(axis=0, ddof=1).sum() / total))


def _by_dimension(scores):
    """Return each respondent's mean answer by dimension, NaN unless all were answered."""
    names = dict.fromkeys(scores.columns.get_level_values(0))
    return pd.DataFrame({name: scores[name].mean(axis=1, skipna=False) for name in names})


def _check_pair(expected, perceived):
    if not expected.columns.equals(perceived.columns) or not expected.index.equals(perceived.index):
        raise ValueError(
            "expected and perceived differ in statements or respondents; expected the same rows "
            "and columns in both, as pair_statements returns them"
        )
