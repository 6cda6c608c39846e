"""What is wrong with a table: which rows of which column, what stands there, and the cure.

Who asks: the loader, which refuses a table at its first problem, and ``crmlab data check``, which
tells all of them, in either language. The first row below the heading is row 1, and blank lines
count: in a file with one heading line row 9 is line 10.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from crmlab.atlas.sentences import Message, say, text_in

__all__ = ["EMPTY", "Problem", "name_rows", "say_range", "show_value"]

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
    found : Message
        What is there, such as "value 'x' is not allowed".
    expected : Message or str
        What should be; may be empty.
    cure : Message or str
        What to do, as a sentence; empty where `found` says everything.
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

    @property
    def where(self) -> str:
        """The table and the column."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def message(self) -> str:
        """The problem as one sentence."""
        if not self.cure:
            return self.found
        where = self.where
        if len(self.rows):
            where = say("problem_rows", where=where, rows=name_rows(self.rows))
        said = say("problem", where=where, found=self.finding, cure=self.cure)
        return say("placed", place=self.place, said=said) if self.place else said

    @property
    def finding(self) -> str:
        """What is there and what should be."""
        if not self.expected:
            return self.found
        return say("problem_expected", found=self.found, expected=self.expected)

    def text(self, language: str) -> str:
        """Return the problem as one sentence of a language."""
        return text_in(self.message, language)

    def __str__(self) -> str:
        return str(self.message)


def show_value(value: object) -> str:
    """Return the value as it would be typed, cut short: numpy's scalars without their type's name.

    Examples
    --------
    >>> show_value(np.float64(2.5)), show_value("x" * 100)[-13:]
    ('2.5', "…' (100 long)")
    """
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return say("long_value", start=repr(value[:_LONGEST_SHOWN] + "…"), n=len(value))
    return repr(value)


def name_rows(positions: np.ndarray) -> Message:
    """Return 'row 3' or 'rows 3, 5, ... (12 rows)' for positions that count from 0."""
    shown = tuple(str(position + 1) for position in positions[:_MOST_SHOWN])
    if len(positions) > _MOST_SHOWN:
        return say("rows_many", shown=shown, n=len(positions))
    return say("rows_some", shown=shown) if len(positions) > 1 else say("row_one", n=shown[0])


def say_range(text: str) -> str:
    """Return a column's range as a message says it, see `crmlab.data.columns.Column`.

    Examples
    --------
    >>> str(say_range("not 0")), text_in(say_range("not 0"), "zh"), say_range("1..5")
    ('not 0', '不等于 0 的值', '1..5')
    """
    return say("range_not", bound=text.removeprefix("not ")) if text.startswith("not ") else text
