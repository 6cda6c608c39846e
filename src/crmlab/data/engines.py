"""Engines: the large tables opened where they lie, and read by whichever program is asked to.

Who asks: whoever has more orders than fit in memory with comfort, or a cluster that has them. Every
reader of orders, contacts and links takes tables of any engine; here they are opened.

Vocabulary. An *engine* is the program that reads: ``polars`` (on this machine, in pieces),
``duckdb`` (on this machine, laying down on disk what is too much), ``pyspark`` (here, or on a
cluster that sees the same files) or ``pandas`` (all in memory). A table is *scanned* when it is
opened but not read: each question put to it reads the file anew, and only the columns it needs.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import narwhals as nw
import pandas as pd

from crmlab.atlas.sentences import say
from crmlab.data.scanned_kinds import in_kinds

__all__ = [
    "ENGINES",
    "LARGE_TABLES",
    "collect",
    "materialise",
    "open_file",
    "put_beside",
    "read_frame",
    "scan_table",
    "start_spark",
]

ENGINES = ("polars", "duckdb", "pyspark", "pandas")
#: Tables with many rows for each customer.
LARGE_TABLES = ("orders", "contacts", "links")
_EXTRAS = {"duckdb": "duckdb", "pyspark": "spark"}


def scan_table(path, *, engine="polars", master=None):
    r"""Open a file of a table in an engine, without reading it.

    Parameters
    ----------
    path : path-like
        A Parquet file, or a CSV file with commas in UTF-8 and one heading line, called after the
        table it holds, such as ``orders.parquet``. The columns that the table knows
        (`crmlab.data.columns`) come in their kinds; the others stay as they are.
    engine : {"polars", "duckdb", "pyspark", "pandas"}
    master : str, optional
        With ``pyspark``: the cluster, such as ``spark://host:7077``, whose machines must see the
        file under the same path; this machine (``local[*]``) unless given. A Spark session that
        is there already is used as it is.

    Returns
    -------
    polars.LazyFrame, duckdb.DuckDBPyRelation, pyspark.sql.DataFrame or pandas.DataFrame

    Raises
    ------
    ValueError
        If there is no such engine, it is not installed or does not start, a master is given to
        another engine than ``pyspark``, or the file is missing or neither Parquet nor CSV. A cell
        that is not of its column's kind is found when the table is read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "orders.csv"
    ...     _ = path.write_text("order_id,customer_id,ordered_on,amount\n007,a,2024-01-05,12.5\n")
    ...     orders = scan_table(path)
    ...     table = collect(read_frame("orders", orders, ["amount"]))
    >>> table["order_id"][0], table["ordered_on"][0], float(table["amount"][0])
    ('007', Timestamp('2024-01-05 00:00:00'), 12.5)
    """
    if engine not in ENGINES:
        raise ValueError(say("engine_unknown", engine=repr(engine), engines=ENGINES))
    if master is not None and engine != "pyspark":
        raise ValueError(say("engine_no_master", master=repr(master), engine=repr(engine)))
    return in_kinds(open_file(path, engine=engine, master=master), path).to_native()


def read_frame(name, table, needed):
    """Return a table of any engine as a narwhals frame that has the columns needed.

    Parameters
    ----------
    name : str
        What a message calls the table.
    table : pandas, Polars (eager or lazy), DuckDB, PyArrow or PySpark table
    needed : sequence of str
        Columns it must have.

    Returns
    -------
    narwhals.DataFrame or narwhals.LazyFrame

    Raises
    ------
    ValueError
        If it is no table, or a column is missing.
    """
    try:
        frame = nw.from_native(table)
    except TypeError as error:
        raise ValueError(say("frame_no_table", name=name, kind=type(table).__name__)) from error
    names = frame.collect_schema().names()
    for column in needed:
        if column not in names:
            expected = {"en": f"{', '.join(needed[:-1])} and {needed[-1]}", "zh": "、".join(needed)}
            told = {"name": name, "column": repr(column), "expected": expected}
            raise ValueError(say("frame_no_column", **told, there=tuple(names)))
    return frame


def materialise(frame):
    """Return a narwhals frame with its rows in memory, run by its engine if it is lazy."""
    if not isinstance(frame, nw.LazyFrame):
        return frame
    is_polars = frame.implementation.is_polars()
    return frame.collect(**({"engine": "streaming"} if is_polars else {}))


def collect(frame):
    """Return a narwhals frame as a pandas table, running what is lazy.

    Days and times come back as pandas' own, in microseconds, without a time zone.
    """
    frame = materialise(frame)
    table = frame.to_pandas().reset_index(drop=True)
    for name, kind in frame.schema.items():
        if kind == nw.Date or kind == nw.Datetime:
            times = pd.to_datetime(table[name])
            table[name] = times.dt.tz_localize(None).astype("datetime64[us]")
    return table


def put_beside(frame, table):
    """Return a small pandas table as a frame of the engine of another, to be joined with it there.

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
    table : pandas.DataFrame

    Returns
    -------
    narwhals.DataFrame or narwhals.LazyFrame
    """
    engine = frame.implementation
    if engine.is_pandas():
        return nw.from_native(table)
    import pyarrow as pa

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    if engine.is_duckdb():
        import duckdb

        return nw.from_native(duckdb.from_arrow(arrow))
    if engine.is_pyspark():
        # By way of plain rows: PySpark's own way from Arrow does not know pandas 3.
        return nw.from_native(start_spark().createDataFrame(arrow))
    if engine.is_polars():
        import polars as pl

        beside = pl.from_arrow(arrow)
        return nw.from_native(beside.lazy() if isinstance(frame, nw.LazyFrame) else beside)
    return nw.from_native(arrow)


def open_file(path, *, engine, master=None, delimiter=",", has_quotes=True):
    """Return a file as a narwhals frame as it stands: all cells of a CSV file are text.

    Parameters
    ----------
    path, engine, master
        As for `scan_table`.
    delimiter : str
        Of a CSV file.
    has_quotes : bool
        Whether a cell of a CSV file may stand between quotation marks, lines and all: Spark cannot
        share such a file among machines.
    """
    path = Path(path).resolve()
    if path.suffix.lower() not in (".parquet", ".csv") or not path.is_file():
        raise ValueError(say("scan_no_file", path=path))
    try:
        return nw.from_native(_OPENERS[engine](path, master, delimiter, has_quotes))
    except ImportError as error:
        told = {"engine": repr(engine), "error": str(error), "extra": _EXTRAS.get(engine, engine)}
        raise ValueError(say("engine_missing", **told)) from error


def _open_pandas(path, master, delimiter, has_quotes):  # noqa: ARG001
    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    options = {"dtype": "str", "keep_default_na": False, "na_values": [""]}
    return pd.read_csv(path, sep=delimiter, **options)


def _open_polars(path, master, delimiter, has_quotes):  # noqa: ARG001
    import polars as pl

    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(path)
    return pl.scan_csv(path, infer_schema=False, separator=delimiter)


def _open_duckdb(path, master, delimiter, has_quotes):  # noqa: ARG001
    import duckdb

    if path.suffix.lower() == ".parquet":
        return duckdb.read_parquet(str(path))
    # Not strict: else a file whose lines end now so, now so, cannot be read. No comments: else a
    # row that begins with # may be taken for one.
    options = {"all_varchar": True, "header": True, "quotechar": '"', "escapechar": '"'}
    options["comment"] = ""
    return duckdb.read_csv(str(path), sep=delimiter, strict_mode=False, **options)


def _open_pyspark(path, master, delimiter, has_quotes):
    session = start_spark(master)
    if path.suffix.lower() == ".parquet":
        return session.read.parquet(path.as_uri())
    options = {"header": True, "inferSchema": False, "quote": '"', "escape": '"'}
    options["multiLine"] = has_quotes
    return session.read.csv(path.as_uri(), sep=delimiter, mode="FAILFAST", **options)


_OPENERS = {
    "pandas": _open_pandas,
    "polars": _open_polars,
    "duckdb": _open_duckdb,
    "pyspark": _open_pyspark,
}


def start_spark(master=None):
    """Return a Spark session whose times know no time zone, as everywhere here.

    Parameters
    ----------
    master : str, optional
        The cluster, such as ``spark://host:7077``; this machine unless given. A session that is
        there already is used as it is.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    ImportError
        If PySpark is not installed.
    ValueError
        If Spark does not start.
    """
    with warnings.catch_warnings():
        # Of pandas 3, which PySpark's own pandas does not know; it is not used here.
        warnings.simplefilter("ignore", FutureWarning)
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.appName("crmlab").master(master or "local[*]")
        settings = {
            "spark.sql.timestampType": "TIMESTAMP_NTZ",
            "spark.sql.session.timeZone": "UTC",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }
        if not master:
            settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        for key, value in settings.items():
            builder = builder.config(key, value)
        try:
            return builder.getOrCreate()
        except Exception as error:
            place = master or {"en": "this machine", "zh": "本机"}
            said = say("spark_not_started", place=place, error=str(error)[:300])
            raise ValueError(said) from error
