"""Orders of any engine, brought to one row per customer.

Who asks: every measure of value, since all of them read the order book through this one door.
The work is written once with narwhals, so pandas, Polars, DuckDB and PyArrow tables are all
welcome; what comes back is a pandas table of one row per customer.
"""

from __future__ import annotations

from numbers import Number

import narwhals as nw
import pandas as pd

__all__ = ["aggregate_orders", "as_day", "check_dates", "daily_orders"]

_MONEY = ("amount", "margin")


def aggregate_orders(orders, *, observed_to):
    """Return the sums and ends from which every customer measure follows.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB or PyArrow table
        Columns `customer_id`, `ordered_on`, `amount` and optionally `margin`.
    observed_to : Timestamp
        Last day under observation, inclusive.

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
        If a column is missing, holds missing values or the wrong kind, or an order is later
        than `observed_to`.

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
    frame, money = _prepare(orders)
    per_day = _per_customer_and_day(frame, money)
    customers = _per_customer(per_day, money)
    _check_quality(customers, observed_to=observed_to)
    counts = ["n_orders", "n_returns", "n_purchase_days"]
    customers[counts] = customers[counts].astype("int64")
    columns = ["customer_id", *counts[:2], "total_value", "purchase_value", "first_day_value"]
    columns += ["first_ordered_on", "last_ordered_on", "n_purchase_days"]
    columns += ["total_margin"] if "margin" in money else []
    return customers[columns].sort_values("customer_id", ignore_index=True)


def daily_orders(orders, *, observed_to):
    """Return one row per customer and day with orders.

    Parameters
    ----------
    orders, observed_to
        As in `aggregate_orders`.

    Returns
    -------
    pandas.DataFrame
        Sorted by `customer_id` and `day`: `n_orders`, `n_returns`, `total_value`,
        `purchase_value` and, where known, `total_margin`, each of that day.

    Raises
    ------
    ValueError
        As in `aggregate_orders`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-01"]),
    ...     "amount": [30.0, 10.0],
    ... })
    >>> daily_orders(orders, observed_to=pd.Timestamp("2024-01-31"))["total_value"].tolist()
    [40.0]
    """
    frame, money = _prepare(orders)
    table = _collect(_per_customer_and_day(frame, money))
    table["day"] = pd.to_datetime(table["day"]).astype("datetime64[us]")
    _check_quality(table.rename(columns={"day": "last_day"}), observed_to=observed_to)
    counts = ["n_orders", "n_returns"]
    table[counts] = table[counts].astype("int64")
    columns = ["customer_id", "day", "n_orders", "n_returns", "total_value", "purchase_value"]
    columns += ["total_margin"] if "margin" in money else []
    return table[columns].sort_values(["customer_id", "day"], ignore_index=True)


def as_day(value, *, name):
    """Return a day as a Timestamp at midnight, refusing what is none.

    Examples
    --------
    >>> as_day("2024-03-01", name="observed_to")
    Timestamp('2024-03-01 00:00:00')
    """
    if isinstance(value, Number):
        # pandas would count nanoseconds from 1970: 20240301 is no day of 2024 to it.
        raise ValueError(f"{name} is {value!r}; expected a day such as '2024-12-31'")
    try:
        day = pd.Timestamp(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}; expected a day such as '2024-12-31'") from error
    if day is pd.NaT or day.tzinfo is not None:
        raise ValueError(f"{name} is {value!r}; expected a day without a time zone")
    return day.normalize()


def check_dates(schema):
    """Refuse a column `ordered_on` that holds no dates, or dates with a time zone.

    Parameters
    ----------
    schema : narwhals.Schema
        Of a table of orders.
    """
    kind = schema["ordered_on"]
    if not (kind == nw.Date or kind == nw.Datetime) or getattr(kind, "time_zone", None):
        raise ValueError(
            f"orders: ordered_on is stored as {kind}; expected dates without a time zone. "
            "Convert the column first, for instance with pandas.to_datetime."
        )


def _prepare(orders):
    """Return the narwhals frame with the columns used, and which money columns it has."""
    try:
        frame = nw.from_native(orders)
    except TypeError as error:
        raise ValueError(
            f"orders: expected a table (pandas, Polars, DuckDB or PyArrow), got "
            f"{type(orders).__name__}"
        ) from error
    schema = frame.collect_schema()
    for column in ("customer_id", "ordered_on", "amount"):
        if column not in schema:
            raise ValueError(
                f"orders: column {column!r} is missing; expected customer_id, ordered_on and "
                f"amount, got {', '.join(schema.names())}"
            )
    check_dates(schema)
    kind = schema["ordered_on"]
    money = [column for column in _MONEY if column in schema]
    for column in money:
        if not schema[column].is_numeric():
            raise ValueError(f"orders: {column} is stored as {schema[column]}; expected numbers")
    day = nw.col("ordered_on") if kind == nw.Date else nw.col("ordered_on").dt.truncate("1d")
    selected = frame.select(
        nw.col("customer_id"), day.alias("day"), *(nw.col(c).cast(nw.Float64) for c in money)
    )
    return selected, money


def _per_customer_and_day(frame, money):
    amount = nw.col("amount")
    has_gap = nw.any_horizontal(
        nw.col("customer_id").is_null(),
        nw.col("day").is_null(),
        *(nw.col(column).is_null() | ~nw.col(column).is_finite() for column in money),
        ignore_nulls=False,
    )
    marked = frame.with_columns(
        purchase_value=nw.when(amount > 0).then(amount).otherwise(0.0),
        is_purchase=(amount > 0).cast(nw.Int64),
        is_return=(amount < 0).cast(nw.Int64),
        is_gap=has_gap.cast(nw.Int64),
    )
    sums = {
        "purchase_value": "purchase_value",
        "n_orders": "is_purchase",
        "n_returns": "is_return",
        "n_gaps": "is_gap",
        "total_value": "amount",
    }
    if "margin" in money:
        sums["total_margin"] = "margin"
    return marked.group_by("customer_id", "day").agg(
        *(nw.col(column).sum().alias(name) for name, column in sums.items())
    )


def _per_customer(per_day, money):
    is_purchase_day = nw.col("n_orders") > 0
    marked = per_day.with_columns(
        purchase_day=nw.when(is_purchase_day).then(nw.col("day")),
        is_purchase_day=is_purchase_day.cast(nw.Int64),
    )
    summed = ["n_orders", "n_returns", "n_gaps", "total_value", "purchase_value"]
    summed += ["total_margin"] if "margin" in money else []
    customers = marked.group_by("customer_id").agg(
        nw.col("purchase_day").min().alias("first_ordered_on"),
        nw.col("purchase_day").max().alias("last_ordered_on"),
        nw.col("day").max().alias("last_day"),
        nw.col("is_purchase_day").sum().alias("n_purchase_days"),
        *(nw.col(column).sum() for column in summed),
    )
    first_days = per_day.select(
        "customer_id", first_ordered_on=nw.col("day"), first_day_value=nw.col("purchase_value")
    )
    joined = customers.join(first_days, on=["customer_id", "first_ordered_on"], how="left")
    table = _collect(joined)
    for column in ("first_ordered_on", "last_ordered_on", "last_day"):
        table[column] = pd.to_datetime(table[column]).astype("datetime64[us]")
    return table


def _collect(frame):
    """Return a narwhals frame as a pandas table, running what is lazy."""
    return (frame.collect() if isinstance(frame, nw.LazyFrame) else frame).to_pandas()


def _check_quality(customers, *, observed_to):
    """Refuse missing values, infinite money and orders after the end of observation.

    Rows are counted before they are added up: infinite amounts of both signs cancel out to NaN,
    which a later sum may pass over.
    """
    n_gaps = int(customers["n_gaps"].sum())
    if n_gaps:
        raise ValueError(
            f"orders: {n_gaps} rows have a missing customer_id or ordered_on, or an amount or "
            "margin that is missing or not a finite number; expected none. Leave them out before, "
            "and count them."
        )
    late = customers["last_day"] > observed_to
    if late.any():
        row = customers[late].iloc[0]
        n_late = customers.loc[late, "customer_id"].nunique()
        raise ValueError(
            f"orders: customer {row['customer_id']!r} ordered on {row['last_day']:%Y-%m-%d}, after "
            f"the end of observation {observed_to:%Y-%m-%d} ({n_late} customers in all); "
            "take a later observed_to, or keep the orders up to it"
        )
