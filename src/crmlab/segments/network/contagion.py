"""Contagion: whether leaving goes with the leaving of those one talks to, beyond chance.

Who asks: whoever thinks that customers take each other along, and that a winner-back should look at
the neighbours of those who left. Dasgupta et al. (2008) found it so among telephone subscribers.

Two questions, each against random permutations that leave the graph, and so everybody's degree, as
it is. *Who*: are there more pairs of which both left than if the leavers were dealt out anew among
customers of the same stratum (of like degree and region)? *When*: of the pairs that
both left, do more leave close in time than if the leavers of a stratum exchanged their days? The
second is the shuffle test of Anagnostopoulos, Kumar & Mahdian (2008): who leaves is kept, so that
likeness between neighbours which lasts is no longer an explanation.

Both take it that any two of the customers compared could have met. Customers of different times
could not: who left early has no link to who joined late, so that linked customers leave close in
time where nothing spreads. Compare customers only who were there on one and the same day.

Neither proves contagion. Neighbours may be alike in what makes them leave, or meet the same event
at the same time; from observation alone the two cannot be told apart (Shalizi & Thomas 2011).

Sources: K. Dasgupta et al. (2008), Social ties and their relevance to churn in mobile telecom
networks, Proceedings of EDBT, 668-677, doi:10.1145/1353343.1353424; A. Anagnostopoulos, R. Kumar &
M. Mahdian (2008), Influence and correlation in social networks, Proceedings of KDD, 7-15; C. R.
Shalizi & A. C. Thomas (2011), Homophily and contagion are generically confounded in observational
social network studies, Sociological Methods & Research 40(2), 211-239,
doi:10.1177/0049124111404820.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["Contagion", "form_strata", "measure_contagion"]

_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False)
class Contagion:
    """What was found of leaving along the graph.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by the `question`, `who_leaves` and `when_they_leave`: `n_pairs` found, of which
        both left, or left close in time; `expected`, the mean over the permutations, and
        `chance_bound`, their 95th percentile; `ratio` of the two (NaN where none is expected);
        `z`, the distance in standard deviations (NaN without spread); `p_value`, the share of the
        permutations, the data included, with at least as many (NaN, as is the ratio, where no
        permutation can move anything, so that nothing is tested); `share_free`, the share of the
        leavers (who) or their days (when) that a permutation can move at all.
    permuted : pandas.DataFrame
        The numbers of pairs of each permutation, a column for each question.
    n_left : int
        Customers who left.
    """

    table: pd.DataFrame
    permuted: pd.DataFrame
    n_left: int


def form_strata(graph, attributes=None, *, n_degree_classes=4):
    """Return the stratum of each customer: class of degree, and all attributes given.

    Parameters
    ----------
    graph : crmlab.segments.network.graph.CustomerGraph
    attributes : pandas.DataFrame, optional
        Categories such as region, one row for each customer of the graph, indexed by
        `customer_id`. A missing value is a category of its own.
    n_degree_classes : int
        Classes of degree, about equally many customers in each; equal degrees stay together.

    Returns
    -------
    pandas.Series of int, indexed by the graph's `customer_id`

    Raises
    ------
    ValueError
        If a customer of the graph has no row.

    Examples
    --------
    >>> from crmlab.segments.network.graph import build_graph
    >>> pairs = pd.DataFrame({"customer_id": list("aaa"), "other_id": list("bcd"),
    ...     "n_calls": 1, "n_referrals": 0})
    >>> form_strata(build_graph(pairs), n_degree_classes=2).tolist()
    [1, 0, 0, 0]
    """
    degree = pd.Series(graph.degree, index=graph.customer_id)
    cut = np.quantile(degree, np.arange(1, n_degree_classes) / n_degree_classes)
    keys = [np.searchsorted(cut, degree, side="left")]
    if attributes is not None:
        absent = graph.customer_id.difference(attributes.index)
        if len(absent):
            raise ValueError(
                f"attributes: {len(absent)} customers of the graph have no row, {absent[0]!r} "
                "among them; expected one row for each"
            )
        rows = attributes.loc[graph.customer_id]
        keys += [pd.factorize(rows[name])[0] for name in rows]
    kinds = np.unique(np.column_stack(keys), axis=0, return_inverse=True)[1]
    return pd.Series(kinds.ravel(), index=graph.customer_id, name="stratum")


def measure_contagion(graph, left_on, *, strata, rng, within_days=90, n_permutations=499):
    """Return whether leaving goes along the links, beyond chance within strata.

    Parameters
    ----------
    graph : crmlab.segments.network.graph.CustomerGraph
    left_on : pandas.Series of datetime
        Day of leaving of each customer of the graph, indexed by `customer_id`; NaT for who stays.
    strata : pandas.Series
        Stratum of each customer, from `form_strata`.
    rng : numpy.random.Generator
        Draws the permutations.
    within_days : int
        Days between two leavings that count as close, 0 or more.
    n_permutations : int
        At least 19.

    Returns
    -------
    Contagion

    Raises
    ------
    ValueError
        If fewer than two customers left or nobody stayed, a customer of the graph has no entry,
        or a setting is out of range.

    Examples
    --------
    >>> from crmlab.segments.network.graph import build_graph
    >>> ends = [f"{i:03d}" for i in range(80)]
    >>> pairs = pd.DataFrame({"customer_id": ends[::2], "other_id": ends[1::2],
    ...     "n_calls": 1, "n_referrals": 0})
    >>> graph = build_graph(pairs)
    >>> days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(80) // 2 * 30, unit="D")
    >>> left_on = pd.Series(days, index=graph.customer_id).where(np.arange(80) < 40)
    >>> found = measure_contagion(graph, left_on, strata=form_strata(graph),
    ...     rng=np.random.default_rng(1), within_days=10, n_permutations=99)
    >>> found.table["n_pairs"].tolist(), found.table["p_value"].tolist()
    ([20, 20], [0.01, 0.01])
    """
    if n_permutations < 19 or within_days < 0:
        raise ValueError(
            f"n_permutations is {n_permutations!r}, within_days {within_days!r}; expected at "
            "least 19 permutations and 0 days"
        )
    day, stratum = _days(graph, left_on), strata.reindex(graph.customer_id)
    if stratum.isna().any():
        raise ValueError(f"strata: missing for {int(stratum.isna().sum())} customers of the graph")
    has_left = ~np.isnan(day)
    n_left = int(has_left.sum())
    if n_left < 2 or n_left == len(day):
        raise ValueError(
            f"left_on: {n_left} of {len(day)} linked customers left; expected at least two who "
            "left and one who stayed. Choose other days of silence that count as leaving."
        )
    stratum = pd.factorize(stratum)[0]
    is_both = has_left[graph.one] & has_left[graph.other]
    leavers = np.flatnonzero(has_left)
    found = {"who_leaves": int(is_both.sum())}
    found["when_they_leave"] = _count_close(graph, day, is_both, within_days)
    permuted = {name: np.empty(n_permutations, dtype=np.int64) for name in found}
    exchanged = day.copy()
    for i in range(n_permutations):
        dealt = has_left[_permute(stratum, rng)]
        permuted["who_leaves"][i] = (dealt[graph.one] & dealt[graph.other]).sum()
        exchanged[leavers] = day[leavers][_permute(stratum[leavers], rng)]
        permuted["when_they_leave"][i] = _count_close(graph, exchanged, is_both, within_days)
    free = {
        "who_leaves": _share_free(stratum, has_left, leavers),
        "when_they_leave": _share_free(stratum[leavers], day[leavers], slice(None)),
    }
    rows = {name: _judge(found[name], permuted[name], free[name]) for name in found}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")
    table = table.astype({"n_pairs": "int64"})
    return Contagion(table, pd.DataFrame(permuted), n_left)


def _days(graph, left_on):
    """Return the day of leaving of each customer of the graph as a number; NaN for who stays."""
    absent = graph.customer_id.difference(left_on.index)
    if len(absent):
        raise ValueError(
            f"left_on: {len(absent)} customers of the graph have no entry, {absent[0]!r} among "
            "them; expected a day, or NaT for who stays, for each"
        )
    days = left_on.loc[graph.customer_id].to_numpy(dtype="datetime64[s]")
    return np.where(np.isnat(days), np.nan, (days - np.datetime64(0, "s")) / _DAY)


def _count_close(graph, day, is_both, within_days):
    return int((np.abs(day[graph.one[is_both]] - day[graph.other[is_both]]) <= within_days).sum())


def _permute(stratum, rng):
    """Return positions exchanged at random within strata."""
    shuffled = rng.permutation(len(stratum))
    place = np.empty(len(stratum), dtype=np.int64)
    place[np.argsort(stratum, kind="stable")] = shuffled[
        np.argsort(stratum[shuffled], kind="stable")
    ]
    return place


def _share_free(stratum, value, chosen):
    """Return the share of the chosen whose stratum holds another value than their own."""
    frame = pd.DataFrame({"stratum": stratum, "value": value})
    kinds = frame.groupby("stratum")["value"].transform("nunique").to_numpy()
    return float((kinds[chosen] > 1).mean())


def _judge(found, permuted, share_free):
    mean, spread = permuted.mean(), permuted.std(ddof=1)
    return {
        "n_pairs": found,
        "expected": float(mean),
        "chance_bound": float(np.quantile(permuted, 0.95)),
        "ratio": found / mean if mean > 0 and share_free > 0 else np.nan,
        "z": (found - mean) / spread if spread > 0 else np.nan,
        "p_value": float((1 + (permuted >= found).sum()) / (1 + len(permuted)))
        if share_free > 0
        else np.nan,
        "share_free": share_free,
    }
