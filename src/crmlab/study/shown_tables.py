"""Tables as they are shown: a frame of keys and bare numbers, said in the reader's language.

Who asks: a notebook, for every table it shows. Heads become the atlas's terms with their units;
numbers, shares, money, days and flags are said by the language's convention; segments, levels and
tables get their names. The frame itself is not touched, and each head keeps the column's own name
as its tooltip, for those who go on in code.
"""

import math
import re
from dataclasses import dataclass
from html import escape
from itertools import groupby
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from crmlab.study.table_words import TableWords, is_missing, is_number, is_pair
from crmlab.study.wording import is_p_value, load_words, say_p_value

__all__ = ["ShownTable", "show"]

MOST_ROWS = 50
MANY_NUMBERS = 6  # with more numbers in a row, room is short
LONG = 30  # characters; a column whose cells are longer on average needs width to be read
NUMBER = re.compile(r"[<>]?[−+-]?\d[\d,]*(\.\d+)?%?")
MONTH = re.compile(r"\d{4}-\d\d")  # would else be broken at its hyphen where a column is narrow
WHOLE = ' class="whole" style="white-space: nowrap"'
CODE = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")  # names in code, which may break at a _


def show(study, frame, *, unit=None, differences=()):
    """Show a table in the study's language.

    Parameters
    ----------
    study : crmlab.study.OpenStudy
        Its language and its currency are taken.
    frame : pandas.DataFrame or pandas.Series
        Columns bear keys of the terms table. A number is in the unit of its column, or, where the
        column's term has none ("mean", "this_quarter"), of its row. Where `frame.columns` has a
        name, the heads without a term are values of that name, such as quarters. An index of row
        numbers is left out unless it has a name. A cell of two numbers is an interval.
    unit : str or None
        Key of the unit of every number, where the terms would give another one: "1" for the
        correlations between columns that have units.
    differences : collection of str
        Columns whose numbers and intervals bear their sign; differences of shares are in
        percentage points.

    Returns
    -------
    ShownTable
        Jupyter shows it where a cell ends in it.

    Raises
    ------
    ValueError
        If the columns have several levels.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> study = SimpleNamespace(language="en", dataset=SimpleNamespace(currency="EUR"))
    >>> frame = pd.DataFrame({"rfm_segment": ["lost"], "n_orders": [1200], "value_share": [0.253]})
    >>> show(study, frame)
    RFM segment Orders Share of value
           Lost  1,200          25.3%
    """
    if frame.ndim == 1:
        frame = frame.to_frame("" if frame.name is None else frame.name)
    if frame.columns.nlevels > 1:
        raise ValueError("a shown table has one row of heads: give each column a single name")
    words = TableWords(study.language, study.dataset.currency, unit)
    note = ""
    if len(frame) > MOST_ROWS:
        cut = load_words(study.language)["rows_shown"]
        note = cut.format(n=MOST_ROWS, all=f"{len(frame):,}")
    return _say_table(words, frame.head(MOST_ROWS), set(differences), note)


@dataclass(frozen=True)
class ShownTable:
    """A table in one language: HTML for a page, text for a terminal.

    Attributes
    ----------
    keys, heads : tuple of str
        Name in code and text of each column, those of the index first.
    rows : tuple of tuple of str
        Texts of the cells.
    n_labels : int
        How many columns on the left tell what the row is.
    is_word : tuple of bool
        Columns of words, set to the left; numbers stand to the right.
    has_term : tuple of bool
        Whether the terms table has a word for the head; without one, its name in code stands.
    note : str
        How many rows there are, where not all are shown.
    is_narrow : bool
        Whether room is short.
    """

    keys: tuple
    heads: tuple
    rows: tuple
    n_labels: int
    is_word: tuple
    has_term: tuple
    note: str = ""
    is_narrow: bool = False

    def __repr__(self):
        frame = pd.DataFrame(list(self.rows), columns=list(self.heads))
        text = frame.to_string(index=False, header=any(self.heads))
        return f"{text}\n{self.note}" if self.note else text

    def _repr_html_(self):
        kind = "dataframe shown narrow" if self.is_narrow else "dataframe shown"
        head = f"<thead><tr>{self._head_cells()}</tr></thead>\n" if any(self.heads) else ""
        body = "".join(f"<tr>{cells}</tr>\n" for cells in self._body_cells())
        foot = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f'<table class="{kind}">\n{head}<tbody>\n{body}</tbody>\n</table>{foot}'

    def _head_cells(self):
        cells = []
        for key, head, side, has_term in zip(
            self.keys, self.heads, self._sides(), self.has_term, strict=True
        ):
            title = f' title="{escape(str(key))}"' if has_term else ""
            text = escape(head) if has_term else f"<code>{escape(head)}</code>"
            side = side or (WHOLE if MONTH.fullmatch(head) else "")
            cells.append(f'<th scope="col"{title}{side}>{text}</th>' if head else "<td></td>")
        return "".join(cells)

    def _sides(self):
        """Return how each column is set; Jupyter reads the style, the report the class."""
        sides = []
        for place, is_word in enumerate(self.is_word):
            is_long = sum(_width(row[place]) for row in self.rows) > LONG * len(self.rows)
            kind = "word long" if is_long and not self.is_narrow else "word"
            sides.append(f' class="{kind}" style="text-align: left"' if is_word else "")
        return sides

    def _body_cells(self):
        """Return the cells of each row; a label that goes on is written once, over its rows."""
        n_outer = max(0, self.n_labels - 1)
        spans, start = {}, 0  # of the outer labels, by the row they begin in
        for _, members in groupby(row[:n_outer] for row in self.rows):
            spans[start] = len(list(members))
            start += spans[start]
        sides = self._sides()
        for i, row in enumerate(self.rows):
            cells = []
            for place, (text, side) in enumerate(zip(row, sides, strict=True)):
                said = CODE.sub(_as_code, escape(text))
                if place >= self.n_labels:
                    cells.append(f"<td{side}>{said}</td>")
                elif place == n_outer:
                    cells.append(f'<th scope="row"{side}>{said}</th>')
                elif i in spans:
                    cells.append(f'<th scope="rowgroup" rowspan="{spans[i]}"{side}>{said}</th>')
            yield "".join(cells)


