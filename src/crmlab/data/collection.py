"""What was collected about the customers: from where, how much, how completely.

Who asks: whoever opens a data set, before any model. The field sorts customer data into three
classes: *descriptive* data says who the customer is, *promotional* data what the firm has done
towards the customer, *transactional* data what the customer has done. Answers to a survey belong
to none of the three and are called *attitudinal* here. `crmlab.data.profile` puts the tables
together, customer by customer.

Sources: Payne, A. and Frow, P. (2005). A strategic framework for customer relationship
management. Journal of Marketing 69(4), 167-176, doi:10.1509/jmkg.2005.69.4.167 (customer data
as the ground of every other process); W3C (2013). PROV-O: The PROV Ontology (what a record of
origin holds).

The large tables (orders, contacts, links) may be pandas, Polars, PyArrow, DuckDB or PySpark frames;
the questions put to them come back as counts. How many different values a column has, and whether a
key occurs twice, takes an engine as much memory as the column, or room on disk.
"""

import narwhals as nw
import pandas as pd

from crmlab.data.counting import (
    count_distinct,
    count_missing,
    count_rows,
    count_unknown,
    find_span,
)
from crmlab.data.tables import TABLES

__all__ = [
    "DATA_CLASSES",
    "check_keys",
    "describe_columns",
    "describe_items",
    "describe_sources",
    "describe_tables",
]

# Class of the data each table holds; `items` and `sources` describe data, `staff` the firm, and
# `truth` is not observed.
DATA_CLASSES = {
    "customers": "descriptive",
    "contacts": "promotional",
    "orders": "transactional",
    "tickets": "transactional",
    "requests": "transactional",
    "survey": "attitudinal",
    "links": "transactional",
    "activity": "transactional",
    "accounts": "descriptive",
}


def describe_tables(tables):
    """Return what each table of customer data holds: class, size, span of time, completeness.

    Parameters
    ----------
    tables : mapping of str to table
        Tables of a data set by their names; those without customer data (items, sources, truth)
        are passed over.

    Returns
    -------
    pandas.DataFrame, one row per table, in the order of `DATA_CLASSES`
        `table`, `data_class`, `n_rows`, `n_columns`, `n_customers` (different customers named in
        it; missing where the table names none), `share_filled` (cells that hold a value, 0..1;
        NaN for a table without rows), `first_on` and `last_on` (earliest and latest day in the
        table's first column of dates; NaT where it has none).

    Examples
    --------
    >>> orders = pd.DataFrame({"order_id": ["1", "2"], "customer_id": ["a", "a"],
    ...                        "ordered_on": pd.to_datetime(["2024-03-01", "2024-05-09"]),
    ...                        "amount": [10.0, 4.0], "channel": ["web", None]})
    >>> overview = describe_tables({"orders": orders})
    >>> overview[["table", "data_class", "n_rows", "n_customers", "share_filled"]]
        table     data_class  n_rows  n_customers  share_filled
    0  orders  transactional       2            1           0.9
    """
    rows = []
    for name, frame in _customer_data(tables).items():
        schema = frame.collect_schema()
        n_rows, missing = count_missing(frame)
        n_cells = n_rows * len(schema)
        rows.append(
            {
                "table": name,
                "data_class": DATA_CLASSES[name],
                "n_rows": n_rows,
                "n_columns": len(schema),
                "n_customers": count_distinct(frame, ["customer_id"]).get("customer_id"),
                "share_filled": _quotient(n_cells - sum(missing.values()), n_cells),
                **find_span(frame),
            }
        )
    overview = pd.DataFrame(rows, columns=_OVERVIEW_COLUMNS)
    kinds = {"n_customers": "Int64", "first_on": "datetime64[us]", "last_on": "datetime64[us]"}
    overview = overview.astype({**kinds, "share_filled": "float64"})
    return overview.assign(
        first_on=overview["first_on"].dt.normalize(), last_on=overview["last_on"].dt.normalize()
    )


