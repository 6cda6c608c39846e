"""How trade develops: sales by month, and how many new customers come back.

Who asks: whoever reads the order book as a history. Two traps are built out. The first and last
calendar months are seldom observed whole, so every period says whether it is complete. And a
customer won last week has had no time to come back: a cohort's repeat rate counts returns within
one horizon for everybody, and is undefined until the whole cohort has been observed that long.

A *cohort* is the customers whose first observed purchase fell in one month. Where the record
begins in the middle of the firm's life, the first cohorts hold old customers too.
"""

from __future__ import annotations

import pandas as pd

from crmlab.value.orders import as_day, daily_orders

__all__ = ["repeat_rate_by_cohort", "summarize_months"]


def summarize_months(orders, *, observed_to, observed_from=None):
    """Return orders, customers and value by calendar month.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB or PyArrow table
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
    daily = daily_orders(orders, observed_to=end)
    start = (
        daily["day"].min() if observed_from is None else as_day(observed_from, name="observed_from")
    )
    if pd.isna(start):
        raise ValueError("orders: no order at all; expected at least one to find the first month")
    if daily["day"].min() < start:
        raise ValueError(
            f"orders: the first order is of {daily['day'].min():%Y-%m-%d}, before observed_from "
            f"{start:%Y-%m-%d}; take an earlier day, or keep the orders from it on"
        )
    months = pd.date_range(start.to_period("M").start_time, end, freq="MS", unit="us")
    daily = daily.assign(month=daily["day"].dt.to_period("M").dt.start_time.astype(months.dtype))
    bought = daily[daily["n_orders"] > 0]
    first = bought.groupby("customer_id")["month"].min()
    by_month = daily.groupby("month")
    table = pd.DataFrame(
        {
            "n_orders": by_month["n_orders"].sum(),
            "n_customers": bought.groupby("month")["customer_id"].nunique(),
            "n_new_customers": first.value_counts(),
            "total_value": by_month["total_value"].sum(),
        }
    ).reindex(months)
    if "total_margin" in daily:
        table["total_margin"] = by_month["total_margin"].sum().reindex(months)
    table = table.fillna(0)
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
    orders : pandas, Polars (eager or lazy), DuckDB or PyArrow table
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
    daily = daily_orders(orders, observed_to=end)
    bought = daily[daily["n_orders"] > 0].sort_values(["customer_id", "day"])
    days = bought.groupby("customer_id")["day"]
    first, second = days.nth(0), days.nth(1)
    customers = pd.DataFrame(
        {"first": first.to_numpy()}, index=bought.loc[first.index, "customer_id"]
    )
    customers["second"] = pd.Series(
        second.to_numpy(), index=bought.loc[second.index, "customer_id"].to_numpy()
    )
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
