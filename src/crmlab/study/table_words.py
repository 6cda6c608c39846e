"""Words of tables: what the heads, cells and labels of a shown table are called in a language.

Who asks: `crmlab.study.shown_tables`, cell by cell. Terms come from the atlas, numbers and days
from `crmlab.study.wording`.
"""

import math
from datetime import date, datetime
from numbers import Number

import numpy as np
import pandas as pd

from crmlab.atlas import load_terms
from crmlab.atlas.heads import head, name_unit
from crmlab.study.wording import (
    count_decimals,
    name_term,
    say_digits,
    say_short_day,
)

__all__ = ["TableWords", "is_missing", "is_number", "is_pair", "say_column"]

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
# From a million on, where room is short and nothing smaller stands beside: 1.23M, 123万.
SCALES = {"en": ((1e9, "bn"), (1e6, "M")), "zh": ((1e8, "亿"), (1e4, "万"))}
NAMES = ("_id", "_year")  # numbers that are names: 1985, not 1,985


def say_column(values, unit, *, language, is_difference=False, is_narrow=False, beside=()):
    r"""Return numbers that stand under one head, in decimals enough to compare them by.

    Parameters
    ----------
    values : sequence of float
        NaN is said as a dash.
    unit : str
        Key of the unit that stands in the head; "share" alone is said beside each number.
    language : {"en", "zh"}
    is_difference : bool
        Whether each number bears its sign; differences of shares are in percentage points.
    is_narrow : bool
        Whether room is short: numbers from a million on are then said in three digits unless
        some are below and all below ten million, and money from 1,000 on without decimals.
    beside : sequence of float
        Other numbers in the same unit, which are to have the same decimals.

    Returns
    -------
    list of str
        As many decimals for all: shares to 0.1 per cent (0.01 when all are below 1 per cent, none
        when all are whole or one is very large), money to two decimals (none from 10,000), whole
        numbers whole, others to three digits of the largest.

    Examples
    --------
    >>> say_column([0.5, 0.25, 1], "share", language="en")
    ['50%', '25%', '100%']
    >>> say_column([0.04, 12.5, float("nan")], "days", language="en")
    ['0.04', '12.50', '–']
    >>> say_column([1234567.0], "currency", language="zh", is_narrow=True)
    ['123万']
    """
    scale, mark = (100, "%") if unit == "share" else (1, "")
    if mark and is_difference:
        mark = NO_BREAK + name_term("percentage_points", language)
    values = [scale * value for value in values]
    sizes = [abs(value) for value in (*values, *(scale * other for other in beside))]
    decimals = _decimals_of_all([size for size in sizes if math.isfinite(size)], unit, is_narrow)
    if is_difference and unit == "share":
        decimals = max(1, decimals)
    # 1.23M beside 945,678 would leave the reader to compare two ways of writing.
    is_mixed = any(0 < size < 1e6 for size in sizes)
    is_narrow = is_narrow and not (is_mixed and max(sizes) < 1e7)
    said = []
    for value in values:
        if is_narrow and 1e6 <= abs(value) < math.inf:
            text = _short(value, language)
        else:
            text = _digits_in_column(value, decimals)
        sign = "+" if is_difference and value > 0 and not text.startswith("<") else ""
        said.append(text if math.isnan(value) else f"{sign}{text}{mark}")
    return said


