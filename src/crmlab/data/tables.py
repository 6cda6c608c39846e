"""The check that a table holds what a table of its name must hold.

Who asks: every loader, before a single number is computed. A data set is any subset of `TABLES`;
the columns of each, with their meaning in English and Chinese, unit and range, are described in
`crmlab.data.columns`, and the pandera schema that checks a table is built from the same rows.
A row number in a message counts the first row of data as row 1.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from crmlab.data.columns import TABLES, Column, Table, describe_table, find_table
from crmlab.data.conversion import EXPECTED, convert_column, name_rows, show_value
from crmlab.imports import hidden

__all__ = ["TABLES", "Column", "Table", "check_table", "check_tables", "describe_table"]


def check_table(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with every known column in its dtype, or refuse it and say where and why.

    Values are brought to the column's kind only where nothing is lost: ``"3.50"`` becomes 3.5,
    a number in an identifier becomes text, ``yes`` becomes True. A time of day in a column that
    holds a day is dropped. An empty text is a missing value. Columns that the table does not
    know are kept as they are, unless one looks like the misspelt name of a missing column.

    Parameters
    ----------
    name : str
        A name in `TABLES`.
    frame : pandas.DataFrame
        The table as it was read; left unchanged.

    Returns
    -------
    pandas.DataFrame
        The same rows in the same order with a fresh index; known columns first, in the table's
        order, then the others.

    Raises
    ------
    ValueError
        If a required column is missing, or values are missing, repeated, of another kind or out
        of range. The message names table, column, row (the first is row 1) and value, and says
        what was expected and what to do.

    Examples
    --------
    >>> frame = pd.DataFrame({"order_id": [1, 2], "customer_id": ["a", "a"],
    ...                       "ordered_on": ["2024-01-05", "2024-02-01"], "amount": ["12.5", "0"]})
    >>> check_table("orders", frame)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: orders.amount, row 2: value 0.0 is not allowed; expected not 0. ...
    >>> check_table("orders", frame.assign(amount=["12.5", "-3"])).dtypes.astype(str).to_dict()
    {'order_id': 'str', 'customer_id': 'str', 'ordered_on': 'datetime64[us]', 'amount': 'float64'}
    """
    table = find_table(name)
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(
            f"{name}: expected a pandas DataFrame, got {type(frame).__name__}; read the file first."
        )
    _refuse_repeated_columns(table, frame)
    _refuse_missing_columns(table, frame)
    known = {column.name: column for column in table.columns if column.name in frame.columns}
    others = [other for other in frame.columns if other not in known]
    source = frame.reset_index(drop=True)
    checked = {
        column: convert_column(source[column], spec, f"{name}.{column}")
        for column, spec in known.items()
    }
    result = pd.DataFrame(
        checked | {other: source[other].copy() for other in others}, index=source.index
    )
    _validate(table, result)
    return result


