"""Bring the values of a column to its kind, where nothing is lost by it.

Who asks: the check of a table, whose values come from files that know no kinds. A value that
cannot be brought to the kind is a problem, told with its row, the first of which is row 1. What is
changed on the way although it can be seen (blanks around a value, ``12.0`` for identifier 12) is
counted as a repair.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Counted, counted, say
from crmlab.data.columns import Column
from crmlab.data.problems import Problem, show_value

__all__ = [
    "EXPECTED",
    "FLAGS",
    "LONGEST_CELL",
    "UNSEEN",
    "convert_column",
    "is_nested",
    "try_column",
]

EXPECTED = {
    kind: say(f"kind_{kind}") for kind in ("text", "number", "integer", "flag", "day", "instant")
}
_TRUE = ("true", "yes", "1", "t", "y", "on", "是", "真", "有")
_FALSE = ("false", "no", "0", "f", "n", "off", "否", "假", "无")
FLAGS = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
LONGEST_CELL = 32_767  # what a cell of a spreadsheet holds; more is text run together
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"  # characters of no width
_LARGEST_INTEGER = 2**63 - 1
_SCIENTIFIC = r"\d(?:[.,]\d+)?[eE]\+\d+"
_FLOAT = r"\d+\.0+"


def convert_column(series: pd.Series, column: Column, where: str) -> pd.Series:
    """Return the values in the column's kind; refuse values that cannot be brought to it.

    Parameters
    ----------
    series : pandas.Series
        The values as they were read, with a fresh index; left unchanged.
    column : Column
        The column they belong to.
    where : str
        How a message names the column, such as ``orders.amount``.

    Returns
    -------
    pandas.Series
        Of the column's dtype; an empty text is a missing value.

    Raises
    ------
    ValueError
        If a value is of another kind, or missing where the column must be filled.

    Examples
    --------
    >>> from crmlab.data.columns import find_table
    >>> amount = find_table("orders").columns[3]
    >>> convert_column(pd.Series(["3.50", "-1"]), amount, "orders.amount").tolist()
    [3.5, -1.0]
    >>> convert_column(pd.Series([3, None]), amount, "orders.amount")
    Traceback (most recent call last):
        ...
    ValueError: orders.amount, row 2: the value is missing; expected a finite number in every \
row. Fill these rows or leave them out.
    """
    values, problems, _ = try_column(series, column, where.partition(".")[0])
    if problems:
        raise ValueError(problems[0].message)
    return values.astype(column.dtype)


def try_column(
    series: pd.Series, column: Column, table: str
) -> tuple[pd.Series, list[Problem], Counted]:
    """Return the values in the column's kind, what is wrong with them and what was repaired.

    Parameters
    ----------
    series : pandas.Series
        The values as they were read, with a fresh index; left unchanged.
    column : Column
        The column they belong to.
    table : str
        The table it belongs to.

    Returns
    -------
    values : pandas.Series
        Of the column's dtype where there is no problem; elsewhere of one that has room for
        missing values, which stand where a value could not be brought to the kind.
    problems : list of Problem
    repairs : list of (table, repair, repair_zh, n_rows)
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object).infer_objects()
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        problem = Problem(
            table,
            column.name,
            say("zone_found", zone=str(series.dtype.tz)),
            say("zone_expected"),
            say("zone_cure"),
        )
        return series.dt.tz_localize(None), [problem], []
    problems: list[Problem] = []
    repairs: Counted = []
    if series.dtype == object and (nested := series.map(is_nested)).any():
        bad = np.flatnonzero(nested.to_numpy(dtype=bool))
        found = say("value_not_allowed", value=_first(series, bad))
        cure = say("one_value_each")
        expected = EXPECTED[column.kind]
        problems.append(Problem(table, column.name, found, expected, cure, bad))
        series = series.where(~nested).infer_objects()
        series = series.astype("str").where(series.notna()) if series.dtype == object else series
        return _CONVERSIONS[column.kind](series), problems, []
    if pd.api.types.is_string_dtype(series.dtype):
        series = _strip(series, column, table, repairs)
        problems += _find_overlong(series, column, table)
        if column.name.endswith("_id"):
            series = _read_identifiers(series, column, table, problems, repairs)
    values = _CONVERSIONS[column.kind](series)
    if column.kind == "flag":
        _count_spellings(series, column, table, repairs)
    if column.kind in ("day", "instant"):
        _count_compact(series, values, column, table, repairs)
    lost = (values.isna() & series.notna()).to_numpy(copy=True)
    for problem in problems:  # of these rows it is told why
        lost[problem.rows] = False
    bad = np.flatnonzero(lost)
    if len(bad):
        cure = "correct_or_empty" if column.is_nullable else "correct_or_leave_out"
        problems.append(
            Problem(
                table,
                column.name,
                say("value_not_allowed", value=_first(series, bad)),
                EXPECTED[column.kind],
                say(cure, hint=_hint(series.iloc[bad], column)),
                bad,
                _shown(series, bad),
            )
        )
    missing = np.flatnonzero(series.isna().to_numpy())
    if len(missing) and not column.is_nullable:
        problems.append(
            Problem(
                table,
                column.name,
                say("value_missing"),
                say("in_every_row", kind=EXPECTED[column.kind]),
                say("fill_rows"),
                missing,
            )
        )
    if problems and column.dtype in ("int64", "bool"):
        return values, problems, repairs
    return values.astype(column.dtype), problems, repairs