class TableWords:
    """What heads, cells and labels are called in one language.

    Parameters
    ----------
    language : {"en", "zh"}
    currency : str or None
        ISO 4217 code of the study's money.
    unit : str or None
        Key of the unit of every number of the table, where it is not that of the terms.

    Attributes
    ----------
    is_narrow : bool
        Whether room is short; False unless set.
    """

    def __init__(self, language, currency, unit):
        self.language, self.currency, self.unit = language, currency, unit
        self.is_narrow = False

    def term(self, key):
        """Return the term of a key; None without one, and for a unit, which is no head."""
        found = load_terms().get(key) if isinstance(key, str) else None
        return None if found is None or found.kind == "unit" else found

    def unit_of(self, key):
        """Return the key of the unit in which a column's or a row's numbers are."""
        found = self.term(key)
        return self.unit or (found.unit if found else "")

    def head(self, key):
        """Return the term of a column, or of a row of numbers, with its unit where that tells."""
        found = self.term(key)
        if found is None:
            return self.cell(key, "")
        if self.unit:
            return found.text(self.language)
        return head(found, self.language, self.currency)

    def label(self, value, key, unit=""):
        """Return what an index says of a row, with the unit in which the row's numbers are."""
        if is_number(value):
            return f"{value:g}"
        return self.head(value) if unit and self.term(value) else self.cell(value, key)

    def cell(self, value, key, unit=""):
        """Return a cell of a column that holds more than numbers."""
        if isinstance(value, str):
            return self.word(value, key)
        if isinstance(value, list):  # of names in code
            return ", ".join(map(str, value))
        if is_pair(value):
            return self.intervals([value], unit)[0]
        if is_missing(value):
            return "–"
        if isinstance(value, bool | np.bool_):
            return self.word("yes" if value else "no", "")
        if isinstance(value, datetime) and (value.hour or value.minute):
            return f"{say_short_day(value, self.language)} {value:%H:%M}"
        if isinstance(value, date):
            return say_short_day(value, self.language)
        if is_number(value):
            return f"{value:.0f}" if _is_name(key) else self.numbers([value], unit)[0]
        return str(value)

    def word(self, text, key):
        """Return the name of a level where it has one; `orders` under `table`: `table_orders`."""
        if _is_name(key):
            return text
        if key == "unit":
            return name_unit(text, self.language, self.currency)
        plain = text.replace(" ", "_").replace("-", "_")
        found = self.term(f"{key}_{plain}") or self.term(plain)
        return found.text(self.language) if found else text

    def numbers(self, values, unit, *, is_difference=False, beside=()):
        """Return the texts of numbers in one unit."""
        return say_column(
            [math.nan if is_missing(value) else value for value in values],
            unit,
            language=self.language,
            is_difference=is_difference,
            is_narrow=self.is_narrow,
            beside=[value for value in beside if not is_missing(value)],
        )

    def intervals(self, pairs, unit, *, is_difference=False):
        """Return the texts of intervals in one unit; percentage points are said once, behind."""
        known = [end for pair in pairs if is_pair(pair) for end in pair]
        said = self.numbers(known, unit, is_difference=is_difference)
        mark = NO_BREAK + name_term("percentage_points", self.language)
        after = mark if any(text.endswith(mark) for text in said) else ""
        ends = iter([text.removesuffix(mark) for text in said])
        return [f"[{next(ends)}, {next(ends)}]{after}" if is_pair(pair) else "–" for pair in pairs]


def is_missing(value):
    """Return whether a cell holds nothing."""
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def is_number(value, key=""):
    """Return whether a cell holds a quantity; a year or an identifier under `key` is a name."""
    return isinstance(value, Number) and not isinstance(value, bool) and not _is_name(key)


def is_pair(value):
    """Return whether a cell holds an interval."""
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))


def _is_name(key):
    return str(key).endswith(NAMES)


def _decimals_of_all(sizes, unit, is_narrow):
    """Return how many decimals a column takes; None where a power says its numbers better."""
    largest = max(sizes, default=0)
    if all(math.isclose(size, round(size)) for size in sizes):
        return 0
    if unit == "share":
        return 0 if largest >= 1000 else 1 if largest >= 1 else 2
    if unit and unit.startswith("currency"):
        return 0 if largest >= (1000 if is_narrow else 10_000) else 2
    return count_decimals(largest)


def _digits_in_column(value, decimals):
    """Return a number in a column's decimals; one that they would make 0 is said to be smaller."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    if decimals is not None and 0 < abs(value) < 10**-decimals / 2:
        least = say_digits(10**-decimals, decimals)
        return f"<{least}" if value > 0 else f">{MINUS}{least}"
    return say_digits(value, decimals)


def _short(value, language):
    """Return a large number in three digits and a word for its size."""
    scale, word = next(pair for pair in SCALES[language] if abs(value) >= pair[0])
    size = value / scale
    decimals = 0 if abs(size) >= 100 else 1 if abs(size) >= 10 else 2
    return say_digits(size, decimals) + word
