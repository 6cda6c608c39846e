"""How trade develops: sales by month, and how many new customers come back.

Who asks: whoever reads the order book as a history. Two traps are built out. The first and last
calendar months are seldom observed whole, so every period says whether it is complete. And a
customer won last week has had no time to come back: a cohort's repeat rate counts returns within
one horizon for everybody, and is undefined until the whole cohort has been observed that long.

A *cohort* is the customers whose first observed purchase fell in one month. Where the record
begins in the middle of the firm's life, the first cohorts hold old customers too.
"""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from crmlab.data.engines import collect
from crmlab.data.exact import join_money, split_money, sum_money
from crmlab.value.orders import as_day, open_orders

__all__ = ["repeat_rate_by_cohort", "summarize_months"]


def summarize_months(orders, *, observed_to, observed_from=None):
    """Return orders, customers and value by calendar month.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount` and optionally `margin`.
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.
    observed_from : str, date or Timestamp, optional
        First day under observation; the first order's day unless given.

    Returns
    -------
    pandas.DataFrame
        One row per month from the first to the last day under observation, months without
        orders included: `month` (its first day), `n_orders` (purchases), `n_customers` (with a
        purchase), `n_new_customers` (with their first observed purchase), `total_value`
        (returns deducted), `total_margin` where known, `value_per_order` (total value over
        orders, NaN without orders) and `is_complete` (observed from first to last day).

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-02-15", "2024-02-20"]),
    ...     "amount": [30.0, 10.0, 50.0],
    ... })
    >>> months = summarize_months(orders, observed_to="2024-02-21")
    >>> months[["n_orders", "n_customers", "n_new_customers", "total_value", "is_complete"]]
       n_orders  n_customers  n_new_customers  total_value  is_complete
    0         1            1                1         30.0         True
    1         2            2                1         60.0        False
    """
    end = as_day(observed_to, name="observed_to")
    book = open_orders(orders, observed_to=end)
    start = book.first_day if observed_from is None else as_day(observed_from, name="observed_from")
    if pd.isna(start):
        raise ValueError("orders: no order at all; expected at least one to find the first month")
    if book.first_day < start:
        raise ValueError(
            f"orders: the first order is of {book.first_day:%Y-%m-%d}, before observed_from "
            f"{start:%Y-%m-%d}; take an earlier day, or keep the orders from it on"
        )
    months = pd.date_range(start.to_period("M").start_time, end, freq="MS", unit="us")
    table = _months(book).reindex(months)
    sums = [name for name in ("total_value", "total_margin") if name in table]
    table = table[["n_orders", "n_customers", "n_new_customers", *sums]].fillna(0)
    counts = ["n_orders", "n_customers", "n_new_customers"]
    table[counts] = table[counts].astype("int64")
    table["value_per_order"] = table["total_value"] / table["n_orders"].where(table["n_orders"] > 0)
    last_days = months + pd.offsets.MonthEnd(0)
    table["is_complete"] = (months >= start) & (last_days <= end)
    return table.rename_axis("month").reset_index()


def repeat_rate_by_cohort(orders, *, observed_to, horizon_days=90):
    """Return the share of each month's new customers who bought again within the horizon.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount`.
    observed_to : str, date or Timestamp
        Last day under observation, inclusive.
    horizon_days : int
        Days after the first purchase within which a second purchase day counts; at least 1.

    Returns
    -------
    pandas.DataFrame
        One row per month with new customers, in order: `month` (its first day), `n_customers`
        (new ones), `n_repeat_customers` (bought again on a later day within the horizon so
        far), `repeat_rate` and `is_complete`, whether every one of them has been observed for
        the horizon. The rate of an incomplete cohort is NaN.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b", "c"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-21", "2024-01-05", "2024-02-20"]),
    ...     "amount": [30.0, 10.0, 50.0, 20.0],
    ... })
    >>> repeat_rate_by_cohort(orders, observed_to="2024-02-29", horizon_days=30)
           month  n_customers  n_repeat_customers  repeat_rate  is_complete
    0 2024-01-01            2                   1          0.5         True
    1 2024-02-01            1                   0          NaN        False
    """
    end = as_day(observed_to, name="observed_to")
    if isinstance(horizon_days, bool) or horizon_days != int(horizon_days) or horizon_days < 1:
        raise ValueError(
            f"horizon_days is {horizon_days!r}; expected a whole number of days from 1"
        )
    customers = _first_two_days(open_orders(orders, observed_to=end))
    horizon = pd.Timedelta(days=int(horizon_days))
    customers["has_repeated"] = customers["second"] - customers["first"] <= horizon
    customers["is_observed"] = customers["first"] + horizon <= end
    customers["month"] = customers["first"].dt.to_period("M").dt.start_time.astype("datetime64[us]")
    table = customers.groupby("month").agg(
        n_customers=("first", "size"),
        n_repeat_customers=("has_repeated", "sum"),
        is_complete=("is_observed", "all"),
    )
    rate = table["n_repeat_customers"] / table["n_customers"]
    table.insert(2, "repeat_rate", rate.where(table["is_complete"]))
    return table.reset_index()


def _months(book):
    """Return what each month with an order holds, by its first day."""
    is_purchase = nw.col("amount") > 0
    marked = split_money(book.frame, book.money).with_columns(
        month=nw.col("day").dt.truncate("1mo"),
        is_purchase=is_purchase.cast(nw.Int64),
        buyer=nw.when(is_purchase).then(nw.col("customer_id")),
    )
    sums = {f"total_{'value' if name == 'amount' else name}": name for name in book.money}
    table = collect(
        marked.group_by("month").agg(
            nw.len().alias("n_rows"),
            nw.col("is_purchase").sum().alias("n_orders"),
            nw.col("buyer").n_unique().alias("n_buyers"),
            *sum_money(sums),
        )
    ).set_index("month")
    counts = table[["n_rows", "n_orders", "n_buyers"]].astype("int64")
    table["n_orders"] = counts["n_orders"]
    # The lack of a buyer, where an order is no purchase, is counted as if it were one more.
    table["n_customers"] = counts["n_buyers"] - (counts["n_rows"] > counts["n_orders"])
    bought = book.frame.filter(is_purchase)
    firsts = bought.group_by("customer_id").agg(nw.col("day").min().alias("first"))
    new = firsts.with_columns(month=nw.col("first").dt.truncate("1mo")).group_by("month")
    new = collect(new.agg(nw.len().alias("n_new_customers"))).set_index("month")
    for name in sums:
        table[name] = join_money(table[f"{name}_whole"], table[f"{name}_parts"])
    return table.join(new)


def _first_two_days(book):
    """Return each buyer's first and second day of purchase."""
    bought = book.frame.select("customer_id", "day", "amount").filter(nw.col("amount") > 0)
    firsts = bought.group_by("customer_id").agg(nw.col("day").min().alias("first"))
    later = bought.join(firsts, on="customer_id").filter(nw.col("day") > nw.col("first"))
    seconds = later.group_by("customer_id").agg(nw.col("day").min().alias("second"))
    return collect(firsts.join(seconds, on="customer_id", how="left").sort("customer_id"))
