"""What is wrong with a table: which rows of which column, what stands there, and the cure.

Who asks: the loader, which refuses a table at its first problem, and ``crmlab data check``, which
tells all of them. The first row below the heading is row 1, and blank lines count: in a file with
one heading line row 9 is line 10.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

__all__ = ["EMPTY", "Problem", "name_rows", "show_value"]

EMPTY = np.array([], dtype=np.int64)
_MOST_SHOWN = 8
_LONGEST_SHOWN = 60


@dataclass(frozen=True, eq=False)
class Problem:
    """One kind of fault in one column, with every row that has it.

    Attributes
    ----------
    table, column : str
        `column` is empty where the fault is the whole table's.
    found : str
        What is there, such as "value 'x' is not allowed".
    expected : str
        What should be; may be empty.
    cure : str
        What to do, as a sentence.
    rows : numpy.ndarray of int
        Positions that count from 0; empty where the fault has no row.
    values : tuple
        What stands in each of these rows; empty where nothing does.
    place : str
        The file, sheet or database table, where it is known.
    """

    table: str
    column: str
    found: str
    expected: str
    cure: str
    rows: np.ndarray = field(default_factory=lambda: EMPTY)
    values: tuple = ()
    place: str = ""

    def at(self, place: str, numbers: np.ndarray | None = None) -> Problem:
        """Return the problem with its file, its rows counted as the file counts them."""
        rows = self.rows if numbers is None or not len(self.rows) else numbers[self.rows]
        return replace(self, place=place, rows=rows)

    def __str__(self) -> str:
        if not self.cure:  # a reader's own words, which say everything
            return self.found
        where = f"{self.table}.{self.column}" if self.column else self.table
        rows = f", {name_rows(self.rows)}" if len(self.rows) else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        place = f"{self.place}: " if self.place else ""
        return f"{place}{where}{rows}: {self.found}{expected}. {self.cure}"


def show_value(value: object) -> str:
    """Return the value as it would be typed, cut short: numpy's scalars without their type's name.

    Examples
    --------
    >>> show_value(np.float64(2.5)), show_value("x" * 100)[-13:]
    ('2.5', "…' (100 long)")
    """
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return f"{value[:_LONGEST_SHOWN] + '…'!r} ({len(value)} long)"
    return repr(value)


def name_rows(positions: np.ndarray) -> str:
    """Return 'row 3' or 'rows 3, 5, ... (12 rows)' for positions that count from 0."""
    shown = ", ".join(str(position + 1) for position in positions[:_MOST_SHOWN])
    if len(positions) > _MOST_SHOWN:
        return f"rows {shown}, ... ({len(positions)} rows)"
    return f"row{'s' if len(positions) > 1 else ''} {shown}"