def describe_columns(tables):
    """Return each column of customer data with its type and how far it is filled.

    Parameters
    ----------
    tables : mapping of str to table

    Returns
    -------
    pandas.DataFrame, one row per column of each table
        `table`, `data_class`, `column`, `dtype` (as the engine calls it), `n_rows`, `n_missing`,
        `share_filled` (0..1; NaN for a table without rows) and `n_distinct` (different values,
        missing ones not counted).

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": ["a", "b"], "region": ["north", None]})
    >>> describe_columns({"customers": customers})[["column", "n_missing", "share_filled"]]
            column  n_missing  share_filled
    0  customer_id          0           1.0
    1       region          1           0.5
    """
    rows = []
    for name, frame in _customer_data(tables).items():
        schema = frame.collect_schema()
        n_rows, missing = count_missing(frame)
        distinct = count_distinct(frame, list(schema))
        for column, kind in schema.items():
            n_missing = missing[column]
            rows.append(
                {
                    "table": name,
                    "data_class": DATA_CLASSES[name],
                    "column": column,
                    "dtype": str(_native_dtype(tables[name], column, kind)),
                    "n_rows": n_rows,
                    "n_missing": n_missing,
                    "share_filled": _quotient(n_rows - n_missing, n_rows),
                    "n_distinct": distinct[column],
                }
            )
    names = ["table", "data_class", "column", "dtype", "n_rows", "n_missing", "share_filled"]
    return pd.DataFrame(rows, columns=[*names, "n_distinct"])


def check_keys(tables):
    """Return whether each table's key is unique and its customers are in the customer table.

    Parameters
    ----------
    tables : mapping of str to table
        `customers` is a pandas table.

    Returns
    -------
    pandas.DataFrame, one row per table of customer data
        `table`, `key` (columns that make a row unique, as the schema says, as far as the table
        has them), `n_rows`, `n_repeated` (rows whose key occurred before), `n_anonymous` (rows
        that name no customer; missing where the table names none) and `n_unknown` (rows whose
        customer is not in `customers`; missing without that table).

    Examples
    --------
    >>> tables = {"customers": pd.DataFrame({"customer_id": ["a", "b"]}),
    ...           "orders": pd.DataFrame({"order_id": ["1", "1"], "customer_id": ["a", "z"]})}
    >>> check_keys(tables)[["table", "key", "n_repeated", "n_unknown"]]
           table          key  n_repeated  n_unknown
    0  customers  customer_id           0          0
    1     orders     order_id           1          1
    """
    known = tables["customers"]["customer_id"] if "customers" in tables else None
    rows = []
    for name, frame in _customer_data(tables).items():
        names = frame.collect_schema().names()
        key = [column for column in TABLES[name].key if column in names]
        n_rows, missing = count_missing(frame)
        n_keys = count_rows(frame.select(*key).unique()) if key else n_rows
        unknown = None
        if "customer_id" in names and known is not None:
            unknown = count_unknown(frame, known)
        rows.append(
            {
                "table": name,
                "key": ", ".join(key),
                "n_rows": n_rows,
                "n_repeated": n_rows - n_keys,
                "n_anonymous": missing.get("customer_id"),
                "n_unknown": unknown,
            }
        )
    columns = ["table", "key", "n_rows", "n_repeated", "n_anonymous", "n_unknown"]
    return pd.DataFrame(rows, columns=columns).astype(
        {"n_anonymous": "Int64", "n_unknown": "Int64"}
    )


