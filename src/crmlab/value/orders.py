"""Orders of any engine, checked and opened.

Who asks: every measure of value, since all of them read the order book through this one door.
The work is written once with narwhals, so pandas, Polars, DuckDB, PyArrow and PySpark tables are
all welcome. One row per customer is made by `crmlab.value.aggregate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Number

import narwhals as nw
import pandas as pd

from crmlab.data.engines import collect, read_frame
from crmlab.data.exact import LARGEST, join_money, split_money, sum_money

__all__ = [
    "OrderBook",
    "as_day",
    "check_dates",
    "describe_orders",
    "head_orders",
    "open_orders",
]

_MONEY = ("amount", "margin")


@dataclass(frozen=True)
class OrderBook:
    """Orders that have been checked, and how far they reach.

    Attributes
    ----------
    source : narwhals.DataFrame or narwhals.LazyFrame
        The orders as they came.
    money : tuple of str
        `amount`, and `margin` where it is known.
    n_rows : int
    first_day, last_day : pandas.Timestamp
        NaT where there is no order.
    """

    source: nw.DataFrame | nw.LazyFrame
    money: tuple[str, ...]
    n_rows: int
    first_day: pd.Timestamp
    last_day: pd.Timestamp

    @property
    def frame(self):
        """`customer_id`, `day` and the money columns, as floats."""
        return _select(self.source, self.money)

    def between(self, first, last):
        """Return the part of `frame` from a first to a last day, both inclusive.

        The dates are compared as they are stored: a Parquet file's statistics then tell which
        parts of it need no reading.
        """
        limits = first.to_pydatetime(), (last + pd.Timedelta(days=1)).to_pydatetime()
        if self.source.collect_schema()["ordered_on"] == nw.Date:
            limits = [limit.date() for limit in limits]
        ordered_on = nw.col("ordered_on")
        part = self.source.filter((ordered_on >= limits[0]) & (ordered_on < limits[1]))
        return _select(part, self.money)


def open_orders(orders, *, observed_to):
    """Return the orders as a checked book, whatever the engine.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
        Columns `customer_id`, `ordered_on` (a date), `amount` and optionally `margin`.
    observed_to : Timestamp
        Last day under observation, inclusive.

    Returns
    -------
    OrderBook

    Raises
    ------
    ValueError
        If a column is missing, holds missing values or the wrong kind, or an order is later
        than `observed_to`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a"],
    ...     "ordered_on": pd.to_datetime(["2024-01-02 18:30", "2024-01-15 09:00"]),
    ...     "amount": [30.0, 10.0],
    ... })
    >>> book = open_orders(orders, observed_to=pd.Timestamp("2024-01-31"))
    >>> book.n_rows, book.first_day, book.money
    (2, Timestamp('2024-01-02 00:00:00'), ('amount',))
    """
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    schema = frame.collect_schema()
    check_dates(schema)
    money = tuple(column for column in _MONEY if column in schema)
    for column in money:
        if not schema[column].is_numeric():
            raise ValueError(f"orders: {column} is stored as {schema[column]}; expected numbers")
    return OrderBook(frame, money, *_check(_select(frame, money), money, observed_to))


def describe_orders(orders, *, observed_to):
    """Return the first facts about an order book.

    Parameters
    ----------
    orders, observed_to
        As in `open_orders`.

    Returns
    -------
    dict
        `n_purchases`, `n_returns`, `n_customers`, `median_purchase` and `largest_purchase`
        (money; NaN without purchases), `purchase_value` (all purchases),
        `net_sales` (all amounts, returns deducted),
        `first_ordered_on` and `last_ordered_on` (of any order; NaT without one).

    Raises
    ------
    ValueError
        As in `open_orders`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "ordered_on": pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-08"]),
    ...     "amount": [30.0, -10.0, 50.0],
    ... })
    >>> facts = describe_orders(orders, observed_to=pd.Timestamp("2024-01-29"))
    >>> facts["n_purchases"], facts["median_purchase"], facts["net_sales"]
    (2, 40.0, 70.0)
    """
    book = open_orders(orders, observed_to=observed_to)
    amount = nw.col("amount")
    marked = book.frame.with_columns(
        purchase=nw.when(amount > 0).then(amount),
        sold=nw.when(amount > 0).then(amount).otherwise(0.0),
        is_purchase=(amount > 0).cast(nw.Int64),
        is_return=(amount < 0).cast(nw.Int64),
    )
    facts = collect(
        split_money(marked, ["amount", "sold"]).select(
            nw.col("is_purchase").sum().alias("n_purchases"),
            nw.col("is_return").sum().alias("n_returns"),
            nw.col("customer_id").n_unique().alias("n_customers"),
            nw.col("purchase").median().alias("median_purchase"),
            nw.col("purchase").max().alias("largest_purchase"),
            *sum_money({"purchase_value": "sold", "net_sales": "amount"}),
        )
    )
    sums = {name: [f"{name}_whole", f"{name}_parts"] for name in ("purchase_value", "net_sales")}
    added = ["n_purchases", "n_returns", *sums["purchase_value"], *sums["net_sales"]]
    facts = facts.fillna(dict.fromkeys(added, 0))
    row = facts.iloc[0]
    return {
        **{name: int(row[name]) for name in ("n_purchases", "n_returns", "n_customers")},
        **{name: float(row[name]) for name in ("median_purchase", "largest_purchase")},
        **{name: float(join_money(facts[w], facts[p])[0]) for name, (w, p) in sums.items()},
        "first_ordered_on": book.first_day,
        "last_ordered_on": book.last_day,
    }


def head_orders(orders, n=5):
    """Return the first rows of an order book, in order of time.

    Parameters
    ----------
    orders : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
    n : int
        Number of rows.

    Returns
    -------
    pandas.DataFrame
        All columns; by day and, where there is one, by `order_id`.

    Examples
    --------
    >>> import pandas as pd
    >>> orders = pd.DataFrame({"customer_id": ["b", "a"], "amount": [5.0, 7.0],
    ...                        "ordered_on": pd.to_datetime(["2024-01-03", "2024-01-01"])})
    >>> head_orders(orders, 1)["customer_id"].tolist()
    ['a']
    """
    frame = read_frame("orders", orders, ["customer_id", "ordered_on", "amount"])
    keys = [name for name in ("ordered_on", "order_id") if name in frame.collect_schema()]
    return collect(frame.sort(*keys).head(n))


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


def _select(source, money):
    day = nw.col("ordered_on")
    if source.collect_schema()["ordered_on"] != nw.Date:
        day = day.dt.truncate("1d")
    return source.select(
        nw.col("customer_id"), day.alias("day"), *(nw.col(c).cast(nw.Float64) for c in money)
    )


def _check(frame, money, observed_to):
    """Refuse missing values, infinite money and late orders; return rows, first and last day."""
    is_whole = ~nw.col("customer_id").is_null() & ~nw.col("day").is_null()
    for column in money:
        value = nw.col(column)
        is_whole &= ~value.is_null() & value.is_finite() & (value.abs() < LARGEST)
    # Where a comparison of a missing value is itself missing, the row counts as a gap too.
    marked = frame.with_columns(is_whole=nw.when(is_whole).then(1).otherwise(0))
    found = collect(
        marked.select(
            nw.len().alias("n_rows"),
            nw.col("is_whole").sum().alias("n_whole"),
            nw.col("day").min().alias("first_day"),
            nw.col("day").max().alias("last_day"),
        )
    ).iloc[0]
    n_rows = int(found["n_rows"])
    n_gaps = n_rows - int(found["n_whole"]) if n_rows else 0
    if n_gaps:
        raise ValueError(
            f"orders: {n_gaps} rows have a missing customer_id or ordered_on, or an amount or "
            f"margin that is missing, not a finite number, or {LARGEST:.0e} or more in size; "
            "expected none. Leave them out before, and count them."
        )
    if found["last_day"] > observed_to:
        _refuse_late(frame, observed_to)
    return n_rows, pd.Timestamp(found["first_day"]), pd.Timestamp(found["last_day"])


def _refuse_late(frame, observed_to):
    limit = (observed_to + pd.Timedelta(days=1)).to_pydatetime()
    limit = limit.date() if frame.collect_schema()["day"] == nw.Date else limit
    late = frame.filter(nw.col("day") >= limit)
    row = collect(late.select("customer_id", "day").sort("customer_id", "day").head(1)).iloc[0]
    n_late = collect(late.select(nw.col("customer_id").n_unique().alias("n"))).iloc[0, 0]
    raise ValueError(
        f"orders: customer {row['customer_id']!r} ordered on {row['day']:%Y-%m-%d}, after "
        f"the end of observation {observed_to:%Y-%m-%d} ({n_late} customers in all); "
        "take a later observed_to, or keep the orders up to it"
    )
