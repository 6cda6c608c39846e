"""Lines of orders summed into orders: one row for each item sold becomes one row for each order.

Who asks: whoever exports invoices or receipts, whose rows are lines: the same order, customer and
day again and again, with an item, a quantity and a price. The rules are written once, for tables in
memory and for tables that an engine scans.

An order's amount is the sum of its lines' amounts, or of quantity times unit price where lines have
no amount; money is added up exactly (`crmlab.data.exact`), and so are margins. Its day is the first
of its lines' days, its customer the one that any line names. The number of items is the size of the
sum: of a return, what was given back. A channel holds where all lines agree. What is missing in one
line (margin, number of items) is missing in the order. Orders without a customer, and orders that
come to 0, are left out and counted.
"""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw

from crmlab.atlas.sentences import counted, say
from crmlab.data.columns import ORDER_LINE, TABLES, Column, columns_of
from crmlab.data.exact import split_money

__all__ = [
    "MOST_ITEMS",
    "count_lines",
    "line_columns",
    "sum_lines",
    "take_orders",
    "tell_counts",
]

#: A line holds fewer items than this, or the sums would not be exact.
MOST_ITEMS = 10**9
_BILLION = 1_000_000_000
_MILLIONS = 9_000_000
_NULLABLE = ("customer_id", "ordered_on")


def line_columns(names) -> list[Column]:
    """Return the columns of order lines that are there or must be: an amount, or what makes one.

    Parameters
    ----------
    names : iterable of str
        The columns that are there.
    """
    names = set(names)
    has_amount = "amount" in names
    columns = []
    for column in columns_of("orders", ORDER_LINE).values():
        if column.name in _NULLABLE:
            column = replace(column, is_nullable=True)
        elif column.name == "amount":
            column = replace(column, is_required=has_amount, range="")
        elif column.name in ("n_items", "unit_price") and not has_amount:
            column = replace(column, is_required=True, is_nullable=False)
        if column.name == "n_items":
            column = replace(column, range=f"{1 - MOST_ITEMS}..{MOST_ITEMS - 1}")
        if column.is_required or column.name in names:
            columns.append(column)
    return [c for c in columns if not (has_amount and c.name == "unit_price")]


def sum_lines(lines):
    """Return one row per order, those that `take_orders` leaves out still among them.

    Parameters
    ----------
    lines : narwhals.DataFrame or narwhals.LazyFrame
        `order_id`, `customer_id` and `ordered_on` (the two may be missing in a line), and either
        `amount` or `n_items` and `unit_price`; `margin`, `n_items` and `channel` where they are
        there. A column `crmlab_line` numbers the lines.

    Returns
    -------
    narwhals.DataFrame or narwhals.LazyFrame
        The same columns (but `unit_price`) and, for the counts, `n_lines`, `last_customer` and
        `last_day`; in no order.
    """
    names = lines.collect_schema().names()
    optional = [name for name in ("margin", "n_items") if name in names]
    gaps = {f"no_{name}": nw.when(nw.col(name).is_null()).then(1).otherwise(0) for name in optional}
    if gaps:
        lines = lines.with_columns(**gaps)
    if "margin" in names:
        lines = lines.with_columns(margin=nw.col("margin").fill_null(0.0))
    money = [name for name in ("amount", "margin") if name in names]
    if money:
        lines = split_money(lines, money)
    if "amount" not in names:
        lines = _multiply(lines)
        money = ["amount", *money]
    sums = [f"{name}_{half}" for name in money for half in ("whole", "parts")]
    sums += [name for name in ("n_items",) if name in names] + [f"no_{name}" for name in optional]
    ends = {"customer_id": "last_customer", "ordered_on": "last_day"}
    ends |= {"channel": "last_channel"} if "channel" in names else {}
    orders = lines.group_by("order_id").agg(
        *(nw.col(name).sum() for name in sums),
        *(nw.col(first).min() for first in ends),
        *(nw.col(first).max().alias(last) for first, last in ends.items()),
        *([nw.col("crmlab_line").min()] if "crmlab_line" in names else []),
        nw.len().alias("n_lines"),
    )
    for name in money:
        orders = _join(orders, name)
    changed = {}
    if "n_items" in names:
        changed["n_items"] = nw.when(nw.col("no_n_items") == 0).then(nw.col("n_items").abs())
    if "margin" in names:
        changed["margin"] = nw.when(nw.col("no_margin") == 0).then(nw.col("margin"))
    if "channel" in names:
        agree = nw.col("channel") == nw.col("last_channel")
        changed["channel"] = nw.when(agree).then(nw.col("channel"))
    kept = [column.name for column in TABLES["orders"].columns if column.name in {*names, "amount"}]
    kept += ["n_lines", "last_customer", "last_day"]
    kept += ["crmlab_line"] if "crmlab_line" in names else []
    return (orders.with_columns(**changed) if changed else orders).select(kept)


