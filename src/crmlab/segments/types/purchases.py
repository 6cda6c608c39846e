"""Purchases brought to one row per customer: pace, pauses, deals, and what they brought.

Who asks: every typology that goes by what customers buy. The orders are read where they lie, in
whatever engine, and so are the pauses between purchases, by windows over each customer's days.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.engines import collect, read_frame
from crmlab.data.exact import LARGEST, join_money, split_money, sum_money

__all__ = ["describe_purchases"]

_SUMS = {"total_value": "amount", "recent_value": "recent"}
_ROWS_AT_A_TIME = 10_000_000
_LONG_AGO = 1_000_000  # more days than any record goes back


def describe_purchases(orders, *, observed_to):
    """Return what a customer's purchases say beyond recency and frequency, and what they brought.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id`, `ordered_on`, `amount` and, if known, `discount_share`; returns (amounts
        below 0) are no purchases. Orders of nobody, or after `observed_to`, are passed over.
        They are read where they lie: only one row per customer comes into memory.
    observed_to : pandas.Timestamp
        Last day observed.

    Returns
    -------
    pandas.DataFrame, indexed by `customer_id`, sorted; customers with an order
        `n_orders` (purchases), `first_days` (since the first purchase), `silence_days` (since the
        last), `n_repeat_orders` (purchase days after the first), `longest_gap_days` (between two
        purchase days; 0 with one), `days_since_return` (since the purchase that ended that gap,
        the latest of equals; NaN with one purchase day) and `n_deals` (NaN without
        `discount_share`), all NaN for who only returned; `total_value` and `recent_value` (of the
        last 365 days), money, returns deducted.

    Raises
    ------
    ValueError
        If a column is missing, an amount cannot be added up, or no purchase is left.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"customer_id": ["a", "a"], "amount": [9.0, 5.0],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-03-01"])})
    >>> found = describe_purchases(orders, observed_to=pd.Timestamp("2024-03-31"))
    >>> found[["n_orders", "silence_days", "longest_gap_days"]].to_numpy().tolist()
    [[2.0, 30.0, 60.0]]
    """
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    if frame.implementation.is_pyarrow():
        frame = frame.lazy("polars")  # PyArrow has no windows by customer
    has_discount = "discount_share" in frame.collect_schema()
    discount = nw.col("discount_share") if has_discount else nw.lit(0.0)
    book = frame.select(
        "customer_id",
        days_ago=observed_to.toordinal() - _number_day(nw.col("ordered_on")),
        amount=nw.col("amount").cast(nw.Float64),
        discount=discount.cast(nw.Float64),
    ).filter(~nw.col("customer_id").is_null() & (nw.col("days_ago") >= 0))
    sums = collect(_add_up(book)).set_index("customer_id").sort_index()
    if sums["n_bad"].any():
        raise ValueError(say("segments_bad_amounts", n=int(sums["n_bad"].sum()), bound=LARGEST))
    if not sums["n_orders"].any():
        raise ValueError(say("segments_no_purchase"))
    gaps = _find_gaps(book, sums["n_orders"]).set_index("customer_id").reindex(sums.index)
    longest = gaps["longest"].astype("float64")
    gap = np.ceil(longest / _LONG_AGO)
    bought = pd.DataFrame(
        {
            "n_orders": sums["n_orders"],
            "first_days": sums["first_days"],
            "silence_days": sums["silence_days"],
            "n_repeat_orders": gaps["n_repeats"],
            "longest_gap_days": gap.fillna(0.0),
            "days_since_return": gap * _LONG_AGO - longest,
            "n_deals": sums["n_deals"] if has_discount else np.nan,
        },
        dtype="float64",
    )[sums["n_orders"] > 0].reindex(sums.index)
    money = {n: join_money(sums[f"{n}_whole"], sums[f"{n}_parts"]) for n in _SUMS}
    return bought.assign(**money)


def _number_day(day):
    """Return a day's number since the year 1, as `datetime.date.toordinal` counts.

    No difference of two days is known to all engines; the parts of a date are.
    """
    day = day.cast(nw.Datetime("us"))
    years = day.dt.year().cast(nw.Int64) - 1
    leap_days = years // 4 - years // 100 + years // 400
    return years * 365 + leap_days + day.dt.ordinal_day().cast(nw.Int64)


def _add_up(book):
    """Return the counts, ends and sums of each customer's orders."""
    amount, days_ago, discount = nw.col("amount"), nw.col("days_ago"), nw.col("discount")
    is_good = amount.is_finite() & (amount.abs() < LARGEST)
    # Where a comparison of a missing amount is itself missing, the row counts as bad too.
    marked = book.with_columns(
        is_bad=nw.when(is_good).then(0).otherwise(1),
        amount=nw.when(is_good).then(amount).otherwise(0.0),
    )
    is_deal = (amount > 0) & (discount > 0) & discount.is_finite()
    marked = marked.with_columns(
        bought_ago=nw.when(amount > 0).then(days_ago),
        is_purchase=nw.when(amount > 0).then(1).otherwise(0),
        is_deal=nw.when(is_deal).then(1).otherwise(0),
        recent=nw.when(days_ago < 365).then(amount).otherwise(0.0),
    )
    grouped = (
        split_money(marked, list(_SUMS.values()))
        .group_by("customer_id")
        .agg(
            nw.col("is_bad").sum().alias("n_bad"),
            nw.col("is_purchase").sum().alias("n_orders"),
            nw.col("is_deal").sum().alias("n_deals"),
            nw.col("bought_ago").max().alias("first_days"),
            nw.col("bought_ago").min().alias("silence_days"),
            *sum_money(_SUMS),
        )
    )
    halves = [f"{name}_{half}" for name in _SUMS for half in ("whole", "parts")]
    whole = (nw.col(name).cast(nw.Int64) for name in ("n_bad", "n_orders", "n_deals", *halves))
    return grouped.select("customer_id", "first_days", "silence_days", *whole)


def _find_gaps(book, n_orders):
    """Return the number of each customer's pauses, and the longest with the day that ended it."""
    # Polars holds the days of a window in memory; other engines have them there anyway, or lay
    # down on disk what is too much. So it is given some customers at a time.
    if not (isinstance(book, nw.LazyFrame) and book.implementation.is_polars()):
        return collect(_measure_pauses(book))
    name = nw.col("customer_id")
    blocks = n_orders.index.to_series().groupby(n_orders.cumsum() // _ROWS_AT_A_TIME)
    parts = [
        collect(_measure_pauses(book.filter((name >= ids.iloc[0]) & (name <= ids.iloc[-1]))))
        for _, ids in blocks
    ]
    return pd.concat(parts, ignore_index=True)


def _measure_pauses(book):
    """Return `n_repeats` and `longest` of each customer.

    Of equal pauses the latest counts, so a pause and the day that ended it travel as one number,
    of which the greatest is taken: the length in units of `_LONG_AGO`, less the days since then.
    """
    days_ago = nw.col("days_ago")
    bought = book.filter(nw.col("amount") > 0).select("customer_id", "days_ago")
    until = days_ago.shift(1).over("customer_id", order_by="days_ago")
    ended = bought.with_columns(until=until).with_columns(gap=days_ago - nw.col("until"))
    is_pause = nw.col("gap") > 0  # two orders of one day are none
    pauses = ended.with_columns(
        is_pause=nw.when(is_pause).then(1).otherwise(0),
        pause=nw.when(is_pause).then(nw.col("gap") * _LONG_AGO - nw.col("until")),
    )
    return pauses.group_by("customer_id").agg(
        nw.col("is_pause").sum().alias("n_repeats"), nw.col("pause").max().alias("longest")
    )
