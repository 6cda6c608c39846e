"""Kano's answers as numbers: where each feature lies on the plane of presence and absence.

Who asks: whoever finds that six letters throw away too much of twenty-five pairs. Each answer
becomes a number and each feature a point: across, what its absence costs; up, what its presence
brings. How sure the point is, an ellipse shows.

Source: the section by W. DuMouchel, Thoughts on graphical and continuous analysis, in Berger, C.
et al. (1993), Kano's methods for understanding customer-defined quality, Center for Quality of
Management Journal 2(4), 3–36. The numbers −2, −1, 0, 2, 4 are DuMouchel's: a like and a dislike
say more than a shrug.
"""

import numpy as np
import pandas as pd
from scipy.special import fdtri

from crmlab.satisfaction.intervals import check_confidence

__all__ = ["FUNCTIONAL_SCORES", "locate_features", "score_answers"]

FUNCTIONAL_SCORES = (4.0, 2.0, 0.0, -1.0, -2.0)
"""Numbers for the functional answers 1 like to 5 dislike; the dysfunctional ones in reverse."""

_MIDDLE = 2.0  # of the positive quarter, 0 to 4, which is cut in four


def score_answers(functional, dysfunctional):
    """Return the answers as numbers: what presence brings, and what absence costs.

    Parameters
    ----------
    functional, dysfunctional : pandas.DataFrame
        From `crmlab.satisfaction.kano.pair_answers`: codes 1 to 5, NaN where there is none.

    Returns
    -------
    presence, absence : pandas.DataFrame
        −2 to 4, NaN in both where either half is missing.

    Raises
    ------
    ValueError
        If the halves have different shapes or hold another code.

    Examples
    --------
    >>> pair = pd.DataFrame({"speed": [1.0, 3.0]}), pd.DataFrame({"speed": [5.0, 4.0]})
    >>> presence, absence = score_answers(*pair)
    >>> presence["speed"].tolist(), absence["speed"].tolist()
    ([4.0, 0.0], [4.0, 2.0])
    """
    if functional.shape != dysfunctional.shape:
        raise ValueError(
            f"functional has shape {functional.shape} and dysfunctional {dysfunctional.shape}; "
            "expected both halves of the same features and respondents"
        )
    codes = dict(enumerate(FUNCTIONAL_SCORES, start=1))
    halves = []
    for half, scores in ((functional, codes), (dysfunctional, {6 - k: codes[k] for k in codes})):
        known = half.to_numpy(dtype=float)
        if not (np.isnan(known) | np.isin(known, list(codes))).all():
            raise ValueError("an answer is none of the five codes 1 to 5; see pair_answers")
        halves.append(half.replace(scores).astype("float64"))
    is_pair = halves[0].notna() & halves[1].notna()
    return halves[0].where(is_pair), halves[1].where(is_pair)


def locate_features(presence, absence, *, confidence=0.95):
    """Return the mean point of each feature, its class by quarter, and its confidence ellipse.

    Parameters
    ----------
    presence, absence : pandas.DataFrame
        From `score_answers`.
    confidence : float
        Probability that an ellipse is to cover the mean of all customers, between 0 and 1.

    Returns
    -------
    pandas.DataFrame, one row per feature
        `n_pairs`; `presence` and `absence`, the means (−2 to 4); `kano_quarter`: O where both
        reach 2, A where presence alone does, M where absence alone does, I where neither does,
        R where both are negative;
        `semi_major`, `semi_minor` (same units) and `angle_degrees` of the major axis, from the
        axis of absence. The ellipse is NaN with fewer than 3 pairs; an axis is 0 where the
        answers do not vary along it.

    Raises
    ------
    ValueError
        If rows or columns of the two differ, or the confidence is no probability.

    Notes
    -----
    The ellipse is Hotelling's, ``2 (n − 1) / (n (n − 2)) F`` times the covariance of the answers.
    It is about the mean point, not about people: with many respondents it shrinks to the point
    however much they differ.

    References
    ----------
    DuMouchel in Berger et al. (1993).

    Examples
    --------
    >>> presence = pd.DataFrame({"speed": [4.0, 4.0, 2.0, 4.0]})
    >>> absence = pd.DataFrame({"speed": [4.0, 0.0, 4.0, 4.0]})
    >>> point = locate_features(presence, absence).loc["speed"]
    >>> float(point["presence"]), float(point["absence"]), point["kano_quarter"]
    (3.5, 3.0, 'O')
    """
    check_confidence(confidence)
    if not presence.columns.equals(absence.columns) or not presence.index.equals(absence.index):
        raise ValueError("presence and absence differ in rows or columns; see score_answers")
    rows = []
    for feature in presence.columns:
        pairs = np.column_stack([absence[feature], presence[feature]]).astype(float)
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        n = len(pairs)
        cost, gain = pairs.mean(axis=0) if n else (np.nan, np.nan)
        rows.append(
            {"n_pairs": n, "presence": gain, "absence": cost, "kano_quarter": _quarter(gain, cost)}
            | _ellipse(pairs, confidence)
        )
    return pd.DataFrame(rows, index=pd.Index(presence.columns, name="feature"))


def _quarter(gain, cost):
    if np.isnan(gain):
        return None
    if gain < 0 and cost < 0:
        return "R"
    return {(True, True): "O", (True, False): "A", (False, True): "M", (False, False): "I"}[
        bool(gain >= _MIDDLE), bool(cost >= _MIDDLE)
    ]


def _ellipse(pairs, confidence):
    n = len(pairs)
    names = ("semi_major", "semi_minor", "angle_degrees")
    if n < 3:
        return dict.fromkeys(names, np.nan)
    values, vectors = np.linalg.eigh(np.cov(pairs.T))
    scale = 2 * (n - 1) / (n * (n - 2)) * fdtri(2, n - 2, confidence)
    minor, major = np.sqrt(scale * np.maximum(values, 0.0))
    x, y = vectors[:, 1]
    return dict(zip(names, (major, minor, np.degrees(np.arctan2(y, x)) % 180), strict=True))
