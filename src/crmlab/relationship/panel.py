"""Customer-months: what each customer did in each month, one row a month, none left out.

Who asks: everything here that follows a relationship through time. A table of monthly counts
(`activity`) is such a panel already; an order book becomes one by `count_monthly_orders`.

Vocabulary. A *panel* has one row per customer and month, from the customer's first month to the
last one, without a gap: a month in which nothing happened is a row of zeros, because silence is
what tells a relationship that ends from one that nobody looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.engines import collect, read_frame
from crmlab.data.exact import join_money, split_money, sum_money

__all__ = ["Months", "arrange_months", "count_monthly_orders"]


@dataclass(frozen=True)
class Months:
    """A panel in the order in which a recursion through time reads it.

    Customers are sorted by the length of their history, the longest first, and rows by the month
    of the history: the rows of month t are those from ``starts[t]``, one for each of the first
    ``sizes[t]`` customers.

    Attributes
    ----------
    rows : numpy.ndarray of int, shape (n_rows,)
        Position in the panel of each row in this order.
    starts, sizes : numpy.ndarray of int, shape (n_months,)
    counts : numpy.ndarray of float, shape (n_rows, n_counts)
        In this order.
    is_new : numpy.ndarray of bool, shape (n_customers,)
        The history begins later than the panel: the beginning was seen.
    """

    rows: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    is_new: np.ndarray

    def blocks(self):
        """Return the slice of rows of each month of the histories."""
        return [slice(s, s + n) for s, n in zip(self.starts, self.sizes, strict=True)]

    def put_back(self, values):
        """Return values, one row each in this order, in the order of the panel."""
        back = np.empty_like(values)
        back[self.rows] = values
        return back

    def spread(self, values):
        """Return values of this order by customer and month of the history, NaN after its end."""
        table = np.full((len(self.is_new), len(self.sizes)), np.nan)
        for month, block in enumerate(self.blocks()):
            table[: self.sizes[month], month] = values[block]
        return table

    def gather(self, table):
        """Return the rows of a table of `spread`, in the order of the panel."""
        parts = [table[:n, month] for month, n in enumerate(self.sizes)]
        return self.put_back(np.concatenate(parts))


def count_monthly_orders(orders, *, observed_to):
    """Return the purchases of each customer in each full month from the first purchase on.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        `customer_id`, `ordered_on` (a date), `amount` (returns below 0).
    observed_to : datetime-like
        Last day under observation, inclusive. Its month is left out unless it is the last day
        of it: an unfinished month is no month of silence.

    Returns
    -------
    pandas.DataFrame, one row per customer and month, by customer and month
        `customer_id`, `month_on`, `n_orders` (amounts above 0), `total_value` (money, returns
        deducted) and `month_number`, 0 in the month of the first purchase. The first month holds
        at least one order by the way it was chosen; `month_number` lets a reader pass it over.

    Raises
    ------
    ValueError
        If no purchase falls in a full month, or an order is later than `observed_to`.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": [9.0, 8.0, 7.0],
    ...     "ordered_on": pd.to_datetime(["2024-01-20", "2024-03-02", "2024-03-09"])})
    >>> count_monthly_orders(orders, observed_to="2024-03-31")["n_orders"].tolist()
    [1, 0, 1, 1]
    """
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    marked = frame.select(
        "customer_id",
        month_on=nw.col("ordered_on").cast(nw.Datetime("us")).dt.truncate("1mo"),
        is_purchase=(nw.col("amount") > 0).cast(nw.Int64),
        amount=nw.col("amount").cast(nw.Float64),
        day=nw.col("ordered_on").cast(nw.Datetime("us")),
    )
    sums = collect(
        split_money(marked, ("amount",))
        .group_by("customer_id", "month_on")
        .agg(
            nw.col("is_purchase").sum().alias("n_orders"),
            nw.col("day").max().alias("last"),
            *sum_money({"total_value": "amount"}),
        )
    )
    sums["total_value"] = join_money(sums["total_value_whole"], sums["total_value_parts"])
    end = pd.Timestamp(observed_to).normalize()
    if len(sums) and sums["last"].max() >= end + pd.Timedelta(days=1):
        raise ValueError(
            f"orders: the last is of {sums['last'].max():%Y-%m-%d}, after observed_to "
            f"{end:%Y-%m-%d}; take a later observed_to"
        )
    last = _month_number(pd.Series([end + pd.Timedelta(days=1)])).iloc[0] - 1
    sums["month"] = _month_number(sums["month_on"])
    first = sums[sums["n_orders"] > 0].groupby("customer_id")["month"].min()
    first = first[first <= last].sort_index()
    if first.empty:
        raise ValueError(say("relationship_no_full_month", end=f"{end:%Y-%m-%d}"))
    length = (last - first + 1).to_numpy()
    customer = np.repeat(np.arange(len(first)), length)
    number = np.arange(len(customer)) - np.repeat(np.cumsum(length) - length, length)
    month = first.to_numpy()[customer] + number
    key = pd.MultiIndex.from_arrays([first.index.to_numpy()[customer], month])
    found = sums.set_index(["customer_id", "month"])[["n_orders", "total_value"]].reindex(key)
    month_on = (month - 1970 * 12).astype("datetime64[M]").astype("datetime64[us]")
    return pd.DataFrame(
        {
            "customer_id": first.index.to_numpy()[customer],
            "month_on": month_on,
            "n_orders": found["n_orders"].fillna(0).to_numpy().astype(np.int64),
            "total_value": found["total_value"].fillna(0.0).to_numpy(),
            "month_number": number,
        }
    ).astype({"customer_id": first.index.dtype})


def arrange_months(panel, counts):
    """Return a panel in the order of time, refusing one with gaps.

    Parameters
    ----------
    panel : pandas.DataFrame, one row per customer and month
        `customer_id`, `month_on` and the columns of `counts`; any order of rows.
    counts : sequence of str
        Columns of whole numbers, 0 or more.

    Returns
    -------
    Months

    Raises
    ------
    ValueError
        If a column is missing or has missing, negative or broken numbers, or a customer has a
        month twice or skips one.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": ["a", "b", "b"], "n_orders": [4, 1, 2],
    ...     "month_on": pd.to_datetime(["2024-02-01", "2024-01-01", "2024-02-01"])})
    >>> months = arrange_months(panel, ["n_orders"])
    >>> months.counts.ravel().tolist(), months.sizes.tolist(), months.is_new.tolist()
    ([1.0, 4.0, 2.0], [2, 1], [False, True])
    """
    counts = list(counts)
    missing = [name for name in ("customer_id", "month_on", *counts) if name not in panel]
    if missing or not counts:
        raise ValueError(f"panel: no column {', '.join(missing) or 'of counts was named'}")
    if panel.empty:
        raise ValueError(say("relationship_panel_empty"))
    values = panel[counts].to_numpy(dtype=float, na_value=np.nan)
    bad = ~((values >= 0) & (values == np.floor(values)))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            say("relationship_bad_count", count=counts[column], value=values[row, column], row=row)
        )
    customer, _ = pd.factorize(panel["customer_id"])
    month = _month_number(panel["month_on"]).to_numpy()
    order = np.lexsort((month, customer))
    length = np.bincount(customer)
    begins = np.cumsum(length) - length
    number = np.arange(len(order)) - np.repeat(begins, length)  # of the month in the history
    steps = np.diff(month[order])
    is_gap = (steps != 1) & (number[1:] > 0)
    if is_gap.any():
        at = order[1:][is_gap][0]
        who, month_on = panel["customer_id"].iloc[at], pd.Timestamp(panel["month_on"].iloc[at])
        raise ValueError(say("relationship_month_gap", who=repr(who), month=f"{month_on:%Y-%m}"))
    ranked = np.argsort(-length, kind="stable")
    place = np.empty_like(ranked)
    place[ranked] = np.arange(len(ranked))
    rows = order[np.lexsort((place[customer[order]], number))]
    sizes = np.bincount(number)
    first = month[order][begins]
    return Months(
        rows=rows,
        starts=np.cumsum(sizes) - sizes,
        sizes=sizes,
        counts=values[rows],
        is_new=(first > first.min())[ranked],
    )


def _month_number(days):
    """Return months since year 0."""
    return days.dt.year * 12 + days.dt.month - 1
