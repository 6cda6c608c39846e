"""A regular satisfaction survey: one number per question, one per wave, and when to be alarmed.

Who asks: whoever reports satisfaction month after month and must tell a real change from chance.

Vocabulary. The *top-box share* (often called CSAT) is the share of answers in the highest boxes
of the scale; the *index* is the mean answer carried to 0–100; a *wave* is one round of the survey.

Source: Shewhart, W. A. (1931), Economic Control of Quality of Manufactured Product, Van Nostrand,
for the control chart.
"""

import numpy as np
import pandas as pd

from crmlab.data.sampling import wilson_interval
from crmlab.satisfaction.ratio import shift_scale

__all__ = ["first_items", "satisfaction_index", "top_box_share", "wave_chart"]


def first_items(items, *, required=()):
    """Return the first item of each construct with its wording and scale: the overall question.

    Parameters
    ----------
    items : pandas.DataFrame
        One row per item, with at least `item`, `construct`, `minimum` and `maximum`.
    required : iterable of str
        Constructs that must be there.

    Returns
    -------
    pandas.DataFrame
        Indexed by construct, in the order of the table.

    Raises
    ------
    ValueError
        If a required construct has no item; the message says which constructs the table knows.

    Examples
    --------
    >>> items = pd.DataFrame({"item": ["q1", "q2"], "construct": ["expectation"] * 2,
    ...                       "minimum": 1.0, "maximum": 10.0})
    >>> first_items(items, required=["expectation"])["item"].to_dict()
    {'expectation': 'q1'}
    """
    first = items.drop_duplicates("construct").set_index("construct")
    missing = [construct for construct in required if construct not in first.index]
    if missing:
        raise ValueError(
            f"the items table has no item of the construct {', '.join(missing)}; it knows "
            f"{', '.join(first.index)}. Write in its column `construct` what each item measures."
        )
    return first


def satisfaction_index(scores, *, minimum, maximum):
    """Return the mean answer carried to 0–100: 100 × (mean − minimum) / (maximum − minimum).

    Parameters
    ----------
    scores : array_like of float, any shape
        Answers on the scale; NaN where there is none. Several items may stand in columns: every
        answer counts alike.
    minimum, maximum : float
        Ends of the scale.

    Returns
    -------
    float
        0 (all at the lowest answer) to 100; NaN when there is no answer.

    Raises
    ------
    ValueError
        If a score lies outside the scale.

    Examples
    --------
    >>> satisfaction_index([1, 10, 10, 10], minimum=1, maximum=10)
    75.0
    """
    shifted = np.asarray(shift_scale(scores, minimum, maximum), dtype=float)
    answered = shifted[~np.isnan(shifted)]
    return float(100 * answered.mean() / (maximum - minimum)) if answered.size else np.nan


def top_box_share(scores, *, minimum, maximum, n_boxes=2, confidence=0.95):
    """Return the share of answers in the highest boxes of the scale, with Wilson's interval.

    Parameters
    ----------
    scores : array_like of float, any shape
        Answers in whole points of the scale; NaN where there is none.
    minimum, maximum : float
        Ends of the scale, in whole points.
    n_boxes : int
        How many of the highest answers count; 2 is the usual "top-two-box".
    confidence : float
        Probability that the interval is to cover, between 0 and 1.

    Returns
    -------
    pandas.Series
        `share`, `lower`, `upper` (0 to 1; NaN when there is no answer) and `n_answers`.

    Raises
    ------
    ValueError
        If a score lies outside the scale, or there are not that many boxes.

    Examples
    --------
    >>> top_box_share([9, 10, 5, 2], minimum=1, maximum=10)[["share", "n_answers"]].tolist()
    [0.5, 4.0]
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence!r}; expected a probability between 0 and 1")
    if not 1 <= n_boxes <= maximum - minimum:
        raise ValueError(
            f"n_boxes is {n_boxes!r}; expected 1 to {maximum - minimum:g} on a scale from "
            f"{minimum:g} to {maximum:g}"
        )
    shifted = np.asarray(shift_scale(scores, minimum, maximum), dtype=float)
    answered = shifted[~np.isnan(shifted)]
    n = answered.size
    if n == 0:
        return pd.Series({"share": np.nan, "lower": np.nan, "upper": np.nan, "n_answers": 0.0})
    n_top = float((answered > maximum - minimum - n_boxes).sum())
    share, lower, upper = (float(v) for v in wilson_interval(n_top, n, confidence=confidence))
    return pd.Series({"share": share, "lower": lower, "upper": upper, "n_answers": float(n)})


def wave_chart(scores, waves, *, n_sigma=3.0):
    """Return a control chart of the mean answer per wave.

    It asks whether a wave is unlike the survey as a whole. The centre is the mean of all answers;
    the limits of a wave are the centre ± `n_sigma` standard errors for its number of answers,
    with the pooled standard deviation within waves.

    Parameters
    ----------
    scores : array_like of float, shape (n_answers,)
        Answers on any interval scale; NaN where there is none.
    waves : array_like, shape (n_answers,)
        Wave of each answer (a number, a quarter, ...), in sortable values.
    n_sigma : float
        Width of the limits in standard errors, above 0.

    Returns
    -------
    pandas.DataFrame, one row per wave with an answer, sorted
        `wave`, `n_answers`, `mean`, `centre`, `lower_limit`, `upper_limit` (points) and
        `is_alert` (bool: the mean lies outside the limits). Limits are NaN, and nothing is an
        alert, while no wave has two answers.

    Raises
    ------
    ValueError
        If the two columns differ in length, a wave is missing or `n_sigma` is not above 0.

    Examples
    --------
    >>> wave_chart([5, 6, 5, 6, 9, 9], [1, 1, 2, 2, 3, 3], n_sigma=2)["is_alert"].tolist()
    [True, True, True]
    >>> wave_chart([5, 7, 6, 6, 7, 5], [1, 1, 2, 2, 3, 3])["is_alert"].tolist()
    [False, False, False]
    """
    if not (np.isfinite(n_sigma) and n_sigma > 0):
        raise ValueError(f"n_sigma is {n_sigma!r}; expected a number above 0, such as 3")
    frame = pd.DataFrame({"wave": np.asarray(waves), "score": np.asarray(scores, dtype=float)})
    if frame["wave"].isna().any():
        position = int(np.flatnonzero(frame["wave"].isna())[0])
        raise ValueError(f"the wave at position {position} is missing; expected one per answer")
    frame = frame.dropna(subset="score")
    groups = frame.groupby("wave")["score"]
    chart = groups.agg(n_answers="size", mean="mean").reset_index()
    freedom = int((chart["n_answers"] - 1).sum())
    within = float(((frame["score"] - groups.transform("mean")) ** 2).sum())
    deviation = np.sqrt(within / freedom) if freedom > 0 else np.nan
    half = n_sigma * deviation / np.sqrt(chart["n_answers"])
    chart["centre"] = frame["score"].mean()
    chart["lower_limit"] = chart["centre"] - half
    chart["upper_limit"] = chart["centre"] + half
    chart["is_alert"] = (chart["mean"] < chart["lower_limit"]) | (
        chart["mean"] > chart["upper_limit"]
    )
    return chart
