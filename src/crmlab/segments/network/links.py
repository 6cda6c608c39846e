"""Links of any engine, checked and brought to one row per pair of customers.

Who asks: every measure of the graph, since all of them read the calls and referrals through this
one door. The work is written once with narwhals, so pandas, Polars, DuckDB, PyArrow and PySpark
tables are all welcome; everything counted is a whole number, the same on each of them.

Vocabulary. A *pair* is two customers with at least one call or referral between them, whoever
began it. *Degree* is the number of a customer's neighbours, *strength* the calls and referrals
with all of them (Barrat et al. 2004, doi:10.1073/pnas.0400087101).
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, read_frame

__all__ = ["LinkBook", "open_links", "summarize_links"]

_MOST_CALLS = 10**15


@dataclass(frozen=True, eq=False)
class LinkBook:
    """Links that have been checked, one row per pair, and what was left out.

    Attributes
    ----------
    pairs : pandas.DataFrame
        `customer_id`, `other_id` (each pair once, `customer_id` the first of the two in the order
        of their characters), `n_calls`, `n_referrals` and `is_mutual` (a row of calls in either
        direction); sorted. None where nobody is linked
        to another.
    n_rows : int
        Rows read.
    n_unnamed, n_self : int
        Rows left out: without one of the two customers (missing or blank); of customers linked to
        themselves.
    n_unknown_pairs, n_unknown_customers : int
        Pairs left out because one of the two is no customer on file, and how many those are.
    """

    pairs: pd.DataFrame
    n_rows: int
    n_unnamed: int
    n_self: int
    n_unknown_pairs: int
    n_unknown_customers: int


def open_links(links, *, customers=None):
    """Return the links as a checked book of pairs, whatever the engine.

    Parameters
    ----------
    links : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id`, `other_id`, `kind` (call or referral) and, where known, `n_calls`, 1 or
        more. Calls without a number count as one. Left unchanged.
    customers : array_like of str, optional
        The customers on file; pairs with anybody else are left out and counted.

    Returns
    -------
    LinkBook

    Raises
    ------
    ValueError
        If a column is missing, a kind is neither call nor referral, or a number of calls is below
        1, endless or no whole number.

    Examples
    --------
    >>> links = pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "n_calls": [3, 2, 5, None],
    ...     "other_id": ["b", "a", "c", "a"], "kind": ["call", "call", "call", "referral"]})
    >>> book = open_links(links)
    >>> book.pairs
      customer_id other_id  n_calls  n_referrals  is_mutual
    0           a        b        5            0       True
    1           a        d        0            1      False
    >>> book.n_self
    1
    """
    frame = read_frame("links", links, ["customer_id", "other_id", "kind"])
    marked = _mark(frame)
    facts = collect(marked.select(nw.len().alias("n_rows"), *(nw.col(n).sum() for n in _FACTS)))
    facts = facts.fillna(0).iloc[0].astype("int64")
    _check(facts)
    one, other = nw.col("customer_id"), nw.col("other_id")
    grouped = (
        marked.filter(~one.is_null() & ~other.is_null())
        .filter(one != other)
        .with_columns(
            low=nw.when(one < other).then(one).otherwise(other),
            high=nw.when(one < other).then(other).otherwise(one),
            n_onward=nw.when(one < other).then(nw.col("is_call")).otherwise(0),
            n_back=nw.when(one < other).then(0).otherwise(nw.col("is_call")),
        )
        .group_by("low", "high")
        .agg(*(nw.col(name).sum() for name in ("calls", "is_referral", "n_onward", "n_back")))
    )
    counts = collect(grouped)
    pairs = pd.DataFrame(
        {
            "customer_id": counts["low"].astype("str"),
            "other_id": counts["high"].astype("str"),
            "n_calls": counts["calls"].astype("int64"),
            "n_referrals": counts["is_referral"].astype("int64"),
            "is_mutual": (counts["n_onward"] > 0) & (counts["n_back"] > 0),
        }
    ).sort_values(["customer_id", "other_id"], ignore_index=True)
    return _keep_known(pairs, customers, facts)


def summarize_links(pairs):
    """Return each customer's place in the graph.

    Parameters
    ----------
    pairs : pandas.DataFrame
        `pairs` of a `LinkBook`.

    Returns
    -------
    pandas.DataFrame, one row per customer with a link, sorted by `customer_id`
        `degree` (neighbours), `n_calls`, `n_referrals` (given and received), `strength` (the two
        together) and `reciprocity`: the share of the neighbours called that called back, NaN for
        who has no calls, and for everybody where no pair is mutual: such a table has one row per
        pair and does not say who called back.

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": ["a", "a"], "other_id": ["b", "c"],
    ...     "n_calls": [5, 1], "n_referrals": [0, 1], "is_mutual": [True, False]})
    >>> summarize_links(pairs)[["customer_id", "degree", "strength", "reciprocity"]]
      customer_id  degree  strength  reciprocity
    0           a       2         7          0.5
    1           b       1         5          1.0
    2           c       1         2          0.0
    """
    ends = pd.concat(
        [pairs, pairs.rename(columns={"customer_id": "other_id", "other_id": "customer_id"})]
    )
    ends = ends.assign(degree=1, has_called=ends["n_calls"] > 0)
    sums = ["degree", "n_calls", "n_referrals", "is_mutual", "has_called"]
    table = ends.groupby("customer_id")[sums].sum().astype("int64").reset_index()
    table["strength"] = table["n_calls"] + table["n_referrals"]
    partners = table.pop("has_called").astype("float64")
    mutual = table.pop("is_mutual")
    is_told = bool(pairs["is_mutual"].any())
    table["reciprocity"] = mutual / partners.where(partners > 0) if is_told else np.nan
    return table


_FACTS = ("is_unnamed", "is_self", "is_other_kind", "is_bad", "is_call", "is_referral")


def _mark(frame):
    """Add what each row counts for, as whole numbers."""
    one, other, kind = nw.col("customer_id"), nw.col("other_id"), nw.col("kind")
    schema = frame.collect_schema()
    if schema.get("n_calls") == nw.String:
        raise ValueError("links: n_calls holds text; expected whole numbers, 1 or more")
    marked = frame.select(
        *(nw.col(name).cast(nw.String) for name in ("customer_id", "other_id", "kind")),
        n_calls=nw.col("n_calls") if "n_calls" in schema else nw.lit(1),
    ).with_columns(
        nw.when(nw.col(name).str.strip_chars() != "").then(nw.col(name)).alias(name)
        for name in ("customer_id", "other_id")
    )
    number = nw.col("n_calls")
    # Missing numbers may be null or, in floats, NaN: neither is within these bounds.
    is_known = (number >= 1) & (number < _MOST_CALLS)
    is_number = ~number.cast(nw.Float64).is_nan()  # some engines hold NaN above all numbers
    marked = marked.with_columns(
        whole=nw.when(is_known).then(number).otherwise(1).cast(nw.Int64),
        is_call=_flag(kind == "call"),
        is_referral=_flag(kind == "referral"),
        is_unnamed=_flag(one.is_null() | other.is_null()),
        is_self=_flag(one == other),
        is_outside=_flag((number < 1) | ((number >= _MOST_CALLS) & is_number)),
        is_known=_flag(is_known),
    )
    is_part = (nw.col("is_known") > 0) & (nw.col("whole") != number)
    return marked.with_columns(
        is_bad=nw.col("is_call") * (nw.col("is_outside") + _flag(is_part)),
        is_other_kind=1 - nw.col("is_call") - nw.col("is_referral"),
        calls=nw.col("is_call") * nw.col("whole"),
    )


def _flag(condition):
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _check(facts):
    if facts["is_other_kind"]:
        raise ValueError(
            f"links: {facts['is_other_kind']} of {facts['n_rows']} rows have another kind than "
            "call or referral; expected one of the two in each"
        )
    if facts["is_bad"]:
        raise ValueError(
            "links: n_calls is below 1, endless or no whole number in "
            f"{facts['is_bad']} of {facts['n_rows']} rows; expected the calls between the two, 1 "
            "or more"
        )


def _keep_known(pairs, customers, facts):
    n_strangers = n_pairs = 0
    if customers is not None:
        known = pd.Index(np.asarray(customers)).astype("str")
        is_known = pairs["customer_id"].isin(known) & pairs["other_id"].isin(known)
        ends = pd.unique(pd.concat([pairs["customer_id"], pairs["other_id"]]))
        n_strangers, n_pairs = int((~pd.Index(ends).isin(known)).sum()), int((~is_known).sum())
        pairs = pairs[is_known].reset_index(drop=True)
    return LinkBook(
        pairs=pairs,
        n_rows=int(facts["n_rows"]),
        n_unnamed=int(facts["is_unnamed"]),
        n_self=int(facts["is_self"]),
        n_unknown_pairs=n_pairs,
        n_unknown_customers=n_strangers,
    )
