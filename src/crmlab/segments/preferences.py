r"""Segments by what customers choose: whether tastes differ, and what will be chosen next.

Who asks: whoever sees one customer order by telephone and another by app, and wants to know
whether these are two tastes or two draws of one. Shares of few choices spread widely by chance
alone, so the question is asked of the counts: a mixture of tastes against one taste for all, and
the proof is in later choices.

Vocabulary. An *option* is one of the things chosen between: a channel, a category, a make. A
*taste* is a probability for each option; customers of one *preference segment* share it.

The model is a mixture of multinomials (latent classes of choices): customer i, of class s with
probability :math:`\pi_s`, chooses option j with :math:`\theta_{sj}`, each time anew. See
M. Wedel & W. A. Kamakura (2000), Market Segmentation, doi:10.1007/978-1-4615-4651-1.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.special import logsumexp

from crmlab.data.engines import collect, read_frame
from crmlab.segments.cluster import one_thread

__all__ = ["Preferences", "compare_preferences", "count_choices", "fit_preferences"]
__all__ += ["score_choices"]

_MOST_ROUNDS = 500


@dataclass(frozen=True)
class Preferences:
    """Preference segments.

    Attributes
    ----------
    segment : pandas.Series
        The likeliest segment of each customer, 1 the one of most customers.
    tastes : pandas.DataFrame
        Probability of each option, one row per segment.
    shares : pandas.Series
        Share of the customers in each segment, as estimated.
    membership : pandas.DataFrame
        Probability of each segment, one row per customer.
    log_likelihood : float
        Of the choices, without the multinomial coefficients, which no model changes.
    bic : float
        Small is good.
    """

    segment: pd.Series
    tastes: pd.DataFrame
    shares: pd.Series
    membership: pd.DataFrame
    log_likelihood: float
    bic: float


def count_choices(orders, option):
    """Return how many purchases each customer made of each option.

    Parameters
    ----------
    orders : pandas, Polars, DuckDB, PyArrow or PySpark table
        One row per order: `customer_id`, `amount` (purchases are above 0) and the option.
    option : str
        Column of the option, such as `channel`; or "day_type", which makes `weekday` and
        `weekend` of the column `ordered_on`.

    Returns
    -------
    pandas.DataFrame
        One row per customer with a purchase whose option is known, indexed by `customer_id` in
        sorted order; one column per option, sorted.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "amount": [5.0, 7.0, 9.0, -9.0],
    ...                        "channel": ["web", "app", "web", "web"]})
    >>> count_choices(orders, "channel").values.tolist()
    [[1, 1], [0, 1]]
    """
    column = "ordered_on" if option == "day_type" else option
    frame = read_frame("orders", orders, ["customer_id", "amount", column])
    chosen = nw.col(column)
    if option == "day_type":
        is_weekend = nw.col(column).dt.weekday() >= 6
        chosen = nw.when(is_weekend).then(nw.lit("weekend")).otherwise(nw.lit("weekday"))
    bought = frame.filter((nw.col("amount") > 0) & ~nw.col(column).is_null())
    counted = (
        bought.select("customer_id", option=chosen)
        .group_by("customer_id", "option")
        .agg(n=nw.len())
    )
    wide = collect(counted).pivot_table(index="customer_id", columns="option", values="n")
    return wide.fillna(0).astype("int64").sort_index().sort_index(axis=1).rename_axis(columns=None)


def fit_preferences(counts, *, n_segments, seed, n_starts=5):
    """Return the preference segments of greatest likelihood, by expectation-maximisation.

    Parameters
    ----------
    counts : pandas.DataFrame
        Choices of each option (`count_choices`); each customer has made one at least.
    n_segments : int
        From 1 to the number of customers.
    seed : int
        Seed of the random starts.
    n_starts : int
        Random starts.

    Returns
    -------
    Preferences

    Raises
    ------
    ValueError
        If there is one option only, a count is negative or missing, or a customer chose nothing.

    Examples
    --------
    >>> counts = pd.DataFrame({"app": [5, 6, 0, 1, 0], "web": [0, 1, 7, 6, 5]})
    >>> found = fit_preferences(counts, n_segments=2, seed=1)
    >>> found.segment.tolist(), found.tastes["web"].round(1).tolist()
    ([2, 2, 1, 1, 1], [0.9, 0.1])
    """
    n = _checked(counts)
    if not isinstance(n_segments, int | np.integer) or not 1 <= n_segments <= len(n):
        raise ValueError(
            f"n_segments is {n_segments!r}; expected a whole number from 1 to the {len(n)} "
            "customers"
        )
    rng = np.random.default_rng(seed)
    overall = n.sum(axis=0) / n.sum()
    # Customers of few choices are often alike: each kind is reckoned once.
    kinds, kind, weight = np.unique(n, axis=0, return_inverse=True, return_counts=True)
    best = None
    for _ in range(n_starts if n_segments > 1 else 1):
        taste = np.full((1, n.shape[1]), overall)
        if n_segments > 1:
            taste = 0.5 * overall + 0.5 * rng.dirichlet(np.ones(n.shape[1]), n_segments)
        with one_thread():
            fit = _maximise(kinds, weight, taste)
        if best is None or fit[0] > best[0]:
            best = fit
    log_likelihood, share, taste, membership = best
    order = np.lexsort((*taste.T[::-1], -share))
    names = pd.RangeIndex(1, n_segments + 1, name="segment")
    belongs = pd.DataFrame(membership[kind.ravel()][:, order], index=counts.index, columns=names)
    n_parameters = n_segments * (n.shape[1] - 1) + n_segments - 1
    return Preferences(
        segment=belongs.idxmax(axis=1).rename("segment"),
        tastes=pd.DataFrame(taste[order], index=names, columns=counts.columns),
        shares=pd.Series(share[order], index=names, name="share"),
        membership=belongs,
        log_likelihood=float(log_likelihood),
        bic=float(-2 * log_likelihood + n_parameters * np.log(len(n))),
    )


def compare_preferences(counts, later, *, n_segments=range(1, 6), seed):
    """Return how well each number of preference segments accounts for choices, now and later.

    Parameters
    ----------
    counts : pandas.DataFrame
        Choices that the segments are made from.
    later : pandas.DataFrame
        Later choices of some of these customers, the same options; others are passed by.
    n_segments : iterable of int
        Numbers of segments; 1 is one taste for all.
    seed : int
        Seed of the starts.

    Returns
    -------
    pandas.DataFrame
        One row per number: `n_segments`, `bic`, `later_log_score` (mean log probability of a
        later choice; close to 0 is good) and `later_hit_share` (later choices that were the option
        thought likeliest).

    Examples
    --------
    >>> counts = pd.DataFrame({"app": [5, 6, 0, 1, 0], "web": [0, 1, 7, 6, 5]})
    >>> table = compare_preferences(counts, counts, n_segments=[1, 2], seed=1)
    >>> table["later_hit_share"].round(2).tolist()
    [0.61, 0.94]
    """
    rows = []
    for k in sorted(set(n_segments)):
        fit = fit_preferences(counts, n_segments=k, seed=seed)
        score, hits = score_choices(fit, later)
        rows.append(
            {"n_segments": k, "bic": fit.bic, "later_log_score": score, "later_hit_share": hits}
        )
    return pd.DataFrame(rows)


def score_choices(preferences, later):
    """Return the mean log probability of later choices, and the share of them called right.

    Each customer's choice is foretold by the tastes of the segments, weighted by membership.

    Parameters
    ----------
    preferences : Preferences
    later : pandas.DataFrame
        Counts of later choices; customers and options unknown to the model are passed by.

    Returns
    -------
    tuple of float
        NaN where no later choice is left.

    Examples
    --------
    >>> counts = pd.DataFrame({"app": [3, 1], "web": [1, 3]})
    >>> one_taste = fit_preferences(counts, n_segments=1, seed=1)
    >>> score_choices(one_taste, counts)
    (-0.6931471805599453, 0.5)
    """
    known = later.index.intersection(preferences.membership.index)
    options = preferences.tastes.columns
    n = later.reindex(index=known, columns=options, fill_value=0).to_numpy(dtype=float)
    if n.sum() == 0:
        return float("nan"), float("nan")
    chance = preferences.membership.loc[known].to_numpy() @ preferences.tastes.to_numpy()
    logs = np.log(np.maximum(chance, 1e-12))
    likeliest = chance.argmax(axis=1)
    return float((n * logs).sum() / n.sum()), float(n[np.arange(len(n)), likeliest].sum() / n.sum())


def _maximise(n, weight, taste):
    """Return log-likelihood, shares, tastes and memberships once the likelihood stands still."""
    k = len(taste)
    share = np.full(k, 1 / k)
    before = -np.inf
    for _ in range(_MOST_ROUNDS):
        joint = n @ np.log(np.maximum(taste, 1e-12)).T + np.log(np.maximum(share, 1e-300))
        total = logsumexp(joint, axis=1)
        membership = np.exp(joint - total[:, None])
        reached = float(weight @ total)
        if reached - before < 1e-7 * abs(reached):
            break
        before = reached
        held = membership * weight[:, None]
        share = held.sum(axis=0) / weight.sum()
        chosen = held.T @ n
        taste = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1e-300)
    return reached, share, taste, membership


def _checked(counts):
    n = counts.to_numpy(dtype=float)
    if n.ndim != 2 or n.shape[1] < 2:
        raise ValueError(
            f"counts: {n.shape[1]} option; expected two or more to choose between. Where everyone "
            "chooses the same there is no preference to see."
        )
    if len(n) == 0 or not np.isfinite(n).all() or (n < 0).any():
        raise ValueError("counts: expected numbers from 0 for one customer at least, none missing")
    if (n.sum(axis=1) == 0).any():
        raise ValueError(
            f"counts: {int((n.sum(axis=1) == 0).sum())} customers chose nothing; leave them out "
            "and count them"
        )
    return n
