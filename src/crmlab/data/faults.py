"""What makes a cell of a scanned table wrong, as questions that Polars answers with counts.

Who asks: the check of a table that stays where it lies.
"""

from __future__ import annotations

import re
import string

import narwhals as nw

from crmlab.atlas.sentences import say
from crmlab.data.conversion import EXPECTED, FLAGS, LONGEST_CELL, UNSEEN
from crmlab.data.exact import LARGEST
from crmlab.data.problems import say_range
from crmlab.data.scanned_kinds import BLANKS

__all__ = ["faults_of_text", "faults_of_value", "repairs_of_text", "say_fault"]

_D = "[0-9]"  # to Polars, the digits of every script are digits
_DAY_OF_ANY_YEAR = (
    "{D}{{4}}{dash}((0[13578]|1[02]){dash}(0[1-9]|[12]{D}|3[01])"
    "|(0[469]|11){dash}(0[1-9]|[12]{D}|30)|02{dash}(0[1-9]|1{D}|2[0-8]))"
)
_LEAP_YEAR = f"({_D}{_D}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DASHED, _COMPACT = (
    f"({_DAY_OF_ANY_YEAR.format(D=_D, dash=dash)}|{_LEAP_YEAR}{dash}02{dash}29)"
    for dash in ("-", "")
)
_TIME = rf"([T ]([01]{_D}|2[0-3]):[0-5]{_D}(:[0-5]{_D}(\.{_D}+)?)?)?"
_PATTERNS = {
    "number": rf"^[+-]?({_D}+\.?{_D}*|\.{_D}+)([eE][+-]?{_D}+)?$",
    "integer": rf"^[+-]?{_D}{{1,15}}(\.0*)?$",
    "flag": f"^(?i:{'|'.join(FLAGS)})$",
    "day": f"^({_DASHED}|{_COMPACT}){_TIME}$",
}
_NUMBER_FOR_ID = rf"^({_D}+\.0+|{_D}([.,]{_D}+)?[eE]\+{_D}+)$"
# What the loader takes away around a cell: blanks of every script, and what cannot be seen.
_AROUND = string.whitespace + UNSEEN + "\x1c\x1d\x1e\x1f\x85\xa0\u1680\u202f\u205f\u3000"
_AROUND += "\u2028\u2029" + "".join(map(chr, range(0x2000, 0x200B)))
_EXACT = 2**53  # above it a float no longer tells one whole number from the next


def faults_of_text(columns, schema, path):
    """Return, for each column stored as text, what makes a cell one of another kind."""
    is_csv = path.suffix.lower() == ".csv"
    faults = {}
    for column in columns:
        kind, value = schema[column.name], nw.col(column.name)
        expected = EXPECTED[column.kind]
        if kind == nw.String or kind == nw.Categorical or kind == nw.Enum:
            text = value if kind == nw.String else value.cast(nw.String)
            text = text.str.strip_chars(BLANKS) if is_csv else text
            if column.kind == "text":
                faults[column.name] = (say("text_plain"), _is_odd(text, column, is_csv))
            else:
                is_bad = ~text.is_null() & (text != "") & ~text.str.contains(_PATTERNS[column.kind])
                faults[column.name] = (expected, is_bad)
        elif not _is_stored_as(column.kind, kind):
            stored = say("stored_as", name=column.name, stored=str(kind))
            raise ValueError(say_fault(path, stored, expected, say("convert_column")))
        elif (is_bad := _is_other_number(column, kind, value)) is not None:
            faults[column.name] = (expected, is_bad)
    return faults


def repairs_of_text(columns, schema, path):
    """Return what is done to cells stored otherwise, as sums by what is said of it.

    Returns
    -------
    trimmed, compact : dict of Message to narwhals.Expr
        Cells of text with blanks around them, and days written YYYYMMDD.
    """
    trimmed, compact = {}, {}
    for column in columns:
        kind, value = schema[column.name], nw.col(column.name)
        is_text = kind == nw.String
        if path.suffix.lower() == ".csv" and is_text:
            bare = value.str.strip_chars(BLANKS)
            said = say("repair_blanks", column=column.name)
            if column.kind in ("text", "flag"):
                trimmed[said] = _count((bare != value) & (bare != ""))
            value = nw.when(bare != "").then(bare)
        if column.kind == "day" and (is_text or kind.is_numeric()):
            said = say("repair_compact_days", column=column.name)
            is_compact = ~value.is_null()
            if is_text:
                is_compact = ~value.str.contains("-", literal=True)
            compact[said] = _count(is_compact)
    return trimmed, compact


def _count(mark):
    return nw.when(mark).then(1).otherwise(0).sum()


def _is_odd(text, column, is_csv):
    """Return whether a text is not what the loader would make of it, or one it refuses."""
    around = _AROUND + ('"' if is_csv else "")  # engines differ in what a mark after blanks means
    is_odd = (text.str.strip_chars(around) != text) | (text.str.len_chars() > LONGEST_CELL)
    if column.name.endswith("_id"):
        is_odd = is_odd | text.str.contains(_NUMBER_FOR_ID)
    return ~text.is_null() & (text != "") & is_odd


def _is_stored_as(kind, stored):
    """Return whether a column's type in a Parquet file is one its kind can be had from."""
    is_plain = stored.is_integer() or stored.is_float()
    if kind == "day":
        is_local = stored == nw.Datetime and not stored.time_zone
        return stored == nw.Date or is_local or is_plain
    if kind == "flag":
        return stored == nw.Boolean or is_plain
    return stored.is_numeric() if kind == "number" else is_plain


def _is_other_number(column, stored, value):
    """Return whether a number cannot stand for what its column holds; None where all can."""
    if column.kind == "number" or not stored.is_numeric():
        return None
    if column.kind == "flag":
        return ~value.is_null() & ~value.is_in([0, 1])
    is_bad = (value > 2**63 - 1) if stored == nw.UInt64 and column.kind == "integer" else None
    if stored.is_float():
        is_bad = ~((value == value.round(0)) & (value.abs() <= _EXACT))
        if column.is_nullable:
            is_bad = is_bad & ~value.is_nan()
    if column.kind == "day":
        written = nw.when(~is_bad).then(value) if stored.is_float() else value
        is_other = ~written.cast(nw.Int64).cast(nw.String).str.contains(f"^{_COMPACT}$")
        is_bad = is_other if is_bad is None else is_bad | is_other
    return is_bad


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
