"""The columns of a scanned table brought to their kinds, in any engine, cell by cell.

Who asks: whoever opens a file where it lies. What is read so is what the loader would read
(`crmlab.data.conversion`); cells that it would repair in another way the check finds first
(`crmlab.data.faults`).
"""

from __future__ import annotations

import string
from pathlib import Path

import narwhals as nw

from crmlab.data.columns import TABLES
from crmlab.data.conversion import FLAGS

__all__ = ["BLANKS", "in_kinds"]

#: What is taken away around the cells of a CSV file: what every engine knows as blank.
BLANKS = string.whitespace


def in_kinds(frame, path, columns=None):
    """Bring a file's known columns to their kinds; in a CSV file, trim them.

    Days may be written YYYY-MM-DD or YYYYMMDD, as text or as numbers; of times the day is taken.
    Flags may be words or 0 and 1, identifiers and whole numbers floats without a fraction. What is
    none of these the check refuses (`crmlab.data.faults`).

    Parameters
    ----------
    frame : narwhals.DataFrame or narwhals.LazyFrame
        As `open_file` returns it.
    path : path-like
    columns : dict of str to crmlab.data.columns.Column, optional
        Those that are known; by default of the table that the file is called after.
    """
    path = Path(path)
    if columns is None:
        known = TABLES.get(path.stem.lower())
        columns = {column.name: column for column in known.columns} if known else {}
    is_csv = path.suffix.lower() == ".csv"
    schema = frame.collect_schema()
    changed = []
    for name, kind in schema.items():
        value, column = nw.col(name), columns.get(name)
        if is_csv and kind == nw.String:
            text = value if column is None else value.str.strip_chars(BLANKS)
            value = nw.when(text != "").then(text)
        if column is not None:
            if kind == nw.Categorical or kind == nw.Enum:
                value, kind = value.cast(nw.String), nw.String()
            elif kind.is_float() and column.is_nullable:
                value = nw.when(~value.is_nan()).then(value)
            elif kind == nw.String and not is_csv and (column.is_nullable or column.kind != "text"):
                value = nw.when(value != "").then(value)
            if not (kind.is_float() and _has_gaps(frame, name)):
                value = _CONVERSIONS.get(column.kind, _leave)(value, kind)
        changed.append(value.alias(name))
    return frame.select(changed)


def _has_gaps(frame, name):
    """Return whether a column has gaps that only floats can hold, as in a pandas table."""
    return frame.implementation.is_pandas() and bool(frame[name].is_nan().any())


def _leave(value, stored):  # noqa: ARG001
    return value


def _to_text(value, stored):
    if stored.is_float():
        value = value.cast(nw.Int64)
    return value.cast(nw.String) if stored.is_float() or stored.is_integer() else value


def _to_number(value, stored):
    return value.cast(nw.Float64) if stored == nw.String else value


def _to_integer(value, stored):
    if stored == nw.String:  # 2.0 is one, too
        value = value.cast(nw.Float64)
    return value.cast(nw.Int64) if stored == nw.String or stored.is_float() else value


def _to_flag(value, stored):
    if stored == nw.String:
        return value.str.to_lowercase().is_in([word for word, flag in FLAGS.items() if flag])
    return value == 1 if stored.is_numeric() else value


def _to_day(value, stored):
    if stored == nw.Datetime:
        return value.dt.truncate("1d")
    text = _to_text(value, stored)
    if stored == nw.String or stored.is_numeric():
        plain = text.str.replace_all("-", "", literal=True).str.slice(0, 8)
        return plain.str.to_datetime(format="%Y%m%d")
    return value


_CONVERSIONS = {
    "text": _to_text,
    "number": _to_number,
    "integer": _to_integer,
    "flag": _to_flag,
    "day": _to_day,
}
