"""Adapters: one module turns the files of one source into the tables of a data set.

A module here has one function, ``read``. It takes the paths of the files by name and returns the
tables and what was left out. No row is dropped silently: what is not used is counted, with the
reason in English and Chinese. A user's own files are read by `crmlab.data.loaders`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["count_left_out"]


def count_left_out(rows: Iterable[tuple[str, str, str, int]]) -> pd.DataFrame:
    """Return the table of what was not used and why.

    Parameters
    ----------
    rows : iterable of (table, reason, reason_zh, n_rows)
        Rows with `n_rows` 0 are not kept.

    Returns
    -------
    pandas.DataFrame
        `table`, `reason` (English), `reason_zh` (Chinese) and `n_rows` (int64): rows of the
        source, or whatever the reason says is counted.

    Examples
    --------
    >>> count_left_out([("orders", "free orders", "免费订单", 8), ("orders", "void", "作废", 0)])
        table       reason reason_zh  n_rows
    0  orders  free orders      免费订单       8
    """
    import pandas as pd

    kept = [row for row in rows if row[3] != 0]
    kinds = {"table": "str", "reason": "str", "reason_zh": "str", "n_rows": "int64"}
    # Each made of its kind: a frame brought to its kinds afterwards takes four times as long.
    columns = enumerate(kinds.items())
    return pd.DataFrame(
        {name: pd.array([row[i] for row in kept], kind) for i, (name, kind) in columns}
    )
