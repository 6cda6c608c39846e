"""Engines: the large tables opened where they lie, and read by whichever program is asked to.

Who asks: whoever has more orders than fit in memory comfortably, or a cluster that has them.
"""

from __future__ import annotations

import narwhals as nw
import pandas as pd

__all__ = ["collect", "read_frame"]


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
        raise ValueError(
            f"{name}: expected a table (pandas, Polars, DuckDB, PyArrow or PySpark), got "
            f"{type(table).__name__}"
        ) from error
    names = frame.collect_schema().names()
    for column in needed:
        if column not in names:
            expected = f"{', '.join(needed[:-1])} and {needed[-1]}"
            raise ValueError(
                f"{name}: column {column!r} is missing; expected {expected}, got {', '.join(names)}"
            )
    return frame


def collect(frame):
    """Return a narwhals frame as a pandas table, running what is lazy.

    Days and times come back as pandas' own, in microseconds, without a time zone.
    """
    if isinstance(frame, nw.LazyFrame):
        is_polars = frame.implementation.is_polars()
        frame = frame.collect(**({"engine": "streaming"} if is_polars else {}))
    table = frame.to_pandas().reset_index(drop=True)
    for name, kind in frame.schema.items():
        if kind == nw.Date or kind == nw.Datetime:
            times = pd.to_datetime(table[name])
            table[name] = times.dt.tz_localize(None).astype("datetime64[us]")
    return table
