"""Order lines of a user's file: checked line by line, summed into orders, and recognised.

Who asks: the loader, where a mapping file says ``one_row_is: order line``, and the proposal of a
mapping, which says so where order ids repeat, each with one customer and one day. The rules of
summing stand in `crmlab.data.order_lines`.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Message, say
from crmlab.data.conversion import EXPECTED, try_column
from crmlab.data.loaders.raw import Raw
from crmlab.data.order_lines import (
    count_lines,
    line_columns,
    sum_lines,
    take_orders,
    tell_counts,
)
from crmlab.data.problems import Problem, say_range, show_value

__all__ = ["are_lines", "sum_raw_lines"]

_FEW = 3  # orders of several lines that all bear one amount: enough to suspect it is the total


def sum_raw_lines(raw: Raw, frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return the orders that lines make; None where a line has a problem.

    Parameters
    ----------
    raw : Raw
        Its problems, repairs and left_out grow; its numbers become those of each order's first
        line.
    frame : pandas.DataFrame
        The lines under our headings.
    """
    columns = line_columns(frame.columns)
    missing = [column for column in columns if column.name not in frame.columns]
    if frame.columns.duplicated().any():
        return frame  # told by the check of the table
    if missing:
        raw.problems += [_say_missing(column).at(raw.place) for column in missing]
        return None
    others = [name for name in frame.columns if name not in {c.name for c in columns}]
    raw.leave_out(say("lines_columns", columns=tuple(map(str, others))), len(others))
    typed, problems = {}, []
    source = frame.reset_index(drop=True)
    for column in columns:
        typed[column.name], found, repaired = try_column(source[column.name], column, "orders")
        problems += found
        raw.repairs += repaired
        problems += _find_outside(typed[column.name], column)
    lines = pd.DataFrame(typed)
    if not problems:
        problems += _find_shared(lines)
    if problems:
        raw.problems += [problem.at(raw.place, raw.numbers) for problem in problems]
        return None
    return _sum(raw, lines)


def _sum(raw: Raw, lines: pd.DataFrame) -> pd.DataFrame:
    summed = sum_lines(nw.from_native(lines.assign(crmlab_line=np.arange(len(lines)))))
    counts = summed.select(**count_lines()).to_native().iloc[0]
    repairs, left_out = tell_counts(counts)
    raw.repairs += repairs
    raw.left_out += left_out
    orders = take_orders(summed).to_native().sort_values("crmlab_line", ignore_index=True)
    first = orders.pop("crmlab_line").to_numpy(dtype="int64")
    raw.numbers = first if raw.numbers is None else raw.numbers[first]
    return orders


def _say_missing(column) -> Problem:
    meaning = {"en": column.meaning_en, "zh": column.meaning_zh}
    advice = say("add_column", kind=EXPECTED[column.kind], meaning=meaning)
    if column.name in ("n_items", "unit_price"):
        advice = say("lines_amount")
    return Problem("orders", "", say("column_missing", name=repr(column.name)), "", advice)


def _find_outside(values: pd.Series, column) -> list[Problem]:
    if not column.range or column.kind != "integer":
        return []
    low, high = map(int, column.range.split(".."))
    bad = np.flatnonzero(((values < low) | (values > high)).fillna(False).to_numpy(dtype=bool))
    if not len(bad):
        return []
    found = say("value_not_allowed", value=show_value(values.iloc[bad[0]]))
    cure = say("correct_rows_or_leave")
    shown = tuple(values.iloc[bad])
    return [Problem("orders", column.name, found, say_range(column.range), cure, bad, shown)]


def _find_shared(lines: pd.DataFrame) -> list[Problem]:
    """Return the lines of an order that name another customer than its first line does."""
    first = lines.groupby("order_id")["customer_id"].transform("first")
    differs = lines["customer_id"].notna() & (lines["customer_id"] != first)
    bad = np.flatnonzero(differs.to_numpy())
    if not len(bad):
        return []
    line = lines.iloc[bad[0]]
    named = {"order": repr(line["order_id"]), "customer": repr(line["customer_id"])}
    found = say("lines_shared", **named, first=repr(first.iloc[bad[0]]))
    shown = tuple(lines["customer_id"].iloc[bad])
    expected, cure = say("lines_one_customer"), say("correct_rows")
    return [Problem("orders", "customer_id", found, expected, cure, bad, shown)]


def are_lines(frame: pd.DataFrame, columns: dict[str, str], notes: list[Message]) -> bool:
    """Return whether rows are lines of orders: ids repeat, each with one customer and one day.

    Parameters
    ----------
    frame : pandas.DataFrame
        The first rows under their headings.
    columns : dict of str to str
        The heading of each of our columns.
    notes : list of Message
        Grows where lines seem to repeat the whole order's amount, which is not summed.
    """
    if not {"order_id", "customer_id", "ordered_on"} <= set(columns):
        return False
    order, customer, day = (
        frame[columns[name]].astype("str").where(frame[columns[name]].notna())
        for name in ("order_id", "customer_id", "ordered_on")
    )
    several = order.notna() & order.duplicated(keep=False)
    if not several.any() or frame[several].duplicated(keep=False).all():
        return False
    day = day.str.split(r"[ T]", regex=True).str[0]
    grouped = pd.DataFrame({"order": order, "customer": customer, "day": day})[several]
    ends = grouped.dropna().groupby("order").agg(["min", "max"])
    for name in ("customer", "day"):
        if (ends[name, "min"] != ends[name, "max"]).any():
            return False
    if "amount" in columns and "unit_price" not in columns:
        amounts = frame.loc[several, columns["amount"]].groupby(order[several]).nunique()
        if len(amounts) >= _FEW and (amounts == 1).all():
            notes.append(say("note_totals", heading=columns["amount"]))
            return False
    return True
