"""CDNOW: orders of CDs, one row each, in columns set apart by blanks.

The sample has customer id, sample id, day, number of CDs and dollars, and no heading; the whole
cohort has a heading and no sample id. The customer id is the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]


def read(paths: Mapping[str, Path]) -> tuple[dict[str, pd.DataFrame], Rows]:
    """Return the tables customers and orders of CDNOW, and what was left out.

    Parameters
    ----------
    paths : mapping of str to pathlib.Path
        One file: the sample or the whole cohort.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        `customers` (customer_id, joined_on: the day of the first order, a free one too, and in
        the sample sample_id, as text) and `orders` (order_id: the row's number in the file,
        customer_id, ordered_on, amount in US dollars, n_items: the number of CDs).
    left_out : list of (table, reason, reason_zh, n_rows)
        Orders of 0 dollars: an order is a purchase or a return, so its amount is never 0.
    """
    (path,) = paths.values()
    with path.open(encoding="ascii") as lines:
        first = lines.readline().split()
    names = ["customer_id", "sample_id", "day", "n_items", "amount"]
    if len(first) == 4:
        names.remove("sample_id")
    rows = pd.read_csv(
        path,
        sep=r"\s+",
        names=names,
        skiprows=0 if first[0].isdigit() else 1,
        dtype={"customer_id": "str", "sample_id": "str", "day": "str"},
    )
    row_number = pd.Series(range(1, len(rows) + 1), index=rows.index).astype("str").str.zfill(5)
    orders = pd.DataFrame(
        {
            "order_id": row_number,
            "customer_id": rows["customer_id"],
            "ordered_on": pd.to_datetime(rows["day"], format="%Y%m%d"),
            "amount": rows["amount"].astype("float64"),
            "n_items": rows["n_items"],
        }
    )
    customers = (
        orders.groupby("customer_id", as_index=False)["ordered_on"]
        .min()
        .rename(columns={"ordered_on": "joined_on"})
    )
    if "sample_id" in rows:
        sample_ids = rows.drop_duplicates("customer_id").set_index("customer_id")["sample_id"]
        customers["sample_id"] = customers["customer_id"].map(sample_ids)
    is_free = orders["amount"] == 0
    left_out = [
        (
            "orders",
            "orders of 0 dollars: an order's amount must not be 0",
            "金额为 0 美元的订单：订单金额不得为 0",
            int(is_free.sum()),
        )
    ]
    return {"customers": customers, "orders": orders[~is_free]}, left_out
