"""Online Retail: the invoice lines of a British gift shop become one order per invoice.

Money is summed in thousandths of a pound, as whole numbers, so that the sum of an invoice is
exact and does not depend on the order in which its lines are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables customers and orders of Online Retail, and what was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the invoice lines, a CSV packed with gzip.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `customers` (customer_id, region: the country on the latest invoice, missing where it is
        "Unspecified") and `orders` (order_id: the invoice number, customer_id, ordered_on, amount
        in pounds, below 0 for cancellations and credits, n_items: units bought or given back).
    left_out : list of (table, reason, reason_zh, n_rows)
        Lines without a customer number, lines at a price of 0, and invoices that come to 0 or
        have no other line.
    """
    import polars as pl

    (path,) = paths.values()
    text = ("InvoiceNo", "CustomerID", "Country", "InvoiceDate")
    all_lines = pl.read_csv(
        path,
        columns=["InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"],
        schema_overrides=dict.fromkeys(text, pl.String),
    )
    lines = all_lines.drop_nulls("CustomerID")
    priced = lines.filter(pl.col("UnitPrice") != 0)
    value = (pl.col("UnitPrice") * 1000).round().cast(pl.Int64) * pl.col("Quantity")
    invoices = (
        priced.group_by("InvoiceNo", "CustomerID")
        .agg(
            pl.col("InvoiceDate").min().str.to_datetime("%Y-%m-%d %H:%M:%S").dt.date(),
            value.sum().alias("thousandths"),
            pl.col("Quantity").sum().abs(),
        )
        .sort("InvoiceDate", "InvoiceNo")
    )
    orders = invoices.filter(pl.col("thousandths") != 0).select(
        order_id="InvoiceNo",
        customer_id="CustomerID",
        ordered_on="InvoiceDate",
        amount="thousandths",
        n_items="Quantity",
    )
    customers = (
        lines.sort("InvoiceDate", "InvoiceNo")
        .group_by("CustomerID", maintain_order=True)
        .agg(pl.col("Country").last())
        .select(
            customer_id="CustomerID",
            region=pl.col("Country").replace({"Unspecified": None}),
        )
        .sort("customer_id")
    )
    left_out = [
        (
            "orders",
            "invoice lines without a customer number",
            "没有客户编号的发票明细",
            all_lines.height - lines.height,
        ),
        (
            "orders",
            "invoice lines at a price of 0 (gifts, samples, corrections)",
            "单价为 0 的发票明细（赠品、样品、更正）",
            lines.height - priced.height,
        ),
        (
            "orders",
            "invoices of which every line is at a price of 0, or whose lines come to 0",
            "全部明细单价为 0 或合计为 0 的发票",
            lines["InvoiceNo"].n_unique() - orders.height,
        ),
    ]
    # Divided by pandas: Polars multiplies by 1/1000, which is off in the last digit.
    money = orders.to_pandas()
    money["amount"] = money["amount"] / 1000
    return {"customers": customers.to_pandas(), "orders": money}, left_out
