"""Bootstrap: how far the numbers of an estimate would move in another sample of the same size.

Who asks: whoever must say whether a path differs from nothing, and how sure an index is.

Respondents are drawn with replacement, but the algorithm never returns to them: how often each was
drawn gives, in one matrix product, the covariances of hundreds of resamples, and those are solved
as one stack. Missing answers were dealt with before the first draw, once.

What can go wrong is counted, by name: an item that everyone in a resample answers alike
(`no_variance`), items or constructs that cannot be told apart (`collinear`), weights that do not
settle (`not_converged`), and, in a consistent estimate, a solution that cannot be right
(`inadmissible`: a reliability outside 0 to 1, a loading or R² above 1, correlations that are not
positive definite).

Signs. `none`: each resample is oriented by the convention of the estimate (the sum of a construct's
loadings is positive) and then left alone. `construct`: a construct is turned round where its
loadings then lie closer to the estimate's.

Source: B. Efron & R. J. Tibshirani (1993), An Introduction to the Bootstrap, Chapman & Hall,
doi:10.1201/9780429246593.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.pls.effects import reached_pairs, total_effects_of, ways
from crmlab.pls.estimate import Estimate
from crmlab.pls.measures import htmt_of
from crmlab.pls.moments import counted_moments
from crmlab.pls.reasons import tell_tally
from crmlab.pls.solve import OUTCOMES, solve_samples

__all__ = ["QUANTITIES", "SIGN_RULES", "Bootstrap", "bootstrap_model"]

SIGN_RULES = ("none", "construct")
#: What a bootstrap keeps of every resample.
QUANTITIES = (
    "paths",
    "total_effects",
    "indirect_effects",
    "specific_indirect_effects",
    "weights",
    "loadings",
    "r_squared",
    "htmt",
)
_MOST_AT_ONCE = 500  # samples, few enough for their matrices to stay in the processor's cache
_MOST_COUNTS = 10_000_000  # samples times respondents, 80 MB


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Resamples of an estimate.

    Attributes
    ----------
    estimate : Estimate
    signs : str
    n_resamples : int
        Drawn; `n_used` of them entered the draws.
    outcomes : pandas.Series
        How many resamples were solved, or ended as each of `OUTCOMES`.
    labels : dict of pandas.DataFrame
        For each of `QUANTITIES`, what the columns of its draws are.
    draws : dict of ndarray, shape (n_used, n_columns)
    values : dict of ndarray, shape (n_columns,)
        The same of the estimate itself.
    inner_errors : dict of ndarray, shape (n_used, n_columns), or None
        Standard error within each resample, for studentised intervals.
    """

    estimate: Estimate
    signs: str
    n_resamples: int
    outcomes: pd.Series
    labels: dict[str, pd.DataFrame]
    draws: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    inner_errors: dict[str, np.ndarray] | None

    @property
    def n_used(self):
        """Resamples behind every standard error and interval."""
        return len(self.draws["paths"])