def check_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return every table checked by `check_table`, and checked against the others.

    Every `customer_id` (and `other_id` of `links`) must be in `customers` where that table is
    there, and nobody is linked to themselves; every item in `items`
    must be a column of `survey`, its answers numbers between the item's ends (missing allowed);
    nothing may close or stop being collected before it began.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Any subset of `TABLES`; left unchanged.

    Returns
    -------
    dict of str to pandas.DataFrame
        The checked tables in the order of `TABLES`; item columns of `survey` are float64.

    Raises
    ------
    ValueError
        As `check_table`, and where two tables disagree.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": ["a", "b"]})
    >>> orders = pd.DataFrame({"order_id": ["1"], "customer_id": ["c"],
    ...                        "ordered_on": ["2024-01-05"], "amount": [5.0]})
    >>> check_tables({"customers": customers, "orders": orders})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: orders.customer_id, row 1: customer 'c' is not in the table customers. ...
    """
    for name in tables:
        find_table(name)
    checked = {name: check_table(name, tables[name]) for name in TABLES if name in tables}
    if "customers" in checked:
        _check_customers(checked)
    if "items" in checked:
        checked["items"] = _check_items(checked["items"])
    if "survey" in checked and "items" in checked:
        checked["survey"] = _check_answers(checked["survey"], checked["items"])
    if "tickets" in checked:
        _check_order_in_time(checked["tickets"], "tickets", "opened_at", "closed_at")
    if "links" in checked:
        _check_links(checked["links"])
    if "sources" in checked:
        _check_order_in_time(checked["sources"], "sources", "collected_from", "collected_to")
    return checked


def _refuse_repeated_columns(table: Table, frame: pd.DataFrame) -> None:
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise ValueError(
            f"{table.name}: column {repeated[0]!r} appears more than once; keep one of them."
        )


def _refuse_missing_columns(table: Table, frame: pd.DataFrame) -> None:
    names = [column.name for column in table.columns]
    others = [other for other in frame.columns if other not in names]
    for column in table.columns:
        if not column.is_required or column.name in frame.columns:
            continue
        near = _nearest_column(column.name, others)
        advice = (
            f"Its nearest name in the table is {near!r}: rename it to {column.name!r}."
            if near is not None
            else f"Add it; it holds {EXPECTED[column.kind]}: {column.meaning_en}."
        )
        raise ValueError(f"{table.name}: the required column {column.name!r} is missing. {advice}")


@functools.cache
def _pandera_schema(name: str):
    # pandera takes half a second to import: it is loaded when the first table is checked. It would
    # load pandas on Spark as well, twice as long, and no table that is checked here is such.
    with hidden("pyspark.pandas"):
        import pandera.pandas as pa

    def checks(column: Column) -> list:
        text = column.range
        if not text:
            return []
        if " | " in text:
            return [pa.Check.isin(text.split(" | "), error=text)]
        if ".." in text:
            low, high = text.split("..")
            return [pa.Check.in_range(float(low), float(high), error=text)]
        operator, bound = re.fullmatch(r"(>=|>|not) (-?[\d.]+)", text).groups()
        check = {">=": pa.Check.ge, ">": pa.Check.gt, "not": pa.Check.ne}[operator]
        return [check(float(bound), error=text)]

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                column.dtype,
                checks(column),
                nullable=column.is_nullable,
                required=column.is_required,
            )
            for column in TABLES[name].columns
        },
        name=name,
    )


def _nearest_column(name: str, others: Iterable[object]) -> object | None:
    """Return the column whose name, spelt without regard to case and spaces, is nearest."""
    spelt = {re.sub(r"[\s-]+", "_", str(other).strip().lower()): other for other in others}
    near = difflib.get_close_matches(name.lower(), spelt, n=1, cutoff=0.75)
    return spelt[near[0]] if near else None


def _validate(table: Table, frame: pd.DataFrame) -> None:
    schema = _pandera_schema(table.name)
    from pandera.errors import SchemaErrors

    try:
        with hidden("pyspark.pandas"):  # looked for again at the first check
            schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        first = cases.iloc[0]
        alike = cases[(cases["column"] == first["column"]) & (cases["check"] == first["check"])]
        rows = name_rows(np.sort(alike["index"].to_numpy(dtype=int)))
        value = show_value(first["failure_case"])
        raise ValueError(
            f"{table.name}.{first['column']}, {rows}: value {value} is not allowed; expected "
            f"{first['check']}. Correct these rows or leave them out."
        ) from None
    key = [column for column in table.key if column in frame.columns]
    repeated = np.flatnonzero(frame.duplicated(key).to_numpy()) if key else np.array([], dtype=int)
    if len(repeated):
        value = ", ".join(str(frame[column].iloc[repeated[0]]) for column in key)
        raise ValueError(
            f"{table.name}.{' and '.join(key)}, {name_rows(repeated)}: {value!r} is there already; "
            f"expected one row for {table.row_en}. Remove the repeated rows or give each its own."
        )


def _check_customers(tables: Mapping[str, pd.DataFrame]) -> None:
    known = tables["customers"]["customer_id"]
    columns = [
        (name, column, frame[column])
        for name, frame in tables.items()
        for column in ("customer_id", "other_id")
        if name != "customers" and column in frame.columns
    ]
    for name, column, customer in columns:
        unknown = np.flatnonzero((customer.notna() & ~customer.isin(known)).to_numpy())
        if len(unknown):
            raise ValueError(
                f"{name}.{column}, {name_rows(unknown)}: customer "
                f"{customer.iloc[unknown[0]]!r} is not in the table customers. Add the customer "
                "there, or leave these rows out."
            )


def _check_links(links: pd.DataFrame) -> None:
    alone = np.flatnonzero((links["customer_id"] == links["other_id"]).to_numpy())
    if len(alone):
        raise ValueError(
            f"links.other_id, {name_rows(alone)}: customer {links['other_id'].iloc[alone[0]]!r} is "
            "linked to themselves; expected another customer. Leave these rows out."
        )
    if {"first_on", "last_on"} <= set(links.columns):
        _check_order_in_time(links, "links", "first_on", "last_on")


def _check_items(items: pd.DataFrame) -> pd.DataFrame:
    taken = [column.name for column in TABLES["survey"].columns]
    bad = np.flatnonzero(items["item"].isin(taken).to_numpy())
    if len(bad):
        raise ValueError(
            f"items.item, {name_rows(bad)}: {items['item'].iloc[bad[0]]!r} is a column of survey "
            "with a meaning of its own; expected the name of a question. Rename it in both tables."
        )
    bad = np.flatnonzero((items["minimum"] >= items["maximum"]).to_numpy())
    if len(bad):
        row = items.iloc[bad[0]]
        raise ValueError(
            f"items.minimum, {name_rows(bad)}: item {row['item']!r} runs from "
            f"{row['minimum']:g} to {row['maximum']:g}; expected minimum below maximum. Correct "
            "the scale's ends."
        )
    return items


def _check_answers(survey: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    answers = {}
    for item in items.itertuples(index=False):
        if item.item not in survey.columns:
            near = _nearest_column(item.item, survey.columns.difference(items["item"]))
            advice = ". Add it" if near is None else f"; the nearest is {near!r}. Rename that"
            raise ValueError(
                f"survey: the item {item.item!r} of the table items is not a column{advice}, or "
                "take the item out of items."
            )
        column = Column(item.item, "number", item.text_en, item.text_zh, "points", "", True, True)
        scores = convert_column(survey[item.item], column, f"survey.{item.item}")
        outside = (scores < item.minimum) | (scores > item.maximum)
        bad = np.flatnonzero(outside.to_numpy())
        if len(bad):
            raise ValueError(
                f"survey.{item.item}, {name_rows(bad)}: value {scores.iloc[bad[0]]:g} is not "
                f"allowed; expected {item.minimum:g}..{item.maximum:g} as items says. Correct "
                "these answers or leave them empty."
            )
        answers[item.item] = scores
    return survey.assign(**answers)


def _check_order_in_time(frame: pd.DataFrame, name: str, first: str, last: str) -> None:
    bad = np.flatnonzero((frame[last] < frame[first]).to_numpy())
    if len(bad):
        raise ValueError(
            f"{name}.{last}, {name_rows(bad)}: {frame[last].iloc[bad[0]]} is before {first} "
            f"{frame[first].iloc[bad[0]]}; expected it not earlier. Correct these rows."
        )
