"""Which segments to serve: attractiveness beside fit, and whether the weights decide.

Who asks: whoever must name the target segments and defend the choice. Attractiveness says what a
segment is worth to any firm, fit what this firm can do for it; both are weighted scores, and the
weights are an opinion. So the choice is made again under many weights drawn at random: a segment
that is chosen under nearly all of them is chosen by the figures, the others by the weights.

Sources: W. R. Smith (1956), doi:10.1177/002224295602100102; P. Kotler & K. L. Keller, Marketing
Management (segment, target, position). Weights drawn evenly from all that add up to 1 are
Dirichlet(1, ..., 1).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["score_segments", "weight_sensitivity"]


def score_segments(measures, *, attractiveness, fit):
    r"""Return each segment's attractiveness and fit, from 0 to 1, and what to do with it.

    Each measure is carried to 0–1 between the lowest and the highest segment, and averaged with
    its weight:

    .. math:: A_s = \frac{\sum_j w_j u_{sj}}{\sum_j w_j} \qquad
              u_{sj} = \frac{x_{sj} - \min x_j}{\max x_j - \min x_j}

    Parameters
    ----------
    measures : pandas.DataFrame
        One row per segment, one column per measure; more is better.
    attractiveness, fit : dict of str to float
        Weight of each measure, 0 or more, not all 0. A measure that is the same in all segments,
        or missing for one of them, tells them not apart and counts for nothing.

    Returns
    -------
    pandas.DataFrame
        One row per segment, in their order: `attractiveness`, `fit` (0 to 1; NaN where no measure
        counts), `target_score`, their mean (of the one that is known), `rank` (1 the best; ties
        share the better rank) and `advice`, a key of the terms table: "target_segment" where
        both are at least 0.5, "build_segment" where attractiveness alone is, "keep_segment" where
        fit alone is, "leave_segment" else; missing where either is.

    Raises
    ------
    ValueError
        If a measure has no column, a weight is negative, or all weights of a side are 0.

    Examples
    --------
    >>> measures = pd.DataFrame({"value": [90.0, 30.0, 10.0], "satisfaction": [7.0, 8.0, 5.0]},
    ...                         index=[1, 2, 3])
    >>> scores = score_segments(measures, attractiveness={"value": 1}, fit={"satisfaction": 1})
    >>> scores[["attractiveness", "fit", "advice"]].round(2).values.tolist()
    [[1.0, 0.67, 'target_segment'], [0.25, 1.0, 'keep_segment'], [0.0, 0.0, 'leave_segment']]
    """
    unit = _carry(measures)
    sides = {}
    for name, weights in (("attractiveness", attractiveness), ("fit", fit)):
        _check_weights(name, weights, measures)
        sides[name] = _average(unit, np.array([[weights[m] for m in weights]]), list(weights))[0]
    scores = pd.DataFrame(sides, index=measures.index)
    scores["target_score"] = scores[["attractiveness", "fit"]].mean(axis=1)
    scores["rank"] = scores["target_score"].rank(ascending=False, method="min").astype("Int64")
    is_known = scores[["attractiveness", "fit"]].notna().all(axis=1)
    is_attractive, is_fitting = scores["attractiveness"] >= 0.5, scores["fit"] >= 0.5
    advice = np.select(
        [is_attractive & is_fitting, is_attractive, is_fitting],
        ["target_segment", "build_segment", "keep_segment"],
        default="leave_segment",
    )
    scores["advice"] = pd.Series(advice, index=scores.index, dtype="str").where(is_known)
    return scores


def weight_sensitivity(measures, *, attractiveness, fit, seed, n_draws=2000):
    """Return how often each segment comes first when the weights are drawn at random.

    Parameters
    ----------
    measures, attractiveness, fit
        As for `score_segments`; of the weights only the names count, each side's are drawn evenly
        from all that add up to 1.
    seed : int
        Seed of the draws.
    n_draws : int
        At least 100.

    Returns
    -------
    pandas.DataFrame
        One row per segment, in their order: `chosen_share`, the share of the draws in which its
        target score is the highest (ties shared out); `lowest_score`, `highest_score`, the ends of
        the middle 95 % of its scores.

    Raises
    ------
    ValueError
        As `score_segments`, or if there are too few draws.

    Examples
    --------
    >>> measures = pd.DataFrame({"value": [9.0, 1.0], "n": [1.0, 2.0], "fit": [1.0, 0.0]})
    >>> options = {"attractiveness": {"value": 1, "n": 1}, "fit": {"fit": 1}}
    >>> weight_sensitivity(measures, seed=1, **options)["chosen_share"].tolist()
    [1.0, 0.0]
    """
    if n_draws < 100:
        raise ValueError(f"n_draws is {n_draws!r}; expected at least 100")
    unit = _carry(measures)
    rng = np.random.default_rng(seed)
    sides = []
    for name, weights in (("attractiveness", attractiveness), ("fit", fit)):
        _check_weights(name, weights, measures)
        drawn = rng.dirichlet(np.ones(len(weights)), n_draws)
        sides.append(_average(unit, drawn, list(weights)))
    known = np.stack(sides)
    count = (~np.isnan(known)).sum(axis=0)
    scores = np.where(count > 0, np.nansum(known, axis=0) / np.maximum(count, 1), np.nan)
    # Scores that differ by rounding alone are a tie.
    is_first = scores >= np.nanmax(scores, axis=1, keepdims=True, initial=-1.0) - 1e-12
    shared = is_first / np.maximum(is_first.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "chosen_share": shared.mean(axis=0),
            "lowest_score": np.quantile(scores, 0.025, axis=0),
            "highest_score": np.quantile(scores, 0.975, axis=0),
        },
        index=measures.index,
    )


def _carry(measures):
    """Return the measures from 0 to 1; NaN where they do not tell the segments apart."""
    frame = measures.astype("float64")
    spread = frame.max() - frame.min()
    usable = frame.notna().all() & (spread > 1e-12 * frame.abs().max())
    return ((frame - frame.min()) / spread.where(usable)).where(usable, axis=1)


def _average(unit, weights, names):
    """Return the weighted means, one row per set of weights, over the measures that count."""
    values = unit[names].to_numpy()
    counts = ~np.isnan(values[0]) if len(values) else np.zeros(len(names), dtype=bool)
    used = weights[:, counts]
    total = used.sum(axis=1, keepdims=True)
    summed = used @ np.nan_to_num(values[:, counts]).T
    return np.where(total > 0, summed / np.where(total > 0, total, 1.0), np.nan)


def _check_weights(side, weights, measures):
    absent = [name for name in weights if name not in measures.columns]
    if absent:
        raise ValueError(
            f"{side}: no measure {absent[0]!r}; expected some of "
            f"{', '.join(map(str, measures.columns))}"
        )
    if not weights or min(weights.values()) < 0 or sum(weights.values()) <= 0:
        raise ValueError(f"{side}: weights {weights}; expected numbers from 0, not all 0")
    if len(measures) < 2:
        raise ValueError(f"measures: {len(measures)} segment; expected two or more to choose from")
