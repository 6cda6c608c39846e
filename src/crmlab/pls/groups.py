"""Two groups of respondents: whether the same is measured (MICOM), and whether paths differ.

Who asks: whoever wants to say that price matters more to new customers than to old ones. Before
paths are compared, the composites must mean the same in both groups. MICOM has three steps:
configural invariance (the same items, coding and algorithm, which estimating one model on both
groups ensures), compositional invariance (scores made with either group's weights correlate
perfectly), equality of means and variances of the scores. Steps one and two allow to compare paths;
all three allow to pool.

Chance is judged by permutation: respondents are dealt anew to groups of the same sizes, all deals
solved as one stack.

Sources: J. Henseler, C. M. Ringle & M. Sarstedt (2016), Testing measurement invariance of
composites using partial least squares, International Marketing Review 33(3), 405-431,
doi:10.1108/IMR-09-2014-0304; W. W. Chin & J. Dibbern (2010), An introduction to a permutation based
procedure for multi-group PLS analysis, in Handbook of Partial Least Squares, 171-193, Springer,
doi:10.1007/978-3-540-32827-8_8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.pls.bootstrap import at_once, is_finite, solve_counts
from crmlab.pls.reasons import tell_outcome
from crmlab.pls.respondents import fewest_respondents
from crmlab.pls.solve import OUTCOMES

__all__ = ["INVARIANCE", "GroupComparison", "compare_groups", "measurement_invariance"]

INVARIANCE = ("none", "partial", "full")


@dataclass(frozen=True, eq=False)
class GroupComparison:
    """A table of tests by permutation.

    Attributes
    ----------
    table : pandas.DataFrame
        See the function that made it.
    groups : tuple
        The two groups; differences are the first less the second.
    sizes : tuple of int
    n_permutations : int
        Drawn; `outcomes` says how many could be used (`solved`) and why others could not.
    outcomes : pandas.Series
    """

    table: pd.DataFrame
    groups: tuple
    sizes: tuple[int, int]
    n_permutations: int
    outcomes: pd.Series


def measurement_invariance(estimate, groups, *, seed, n_permutations=1000, level=0.95):
    """Test in both groups whether composites mean the same (MICOM, steps two and three).

    Parameters
    ----------
    estimate : Estimate
        Of all respondents together.
    groups : pandas.Series
        The group of each respondent, two values; matched by index.
    seed : int
    n_permutations : int
        At least 20; 1,000 and more to publish.
    level : float
        Confidence level.

    Returns
    -------
    GroupComparison
        One row per construct: `correlation` of scores by either group's weights, the
        `correlation_limit` below which it is too low, `correlation_p`; `mean_difference` (in
        standard deviations of all), its limits and p; `log_variance_ratio`, its limits and p;
        `invariance`: `none`, `partial` (step two) or `full` (steps two and three).

    References
    ----------
    Henseler, Ringle & Sarstedt (2016), doi:10.1108/IMR-09-2014-0304
    """
    _check_permutations(n_permutations, level)
    names, member = two_groups(estimate, groups)
    if estimate.layout.second or estimate.layout.two_stage:
        raise ValueError(
            "measurement invariance is tested for constructs measured by items: take out the "
            "higher-order construct or the interaction and test the model of its parts"
        )
    observed = _observed(_invariance_of, estimate, member)
    drawn, outcomes = _permuted(estimate, member, seed, n_permutations, _invariance_of)
    tails = (1 - level) / 2
    correlation, mean, ratio = drawn[:, 0], drawn[:, 1], drawn[:, 2]
    table = pd.DataFrame(
        {
            "correlation": observed[0],
            "correlation_limit": np.quantile(correlation, 1 - level, axis=0),
            # Rounding alone moves a single item's correlation of 1.
            "correlation_p": _share(correlation <= observed[0] + 1e-12),
            "mean_difference": observed[1],
            "mean_low": np.quantile(mean, tails, axis=0),
            "mean_high": np.quantile(mean, 1 - tails, axis=0),
            "mean_p": _share(np.abs(mean) >= np.abs(observed[1]) - 1e-12),
            "log_variance_ratio": observed[2],
            "variance_low": np.quantile(ratio, tails, axis=0),
            "variance_high": np.quantile(ratio, 1 - tails, axis=0),
            "variance_p": _share(np.abs(ratio) >= np.abs(observed[2]) - 1e-12),
        },
        pd.Index(estimate.layout.last.names, name="construct"),
    )
    same = table["correlation_p"] > 1 - level
    equal = (table["mean_p"] > 1 - level) & (table["variance_p"] > 1 - level)
    table["invariance"] = np.select([same & equal, same], ["full", "partial"], "none")
    return GroupComparison(table, names, _sizes(member), n_permutations, outcomes)


def compare_groups(estimate, groups, *, seed, n_permutations=1000):
    """Compare the path coefficients of two groups by permutation.

    Parameters
    ----------
    estimate : Estimate
        Of all respondents together.
    groups : pandas.Series
        The group of each respondent, two values; matched by index.
    seed : int
    n_permutations : int
        At least 20; 1,000 and more to publish.

    Returns
    -------
    GroupComparison
        One row per path: `source`, `target`, `first` and `second` (coefficients by group),
        `difference`, `p_value` (two-sided; the deal that was observed counts as one).

    References
    ----------
    Chin & Dibbern (2010), doi:10.1007/978-3-540-32827-8_8

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, compare_groups, estimate_model, single_item
    >>> rng = np.random.default_rng(1)
    >>> new = np.arange(200) < 100
    >>> x = rng.normal(size=200)
    >>> data = pd.DataFrame({"x": x, "y": np.where(new, 2.0, 0.2) * x + rng.normal(size=200)})
    >>> model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    >>> groups = pd.Series(np.where(new, "new", "old"))
    >>> result = compare_groups(estimate_model(model, data), groups, seed=1, n_permutations=200)
    >>> result.groups, bool(result.table["p_value"][0] < 0.01)
    (('new', 'old'), True)
    """
    _check_permutations(n_permutations, 0.95)
    names, member = two_groups(estimate, groups)
    first, second = _observed(_paths_of, estimate, member)
    drawn, outcomes = _permuted(estimate, member, seed, n_permutations, _paths_of)
    difference = first - second
    spread = drawn[:, 0] - drawn[:, 1]
    table = estimate.paths[["source", "target"]].assign(
        first=first,
        second=second,
        difference=difference,
        p_value=_share(np.abs(spread) >= np.abs(difference) - 1e-12),
    )
    return GroupComparison(table, names, _sizes(member), n_permutations, outcomes)


def _check_permutations(n_permutations, level):
    if n_permutations < 20:
        raise ValueError(f"n_permutations is at least 20, not {n_permutations!r}")
    if not 0.5 < level < 1:
        raise ValueError(f"level is between 0.5 and 1, such as 0.95, not {level!r}")


def two_groups(estimate, groups):
    if not isinstance(groups, pd.Series):
        raise ValueError("groups is a pandas Series with the index of the respondents")
    index = estimate.respondents.answers.index
    if not index.is_unique or not groups.index.is_unique:
        raise ValueError("groups are matched by index, and the index holds repeated labels")
    lost = index.difference(groups.index)
    if len(lost):
        raise ValueError(f"groups has no row for respondent {lost[0]!r} (and {len(lost) - 1} more)")
    chosen = groups.loc[index]
    if chosen.isna().any():
        raise ValueError(f"the group of respondent {index[chosen.isna()][0]!r} is missing")
    names = tuple(pd.unique(chosen))
    if len(names) != 2:
        raise ValueError(say("pls_not_two_groups", n=len(names), names=tuple(map(str, names[:4]))))
    names = tuple(sorted(names)) if _sortable(names) else names
    member = (chosen == names[0]).to_numpy()
    least = fewest_respondents(estimate.layout)
    for name, size in zip(names, _sizes(member), strict=True):
        if size < least:
            blanks = {"n": size, "least": least}
            raise ValueError(say("pls_small_group", name=repr(name), **blanks))
    return names, member


def _sortable(names):
    try:
        sorted(names)
    except TypeError:
        return False
    return True


def _sizes(member):
    return int(member.sum()), int((~member).sum())


def _observed(statistic, estimate, member):
    """Return the statistic of the groups as they are."""
    values, outcome = statistic(estimate, member[None])
    if outcome[0]:
        why = tell_outcome(OUTCOMES[outcome[0]])
        raise ValueError(say("pls_group_alone", why=why))
    return values[0]


def _permuted(estimate, member, seed, n_permutations, statistic):
    """Statistics of permuted memberships, and what became of each permutation."""
    rng = np.random.default_rng(seed)
    kept, outcomes = [], []
    step = at_once(len(member))
    for start in range(0, n_permutations, step):
        size = min(step, n_permutations - start)
        deals = rng.permuted(np.broadcast_to(member, (size, len(member))), axis=1)
        values, outcome = statistic(estimate, deals)
        kept.append(values[outcome == 0])
        outcomes.append(outcome)
    found = np.bincount(np.concatenate(outcomes), minlength=len(OUTCOMES))
    tally = pd.Series(found, OUTCOMES, name="n_permutations")
    if tally["solved"] < 20:
        solved = int(tally["solved"])
        raise ValueError(say("pls_few_permutations", solved=solved, n=n_permutations))
    return np.concatenate(kept), tally


def _both(estimate, deals):
    """Solutions of both groups of every deal, and the worse outcome of the two."""
    first = solve_counts(estimate, deals.astype(int))
    second = solve_counts(estimate, (~deals).astype(int))
    # A consistent solution that cannot be right still has weights and paths to compare.
    ends = [np.where(is_finite(one), 0, one.outcome) for one in (first, second)]
    return first, second, np.maximum(*ends)


def _paths_of(estimate, deals):
    first, second, outcome = _both(estimate, deals)
    sources, targets = np.array(estimate.layout.pairs).T
    return np.stack([s.paths[:, sources, targets] for s in (first, second)], axis=1), outcome


def _invariance_of(estimate, deals):
    """Correlation of scores, difference of means, log ratio of variances, by deal."""
    first, second, outcome = _both(estimate, deals)
    stage = estimate.layout.last
    pooled = estimate.solution.item_correlations[0]
    member = stage.owner[:, None] == np.arange(len(stage.names))

    def over(one, other):
        """One weights' scores times the other's, by construct, over all respondents."""
        return ((one @ (pooled * (stage.owner[:, None] == stage.owner))) * other) @ member

    one, other = first.weights, second.weights
    correlation = over(one, other) / np.sqrt(over(one, one) * over(other, other))
    scores = estimate.scores[list(stage.names)].to_numpy()
    share = deals.astype(float)
    means, variances = [], []
    for part in (share, 1 - share):
        n = part.sum(axis=1, keepdims=True)
        mean = part @ scores / n
        means.append(mean)
        variances.append((part @ scores**2 - n * mean**2) / (n - 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(variances[0] / variances[1])
    return np.stack([correlation, means[0] - means[1], ratio], axis=1), outcome


def _share(hits):
    """Permutation p-value: the observed deal is one of the possible ones (never 0)."""
    return (hits.sum(axis=0) + 1) / (len(hits) + 1)
