"""Counting: rows, gaps, different values and spans of time of a table on any engine.

Who asks: the inventory of a data set (`crmlab.data.collection`, `crmlab.data.profile`), of tables
that may be too large to load. What comes back is a number, or one row per customer.
"""

import narwhals as nw
import pandas as pd

from crmlab.data.engines import collect

__all__ = [
    "count_distinct",
    "count_missing",
    "count_rows",
    "count_unknown",
    "find_span",
    "is_missing",
    "list_customers",
]


def count_rows(frame):
    """Return the number of rows of a narwhals frame.

    Examples
    --------
    >>> count_rows(nw.from_native(pd.DataFrame({"a": [1, 2]})))
    2
    """
    return int(collect(frame.select(nw.len().alias("n_rows")))["n_rows"].iloc[0])


def count_missing(frame):
    """Return the number of rows, and of missing values in each column.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
        Not a number is missing, as null is.

    Returns
    -------
    tuple of int and dict of str to int

    Examples
    --------
    >>> count_missing(nw.from_native(pd.DataFrame({"a": [1.0, None], "b": ["x", "y"]})))
    (2, {'a': 1, 'b': 0})
    """
    schema = frame.collect_schema()
    missing = {
        f"missing {name}": is_missing(name, kind).cast(nw.Int64).sum()
        for name, kind in schema.items()
    }
    counts = frame.select(nw.len().alias("rows"), **missing)
    row = collect(counts).fillna(0).iloc[0]  # a sum over no rows is nothing
    return int(row["rows"]), {name: int(row[f"missing {name}"]) for name in schema}


def count_distinct(frame, columns):
    """Return how many different values each of the columns that are there has, gaps not counted.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
    columns : iterable of str
        Columns the frame lacks are passed over.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> frame = nw.from_native(pd.DataFrame({"a": ["x", "x", None]}))
    >>> count_distinct(frame, ["a", "b"])
    {'a': 1}
    """
    schema = frame.collect_schema()
    names = [name for name in columns if name in schema]
    if not names:
        return {}
    gap = {name: is_missing(name, schema[name]) for name in names}
    different = {
        # Null and not a number would be two values.
        name: nw.when(~gap[name]).then(nw.col(name)) if schema[name].is_float() else nw.col(name)
        for name in names
    }
    counts = {name: value.n_unique() for name, value in different.items()}
    gaps = {f"missing {name}": gap[name].cast(nw.Int64).max() for name in names}
    row = collect(frame.select(**counts, **gaps)).fillna(0).iloc[0]
    # However many gaps there are, the engine counts them as one value.
    return {name: int(row[name]) - int(row[f"missing {name}"]) for name in names}


def count_unknown(frame, known):
    """Return the number of rows that name a customer who is not among those known.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
        With `customer_id`.
    known : pandas.Series or pandas.Index of str

    Returns
    -------
    int

    Examples
    --------
    >>> frame = nw.from_native(pd.DataFrame({"customer_id": ["a", "z", "z", None]}))
    >>> count_unknown(frame, pd.Index(["a", "b"]))
    2
    """
    named = frame.select("customer_id").filter(~nw.col("customer_id").is_null())
    table = collect(named.group_by("customer_id").agg(nw.len().alias("n_rows")))
    return int(table["n_rows"][~table["customer_id"].isin(known)].sum())


def find_span(frame):
    """Return the earliest and latest entry of a frame's first column of dates.

    That is the first whose name ends in `_on` or `_at`.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame

    Returns
    -------
    dict
        `first_on` and `last_on`; NaT without such a column, or without entries in it.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-03-02", "2024-03-01", None])
    >>> find_span(nw.from_native(pd.DataFrame({"ordered_on": days})))["first_on"]
    Timestamp('2024-03-01 00:00:00')
    """
    times = [n for n in frame.collect_schema().names() if n.endswith(("_on", "_at"))]
    if not times:
        return {"first_on": pd.NaT, "last_on": pd.NaT}
    time = nw.col(times[0])
    return collect(frame.select(first_on=time.min(), last_on=time.max())).iloc[0].to_dict()


def list_customers(table):
    """Return the customers that a table names, each once, sorted.

    Parameters
    ----------
    table : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table

    Returns
    -------
    pandas.Series of str
        Empty where the table has no column `customer_id`.

    Examples
    --------
    >>> list_customers(pd.DataFrame({"customer_id": ["b", "a", None, "b"]})).tolist()
    ['a', 'b']
    """
    frame = nw.from_native(table)
    if "customer_id" not in frame.collect_schema():
        return pd.Series(dtype="str", name="customer_id")
    named = frame.select("customer_id").filter(~nw.col("customer_id").is_null())
    names = collect(named.unique())["customer_id"].astype("str")
    return names.sort_values(ignore_index=True)


def is_missing(name, kind):
    """Return the expression that says where a column of this kind has no value.

    Parameters
    ----------
    name : str
    kind : narwhals.dtypes.DType

    Returns
    -------
    narwhals.Expr
        Not a number is missing, as null is.

    Examples
    --------
    >>> frame = nw.from_native(pd.DataFrame({"a": [1.0, None]}))
    >>> frame.select(is_missing("a", nw.Float64()))["a"].to_list()
    [False, True]
    """
    value = nw.col(name)
    return value.is_null() | value.is_nan() if kind.is_float() else value.is_null()