def describe_sources(tables):
    """Return where each table came from, and whether the record of it agrees with the table.

    Parameters
    ----------
    tables : mapping of str to table
        Tables of a data set, `sources` (a pandas table) among them where the origin is on record.

    Returns
    -------
    pandas.DataFrame, one row per source; a table without one has a row of its own at the end
        The columns of `sources` (missing for a table without a source), `n_found` (rows the
        table holds; missing for a table that is not there), `is_documented` (it has a source)
        and `is_count_right` (the rows of all sources of the table add up to the rows it holds;
        missing where either is unknown).

    Examples
    --------
    >>> sources = pd.DataFrame({"table": ["orders"], "origin": ["own operation"],
    ...                         "method": ["sales records"], "n_rows": [3]})
    >>> tables = {"orders": pd.DataFrame({"order_id": ["1", "2"]}), "sources": sources,
    ...           "survey": pd.DataFrame({"respondent_id": ["r"]})}
    >>> describe_sources(tables)[["table", "origin", "n_found", "is_documented"]]
        table         origin  n_found  is_documented
    0  orders  own operation        2           True
    1  survey            NaN        1          False
    """
    # As the tables stand in the data set, not in the order of the classes.
    found = {n: count_rows(nw.from_native(t)) for n, t in tables.items() if n != "sources"}
    columns = [column.name for column in TABLES["sources"].columns]
    sources = tables.get("sources", pd.DataFrame(columns=columns, dtype="object"))
    sources = sources.reset_index(drop=True)
    on_record = set(sources["table"])
    undocumented = [n for n in found if n in DATA_CLASSES and n not in on_record]
    rows = sources.reindex(range(len(sources) + len(undocumented)))
    rows.loc[len(sources) :, "table"] = undocumented
    rows["n_rows"] = rows["n_rows"].astype("Int64")
    rows["n_found"] = rows["table"].map(found).astype("Int64")
    rows["is_documented"] = ~rows["table"].isin(undocumented)
    n_declared = rows.groupby("table")["n_rows"].transform("sum", min_count=1)
    rows["is_count_right"] = n_declared == rows["n_found"]
    return rows


def describe_items(survey, items):
    """Return what each question of a survey measures and how it was answered.

    Parameters
    ----------
    survey : pandas.DataFrame
        One row per respondent and wave, one numeric column per item.
    items : pandas.DataFrame
        `item`, `construct`, `minimum`, `maximum`.

    Returns
    -------
    pandas.DataFrame, one row per item, in the order of `items`
        `item`, `construct`, `minimum`, `maximum`, `n_answers`, `share_answered` (0..1),
        `mean` (on the item's own scale), `share_lowest` and `share_highest` (answers at either
        end of the scale, where an item can no longer tell people apart; NaN without answers).

    Raises
    ------
    ValueError
        If an item has no column in the survey.

    Examples
    --------
    >>> survey = pd.DataFrame({"q1": [10, 10, 4, None]})
    >>> items = pd.DataFrame({"item": ["q1"], "construct": ["satisfaction"],
    ...                       "minimum": [1.0], "maximum": [10.0]})
    >>> described = describe_items(survey, items)
    >>> described[["item", "n_answers", "mean", "share_highest"]]
      item  n_answers  mean  share_highest
    0   q1          3   8.0       0.666667
    """
    absent = [item for item in items["item"] if item not in survey.columns]
    if absent:
        raise ValueError(
            f"survey: the item {absent[0]!r} of the table items is not a column; expected one "
            "column per item. Add it, or take the item out of items."
        )
    described = items[["item", "construct", "minimum", "maximum"]].reset_index(drop=True)
    answers = survey[list(items["item"])].astype("float64").set_axis(described.index, axis=1)
    n_answers = answers.count()
    return described.assign(
        n_answers=n_answers,
        share_answered=n_answers / len(survey) if len(survey) else float("nan"),
        mean=answers.mean(),
        share_lowest=(answers == described["minimum"]).sum() / n_answers.where(n_answers > 0),
        share_highest=(answers == described["maximum"]).sum() / n_answers.where(n_answers > 0),
    )


_OVERVIEW_COLUMNS = [
    "table",
    "data_class",
    "n_rows",
    "n_columns",
    "n_customers",
    "share_filled",
    "first_on",
    "last_on",
]


def _customer_data(tables):
    """Return the tables of customer data that are there, in the order of the classes."""
    return {name: nw.from_native(tables[name]) for name in DATA_CLASSES if name in tables}


def _quotient(part, whole):
    return part / whole if whole else float("nan")


def _native_dtype(table, column, kind):
    return table[column].dtype if isinstance(table, pd.DataFrame) else kind
