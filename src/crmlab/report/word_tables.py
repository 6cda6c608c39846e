"""Tables for Word: a size of type and a width for each column.

A browser tries how a table looks best; Word keeps to what it is told. So each table is given the
largest type at which its cells, broken into few lines, stand beside each other.
"""

import math
import re
import unicodedata
from dataclasses import dataclass

from crmlab.report.markdown import plain_text

__all__ = ["choose_layout"]

HEAD = re.compile(r"<thead\b.*?</thead>", re.DOTALL)
ROW = re.compile(r"<tr\b[^>]*>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", re.DOTALL)
WORD = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef-]+-?")

# Characters of the middling kind that a line of the text's width holds, by size of type, and how
# many of them the gap between two columns takes.
CAPACITY, GAP = (90, 101, 112, 124), (2.2, 2.2, 2.1, 2.0)
BOLD = 1.1  # width of a head's letters, to that of a cell's
FORMULA = 1.5  # width of a formula's signs, to that of a cell's
WIDE = "%mwMW@"  # half as wide again as other letters
RAGGED = 1.15  # what lines that end at words leave empty
LEAST, LEAST_HEAD = 11, 6  # characters: text in a narrower column reads badly
WHOLE = 18  # characters: a number, a day or an interval of no more is not broken
USUAL = 0.9  # of a column's cells are no longer than its usual one
MOST_LINES = 12
SMALLER = 1.0  # lines: what one size less of type is worth


def choose_layout(table):
    """Return the size of type of a table, 0 (ordinary) to 3, and each column's share of the width.

    Parameters
    ----------
    table : str
        HTML of one table.

    Returns
    -------
    int, list of float
        The shares are of the text's width, in per cent; a table that needs less than the whole
        is given less.

    Examples
    --------
    >>> choose_layout("<table><tr><td>word</td><td>1,234.5</td></tr></table>")
    (0, [7.4, 10.2])
    >>> long = "many words " * 30
    >>> choose_layout(f"<table><tr><td>one</td><td>{long}</td></tr></table>")
    (0, [5.8, 94.2])
    """
    columns = _measure(table)
    choices = [
        (lines + SMALLER * size, size, lines)
        for size in range(len(CAPACITY))
        for lines in range(1, MOST_LINES + 1)
        if sum(_need(columns, lines)) + GAP[size] * len(columns) <= CAPACITY[size]
    ]
    _, size, lines = min(choices, default=(0, len(CAPACITY) - 1, MOST_LINES))
    widths = _need(columns, lines)
    room = CAPACITY[size] - GAP[size] * len(columns)
    # What is left over goes first where most cells are broken, then where the longest is.
    for wanted in (
        [max(column.usual, BOLD * column.head / 2) for column in columns],
        [max(column.longest, BOLD * column.head) for column in columns],
    ):
        widths = _share(widths, wanted, room)
    given = [width + GAP[size] for width in widths]
    whole = max(CAPACITY[size], sum(given))
    return size, [round(100 * width / whole, 1) for width in given]


def _share(widths, wanted, room):
    """Return widths grown towards what is wanted, as far as there is room."""
    lacking = [max(want - width, 0) for want, width in zip(wanted, widths, strict=True)]
    left = max(room - sum(widths), 0)
    part = min(1, left / sum(lacking)) if any(lacking) else 0
    return [width + part * lack for width, lack in zip(widths, lacking, strict=True)]


def _need(columns, lines):
    """Return the width each column needs where no cell takes more lines than so many."""
    return [
        max(
            column.least,
            _broken(column.longest, lines),
            BOLD * _broken(column.head, min(max(lines, 2), 5)),
        )
        for column in columns
    ]


def _broken(width, lines):
    return width if lines == 1 else math.ceil(RAGGED * width / lines)


@dataclass
class Column:
    """What a column holds: the widths of its cells, of its head, and the least it can do with."""

    cells: list
    head: float = 1
    least: float = 1

    @property
    def longest(self):
        return max(self.cells, default=1)

    @property
    def usual(self):
        return sorted(self.cells)[int(USUAL * (len(self.cells) - 1))] if self.cells else 1


def _measure(table):
    found = HEAD.search(table)
    head = found[0] if found else ""
    columns = {}
    for html, is_head in ((head, True), (table.replace(head, "", 1), False)):
        for row in ROW.findall(html):
            # From the right: an index of several levels leaves out, on the left, what it has said.
            place = 0
            for attributes, content in reversed(CELL.findall(row)):
                span = re.search(r'colspan="(\d+)"', attributes)
                if not span or span[1] == "1":
                    column = columns.setdefault(place, Column([]))
                    text = plain_text(content)
                    scale = FORMULA if "<math" in content else BOLD if is_head else 1
                    column.least = max(
                        column.least, scale * _unbroken(text, LEAST_HEAD if is_head else LEAST)
                    )
                    if is_head:
                        column.head = max(column.head, _width(text))
                    else:
                        column.cells.append(scale * _width(text))
                place += int(span[1]) if span else 1
    return [columns.get(i, Column([])) for i in reversed(range(max(columns, default=-1) + 1))]


def _unbroken(text, least):
    """Return the width below which a cell is not to be broken."""
    wanted = _width(text)
    if wanted <= WHOLE and re.search(r"\d", text):
        return wanted
    return min(wanted, max([least, *map(_width, WORD.findall(text))]))


def _width(text):
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 1.5 if c in WIDE else 1 for c in text
    )