def is_nested(value: object) -> bool:
    """Return whether a cell holds several values: a list or a record."""
    return isinstance(value, list | tuple | dict | np.ndarray)


def _first(series: pd.Series, rows: np.ndarray) -> str:
    return show_value(series.iloc[rows[0]])


def _shown(series: pd.Series, rows: np.ndarray) -> tuple:
    return tuple(series.iloc[rows].tolist())


def _strip(series: pd.Series, column: Column, table: str, repairs: Counted) -> pd.Series:
    text = series.astype("str")
    stripped = text.str.strip().str.strip(UNSEEN)
    if not stripped.equals(text):
        n = int(((stripped != text) & (stripped != "") & text.notna()).sum())
        if n:
            repairs.append(counted(table, say("repair_blanks", column=column.name), n))
    return stripped.replace("", np.nan)


def _find_overlong(series: pd.Series, column: Column, table: str) -> list[Problem]:
    long = np.flatnonzero((series.str.len() > LONGEST_CELL).to_numpy())
    if not len(long):
        return []
    return [
        Problem(
            table,
            column.name,
            say("overlong_found", n=len(series.iloc[long[0]])),
            say("overlong_expected", n=LONGEST_CELL),
            say("overlong_cure"),
            long,
            _shown(series, long),
        )
    ]


def _read_identifiers(
    series: pd.Series, column: Column, table: str, problems: list[Problem], repairs: Counted
) -> pd.Series:
    """Return identifiers without the traces of a number; refuse those that lost digits."""
    if not series.str.fullmatch(f"(?:{_SCIENTIFIC})|(?:{_FLOAT})", na=False).any():
        return series
    rewritten = series.str.fullmatch(_SCIENTIFIC, na=False)
    bad = np.flatnonzero(rewritten.to_numpy())
    if len(bad):
        problems.append(
            Problem(
                table,
                column.name,
                say("id_rewritten", value=_first(series, bad)),
                say("id_in_full"),
                say("export_as_text"),
                bad,
                _shown(series, bad),
            )
        )
    is_float = series.str.fullmatch(_FLOAT, na=False)
    n_floats = int(is_float.sum())
    if not n_floats:
        return series
    if is_float[series.notna() & ~rewritten].all():
        repairs.append(counted(table, say("repair_float_ids", column=column.name), n_floats))
        return series.str.replace(r"\.0+$", "", regex=True)
    bad = np.flatnonzero(is_float.to_numpy())
    problems.append(
        Problem(
            table,
            column.name,
            say("id_mixed", value=_first(series, bad)),
            say("id_one_way"),
            say("export_as_text"),
            bad,
            _shown(series, bad),
        )
    )
    return series


