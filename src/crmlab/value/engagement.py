"""What a customer is worth beyond his own purchases: referrals, influence, knowledge.

Who asks: whoever fears that a customer who buys little and brings many is treated as a customer
who buys little. Engagement value has four parts (Kumar et al. 2010):

- *lifetime value*, of the customer's own purchases from now on;
- *referral value*, of the customers who came because he referred them: what they have brought and
  are expected to bring, as far as they would not have come anyway, and what it would have cost to
  win the others;
- *influencer value*, of what others buy because he talks to them. Calls show whom he talks to, not
  what comes of it: without a measured effect per person it stays undefined, and only the number of
  people is given;
- *knowledge value*, of what the firm learns from him. Complaints, questions and survey answers are
  counted; what one of them is worth is the firm's to say, and undefined unless it does.

The parts are not to be added up over customers: what a referred customer brings is his own
lifetime value and again part of the value of whoever referred him.

Source: V. Kumar, L. Aksoy, B. Donkers, R. Venkatesan, T. Wiesel & S. Tillmanns (2010),
Undervalued or overvalued customers: capturing total customer engagement value, Journal of Service
Research 13(3), 297-310, doi:10.1177/1094670510375602.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, read_frame

__all__ = ["engagement_value", "overlap_of_best"]


def engagement_value(
    value,
    links,
    *,
    feedback=None,
    incremental_share=0.5,
    acquisition_cost=0.0,
    value_per_report=np.nan,
    value_per_person_reached=np.nan,
):
    """Return the four parts of each customer's engagement value.

    Parameters
    ----------
    value : pandas.DataFrame
        One row per customer: `customer_id`, `lifetime_value` (from now on, money) and
        `past_value` (contribution so far, money), which counts for whoever referred him.
    links : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id` (who called or referred), `other_id` and `kind` ("call" or "referral"). Calls
        are counted where they lie; one row per referral comes into memory.
    feedback : pandas.Series, optional
        `customer_id` of each complaint, question or survey answer; any number for a customer.
    incremental_share : float
        Share of the referred who would not have come otherwise, 0 to 1.
    acquisition_cost : float
        What winning a customer costs otherwise (money, 0 or more): saved on the others.
    value_per_report, value_per_person_reached : float
        What a piece of feedback, and talking to one person, is worth (money). NaN, unless the
        firm has measured it.

    Returns
    -------
    pandas.DataFrame
        In the order of `value`: `customer_id`, `n_referred`, `n_reached` (distinct people he
        called or was called by), `n_reports`, and in money `lifetime_value`, `referral_value`,
        `influencer_value`, `knowledge_value` (the last two NaN where their price is) and
        `engagement_value`, the sum of the parts that are known.

    Raises
    ------
    ValueError
        If a column is missing, a customer stands twice, or a setting is out of range.

    Notes
    -----
    A referred customer who is not in `value` is counted, and worth nothing known. A referral on
    record twice counts once, and nobody refers or reaches himself. Rows without one of the two
    customers count for nothing.

    References
    ----------
    Kumar et al. (2010), doi:10.1177/1094670510375602

    Examples
    --------
    >>> value = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "lifetime_value": [10.0, 60.0], "past_value": [5.0, 40.0],
    ... })
    >>> links = pd.DataFrame({"customer_id": ["a"], "other_id": ["b"], "kind": ["referral"]})
    >>> table = engagement_value(value, links, incremental_share=0.5, acquisition_cost=20.0)
    >>> table[["lifetime_value", "referral_value", "engagement_value"]].values.tolist()
    [[10.0, 60.0, 70.0], [60.0, 0.0, 60.0]]
    """
    _check(value, incremental_share, acquisition_cost)
    customer = value["customer_id"]
    worth = value.set_index("customer_id")[["lifetime_value", "past_value"]].sum(axis=1)
    referred, reached = _read_links(links)
    brought = referred["other_id"].map(worth).fillna(0.0).astype("float64")
    gain = incremental_share * brought + (1 - incremental_share) * acquisition_cost
    gain = gain.groupby(referred["customer_id"]).sum()
    reports = pd.Series(dtype="int64") if feedback is None else feedback.value_counts()
    table = pd.DataFrame(
        {
            "customer_id": customer,
            "n_referred": _count(customer, referred["customer_id"].value_counts()),
            "n_reached": _count(customer, reached),
            "n_reports": _count(customer, reports),
            "lifetime_value": value["lifetime_value"],
            "referral_value": customer.map(gain).fillna(0.0).astype("float64"),
        }
    )
    table["influencer_value"] = table["n_reached"] * value_per_person_reached
    table["knowledge_value"] = table["n_reports"] * value_per_report
    parts = ["lifetime_value", "referral_value", "influencer_value", "knowledge_value"]
    table["engagement_value"] = table[parts].sum(axis=1)
    return table


def overlap_of_best(one, other, *, share=0.1):
    """Return how many of the best by one value are among the best by another.

    Parameters
    ----------
    one, other : pandas.Series
        Two values of the same customers (the same index).
    share : float
        Share of the customers who are called best, above 0 and below 1.

    Returns
    -------
    dict of str to float
        `overlap`, the share of the best by `one` who are among the best by `other`, and
        `by_chance`, what would be expected if the two had nothing to do with each other. Ties at
        the border count in part, in proportion to the places left.

    Examples
    --------
    >>> overlap_of_best(pd.Series([9, 8, 1, 0]), pd.Series([7, 0, 5, 1]), share=0.5)
    {'overlap': 0.5, 'by_chance': 0.5}
    """
    if not one.index.equals(other.index) or not 0 < share < 1:
        raise ValueError("expected two values of the same customers, and a share between 0 and 1")
    if one.isna().any() or other.isna().any():
        raise ValueError("a value is missing; leave those customers out, and count them")
    places = max(1, round(share * len(one)))
    weights = [_best(values.to_numpy(dtype="float64"), places) for values in (one, other)]
    return {
        "overlap": float((weights[0] * weights[1]).sum() / places),
        "by_chance": places / len(one),
    }


def _best(values, places):
    """Return 1 for the best, 0 for the others, and an equal part for those tied at the border."""
    border = np.sort(values)[-places]
    above, at = values > border, values == border
    return above + at * (places - above.sum()) / at.sum()


def _count(customer, counts):
    return customer.map(counts).fillna(0).astype("int64")


def _read_links(links):
    """Return each referral once, and how many people each customer called or was called by."""
    frame = read_frame("links", links, ["customer_id", "other_id", "kind"])
    one, other = nw.col("customer_id"), nw.col("other_id")
    pairs = frame.filter(~one.is_null() & ~other.is_null()).filter(one != other)
    referred = pairs.filter(nw.col("kind") == "referral").select("customer_id", "other_id").unique()
    calls = pairs.filter(nw.col("kind") == "call")
    ends = nw.concat(
        [
            calls.select(customer_id=one, other_id=other),
            calls.select(customer_id=other, other_id=one),
        ]
    )
    reached = collect(ends.group_by("customer_id").agg(other.n_unique().alias("n_reached")))
    referred = collect(referred.sort("customer_id", "other_id"))
    return referred, reached.set_index("customer_id")["n_reached"]


def _check(value, incremental_share, acquisition_cost):
    needed = ("customer_id", "lifetime_value", "past_value")
    absent = [column for column in needed if column not in value.columns]
    if absent:
        raise ValueError(f"value: column {absent[0]!r} is missing; expected {needed}")
    if value["customer_id"].duplicated().any():
        raise ValueError("value: a customer has two rows; expected one row per customer")
    if not (0 <= incremental_share <= 1 and 0 <= acquisition_cost < np.inf):
        raise ValueError(
            f"incremental_share={incremental_share!r}, acquisition_cost={acquisition_cost!r}; "
            "expected a share from 0 to 1, and money from 0 up"
        )