def _as_code(name):
    return f"<code>{name[0].replace('_', '_<wbr>')}</code>"


def _width(text):
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


@dataclass(frozen=True)
class _Column:
    key: object
    cells: list

    @property
    def kind(self):
        known = [value for value in self.cells if not is_missing(value)]
        if any(isinstance(value, str | list | bool | np.bool_) for value in known):
            return "words"
        if known and all(map(is_pair, known)):
            return "pairs"
        is_numbers = known and all(is_number(value, self.key) for value in known)
        return "numbers" if is_numbers else "mixed"


def _say_table(words, frame, differences, note):
    index = _list_index(frame)
    columns = [_Column(key, list(frame.iloc[:, i])) for i, key in enumerate(frame.columns)]
    numbers = [column for column in columns if column.kind == "numbers"]
    n_ends = {"numbers": 1, "mixed": 1, "pairs": 2, "words": 0}
    words.is_narrow = sum(n_ends[column.kind] for column in columns) > MANY_NUMBERS
    units = _units_of_rows(words, index, columns) or [""] * len(frame)
    # What is in one unit has one number of decimals: a row, or the whole table.
    if words.unit:
        beside = [[value for column in numbers for value in column.cells]] * len(frame)
    else:
        open_ = [column.cells for column in numbers if not words.unit_of(column.key)]
        beside = list(zip(*open_, strict=True)) or [()] * len(frame)
    labels = [
        [
            words.label(value, level.key, unit)
            for value, unit in zip(level.cells, units, strict=True)
        ]
        for level in index
    ]
    body = [_say_column(words, column, units, beside, differences) for column in columns]
    # Heads are keys, or, where the row of heads has a name, values of that name.
    name = frame.columns.name
    heads = ["" if level.key is None else words.head(level.key) for level in index]
    for column in columns:
        heads.append(words.head(column.key) if name is None else words.label(column.key, name))
    has_term = [words.term(column.key) is not None for column in [*index, *columns]]
    if name is not None:
        has_term[len(index) :] = [True] * len(columns)
    return ShownTable(
        keys=tuple(column.key for column in [*index, *columns]),
        heads=tuple(heads),
        rows=tuple(zip(*labels, *body, strict=True)),
        n_labels=len(index),
        is_word=(*[True] * len(index), *map(_is_of_words, columns, body)),
        has_term=tuple(has_term),
        note=note,
        is_narrow=words.is_narrow,
    )


def _is_of_words(column, texts):
    """Return whether a column is one of words; numbers that came as texts are none."""
    said = [text for text in texts if text != "–"]
    return column.kind == "words" and not (said and all(map(NUMBER.fullmatch, said)))


def _say_column(words, column, units, beside, differences):
    """Return the texts of a column, in its own unit or, without one, in the unit of each row."""
    unit, is_difference = words.unit_of(column.key), column.key in differences
    if column.kind == "pairs":
        return words.intervals(column.cells, unit, is_difference=is_difference)
    if column.kind != "numbers":
        rows = zip(column.cells, units, strict=True)
        return [words.cell(value, column.key, unit or own) for value, own in rows]
    if is_p_value(column.key):
        return [say_p_value(math.nan if is_missing(p) else p) for p in column.cells]
    if unit or not any(units):
        others = beside[0] if words.unit else ()
        return words.numbers(column.cells, unit, is_difference=is_difference, beside=others)
    return [
        words.numbers([value], own, is_difference=is_difference, beside=others)[0]
        for value, own, others in zip(column.cells, units, beside, strict=True)
    ]


def _units_of_rows(words, index, columns):
    """Return the unit of each row, if there is a column that has none of its own to say."""
    is_open = any(column.kind != "words" and not words.unit_of(column.key) for column in columns)
    return [words.unit_of(value) for value in index[-1].cells] if is_open and index else None


def _list_index(frame):
    """Return the levels of the index that say something: row numbers without a name do not."""
    index = frame.index
    if index.nlevels == 1 and index.name is None and pd.api.types.is_integer_dtype(index.dtype):
        return []
    return [_Column(name, list(index.get_level_values(i))) for i, name in enumerate(index.names)]
