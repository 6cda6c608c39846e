"""Paths of two groups compared by bootstrap: Henseler's multi-group analysis (PLS-MGA).

Who asks: whoever was told to report "MGA" beside the permutation test. Each group is estimated and
resampled by itself, and the draws of the two are held against one another, every one with every
one: the share of pairs in which the second group's is at least as large is the chance to be wrong
when saying that the first group's path is larger. Each distribution is first turned round its own
mean, so that its bias is corrected. It asks a one-sided question of each path; the permutation
test (`compare_groups`) asks a two-sided one. As there, the composites must mean the same in both
groups first (`measurement_invariance`). On the same resamples of the ECSI survey the Python package
seminr gives every probability alike.

Source: J. Henseler, C. M. Ringle & R. R. Sinkovics (2009), The use of partial least squares path
modeling in international marketing, Advances in International Marketing 20, 277-319,
doi:10.1108/S1474-7979(2009)0000020014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import reason, say
from crmlab.pls.bootstrap import bootstrap_model
from crmlab.pls.estimate import estimate_model
from crmlab.pls.groups import two_groups
from crmlab.pls.intervals import intervals

__all__ = ["GroupBootstrap", "bootstrap_groups", "share_not_larger"]


@dataclass(frozen=True, eq=False)
class GroupBootstrap:
    """Paths of two groups with their bootstrap.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per path: `source`, `target`, `first` and `second` (coefficients by group), their
        `first_error` and `second_error` (standard errors), `difference`, `first_larger` (the
        chance to be wrong when saying that the first is larger) and `p_value` (two-sided: twice
        the smaller of that and its rest).
    groups : tuple
        The two groups; differences are the first less the second.
    sizes : tuple of int
    n_resamples : int
        Drawn of each group; `n_used` of them could be used.
    n_used : tuple of int
    """

    table: pd.DataFrame
    groups: tuple
    sizes: tuple[int, int]
    n_resamples: int
    n_used: tuple[int, int]


def bootstrap_groups(estimate, groups, *, seed, n_resamples=1000):
    """Compare the path coefficients of two groups by their bootstraps (PLS-MGA).

    Parameters
    ----------
    estimate : Estimate
        Of all respondents together; its model and settings are those of both groups.
    groups : pandas.Series
        The group of each respondent, two values; matched by index.
    seed : int
    n_resamples : int
        Of each group; 1,000 and more to publish.

    Returns
    -------
    GroupBootstrap

    Raises
    ------
    ValueError
        If there are not two groups, or one of them cannot be estimated by itself: says which.

    References
    ----------
    Henseler, Ringle & Sinkovics (2009), doi:10.1108/S1474-7979(2009)0000020014

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from crmlab.pls import PathModel, bootstrap_groups, estimate_model, single_item
    >>> rng = np.random.default_rng(1)
    >>> new = np.arange(200) < 100
    >>> x = rng.normal(size=200)
    >>> data = pd.DataFrame({"x": x, "y": np.where(new, 2.0, 0.2) * x + rng.normal(size=200)})
    >>> model = PathModel([single_item("X", "x"), single_item("Y", "y")], ["X -> Y"])
    >>> groups = pd.Series(np.where(new, "new", "old"))
    >>> result = bootstrap_groups(estimate_model(model, data), groups, seed=1, n_resamples=500)
    >>> result.groups, bool(result.table["first_larger"][0] < 0.01)
    (('new', 'old'), True)
    """
    names, member = two_groups(estimate, groups)
    answers = estimate.respondents.answers
    seeds = np.random.SeedSequence(seed).spawn(2)
    drawn = []
    for name, chosen, own in zip(names, (member, ~member), seeds, strict=True):
        try:
            alone = estimate_model(estimate.model, answers[chosen], **vars(estimate.settings))
            drawn.append(bootstrap_model(alone, n_resamples=n_resamples, seed=own))
        except ValueError as error:
            said = say("pls_group_refused", name=repr(name), why=reason(error))
            raise ValueError(said) from error
    larger = share_not_larger(*(one.draws["paths"] for one in drawn))
    first, second = (intervals(one, "paths") for one in drawn)
    table = first[["source", "target"]].assign(
        first=first["estimate"],
        second=second["estimate"],
        first_error=first["standard_error"],
        second_error=second["standard_error"],
        difference=first["estimate"] - second["estimate"],
        first_larger=larger,
        p_value=2 * np.minimum(larger, 1 - larger),
    )
    sizes = int(member.sum()), int((~member).sum())
    return GroupBootstrap(table, names, sizes, n_resamples, tuple(one.n_used for one in drawn))


def share_not_larger(first, second):
    r"""Return the share of pairs of draws that speak against the first being larger.

    Parameters
    ----------
    first, second : ndarray, shape (n_draws, n_columns)
        Bootstrap draws of either group; the numbers of draws may differ.

    Returns
    -------
    ndarray, shape (n_columns,)
        :math:`1 - \sum_{j,i} \Theta(2\bar b_1 - b_{1j} - 2\bar b_2 + b_{2i}) / (J_1 J_2)`, with
        :math:`\Theta` 1 above 0, else 0.

    Examples
    --------
    >>> import numpy as np
    >>> share_not_larger(np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]]))
    array([0.25])
    """
    one, other = (2 * draws.mean(axis=0) - draws for draws in (first, second))
    shares = [
        np.searchsorted(np.sort(b), a, side="left").mean() / len(b)
        for a, b in zip(one.T, other.T, strict=True)
    ]
    return 1 - np.array(shares)
