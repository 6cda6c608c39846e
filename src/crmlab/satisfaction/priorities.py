"""What to improve first: importance against performance, and how firm the answer is.

Who asks: whoever can improve three things of ten this year, and has the four-field map that every
consultant draws, but would see how easily its commands change.

Vocabulary. *Importance* is what customers say a feature matters to them (stated), or how it goes
with overall satisfaction (derived, `crmlab.satisfaction.drivers`); *performance* is how well they
say it is done. The *crosshair* cuts the map of the two in four quadrants.

Sources: Martilla, J. A. & James, J. C. (1977), Importance-performance analysis, Journal of
Marketing 41(1), 77–79, doi:10.1177/002224297704100112; Bacon, D. R. (2003), A comparison of
approaches to importance-performance analysis, International Journal of Market Research 45(1),
55–71, doi:10.1177/147078530304500101, and Oh, H. (2001), Revisiting importance–performance
analysis, Tourism Management 22(6), 617–627, for what is wrong with it.
"""

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.satisfaction.intervals import resample_means

__all__ = [
    "CROSSHAIRS",
    "QUADRANTS",
    "place_features",
    "quadrant_confidence",
]

QUADRANTS = ("concentrate_here", "keep_up", "low_priority", "possible_overkill")
"""Important and done badly, important and done well, and the same of what is not important."""

CROSSHAIRS = ("data", "scale", "gap")
"""Where the four quadrants meet; see `place_features`."""


def place_features(importance, performance, *, crosshair="data", scale=None):
    """Return where each feature lies on the importance–performance map.

    Parameters
    ----------
    importance, performance : pandas.Series of float, by feature
        Means; any units for the crosshair "data", the same scale for the two others.
    crosshair : {"data", "scale", "gap"}
        "data": the means over the features cut both axes. "scale": the middle of the scale does.
        "gap": a feature is done badly where its performance lies below its importance (the
        diagonal), and important where it is more so than the mean feature.
    scale : tuple of float or None
        Lowest and highest answer; needed by "scale".

    Returns
    -------
    pandas.DataFrame, by feature
        `importance`, `performance`, `performance_gap` (their difference; it means something only on
        one scale), `importance_cut`, `performance_cut` (with "gap" the feature's own importance)
        and `quadrant`, one of `QUADRANTS`; missing where either mean is.

    Raises
    ------
    ValueError
        If the features differ, fewer than two have both means, or crosshair and scale are not as
        described.

    Notes
    -----
    The four commands of the map are firm where the cut is not: with the crosshair "data" about
    half of all features are always "important", however much customers care. Compare the
    crosshairs before obeying one.

    References
    ----------
    Martilla & James (1977), doi:10.1177/002224297704100112; Bacon (2003),
    doi:10.1177/147078530304500101

    Examples
    --------
    >>> importance = pd.Series({"speed": 9.0, "price": 8.0, "gifts": 3.0})
    >>> performance = pd.Series({"speed": 5.0, "price": 8.0, "gifts": 4.0})
    >>> place_features(importance, performance)["quadrant"].tolist()
    ['concentrate_here', 'keep_up', 'low_priority']
    """
    _check_map(importance, performance, crosshair, scale)
    across, up = importance.to_numpy(dtype=float), performance.to_numpy(dtype=float)
    found, cuts = _find_quadrants(across[None], up[None], crosshair, scale)
    names = np.append(np.array(QUADRANTS, dtype=object), None)
    return pd.DataFrame(
        {
            "importance": across,
            "performance": up,
            "performance_gap": up - across,
            "importance_cut": cuts[0][0],
            "performance_cut": cuts[1][0],
            "quadrant": names[found[0]],
        },
        index=importance.index.rename("feature"),
    )


def quadrant_confidence(
    importance, performance, *, crosshair="data", scale=None, n_resamples=400, rng
):
    """Return how often a feature stays in its quadrant when other respondents are asked.

    Parameters
    ----------
    importance, performance : pandas.DataFrame, one row per respondent
        Ratings, a column per feature; NaN where there is none. Importance may be a Series of
        derived importances by feature, which are then held fixed.
    crosshair, scale
        As in `place_features`.
    n_resamples : int
        Bootstrap resamples of the respondents, at least 100.
    rng : numpy.random.Generator
        Source of the resamples.

    Returns
    -------
    pandas.DataFrame, by feature
        As `place_features` of the means, and `quadrant_confidence`, the share of resamples in
        which the quadrant is the same (0 to 1).

    Raises
    ------
    ValueError
        As `place_features`; and if rows or columns differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> importance = pd.DataFrame({"a": rng.normal(9, 1, 50), "b": rng.normal(5, 1, 50)})
    >>> performance = pd.DataFrame({"a": rng.normal(4, 1, 50), "b": rng.normal(6, 1, 50)})
    >>> quadrant_confidence(importance, performance, rng=rng)["quadrant_confidence"].tolist()
    [1.0, 1.0]
    """
    is_fixed = isinstance(importance, pd.Series)
    names = importance.index if is_fixed else importance.columns
    if not names.equals(performance.columns):
        raise ValueError("importance and performance name different features; expected the same")
    if not is_fixed and not importance.index.equals(performance.index):
        raise ValueError("importance and performance have different respondents in their rows")
    own = importance if is_fixed else importance.mean()
    placed = place_features(own, performance.mean(), crosshair=crosshair, scale=scale)
    both = performance if is_fixed else pd.concat([importance, performance], axis=1)
    means = resample_means(both, n_resamples=n_resamples, rng=rng)
    point = performance.mean().to_numpy()
    drawn = np.tile(own.to_numpy(), (len(means), 1)) if is_fixed else means[:, : len(names)]
    found, _ = _find_quadrants(drawn, means[:, -len(names) :], crosshair, scale)
    at, _ = _find_quadrants(own.to_numpy()[None], point[None], crosshair, scale)
    share = np.where(at[0] < 0, np.nan, (found == at).mean(axis=0))
    return placed.assign(quadrant_confidence=share)


def _find_quadrants(importance, performance, crosshair, scale):
    """Return the position in `QUADRANTS` by map (rows) and feature; -1 where a mean is missing."""
    is_known = ~(np.isnan(importance) | np.isnan(performance))
    n_known = np.maximum(is_known.sum(axis=1, keepdims=True), 1)
    middles = [
        np.where(is_known, values, 0.0).sum(axis=1, keepdims=True) / n_known
        for values in (importance, performance)
    ]
    if crosshair == "scale":
        middles = [np.full(n_known.shape, (scale[0] + scale[1]) / 2)] * 2
    cuts = middles[0], importance if crosshair == "gap" else middles[1]
    found = 2 * (importance < cuts[0]) + (performance >= cuts[1])
    return np.where(is_known, found, -1), cuts


def _check_map(importance, performance, crosshair, scale):
    if crosshair not in CROSSHAIRS:
        raise ValueError(f"crosshair is {crosshair!r}; expected one of {', '.join(CROSSHAIRS)}")
    if not importance.index.equals(performance.index):
        raise ValueError("importance and performance name different features; expected the same")
    n_known = int((importance.notna() & performance.notna()).sum())
    if n_known < 2:
        raise ValueError(say("satisfaction_map_few", n=n_known))
    if crosshair == "scale" and scale is None:
        raise ValueError("the crosshair 'scale' needs scale=(lowest, highest) answer")