def take_orders(orders):
    """Return the orders that have a customer and come to something, in the columns of orders."""
    names = orders.collect_schema().names()
    kept = [name for name in names if name not in ("n_lines", "last_customer", "last_day")]
    return orders.filter(~nw.col("customer_id").is_null() & (nw.col("amount") != 0)).select(kept)


def count_lines() -> dict[str, nw.Expr]:
    """Return what is counted of summed orders (`sum_lines`), by name.

    Returns
    -------
    dict of str to narwhals.Expr
        `n_lines`, `n_orders`; `n_nobody`, lines of orders without a customer; `n_nothing`, orders
        that come to 0; `n_days`, orders with lines of several days; `n_shared`, orders of several
        customers.
    """
    nobody = nw.col("customer_id").is_null()

    def number(condition, value=1):
        return nw.when(condition).then(value).otherwise(0).sum()

    return {
        "n_lines": nw.col("n_lines").sum(),
        "n_orders": nw.len(),
        "n_nobody": number(nobody, nw.col("n_lines")),
        "n_nothing": number(~nobody & (nw.col("amount") == 0)),
        "n_days": number(~nobody & (nw.col("ordered_on") != nw.col("last_day"))),
        "n_shared": number(nw.col("customer_id") != nw.col("last_customer")),
    }


def tell_counts(counts) -> tuple[list, list]:
    """Return the rows of what was repaired and of what was left out, from the counts."""
    n = {name: int(value) for name, value in counts.items()}
    n_kept = n["n_lines"] - n["n_nobody"]
    repairs = [
        counted("orders", say("lines_summed"), n_kept),
        counted("orders", say("lines_days"), n["n_days"]),
    ]
    left_out = [
        counted("orders", say("lines_nobody"), n["n_nobody"]),
        counted("orders", say("lines_nothing"), n["n_nothing"]),
    ]
    return [row for row in repairs if row[3]], [row for row in left_out if row[3]]


def _multiply(lines):
    """Return quantity times unit price in whole units and billionths, as `split_money` does."""
    lines = split_money(lines, ["unit_price"])
    lines = lines.with_columns(
        amount_whole=nw.col("unit_price_whole") * nw.col("n_items"),
        amount_parts=nw.col("unit_price_parts") * nw.col("n_items"),
    )
    return _carry(lines, "amount")


def _carry(frame, name):
    """Move full billions of billionths to the whole units, so that no sum runs over."""
    parts = nw.col(f"{name}_parts")
    carry = (parts.cast(nw.Float64) / float(_BILLION)).floor().cast(nw.Int64)
    frame = frame.with_columns(crmlab_carry=carry)
    return frame.with_columns(
        **{
            f"{name}_whole": nw.col(f"{name}_whole") + nw.col("crmlab_carry"),
            f"{name}_parts": parts - nw.col("crmlab_carry") * _BILLION,
        }
    )


def _join(orders, name):
    """Join whole units and billionths, as `crmlab.data.exact.join_money` does."""
    orders = _carry(orders, name)
    whole, parts = nw.col(f"{name}_whole"), nw.col(f"{name}_parts")
    # Both of one sign, or -1 + 0.9 would be off in the last digits of -0.1.
    debt = nw.when((whole < 0) & (parts > 0)).then(1).otherwise(0)
    # A column: Polars multiplies by the inverse of a constant, which is off in the last digit.
    billion = nw.col("n_lines").cast(nw.Float64) * 0 + float(_BILLION)
    orders = orders.with_columns(crmlab_carry=debt, crmlab_billion=billion)
    billion = nw.col("crmlab_billion")
    whole, parts = whole + nw.col("crmlab_carry"), parts - nw.col("crmlab_carry") * _BILLION
    # Up to some millions, the billionths of the sum fit a float: 4.94 is the 4.94 one would type.
    is_small = (whole < _MILLIONS) & (whole > -_MILLIONS)
    billionths = nw.when(is_small).then(whole).otherwise(0) * _BILLION + parts
    money = (
        nw.when(is_small)
        .then(billionths.cast(nw.Float64) / billion)
        .otherwise(whole.cast(nw.Float64) + parts.cast(nw.Float64) / billion)
    )
    return orders.with_columns(**{name: money})