def bootstrap_model(
    estimate, *, n_resamples=5000, seed, signs="none", inadmissible="leave_out", n_inner=0
):
    """Draw resamples of the respondents and estimate the model in each.

    Parameters
    ----------
    estimate : Estimate
    n_resamples : int
        At least 2; 5,000 and more for intervals.
    seed : int
        The same seed, the same resamples.
    signs : {"none", "construct"}
        See this module.
    inadmissible : {"leave_out", "keep"}
        What happens to resamples whose consistent solution cannot be right; they are counted
        either way. Those without a number (a negative reliability has no root) are never kept.
    n_inner : int
        Resamples of each resample, for studentised intervals (0: none; 50 are usual). The work
        grows by that factor.

    Returns
    -------
    Bootstrap

    Raises
    ------
    ValueError
        If a setting is out of range or fewer than two resamples can be used.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, bootstrap_model, estimate_model, intervals, single_item
    >>> rng = np.random.default_rng(3)
    >>> x = rng.normal(size=100)
    >>> data = pd.DataFrame({"x": x, "y": 0.6 * x + 0.8 * rng.normal(size=100)})
    >>> model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    >>> bootstrap = bootstrap_model(estimate_model(model, data), n_resamples=1000, seed=1)
    >>> bootstrap.n_used
    1000
    >>> table = intervals(bootstrap, "paths")
    >>> bool(table.loc[0, "low"] < 0.6 < table.loc[0, "high"])
    True
    """
    if n_resamples < 2:
        raise ValueError(f"n_resamples is at least 2, not {n_resamples!r}")
    if signs not in SIGN_RULES:
        raise ValueError(f"signs is one of {', '.join(SIGN_RULES)}, not {signs!r}")
    if inadmissible not in ("leave_out", "keep"):
        raise ValueError(f"inadmissible is leave_out or keep, not {inadmissible!r}")
    if n_inner < 0 or n_inner == 1:
        raise ValueError(f"n_inner is 0 or at least 2, not {n_inner!r}")
    rng = np.random.default_rng(seed)
    n = estimate.n_respondents
    pieces, outcomes, errors = [], [], []
    step = at_once(n)
    for start in range(0, n_resamples, step):
        counts = draw_counts(rng, n, min(step, n_resamples - start))
        solution = solve_counts(estimate, counts)
        usable = _usable(solution, inadmissible)
        outcomes.append(solution.outcome)
        pieces.append(quantities(estimate, solution, signs, usable))
        if n_inner and usable.any():
            errors.append(
                _inner_errors(estimate, rng, counts[usable], n_inner, signs, inadmissible)
            )
    draws = {name: np.concatenate([p[name] for p in pieces]) for name in QUANTITIES}
    found = np.bincount(np.concatenate(outcomes), minlength=len(OUTCOMES))
    tally = pd.Series(found, OUTCOMES, name="n_resamples")
    if len(draws["paths"]) < 2:
        used = len(draws["paths"])
        raise ValueError(
            say("pls_few_resamples", n=n_resamples, used=used, became=tell_tally(tally))
        )
    inner = {k: np.concatenate([e[k] for e in errors]) for k in QUANTITIES} if n_inner else None
    everything = np.ones(1, dtype=bool)
    values = quantities(estimate, estimate.solution, "none", everything)
    values = {name: value[0] for name, value in values.items()}
    return Bootstrap(estimate, signs, n_resamples, tally, _labels(estimate), draws, values, inner)


