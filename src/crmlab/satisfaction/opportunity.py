"""Unmet needs: what matters to customers, in which order, and where it is not met.

Who asks: whoever looks for the next offer and would rather find a need than a feature.

Vocabulary. *Importance* is how much a need matters to a customer, *satisfaction* how well it is met
today, both rated on one scale. An *opportunity* is an important need that is met badly.

Source: Ulwick, A. W. (2002), Turn customer input into innovation, Harvard Business Review 80(1),
91–97, for the opportunity score.
"""

import numpy as np
import pandas as pd

from crmlab.satisfaction.intervals import percentile_ends, resample_means

__all__ = ["opportunity_scores", "rank_needs"]


def opportunity_scores(
    importance,
    satisfaction,
    *,
    scale,
    measure="top_box",
    n_boxes=2,
    n_resamples=400,
    confidence=0.95,
    rng,
):
    r"""Return the opportunity score of each feature: what matters and is not met.

    .. math:: \text{opportunity} = I + \max(I - S, 0)

    Parameters
    ----------
    importance, satisfaction : pandas.DataFrame, one row per respondent, same columns
        Ratings on one scale, a column per feature; NaN where there is none.
    scale : tuple of float
        Lowest and highest answer.
    measure : {"top_box", "mean"}
        How ratings become the I and S of the formula, both from 0 to 10. "top_box": ten times the
        share of answers in the highest `n_boxes`. "mean": the mean, carried to 0–10.
    n_boxes : int
        How many of the highest answers count.
    n_resamples : int
        Bootstrap resamples of the respondents, at least 100.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame, by feature, the highest score first
        `importance_score`, `satisfaction_score` (0 to 10), `opportunity_score` (0 to 20), `lower`,
        `upper`.

    Raises
    ------
    ValueError
        If features or respondents differ, a rating lies outside the scale, or an argument is not
        as described.

    Notes
    -----
    Ulwick's formula counts importance twice and satisfaction once, and satisfaction only as far
    as it falls short. Without the ``max`` an overserved need would lose points. Both variants of
    the measure are in use and may rank differently; say which one was used.

    References
    ----------
    Ulwick (2002).

    Examples
    --------
    >>> importance = pd.DataFrame({"speed": [9, 9, 9, 2]})
    >>> satisfaction = pd.DataFrame({"speed": [9, 2, 2, 2]})
    >>> scores = opportunity_scores(importance, satisfaction, scale=(1, 10),
    ...                             rng=np.random.default_rng(0))
    >>> scores[["importance_score", "satisfaction_score", "opportunity_score"]].iloc[0].tolist()
    [7.5, 2.5, 12.5]
    """
    if measure not in ("top_box", "mean"):
        raise ValueError(f"measure is {measure!r}; expected top_box or mean")
    _check_ratings(importance, satisfaction, scale)
    low, high = scale
    if not 1 <= n_boxes <= high - low:
        raise ValueError(
            f"n_boxes is {n_boxes!r}; expected 1 to {high - low:g} on this scale from {low:g} to "
            f"{high:g}"
        )
    sides = []
    for ratings in (importance, satisfaction):
        if measure == "mean":
            sides.append(10 * (ratings - low) / (high - low))
        else:
            sides.append((10.0 * (ratings > high - n_boxes)).where(ratings.notna()))
    both = pd.concat(sides, axis=1)
    k = importance.shape[1]
    point = both.mean().to_numpy()
    means = resample_means(both, n_resamples=n_resamples, rng=rng)
    score, drawn = (m[..., :k] + np.maximum(m[..., :k] - m[..., k:], 0) for m in (point, means))
    lower, upper = percentile_ends(drawn, confidence=confidence)
    table = pd.DataFrame(
        {
            "importance_score": point[:k],
            "satisfaction_score": point[k:],
            "opportunity_score": score,
            "lower": lower,
            "upper": upper,
        },
        index=pd.Index(importance.columns, name="feature"),
    )
    return table.sort_values("opportunity_score", ascending=False, kind="stable")


def rank_needs(ratings, *, n_resamples=400, confidence=0.95, rng):
    """Return the needs in the order of their mean rating, with the interval of each rank.

    Parameters
    ----------
    ratings : pandas.DataFrame, one row per respondent
        How important each need is, a column per need; NaN where there is no answer.
    n_resamples : int
        Bootstrap resamples of the respondents, at least 100.
    confidence : float
        Probability that an interval is to cover, between 0 and 1.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame, by need, most important first
        `n_answers`, `mean`, `lower`, `upper` (points), `rank` (1 first), `rank_lower`,
        `rank_upper`, and `first_share`, the share of resamples in which the need came first.

    Raises
    ------
    ValueError
        If there is no respondent, or a need that nobody rated.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ratings = pd.DataFrame({"gifts": rng.normal(4, 1, 80), "speed": rng.normal(8, 1, 80)})
    >>> rank_needs(ratings, rng=rng)[["rank", "rank_upper"]].to_numpy().tolist()
    [[1.0, 1.0], [2.0, 2.0]]
    """
    silent = ratings.columns[ratings.isna().all()]
    if len(silent):
        raise ValueError(f"nobody rated {silent[0]!r}; leave it out, it has no place in a ranking")
    means = resample_means(ratings, n_resamples=n_resamples, rng=rng)
    ranks = pd.DataFrame(-means).rank(axis=1).to_numpy()
    lower, upper = percentile_ends(means, confidence=confidence)
    rank_lower, rank_upper = percentile_ends(ranks, confidence=confidence)
    table = pd.DataFrame(
        {
            "n_answers": ratings.notna().sum(),
            "mean": ratings.mean(),
            "lower": lower,
            "upper": upper,
            "rank": (-ratings.mean()).rank(method="min"),
            "rank_lower": rank_lower,
            "rank_upper": rank_upper,
            "first_share": (ranks == ranks.min(axis=1, keepdims=True)).mean(axis=0),
        }
    ).rename_axis("feature")
    return table.sort_values("rank", kind="stable")


def _check_ratings(importance, satisfaction, scale):
    if not importance.columns.equals(satisfaction.columns):
        raise ValueError("importance and satisfaction name different features; expected the same")
    if not importance.index.equals(satisfaction.index):
        raise ValueError("importance and satisfaction have different respondents in their rows")
    low, high = scale
    for name, ratings in (("importance", importance), ("satisfaction", satisfaction)):
        outside = ((ratings < low) | (ratings > high)).any()
        if outside.any():
            raise ValueError(
                f"{name} of {outside.idxmax()!r} holds a rating outside {low:g} to {high:g}; check "
                "the ends of the scale"
            )
