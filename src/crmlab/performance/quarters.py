"""Calendar quarters of a window, and large tables brought to one row per quarter.

Who asks: every indicator, since all of them are counted by quarter. The work on orders and
contacts is written once with narwhals, so pandas, Polars, PyArrow, DuckDB and PySpark tables are
welcome; what comes back is pandas, money added up exactly (`crmlab.data.exact`).
"""

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.data.engines import collect, read_frame
from crmlab.data.exact import LARGEST, join_money, split_money, sum_money

__all__ = ["complete_quarters", "quarter_book", "quarter_contacts", "quarter_of"]


def complete_quarters(observed_from, observed_to):
    """Return the calendar quarters that the window touches, and which of them it covers.

    Parameters
    ----------
    observed_from, observed_to : Timestamp, date or str
        First and last day under observation, both inclusive.

    Returns
    -------
    pandas.DataFrame, one row per quarter in time order
        `quarter` (such as "2024Q1"), `starts_on`, `ends_on` (its last day), `n_days_observed`,
        and `is_complete` (bool: every day of it lies in the window).

    Raises
    ------
    ValueError
        If a date is missing or the window ends before it begins.

    Examples
    --------
    >>> complete_quarters("2024-02-01", "2024-06-30")[["quarter", "is_complete"]].values.tolist()
    [['2024Q1', False], ['2024Q2', True]]
    """
    start, end = pd.Timestamp(observed_from), pd.Timestamp(observed_to)
    if pd.isna(start) or pd.isna(end):
        raise ValueError(f"the window is {observed_from} to {observed_to}; expected two days")
    start, end = start.normalize(), end.normalize()
    if end < start:
        raise ValueError(f"the window ends on {end:%Y-%m-%d}, before it begins on {start:%Y-%m-%d}")
    periods = pd.period_range(start, end, freq="Q")
    starts = periods.start_time.as_unit("us")
    ends = periods.end_time.normalize().as_unit("us")
    n_days = (np.minimum(ends, end) - np.maximum(starts, start)).days + 1
    return pd.DataFrame(
        {
            "quarter": periods.astype(str),
            "starts_on": starts,
            "ends_on": ends,
            "n_days_observed": np.asarray(n_days, dtype="int64"),
            "is_complete": np.asarray((starts >= start) & (ends <= end)),
        }
    )


def quarter_of(times):
    """Return the first day of the calendar quarter of each time, NaT where there is none.

    Examples
    --------
    >>> quarter_of(pd.Series(pd.to_datetime(["2024-05-17"])))[0]
    Timestamp('2024-04-01 00:00:00')
    """
    return times.dt.to_period("Q").dt.start_time.astype("datetime64[us]")


def quarter_book(orders):
    """Return one row per customer and quarter of an order.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on`, `amount` and, if known, `margin`.

    Returns
    -------
    pandas.DataFrame, sorted by customer and quarter
        `customer_id`, `quarter` (its first day), `first_day`, `last_day`, `n_purchases`, `sold`
        and `returned` (money, both at least 0) and, with margins, `margin` and
        `n_margins_missing`.

    Raises
    ------
    ValueError
        If `orders` is no table, a column is missing or money is infinite.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a"], "ordered_on": pd.to_datetime(["2024-01-05", "2024-03-01"]),
    ...     "amount": [30.0, -10.0]})
    >>> quarter_book(orders)[["n_purchases", "sold", "returned"]].values.tolist()
    [[1.0, 30.0, 10.0]]
    """
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    has_margin = "margin" in frame.collect_schema().names()
    amount = nw.col("amount")
    marked = frame.with_columns(
        quarter=nw.col("ordered_on").dt.truncate("1q"),
        is_purchase=nw.when(amount > 0).then(1).otherwise(0),
        sold=nw.when(amount > 0).then(amount).otherwise(0.0),
        returned=nw.when(amount < 0).then(-amount).otherwise(0.0),
        **({"no_margin": nw.col("margin").is_null().cast(nw.Int64)} if has_margin else {}),
    )
    money = ["sold", "returned", *(["margin"] if has_margin else [])]
    counts = {"n_purchases": "is_purchase"}
    counts |= {"n_margins_missing": "no_margin"} if has_margin else {}
    grouped = (
        _split(marked, money)
        .group_by("customer_id", "quarter")
        .agg(
            nw.col("ordered_on").min().alias("first_day"),
            nw.col("ordered_on").max().alias("last_day"),
            *(nw.col(column).sum().alias(name) for name, column in counts.items()),
            nw.col("n_endless").sum(),
            *sum_money({name: name for name in money}),
        )
    )
    book = collect(grouped.sort("customer_id", "quarter"))
    book = _join("orders", book, list(counts), money)
    columns = ["customer_id", "quarter", "first_day", "last_day", "n_purchases", *money]
    return book[columns + (["n_margins_missing"] if has_margin else [])]


