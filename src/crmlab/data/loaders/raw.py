"""What a reader hands on: the cells of a table as its file holds them, and what happened to them.

Who asks: every reader of `crmlab.data.loaders`, and the translation into our columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crmlab.data.problems import Problem
from crmlab.data.wording import Counted, Message, counted, say

__all__ = ["Raw", "arrow_to_frame", "drop_empty"]


@dataclass(eq=False)
class Raw:
    """A table as it was read.

    Attributes
    ----------
    table : str
        The table of ours that it is to become.
    place : str
        File, sheet or database table, as messages name it.
    frame : pandas.DataFrame
        Under their headings.
    numbers : numpy.ndarray or None
        The position in the file of each row of `frame`; None where they are the same.
    problems : list of Problem
    repairs, left_out : list of (table, text, text_zh, n)
    """

    table: str
    place: str
    frame: pd.DataFrame
    numbers: np.ndarray | None = None
    problems: list[Problem] = field(default_factory=list)
    repairs: Counted = field(default_factory=list)
    left_out: Counted = field(default_factory=list)

    def repaired(self, said: Message, n: int) -> None:
        """Count a repair, if there was any."""
        if n:
            self.repairs.append(counted(self.table, said, n))

    def leave_out(self, said: Message, n: int) -> None:
        """Count what is left out, if there was any."""
        if n:
            self.left_out.append(counted(self.table, said, n))


def drop_empty(raw: Raw) -> None:
    """Take out rows in which no cell holds anything, and columns without heading or value."""
    frame = raw.frame
    nameless = [i for i, name in enumerate(frame.columns) if not str(name).strip()]
    for i in nameless:
        filled = np.flatnonzero(frame.iloc[:, i].notna().to_numpy())
        if len(filled):
            found, cure = say("no_heading", n=i + 1), say("give_heading")
            raw.problems.append(Problem(raw.table, "", found, "", cure, filled).at(raw.place))
    if nameless:
        frame = frame.iloc[:, [i for i in range(frame.shape[1]) if i not in nameless]]
    if frame.shape[1] and len(frame) and frame.iloc[:, 0].isna().any():
        empty = frame.isna().all(axis=1).to_numpy()
        n = int(empty.sum())
        if n:
            raw.leave_out(say("empty_rows"), n)
            numbers = np.arange(len(frame)) if raw.numbers is None else raw.numbers
            raw.numbers = numbers[~empty]
            frame = frame[~empty].reset_index(drop=True)
    raw.frame = frame


def arrow_to_frame(table) -> pd.DataFrame:
    """Return an Arrow table as pandas: decimals as floats, a list's words as text, days as days."""
    import pyarrow as pa

    fields = []
    for column in table.schema:
        kind = column.type
        if pa.types.is_decimal(kind):
            kind = pa.float64()
        elif pa.types.is_dictionary(kind):
            kind = pa.string()
        fields.append(pa.field(column.name, kind))
    return table.cast(pa.schema(fields)).to_pandas(date_as_object=False)
