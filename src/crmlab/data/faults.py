"""What makes a cell of a scanned table wrong, as questions that Polars answers with counts.

Who asks: the check of a table that stays where it lies.
"""

from __future__ import annotations

import re

import narwhals as nw

from crmlab.atlas.sentences import say
from crmlab.data.conversion import EXPECTED
from crmlab.data.exact import LARGEST
from crmlab.data.problems import say_range

__all__ = ["faults_of_text", "faults_of_value", "say_fault"]

_DAY_OF_ANY_YEAR = (
    r"\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)"
    r"|02-(0[1-9]|1\d|2[0-8]))"
)
_LEAP_YEAR = r"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_PATTERNS = {
    "number": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$",
    "integer": r"^[+-]?\d+$",
    "flag": r"^(?i:true|false|yes|no|1|0)$",
    "day": rf"^({_DAY_OF_ANY_YEAR}|{_LEAP_YEAR}-02-29)([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?)?$",
}


def faults_of_text(columns, schema, path):
    """Return, for each column stored as text, what makes a cell one of another kind."""
    is_csv = path.suffix.lower() == ".csv"
    faults = {}
    for column in columns:
        kind, value = schema[column.name], nw.col(column.name)
        if kind == nw.String and column.kind in _PATTERNS:
            text = value.str.strip_chars() if is_csv else value
            is_bad = ~text.is_null() & (text != "") & ~text.str.contains(_PATTERNS[column.kind])
            faults[column.name] = (EXPECTED[column.kind], is_bad)
        elif not _is_stored_as(column.kind, kind):
            stored = say("stored_as", name=column.name, stored=str(kind))
            raise ValueError(say_fault(path, stored, EXPECTED[column.kind], say("convert_column")))
    return faults


def _is_stored_as(kind, stored):
    """Return whether a column's type in a Parquet file is one its kind can be had from."""
    if kind == "text":
        return not stored.is_nested() and not stored.is_temporal()
    if kind == "day":
        return stored == nw.Date or (stored == nw.Datetime and not stored.time_zone)
    if kind == "flag":
        return stored == nw.Boolean
    return stored.is_numeric() if kind == "number" else stored.is_integer() or stored.is_float()


def faults_of_value(columns, frame):
    """Return, for each column, what makes a value missing or out of range."""
    schema = frame.collect_schema()
    faults = {}
    for column in columns:
        value, expected = nw.col(column.name), EXPECTED[column.kind]
        is_bad = []
        if not column.is_nullable:
            is_bad.append(value.is_null())
            if schema[column.name] == nw.String:
                is_bad.append(value == "")
        if schema[column.name].is_float():
            is_bad.append(~value.is_finite())
        if column.unit == "currency":
            is_bad.append((value >= LARGEST) | (value <= -LARGEST))
        if column.range:
            expected = (expected, say_range(column.range))
            is_bad.append(_is_outside(value, column.range))
        if is_bad:
            # What compares with a missing value is itself missing, and that is no fault.
            marks = [nw.when(bad).then(1).otherwise(0) for bad in is_bad]
            faults[column.name] = (expected, sum(marks[1:], start=marks[0]) > 0)
    return faults


def _is_outside(value, text):
    """Return whether a value is outside a column's range, see `crmlab.data.columns.Column`."""
    if " | " in text:
        return ~value.is_null() & ~value.is_in(text.split(" | "))
    if ".." in text:
        low, high = map(float, text.split(".."))
        return (value < low) | (value > high)
    operator, bound = re.fullmatch(r"(>=|>|not) (-?[\d.]+)", text).groups()
    return {">=": value < float(bound), ">": value <= float(bound), "not": value == float(bound)}[
        operator
    ]


def say_fault(path, found, expected, cure):
    """Return a problem as one sentence; a tuple of expectations is read as one."""
    said = say("problem_expected", found=found, expected=expected)
    return say("problem", where=path, found=said, cure=cure)
