"""The check that a table holds what a table of its name must hold.

Who asks: every loader, before a single number is computed. A data set is any subset of `TABLES`;
the columns of each, with their meaning in English and Chinese, unit and range, are described in
`crmlab.data.columns`, and the pandera schema that checks a table is built from the same rows.
A row number in a message counts the first row of data as row 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Counted, say
from crmlab.data.agreement import (
    find_bad_items,
    find_bad_links,
    find_disorder,
    find_unknown_customers,
    inspect_answers,
    nearest_column,
)
from crmlab.data.columns import TABLES, Column, Table, describe_table, find_table
from crmlab.data.conversion import EXPECTED, try_column
from crmlab.data.problems import Problem
from crmlab.data.schema import validate

__all__ = [
    "TABLES",
    "Column",
    "Inspection",
    "Table",
    "check_table",
    "check_tables",
    "describe_table",
    "inspect_table",
    "inspect_tables",
]


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
    result, problems, _ = inspect_table(name, frame)
    if problems:
        raise ValueError(problems[0].message)
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
    inspection = inspect_tables(tables)
    if inspection.problems:
        raise ValueError(inspection.problems[0].message)
    return inspection.tables


@dataclass(frozen=True, eq=False)
class Inspection:
    """Tables as far as they could be brought to their kinds, all problems, and the repairs.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        In the order of `TABLES`; sound where there is no problem.
    problems : list of Problem
    repairs : list of (table, repair, repair_zh, n_rows)
    """

    tables: dict[str, pd.DataFrame]
    problems: list[Problem]
    repairs: Counted


def inspect_table(
    name: str, frame: pd.DataFrame
) -> tuple[pd.DataFrame | None, list[Problem], Counted]:
    """Return a table as `check_table` does, with all its problems in place of the first.

    Parameters
    ----------
    name : str
        A name in `TABLES`.
    frame : pandas.DataFrame
        The table as it was read; left unchanged.

    Returns
    -------
    table : pandas.DataFrame or None
        None where a column is missing or is there twice.
    problems : list of Problem
    repairs : list of (table, repair, repair_zh, n_rows)

    Examples
    --------
    >>> frame = pd.DataFrame({"customer_id": [" a", None], "birth_year": ["1980", "80"]})
    >>> table, problems, repairs = inspect_table("customers", frame)
    >>> [f"{problem.column}: {problem.found}" for problem in problems]
    ['customer_id: the value is missing', 'birth_year: value 80 is not allowed']
    >>> repairs[0][1], repairs[0][3]
    ('customer_id: blanks around the value taken away', 1)
    """
    table = find_table(name)
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(say("no_frame", name=name, kind=type(frame).__name__))
    problems = [*_find_repeated_columns(table, frame), *_find_missing_columns(table, frame)]
    if problems:
        return None, problems, []
    repairs: Counted = []
    known = {column.name: column for column in table.columns if column.name in frame.columns}
    others = [other for other in frame.columns if other not in known]
    source = frame.reset_index(drop=True)
    checked = {}
    for column, spec in known.items():
        checked[column], found, repaired = try_column(source[column], spec, name)
        problems += found
        repairs += repaired
    result = pd.DataFrame(
        checked | {other: source[other].copy() for other in others}, index=source.index
    )
    problems += validate(table, result)
    problems += _find_repeated_rows(table, result)
    return result, problems, repairs


def inspect_tables(tables: Mapping[str, pd.DataFrame]) -> Inspection:
    """Return every table inspected by `inspect_table`, and inspected against the others.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Any subset of `TABLES`; left unchanged.

    Returns
    -------
    Inspection
    """
    for name in tables:
        find_table(name)
    checked, problems, repairs = {}, [], []
    for name in TABLES:
        if name in tables:
            table, found, repaired = inspect_table(name, tables[name])
            problems += found
            repairs += repaired
            if table is not None:
                checked[name] = table
    if "customers" in checked:
        problems += find_unknown_customers(checked)
    if "links" in checked:
        problems += find_bad_links(checked["links"])
    if "items" in checked:
        problems += find_bad_items(checked["items"])
    if "survey" in checked and "items" in checked:
        checked["survey"], found = inspect_answers(checked["survey"], checked["items"])
        problems += found
    if "tickets" in checked:
        problems += find_disorder(checked["tickets"], "tickets", "opened_at", "closed_at")
    if "sources" in checked:
        problems += find_disorder(checked["sources"], "sources", "collected_from", "collected_to")
    return Inspection(checked, problems, repairs)


def _find_repeated_columns(table: Table, frame: pd.DataFrame) -> Iterator[Problem]:
    repeated = frame.columns[frame.columns.duplicated()].unique()
    for name in repeated:
        found = say("column_repeated", name=repr(name))
        yield Problem(table.name, "", found, "", say("rename_others"))


def _find_missing_columns(table: Table, frame: pd.DataFrame) -> Iterator[Problem]:
    names = [column.name for column in table.columns]
    others = [other for other in frame.columns if other not in names]
    for column in table.columns:
        if not column.is_required or column.name in frame.columns:
            continue
        near = nearest_column(column.name, others)
        meaning = {"en": column.meaning_en, "zh": column.meaning_zh}
        advice = (
            say("rename_nearest", near=repr(near), name=repr(column.name))
            if near is not None
            else say(
                "add_order_id" if column.name == "order_id" else "add_column",
                kind=EXPECTED[column.kind],
                meaning=meaning,
            )
        )
        found = say("column_missing", name=repr(column.name))
        yield Problem(table.name, "", found, "", advice)


def _find_repeated_rows(table: Table, frame: pd.DataFrame) -> list[Problem]:
    key = [column for column in table.key if column in frame.columns]
    if not key:
        return []
    repeated = np.flatnonzero(frame.duplicated(key).to_numpy())
    if len(repeated):  # a row with a gap in its key is like no other
        repeated = repeated[frame[key].iloc[repeated].notna().all(axis=1).to_numpy()]
    if not len(repeated):
        return []
    keys = [frame[column].iloc[repeated].astype("str").tolist() for column in key]
    values = [", ".join(parts) for parts in zip(*keys, strict=True)]
    lines = ""
    if table.name == "orders" and len(repeated) > max(9, len(frame) / 4):
        lines = say("hint_lines")
    return [
        Problem(
            table.name,
            " and ".join(key),
            say("repeated", value=repr(values[0])),
            say("one_row_for", row={"en": table.row_en, "zh": table.row_zh}),
            say("remove_repeated", hint=lines),
            repeated,
            tuple(values),
        )
    ]
