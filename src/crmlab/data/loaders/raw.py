"""What a reader hands on: the cells of a table as its file holds them, and what happened to them.

Who asks: every reader of `crmlab.data.loaders`, and the translation into our columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Counted, Message, counted, say
from crmlab.data.columns import TABLES
from crmlab.data.mapping import TableMapping
from crmlab.data.problems import Problem

__all__ = ["Raw", "arrow_to_frame", "drop_empty", "drop_totals", "refuse_values_as_headings"]

_TOTALS = (
    "total",
    "totals",
    "grandtotal",
    "sum",
    "summe",
    "gesamt",
    "合计",
    "总计",
    "小计",
    "汇总",
)
_NUMBER = re.compile(r"[^\w]{0,2}\d[\d.,'’ \u00a0\u202f]*(?:[^\w]{0,2}|元)")
_DAY = re.compile(r"(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}")


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


def drop_totals(raw: Raw) -> None:
    """Take out the rows of totals at the end: a word for a sum, sums, and nothing else."""
    frame = raw.frame
    n = len(frame)
    while n and frame.shape[1] and _is_total(frame.iloc[n - 1]):
        n -= 1
    if n < len(frame):
        raw.leave_out(say("totals"), len(frame) - n)
        raw.numbers = raw.numbers if raw.numbers is None else raw.numbers[:n]
        raw.frame = frame.iloc[:n]


def _is_total(row: pd.Series) -> bool:
    filled = [str(cell).strip() for cell in row[row.notna()] if str(cell).strip()]
    words = [cell for cell in filled if not _NUMBER.fullmatch(cell)]
    is_total = len(words) == 1 and words[0].rstrip(":：").replace(" ", "").lower() in _TOTALS
    return is_total and 1 < len(filled) < len(row)


def refuse_values_as_headings(
    place: str | Path, table: str, heading: list[str], said: TableMapping
) -> None:
    """Refuse a first line that holds values: a day or two numbers, and none of our names."""
    if said.columns or table in ("", "survey", "truth"):
        return
    known = {column.name for column in TABLES[table].columns}
    if known & {str(cell).strip().lower() for cell in heading}:
        return
    days = [cell for cell in heading if _DAY.match(cell)]
    numbers = [cell for cell in heading if _NUMBER.fullmatch(cell)]
    if days or len(numbers) > 1:
        names = tuple(column.name for column in TABLES[table].columns if column.is_required)
        value = repr((days or numbers)[0])
        raise ValueError(say("no_names", place=place, value=value, columns=names))


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
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            table = _read_bytes(table, column.name)
            kind = pa.string()
        fields.append(pa.field(column.name, kind))
    return table.cast(pa.schema(fields)).to_pandas(date_as_object=False)


def _read_bytes(table, name):
    """Return an Arrow table with a column of bytes as text, or as hexadecimals where it is none."""
    import pyarrow as pa

    cells = table.column(name).to_pylist()
    try:
        texts = [None if cell is None else cell.decode() for cell in cells]
    except UnicodeDecodeError:
        texts = [None if cell is None else cell.hex() for cell in cells]
    place = table.schema.get_field_index(name)
    return table.set_column(place, name, pa.array(texts, pa.string()))
