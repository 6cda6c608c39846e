"""What customers say, made into features: lifestyle factors, and benefits relative to each other.

Who asks: whoever holds a battery of activities, interests and opinions (AIO) and wants the few
lifestyles behind it before grouping customers by them; and whoever asked how much each of several
benefits matters, and knows that some people find everything important.

Vocabulary. A *battery* is a set of items answered on one scale. A *factor* is what several items
share; a *loading* is the correlation of an item with a factor; *communality* is the part of an
item's variance that the factors account for. *Relative importance* is an answer less the
respondent's own mean over the benefits.

Sources: W. D. Wells & D. J. Tigert (1971), Activities, interests and opinions, Journal of
Advertising Research 11(4), 27-35; R. I. Haley (1968), Benefit segmentation: a decision-oriented
research tool, Journal of Marketing 32(3), 30-35; J. L. Horn (1965), A rationale and test for the
number of factors in factor analysis, Psychometrika 30, 179-185, doi:10.1007/BF02289447;
H. F. Kaiser (1958), The varimax criterion for analytic rotation in factor analysis, Psychometrika
23, 187-200, doi:10.1007/BF02289233.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.segments.cluster import one_thread

__all__ = ["FactorSolution", "compare_eigenvalues", "count_factors", "fit_factors"]
__all__ += ["relative_importance"]


@dataclass(frozen=True)
class FactorSolution:
    """Factors behind a battery of items.

    Attributes
    ----------
    loadings : pandas.DataFrame
        One row per item, one column per factor (`factor_1`, ...), by falling variance.
    scores : pandas.DataFrame
        One row per respondent who answered every item, the same columns: the mean of the factor
        given the answers, standardised.
    communality : pandas.Series
        Share of each item's variance that the factors account for.
    explained_share : pandas.Series
        Share of the variance of all items that each factor accounts for.
    n_left_out : int
        Respondents with an answer missing, who have no scores.
    """

    loadings: pd.DataFrame
    scores: pd.DataFrame
    communality: pd.Series
    explained_share: pd.Series
    n_left_out: int


def compare_eigenvalues(answers, *, seed, n_references=100, quantile=0.95):
    """Return the eigenvalues of a battery beside those of answers that have nothing in common.

    Horn's parallel analysis: each column is shuffled by itself, which keeps what respondents
    answered and breaks every association.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row per respondent, one column per item. Rows with a missing answer are left out.
    seed : int
        Seed of the shuffles.
    n_references : int
        Shuffled sets, at least 20.
    quantile : float
        Which of their eigenvalues counts as chance, between 0 and 1.

    Returns
    -------
    pandas.DataFrame, one row per eigenvalue, the greatest first
        `factor` (from 1), `eigenvalue` of the correlation matrix, `chance_limit`.

    Raises
    ------
    ValueError
        If there are fewer complete respondents than items + 2, or an item is constant.

    References
    ----------
    Horn (1965), doi:10.1007/BF02289447

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> common = rng.normal(size=(200, 1))
    >>> answers = pd.DataFrame(common + rng.normal(size=(200, 4)))
    >>> count_factors(compare_eigenvalues(answers, seed=1))
    1
    """
    if n_references < 20 or not 0 < quantile < 1:
        raise ValueError(
            f"n_references={n_references!r}, quantile={quantile!r}; expected at least 20 sets and "
            "a share between 0 and 1"
        )
    points = _standardise(_complete(answers)).to_numpy()
    rng = np.random.default_rng(seed)
    n, p = points.shape
    by_chance = np.empty((n_references, p))
    for i in range(n_references):
        shuffled = rng.permuted(points, axis=0)
        by_chance[i] = np.linalg.eigvalsh(shuffled.T @ shuffled / n)[::-1]
    return pd.DataFrame(
        {
            "factor": np.arange(1, p + 1),
            "eigenvalue": np.linalg.eigvalsh(points.T @ points / n)[::-1],
            "chance_limit": np.quantile(by_chance, quantile, axis=0),
        }
    )


def count_factors(eigenvalues):
    """Return how many eigenvalues lie above chance before the first that does not.

    Parameters
    ----------
    eigenvalues : pandas.DataFrame
        From `compare_eigenvalues`.

    Returns
    -------
    int
        0 where not even the greatest eigenvalue is beyond chance: the items share nothing.

    Examples
    --------
    >>> count_factors(pd.DataFrame({"eigenvalue": [2.1, 1.3, 0.9], "chance_limit": [1.2] * 3}))
    2
    """
    is_beyond = (eigenvalues["eigenvalue"] > eigenvalues["chance_limit"]).to_numpy()
    return int(np.argmin(is_beyond)) if not is_beyond.all() else len(is_beyond)


def fit_factors(answers, *, n_factors):
    r"""Return the factors behind a battery: maximum likelihood, rotated by varimax.

    .. math:: z = \Lambda f + u \qquad f \sim N(0, I), \; u \sim N(0, \Psi)

    with the standardised answers z. A factor is turned so that its loadings add up to 0 or more.

    Parameters
    ----------
    answers : pandas.DataFrame
        One row per respondent, one column per item. Rows with a missing answer are left out and
        counted.
    n_factors : int
        From 1 to less than half the items (an item of its own is no factor).

    Returns
    -------
    FactorSolution

    Raises
    ------
    ValueError
        If the number of factors is out of range, there are too few respondents, or an item is
        constant.

    References
    ----------
    Kaiser (1958), doi:10.1007/BF02289233

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> common = np.repeat(rng.normal(size=(300, 2)), 3, axis=1)
    >>> answers = pd.DataFrame(common + rng.normal(size=(300, 6)), columns=list("abcdef"))
    >>> solution = fit_factors(answers, n_factors=2)
    >>> (solution.loadings.abs() > 0.4).sum().tolist()
    [3, 3]
    """
    from sklearn.decomposition import FactorAnalysis

    complete = _complete(answers)
    n_items = complete.shape[1]
    if not isinstance(n_factors, int | np.integer) or not 1 <= n_factors <= n_items / 2:
        raise ValueError(
            f"n_factors is {n_factors!r} for {n_items} items; expected a whole number from 1 to "
            f"{n_items // 2}, so that a factor rests on two items at least"
        )
    standard = _standardise(complete)
    model = FactorAnalysis(
        n_factors, rotation="varimax" if n_factors > 1 else None, svd_method="lapack", max_iter=2000
    )
    with one_thread():
        raw = model.fit_transform(standard.to_numpy())
    loadings = model.components_.T
    sign = np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    share = (loadings**2).sum(axis=0) / n_items
    order = np.argsort(-share, kind="stable")
    names = [f"factor_{i}" for i in range(1, n_factors + 1)]
    scores = pd.DataFrame((raw * sign)[:, order], index=complete.index, columns=names)
    return FactorSolution(
        loadings=pd.DataFrame((loadings * sign)[:, order], index=complete.columns, columns=names),
        scores=_standardise(scores),
        communality=pd.Series(
            (loadings**2).sum(axis=1), index=complete.columns, name="communality"
        ),
        explained_share=pd.Series(share[order], index=names, name="explained_share"),
        n_left_out=len(answers) - len(complete),
    )


def relative_importance(ratings):
    """Return how much each benefit matters beside what matters to that respondent on average.

    Segments of the ratings themselves are first of all segments of those who rate high and those
    who rate low. Less the own mean, what is left is which benefits come first.

    Parameters
    ----------
    ratings : pandas.DataFrame
        One row per respondent, one column per benefit, on one scale. Rows with a missing rating
        are left out; compare the lengths.

    Returns
    -------
    pandas.DataFrame
        Points above the respondent's mean; each row sums to 0.

    Raises
    ------
    ValueError
        If there are fewer than two benefits or no complete respondent.

    References
    ----------
    Haley (1968)

    Examples
    --------
    >>> ratings = pd.DataFrame({"price": [9.0, 3.0], "advice": [7.0, 5.0]})
    >>> relative_importance(ratings).to_numpy().tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    if ratings.shape[1] < 2:
        raise ValueError(
            f"ratings: {ratings.shape[1]} benefit; expected two or more, to be weighed against "
            "each other"
        )
    complete = ratings.astype("float64").dropna()
    if complete.empty:
        raise ValueError("ratings: no respondent rated every benefit; expected at least one")
    return complete.sub(complete.mean(axis=1), axis=0)


def _complete(answers):
    """Return the respondents who answered every item, refusing too few of them."""
    complete = answers.astype("float64").dropna()
    if complete.shape[1] < 3 or len(complete) < complete.shape[1] + 2:
        raise ValueError(
            f"answers: {len(complete)} respondents answered all of {complete.shape[1]} items; "
            "expected at least three items and more respondents than items"
        )
    spread = complete.std(ddof=0)
    if (spread == 0).any():
        raise ValueError(
            f"answers: everyone answered {spread.idxmin()} alike; a constant item shares nothing "
            "with the others. Leave it out."
        )
    return complete


def _standardise(frame):
    return (frame - frame.mean()) / frame.std(ddof=0)
