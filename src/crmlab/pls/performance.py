"""How sure a performance and an importance are: their bootstrap, for all and by group.

Who asks: whoever publishes an index of 72 and must say whether last year's 70 was another. Every
resample weighs its items anew, so that the interval holds what the weights are not sure of as well
as what the respondents are not sure of. Groups are scored with the weights of all respondents
together: only then do their numbers mean the same thing.

Source: C. M. Ringle & M. Sarstedt (2016), doi:10.1108/IMDS-10-2015-0449; B. Efron & R. J.
Tibshirani (1993), doi:10.1201/9780429246593.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.pls.bootstrap import at_once, draw_counts, solve_counts
from crmlab.pls.effects import total_effects_of
from crmlab.pls.estimate import Estimate
from crmlab.pls.importance import importance_performance, index_scores, scale_answers
from crmlab.pls.respondents import FEWEST_RESPONDENTS
from crmlab.pls.solve import OUTCOMES

__all__ = ["PerformanceDraws", "bootstrap_performance"]


@dataclass(frozen=True, eq=False)
class PerformanceDraws:
    """Performances and importances of an estimate and of its resamples.

    Attributes
    ----------
    estimate : Estimate
    target : str
        What importances are for.
    performance : pandas.DataFrame, groups by constructs
        0-100; the first row, None, is everyone.
    sizes : pandas.Series, by group
        Respondents.
    performance_draws : ndarray, shape (n_used, n_groups + 1, n_constructs)
        NaN for a group of fewer than 10 respondents, or that a resample holds nobody of.
    importance : pandas.Series, by construct that reaches the target
    importance_draws : ndarray, shape (n_used, n_importances)
    outcomes : pandas.Series
        How many resamples were solved, or ended as each of `OUTCOMES`.
    """

    estimate: Estimate
    target: str
    performance: pd.DataFrame
    sizes: pd.Series
    performance_draws: np.ndarray
    importance: pd.Series
    importance_draws: np.ndarray
    outcomes: pd.Series


def bootstrap_performance(
    estimate, target, *, minimum, maximum, groups=None, n_resamples=5000, seed
):
    """Draw resamples of the respondents and score them on 0-100 in each.

    Parameters
    ----------
    estimate : Estimate
    target : str
        A construct that something points to.
    minimum, maximum : float, or dict of str to float
        Ends of the answer scale, of all items or by item.
    groups : pandas.Series, optional
        The group of each respondent, matched by index; NaN for one of no group.
    n_resamples : int
        At least 2; 5,000 and more to publish.
    seed : int

    Returns
    -------
    PerformanceDraws

    Raises
    ------
    ValueError
        As `index_scores` and `importance_performance`, or if hardly a resample can be estimated.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, bootstrap_performance, estimate_model, single_item
    >>> answers = pd.DataFrame({"q": [1, 2, 3, 4, 5] * 8, "s": [2, 2, 3, 3, 5] * 8})
    >>> model = PathModel([single_item("Q", "q"), single_item("S", "s")], ["Q -> S"])
    >>> estimate = estimate_model(model, answers)
    >>> drawn = bootstrap_performance(estimate, "S", minimum=1, maximum=5, n_resamples=200, seed=1)
    >>> drawn.performance.loc[[None]].to_numpy()
    array([[50., 50.]])
    >>> drawn.performance_draws.shape
    (200, 1, 2)
    """
    if n_resamples < 2:
        raise ValueError(f"n_resamples is at least 2, not {n_resamples!r}")
    scores = index_scores(estimate, minimum=minimum, maximum=maximum)
    importance = importance_performance(estimate, target, minimum=minimum, maximum=maximum)
    names, member = _members(estimate, groups)
    work = _Work(estimate, target, scores, importance.index, minimum, maximum, member)
    rng = np.random.default_rng(seed)
    n = estimate.n_respondents
    performances, importances, outcomes = [], [], []
    step = at_once(n)
    for start in range(0, n_resamples, step):
        counts = draw_counts(rng, n, min(step, n_resamples - start))
        solution = solve_counts(estimate, counts)
        usable = solution.outcome == 0
        outcomes.append(solution.outcome)
        performance, effect = work.score(counts[usable], solution, usable)
        performances.append(performance)
        importances.append(effect)
    found = np.bincount(np.concatenate(outcomes), minlength=len(OUTCOMES))
    tally = pd.Series(found, OUTCOMES, name="n_resamples")
    if tally["solved"] < 2:
        solved = int(tally["solved"])
        raise ValueError(say("pls_few_estimated", n=n_resamples, solved=solved))
    means = (member @ scores.to_numpy()) / member.sum(axis=1, keepdims=True)
    return PerformanceDraws(
        estimate=estimate,
        target=target,
        performance=pd.DataFrame(means, names, scores.columns),
        sizes=pd.Series(member.sum(axis=1).astype(int), names, name="n_respondents"),
        performance_draws=np.concatenate(performances),
        importance=importance["importance"],
        importance_draws=np.concatenate(importances),
        outcomes=tally,
    )


def _members(estimate, groups):
    """Names of the groups, None first for everyone, and who is in each (rows of 0 and 1)."""
    index = estimate.respondents.answers.index
    rows, names = [np.ones(len(index))], [None]
    if groups is not None:
        if not isinstance(groups, pd.Series) or not groups.index.is_unique:
            raise ValueError("groups is a pandas Series with the index of the respondents, once")
        lost = index.difference(groups.index)
        if len(lost):
            raise ValueError(f"groups has no row for respondent {lost[0]!r}")
        chosen = groups.loc[index]
        for name in sorted(chosen.dropna().unique()):
            names.append(name)
            rows.append((chosen == name).to_numpy(dtype=float))
    return pd.Index(names, name="group", dtype=object), np.array(rows)


class _Work:
    """What every resample needs, and how it is scored."""

    def __init__(self, estimate, target, scores, reached, minimum, maximum, member):
        scaled = scale_answers(estimate, minimum, maximum)
        self.estimate = estimate
        self.columns = estimate.respondents.columns[:, : scaled.shape[1]]
        self.center = scaled.mean().to_numpy()
        self.spread = scaled.std().to_numpy()
        self.constructs = [estimate.names.index(name) for name in scores.columns]
        self.target = estimate.names.index(target)
        self.reached = [estimate.names.index(name) for name in reached]
        self.member = np.where(member.sum(axis=1, keepdims=True) < FEWEST_RESPONDENTS, 0, member)
        self.member[0] = 1.0

    def score(self, counts, solution, usable):
        """Return performances by group and construct, and importances, of usable resamples."""
        combine = solution.combine[usable][:, : len(self.center)] / self.spread[:, None]
        totals = combine.sum(axis=1)
        shares = combine[:, :, self.constructs] / totals[:, None, self.constructs]
        performance = np.empty((len(counts), len(self.member), len(self.constructs)))
        for place, row in enumerate(self.member):
            weight = counts * row
            with np.errstate(invalid="ignore", divide="ignore"):
                means = weight @ self.columns / weight.sum(axis=1, keepdims=True)
            scaled = self.center + self.spread * means
            performance[:, place] = np.einsum("bi,bic->bc", scaled, shares)
        effects = total_effects_of(solution.paths[usable])[:, self.reached, self.target]
        # A score's spread on 0-100 is one over the sum of its raw weights.
        return performance, effects * totals[:, self.reached] / totals[:, [self.target]]