def at_once(n):
    """Return how many samples of n respondents are solved together."""
    return max(1, min(_MOST_AT_ONCE, _MOST_COUNTS // n))


def draw_counts(rng, n, n_resamples):
    """Return how often each of n respondents is drawn, one row per resample."""
    drawn = rng.integers(n, size=(n_resamples, n)) + n * np.arange(n_resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * n_resamples).reshape(n_resamples, n)


def solve_counts(estimate, counts):
    """Solve the model where respondent i stands counts[b, i] times in sample b."""
    means, covariances = counted_moments(estimate.respondents.columns, counts)
    return solve_samples(means, covariances, estimate.layout, estimate.settings)


def quantities(estimate, solution, signs, usable):
    """Return the kept numbers of the usable samples of a solution, by quantity."""
    layout = estimate.layout
    weights, loadings = solution.weights[usable], solution.loadings[usable]
    paths = solution.paths[usable]
    if signs == "construct":
        flip = _turned(estimate, loadings)
        slot = flip[:, layout.last.owner]
        weights, loadings = weights * slot, loadings * slot
        product = [flip[:, a] * flip[:, b] for a, b in layout.two_stage]
        flip = np.column_stack([flip, *product]) if product else flip
        paths = paths * flip[:, :, None] * flip[:, None, :]
    total = total_effects_of(paths)
    reached, routes = reached_pairs(layout), ways(layout)
    sources, targets = np.array(layout.pairs).T
    far = np.array(reached).T
    specific = np.ones((len(paths), len(routes)))
    for k, way in enumerate(routes):
        for source, target in pairwise(way):
            specific[:, k] *= paths[:, source, target]
    explained = sorted({t for _, t in layout.pairs})
    upper = np.triu_indices(len(layout.last.names), 1)
    return {
        "paths": paths[:, sources, targets],
        "total_effects": total[:, far[0], far[1]],
        "indirect_effects": (total - paths)[:, far[0], far[1]],
        "specific_indirect_effects": specific,
        "weights": weights,
        "loadings": loadings,
        "r_squared": solution.r_squared[usable][:, explained],
        "htmt": htmt_of(solution.item_correlations[usable], layout.last)[:, upper[0], upper[1]],
    }


def _turned(estimate, loadings):
    """-1 where a construct's loadings lie closer to the estimate's when turned round, else 1."""
    stage = estimate.layout.last
    agreement = loadings * estimate.solution.loadings[0]
    return np.where(np.add.reduceat(agreement, stage.starts, axis=1) < 0, -1.0, 1.0)


def is_finite(solution):
    """Return which samples ended in numbers, admissible or not."""
    ended = np.isin(solution.outcome, (0, OUTCOMES.index("inadmissible")))
    return ended & np.isfinite(solution.paths).all(axis=(1, 2))


def _usable(solution, inadmissible):
    return is_finite(solution) if inadmissible == "keep" else solution.outcome == 0


def _inner_errors(estimate, rng, counts, n_inner, signs, inadmissible):
    """Return standard errors within each resample (a row of counts), from resamples of it."""
    pieces = []
    step = max(1, at_once(counts.shape[1]) // n_inner)
    for start in range(0, len(counts), step):
        rows = counts[start : start + step]
        inner = np.concatenate([_recount(rng, row, n_inner) for row in rows])
        solution = solve_counts(estimate, inner)
        lost = ~_usable(solution, inadmissible)
        kept = quantities(estimate, solution, signs, np.ones(len(inner), dtype=bool))
        for value in kept.values():
            value[lost] = np.nan
        pieces.append({k: _spread(v.reshape(len(rows), n_inner, -1)) for k, v in kept.items()})
    return {k: np.concatenate([piece[k] for piece in pieces]) for k in pieces[0]}


def _recount(rng, counts, n_resamples):
    """Draw from a resample: counts of the original respondents, one row per inner resample."""
    n = len(counts)
    who = np.repeat(np.arange(n), counts)
    drawn = who[rng.integers(n, size=(n_resamples, n))] + n * np.arange(n_resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=n * n_resamples).reshape(n_resamples, n)


def _spread(values):
    """Return the standard deviation over the second axis, NaN left out; NaN of fewer than two."""
    there = np.isfinite(values)
    n = there.sum(axis=1)
    filled = np.where(there, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.where(there, values - (filled.sum(axis=1) / n)[:, None], 0.0)
        return np.where(n > 1, np.sqrt((away**2).sum(axis=1) / (n - 1)), np.nan)


def _labels(estimate):
    layout = estimate.layout
    names = layout.names
    far = [(names[s], names[t]) for s, t in reached_pairs(layout)]
    routes = [(names[w[0]], names[w[-1]], " -> ".join(names[k] for k in w)) for w in ways(layout)]
    last = layout.last.names
    upper = zip(*np.triu_indices(len(last), 1), strict=True)
    ends, slots = ["source", "target"], ["construct", "item"]
    return {
        "paths": pd.DataFrame([(names[s], names[t]) for s, t in layout.pairs], columns=ends),
        "total_effects": pd.DataFrame(far, columns=ends),
        "indirect_effects": pd.DataFrame(far, columns=ends),
        "specific_indirect_effects": pd.DataFrame(routes, columns=[*ends, "way"]),
        "weights": pd.DataFrame(layout.last.slots, columns=slots),
        "loadings": pd.DataFrame(layout.last.slots, columns=slots),
        "r_squared": pd.DataFrame(
            {"construct": [names[t] for t in sorted({t for _, t in layout.pairs})]}
        ),
        "htmt": pd.DataFrame([(last[i], last[j]) for i, j in upper], columns=["first", "second"]),
    }