def _count_spellings(series: pd.Series, column: Column, table: str, repairs: Counted) -> None:
    if not pd.api.types.is_string_dtype(series.dtype):
        return
    spelt = series.str.lower()
    known = spelt.isin(FLAGS)
    ways = spelt[known].value_counts().to_dict()
    n = sum(n for word, n in ways.items() if word not in ("true", "false"))
    if len(ways) > 2 and n:
        repairs.append(counted(table, say("repair_flags", column=column.name, n=len(ways)), n))


def _count_compact(
    series: pd.Series, values: pd.Series, column: Column, table: str, repairs: Counted
) -> None:
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return
    is_compact = _to_text(series).str.match(r"\d{8}(\D|$)", na=False) & values.notna()
    if n := int(is_compact.sum()):
        repairs.append(counted(table, say("repair_compact_days", column=column.name), n))


def _hint(bad: pd.Series, column: Column) -> str:
    """Return what a mapping could do for values that are not allowed as they are, or nothing."""
    text = bad.astype("str")
    if column.kind in ("day", "instant"):
        if text.str.fullmatch(r"[2-6]\d{4}(?:\.\d+)?").all():
            return say("hint_serial")
        if text.str.fullmatch(r"1\d{9}(?:\d{3})?").all():
            return say("hint_epoch")
        if text.str.contains(r"\d[T ]\d.*(?:Z|[+-]\d)", case=False).any():
            return say("hint_zone")
        if text.str.contains(r"\d").all():
            return say("hint_days")
    if column.kind in ("number", "integer") and text.str.contains(r"\d").all():
        return say("hint_numbers")
    if column.kind == "flag":
        return say("hint_words")
    return ""


def _to_text(series: pd.Series) -> pd.Series:
    # A column of whole numbers with gaps is read as floats: 17 must not become "17.0".
    if pd.api.types.is_float_dtype(series.dtype):
        if _is_whole(series.dropna()).all():
            series = series.astype("Int64")
        else:
            # Too large for a float to tell from the next number: the identifier is lost.
            series = series.where(series.abs() <= 2**53)
    return series.astype("str").where(series.notna())


def _is_whole(values: pd.Series) -> pd.Series:
    # Above 2 ** 53 a float no longer tells one whole number from the next.
    return (values.abs() <= 2**53) & (values == values.round())


def _to_number(series: pd.Series) -> pd.Series:
    kind = series.dtype
    is_time = kind.kind in "mM"
    if is_time or pd.api.types.is_bool_dtype(kind):
        return pd.Series(np.nan, index=series.index)
    values = pd.to_numeric(series, errors="coerce").astype("float64")
    return values.where(np.isfinite(values))


def _to_integer(series: pd.Series) -> pd.Series:
    if pd.api.types.is_integer_dtype(series.dtype):
        return series.where(series <= _LARGEST_INTEGER).astype("Int64")
    values = _to_number(series)
    return values.where(_is_whole(values)).astype("Int64")


def _to_flag(series: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(series.dtype):
        return series
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.map({0: False, 1: True}).astype("boolean")
    return series.map(lambda value: FLAGS.get(str(value).lower())).astype("boolean")


def _to_instant(series: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series.astype("datetime64[us]")
    text = _to_text(series)
    text = text.where(text.str.match(r"(\d{8}|\d{4}-\d{2}-\d{2})(\D|$)", na=False))
    values = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
    without_zone = ~text.str.contains(r"\d[T ]\d.*(?:Z|[+-]\d)", na=False, case=False)
    return values.dt.tz_localize(None).astype("datetime64[us]").where(without_zone)


def _to_day(series: pd.Series) -> pd.Series:
    return _to_instant(series).dt.normalize()


_CONVERSIONS = {
    "text": _to_text,
    "number": _to_number,
    "integer": _to_integer,
    "flag": _to_flag,
    "day": _to_day,
    "instant": _to_instant,
}
