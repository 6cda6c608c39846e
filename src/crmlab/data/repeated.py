"""Whether an identifier occurs twice in a table that is too large to load.

Who asks: the check of a scanned table. Each row's key becomes a hash of 8 bytes; hashes are sorted,
and two equal ones stand side by side. A table of more rows than fit is asked several times, each
time for another part of the hashes, so that memory has a bound whatever the table's size. Equal
hashes of different keys happen; so rows with equal hashes are looked up before anything is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from crmlab.data.layout import ROW

__all__ = ["Repeated", "find_repeated"]

#: Hashes held at a time: half a gigabyte, and as much again to sort them.
_AT_A_TIME = 2**26
_MOST_LOOKED_UP = 10_000


@dataclass(frozen=True)
class Repeated:
    """Keys that are there twice: the first row that repeats one, the key, how many rows do."""

    row: int
    value: str
    n_rows: int


def find_repeated(frame, key, numbered):
    """Return the first row that repeats the key of an earlier one; None where none does.

    Parameters
    ----------
    frame : polars.LazyFrame
    key : list of str
        The columns that make a row unique; rows in which one is missing are not looked at.
    numbered : callable
        Returns the table again, with its rows numbered.

    Returns
    -------
    Repeated or None

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.LazyFrame({"order_id": ["a", "b", "a", None, None]})
    >>> find_repeated(table, ["order_id"], lambda: table.with_row_index("crmlab_row"))
    Repeated(row=2, value='a', n_rows=1)
    """
    import polars as pl

    filled = frame.drop_nulls(key).select(_hash(key).alias("hash"))
    n_rows = filled.select(pl.len()).collect(engine="streaming").item()
    n_parts = max(1, math.ceil(n_rows / _AT_A_TIME))
    n_repeated, alike = 0, []
    for part in range(n_parts):
        wanted = filled if n_parts == 1 else filled.filter(pl.col("hash") % n_parts == part)
        hashes = wanted.collect(engine="streaming")["hash"].to_numpy(writable=True)
        hashes.sort()
        again = hashes[1:][hashes[1:] == hashes[:-1]]
        n_repeated += len(again)
        alike.append(np.unique(again)[:_MOST_LOOKED_UP])
    if not n_repeated:
        return None
    return _look_up(numbered(), key, np.concatenate(alike), n_repeated)


def _look_up(table, key, hashes, n_repeated):
    """Return the first repeated row among those with equal hashes, or None if no key is equal."""
    import polars as pl

    suspects = (
        table.drop_nulls(key)
        .filter(_hash(key).is_in(pl.Series(hashes).implode()))
        .select(ROW, *key)
        .collect(engine="streaming")
        .sort(ROW)
    )
    repeated = suspects.filter(~pl.struct(key).is_first_distinct())
    if repeated.is_empty():
        return None
    row, *values = repeated.row(0)
    n_rows = max(repeated.height, n_repeated if len(hashes) >= _MOST_LOOKED_UP else 0)
    return Repeated(int(row), ", ".join(map(str, values)), n_rows)


def _hash(key):
    import polars as pl

    return pl.struct(key).hash()
