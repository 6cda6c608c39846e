"""Orders brought to one row per customer, or one per day.

Who asks: every measure of value. Money is added up exactly (`crmlab.data.exact`): the engine and
the number of cores show in no digit.

A Polars table on disk may be larger than memory. Distinct days of purchase are the one thing whose
count has to remember more with every order, so such a table is read in periods of time, each of
about ten million orders, and the counts of the periods added up. A file in order of time is read
once by that; of any other, the dates are read once for every period.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, materialise
from crmlab.data.exact import join_money, split_money, sum_money
from crmlab.value.orders import as_day, open_orders

__all__ = ["aggregate_orders", "count_daily_repeats", "value_between"]

_ROWS_AT_A_TIME = 10_000_000


def aggregate_orders(orders, *, observed_to):
    """Return the sums and ends from which every customer measure follows.

    Parameters
    ----------
    orders, observed_to
        As in `crmlab.value.orders.open_orders`.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by `customer_id`: `n_orders` (amount > 0), `n_returns`
        (amount < 0), `total_value`, `purchase_value` (purchases only), `first_day_value`
        (purchases of the first purchase day), `first_ordered_on`, `last_ordered_on`
        (purchases; NaT when there is none), `n_purchase_days` and, where known,
        `total_margin`.

    Raises
    ------
    ValueError
        As in `crmlab.value.orders.open_orders`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "a"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-15"]),
    ...     "amount": [30.0, 10.0, -5.0],
    ... })
    >>> row = aggregate_orders(orders, observed_to=pd.Timestamp("2024-01-31")).iloc[0]
    >>> int(row.n_orders), int(row.n_returns), int(row.n_purchase_days), float(row.total_value)
    (2, 1, 1, 35.0)
    """
    book = open_orders(orders, observed_to=observed_to)
    customers = _add_up_periods(book)
    table = collect(_with_first_days(book, customers).sort("customer_id"))
    sums = ["total_value", "purchase_value", "first_day_value"]
    sums += ["total_margin"] if "margin" in book.money else []
    for name in sums:
        table[name] = join_money(table[f"{name}_whole"], table[f"{name}_parts"])
    table.loc[table["n_orders"] == 0, "first_day_value"] = np.nan
    columns = ["customer_id", "n_orders", "n_returns", *sums[:3]]
    columns += ["first_ordered_on", "last_ordered_on", "n_purchase_days", *sums[3:]]
    return table[columns]


def value_between(orders, first, last):
    """Return what each customer brought from one day to another.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on` and `amount`; earlier and later orders stay out.
    first, last : str, date or Timestamp
        The days, both inclusive.

    Returns
    -------
    pandas.Series
        `total_value` (money, returns deducted) by `customer_id` in sorted order, of the customers
        with an order or a return on these days.

    Raises
    ------
    ValueError
        As in `crmlab.value.orders.open_orders`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-31", "2024-02-01"]),
    ...     "amount": [30.0, -10.0, 5.0],
    ... })
    >>> value_between(orders, "2024-01-01", "2024-01-31").to_dict()
    {'a': 20.0}
    """
    first, last = as_day(first, name="first"), as_day(last, name="last")
    book = open_orders(orders, observed_to=pd.Timestamp.max)  # later orders are no fault here
    part = split_money(book.between(first, last), ["amount"])
    sums = part.group_by("customer_id").agg(*sum_money({"value": "amount"}))
    table = collect(sums.sort("customer_id"))
    value = join_money(table["value_whole"], table["value_parts"])
    return pd.Series(value, index=pd.Index(table["customer_id"]), name="total_value")


def count_daily_repeats(orders, *, won_to, observed_to):
    """Return how many customers bought again on each day, of those won up to a day.

    Parameters
    ----------
    orders, observed_to
        As in `crmlab.value.orders.open_orders`.
    won_to : str, date or Timestamp
        Customers whose first purchase is later are not followed.

    Returns
    -------
    pandas.DataFrame
        One row per day with such a purchase, in order: `day` and `n_repeat_orders`, the customers
        who bought on it and had bought on a day before.

    Raises
    ------
    ValueError
        As in `crmlab.value.orders.open_orders`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b", "b"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-09", "2024-01-08", "2024-01-09"]),
    ...     "amount": [30.0, 10.0, 5.0, 5.0],
    ... })
    >>> days = count_daily_repeats(orders, won_to="2024-01-05", observed_to="2024-01-31")
    >>> days["n_repeat_orders"].tolist()  # b was won later
    [1]
    """
    won_to = as_day(won_to, name="won_to")
    book = open_orders(orders, observed_to=as_day(observed_to, name="observed_to"))
    begin = book.first_day if book.n_rows else won_to
    bought = book.between(begin, won_to).filter(nw.col("amount") > 0)
    firsts = bought.group_by("customer_id").agg(nw.col("day").min().alias("first_ordered_on"))
    firsts = _materialise(firsts)
    days = pd.concat([collect(_count_repeats(part, firsts)) for part in _parts(book)])
    days["n_repeat_orders"] = days["n_repeat_orders"].astype("int64")
    return days.sort_values("day", ignore_index=True)


def _count_repeats(part, firsts):
    bought = part.filter(nw.col("amount") > 0).select("customer_id", "day")
    again = bought.join(firsts, on="customer_id").filter(nw.col("day") > nw.col("first_ordered_on"))
    return again.group_by("day").agg(nw.col("customer_id").n_unique().alias("n_repeat_orders"))


def _add_up_periods(book):
    """Return one row per customer with all sums and ends but the first day's value."""
    whole, *others = (_add_up(part, book.money) for part in _parts(book))
    if not others:
        return _materialise(whole)
    customers = materialise(whole)
    for period in others:
        customers = _merge(customers, materialise(period))
    return customers.lazy()


def _parts(book):
    """Return the orders in periods to read one after the other, in one unless they are many."""
    # The other engines have their tables in memory anyway, or lay down on disk what is too much.
    if not _is_lazy_polars(book.source):
        return [book.frame]
    n_periods = -(-book.n_rows // _ROWS_AT_A_TIME)
    n_days = (book.last_day - book.first_day).days + 1 if book.n_rows else 0
    if n_periods < 2 or n_days < n_periods:
        return [book.frame]
    starts = book.first_day + pd.to_timedelta(np.arange(n_periods) * n_days // n_periods, "D")
    ends = [*(starts[1:] - pd.Timedelta(days=1)), book.last_day]
    return [book.between(first, last) for first, last in zip(starts, ends, strict=True)]


def _is_lazy_polars(frame):
    return isinstance(frame, nw.LazyFrame) and frame.implementation.is_polars()


def _add_up(frame, money):
    amount, is_purchase = nw.col("amount"), nw.col("is_purchase") > 0
    marked = frame.with_columns(
        purchase=nw.when(amount > 0).then(amount).otherwise(0.0),
        is_purchase=(amount > 0).cast(nw.Int64),
        is_return=(amount < 0).cast(nw.Int64),
    )
    marked = split_money(marked, ["purchase", *money]).with_columns(
        purchase_day=nw.when(is_purchase).then(nw.col("day"))
    )
    sums = {"total_value": "amount", "purchase_value": "purchase"}
    sums |= {"total_margin": "margin"} if "margin" in money else {}
    grouped = marked.group_by("customer_id").agg(
        nw.len().alias("n_rows"),
        nw.col("is_purchase").sum().alias("n_orders"),
        nw.col("is_return").sum().alias("n_returns"),
        nw.col("purchase_day").n_unique().alias("n_days"),
        nw.col("purchase_day").min().alias("first_ordered_on"),
        nw.col("purchase_day").max().alias("last_ordered_on"),
        *sum_money(sums),
    )
    # The lack of a day, where an order is no purchase, is counted as if it were one day more.
    is_counted = (nw.col("n_rows") > nw.col("n_orders")).cast(nw.Int64)
    halves = [f"{name}_{half}" for name in sums for half in ("whole", "parts")]
    return grouped.select(
        "customer_id",
        "first_ordered_on",
        "last_ordered_on",
        *(nw.col(name).cast(nw.Int64) for name in ("n_orders", "n_returns", *halves)),
        n_purchase_days=nw.col("n_days").cast(nw.Int64) - is_counted,
    )


def _merge(customers, period):
    """Return the rows of two disjoint periods added up."""
    ends = ("customer_id", "first_ordered_on", "last_ordered_on")
    sums = [name for name in customers.columns if name not in ends]
    return (
        nw.concat([customers, period])
        .group_by("customer_id")
        .agg(
            nw.col("first_ordered_on").min(),
            nw.col("last_ordered_on").max(),
            *(nw.col(name).sum() for name in sums),
        )
        .select(customers.columns)
    )


def _materialise(customers):
    """Have Polars add up once what is used twice; the engines that plan queries see to it."""
    return materialise(customers).lazy() if _is_lazy_polars(customers) else customers


def _with_first_days(book, customers):
    """Add to each customer what they bought on the first day of purchase."""
    firsts = customers.select("customer_id", "first_ordered_on")
    bought = book.frame.select("customer_id", "day", "amount").filter(nw.col("amount") > 0)
    first_days = split_money(
        bought.join(firsts, on="customer_id").filter(nw.col("day") == nw.col("first_ordered_on")),
        ["amount"],
    )
    halves = [nw.col(f"first_day_value_{half}") for half in ("whole", "parts")]
    values = first_days.group_by("customer_id").agg(*sum_money({"first_day_value": "amount"}))
    values = values.select("customer_id", *(half.cast(nw.Int64) for half in halves))
    joined = customers.join(values, on="customer_id", how="left")
    return joined.with_columns(*(half.fill_null(0).cast(nw.Int64) for half in halves))