def quarter_contacts(contacts):
    """Return contacts, responses and cost by quarter and arm.

    Parameters
    ----------
    contacts : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `contacted_on`, `cost`, `is_treated` and `has_responded`.

    Returns
    -------
    pandas.DataFrame
        `quarter` (its first day), `is_treated`, `n_contacts`, `n_responses`, `cost` (money; NaN
        where the cost of any contact is not known).

    Raises
    ------
    ValueError
        If `contacts` is no table, a column is missing or money is infinite.

    Examples
    --------
    >>> contacts = pd.DataFrame({
    ...     "contacted_on": pd.to_datetime(["2024-01-05", "2024-03-01"]), "cost": [1.0, 2.0],
    ...     "is_treated": [True, True], "has_responded": [True, False]})
    >>> quarter_contacts(contacts)[["n_contacts", "n_responses", "cost"]].values.tolist()
    [[2.0, 1.0, 3.0]]
    """
    needed = ["contacted_on", "cost", "is_treated", "has_responded"]
    frame = read_frame("contacts", contacts, needed)
    marked = frame.with_columns(
        quarter=nw.col("contacted_on").dt.truncate("1q"),
        responded=nw.col("has_responded").cast(nw.Int64),
        has_cost=(~nw.col("cost").is_null()).cast(nw.Int64),
    )
    grouped = (
        _split(marked, ["cost"])
        .group_by("quarter", "is_treated")
        .agg(
            nw.len().alias("n_contacts"),
            nw.col("responded").sum().alias("n_responses"),
            nw.col("has_cost").sum(),
            nw.col("n_endless").sum(),
            *sum_money({"cost": "cost"}),
        )
    )
    table = collect(grouped.sort("quarter", "is_treated"))
    table = _join("contacts", table, ["n_contacts", "n_responses", "has_cost"], ["cost"])
    # A sum passes over what is missing, and contacts of unknown cost would count as free.
    table["cost"] = table["cost"].where(table["has_cost"] == table["n_contacts"])
    return table[["quarter", "is_treated", "n_contacts", "n_responses", "cost"]]


def _split(frame, money):
    """Split money columns into integers, a missing amount into nothing; mark endless amounts."""
    frame = frame.with_columns(*(nw.col(name).cast(nw.Float64) for name in money))
    is_kept = {name: nw.col(name).is_finite() & (nw.col(name).abs() < LARGEST) for name in money}
    n_endless = sum(
        nw.when(is_kept[name] | nw.col(name).is_null()).then(0).otherwise(1) for name in money
    )
    kept = {name: nw.when(is_kept[name]).then(nw.col(name)).otherwise(0.0) for name in money}
    return split_money(frame.with_columns(n_endless=n_endless).with_columns(**kept), money)


def _join(name, table, counts, money):
    """Return the grouped table with its money put together; refuse money without end."""
    n_endless = int(table["n_endless"].sum())
    if n_endless:
        raise ValueError(
            f"{name}: {n_endless} entries of {', '.join(money)} are infinite, or {LARGEST:.0e} or "
            "more in size; expected sums of money. Correct them, or leave those rows out."
        )
    for column in money:
        table[column] = join_money(table[f"{column}_whole"], table[f"{column}_parts"])
    return table.astype(dict.fromkeys(counts, "int64"))
