"""Large tables that stay where they are: checked once, then opened whenever they are asked for.

Who asks: a study of a folder whose orders are too many to load, or that names an engine. What
`crmlab.data.tables` checks row by row in memory is checked here by questions to Polars, which come
back as counts; only where a count is not 0 is the first such row looked for. Whether an identifier
occurs twice is asked in `crmlab.data.repeated`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw
import pandas as pd

from crmlab.data.columns import find_table
from crmlab.data.conversion import EXPECTED
from crmlab.data.engines import LARGE_TABLES, collect
from crmlab.data.exact import LARGEST
from crmlab.data.layout import ROW, Layout
from crmlab.data.order_lines import count_lines, line_columns, sum_lines, take_orders, tell_counts
from crmlab.data.problems import say_range, show_value
from crmlab.data.repeated import find_repeated
from crmlab.data.wording import say

__all__ = [
    "LARGE_FILE_BYTES",
    "ScannedTable",
    "check_scanned",
    "find_scanned",
    "is_written_plainly",
]

#: A file of this size and more is not loaded, but read by Polars, unless a study says otherwise.
LARGE_FILE_BYTES = 256 * 2**20

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


@dataclass(frozen=True)
class ScannedTable:
    """A large table in its file: what is known of it, and how it is opened.

    Attributes
    ----------
    path, engine, master
        As for `crmlab.data.engines.scan_table`.
    n_rows : int
    first_day, last_day : pandas.Timestamp or None
        Of the orders; None in other tables.
    layout : crmlab.data.layout.Layout
    repairs, left_out : tuple of (table, text, text_zh, n)
        Of order lines that are summed.
    """

    path: str
    engine: str
    master: str | None
    n_rows: int
    layout: Layout
    first_day: pd.Timestamp | None = None
    last_day: pd.Timestamp | None = None
    repairs: tuple = ()
    left_out: tuple = ()

    def open(self):
        """Return the table in its engine, see `crmlab.data.engines.scan_table`."""
        return self.layout.open(self.path, engine=self.engine, master=self.master).to_native()

    def load(self):
        """Return the table as a pandas table, all of it in memory."""
        return collect(nw.from_native(self.open()))


def find_scanned(files, engine=None):
    """Return which tables of a folder are to be scanned, and in which engine.

    Parameters
    ----------
    files : mapping of str to pathlib.Path
        The file of each table.
    engine : str or None
        As the study says; None scans files from `LARGE_FILE_BYTES` on, in Polars.

    Returns
    -------
    dict of str to str
        Engine by table; empty where everything is loaded, as with the engine "pandas".
    """
    large = {name: files[name] for name in LARGE_TABLES if name in files}
    if engine == "pandas":
        return {}
    if engine is None:
        return {n: "polars" for n, p in large.items() if p.stat().st_size >= LARGE_FILE_BYTES}
    return dict.fromkeys(large, engine)


def is_written_plainly(path, layout):
    """Return whether no cell needs a mapping to be read: no sign of a currency, no time zone.

    Parameters
    ----------
    path : path-like
    layout : crmlab.data.layout.Layout
    """
    raw = layout.open_raw(path, engine="polars")
    schema = raw.collect_schema()
    columns = [column for name, column in layout.known.items() if name in schema]
    try:
        faults = _faults_of_text(columns, schema, Path(path))
    except ValueError:  # a column of another type
        return False
    marks = [
        nw.when(is_bad).then(1).otherwise(0).sum().alias(n) for n, (_, is_bad) in faults.items()
    ]
    return not marks or not collect(raw.select(*marks)).to_numpy().any()


def check_scanned(name, path, *, engine, master=None, customers=None, layout=None):
    """Return a table that is not loaded, or refuse it and say where and why.

    Parameters
    ----------
    name : str
        The table's name.
    path, engine, master
        As for `crmlab.data.engines.scan_table`.
    customers : pandas.Series, optional
        Identifiers of the customer table: every customer of this one must be there.
    layout : crmlab.data.layout.Layout, optional
        Which columns are which; as they are called unless given.

    Returns
    -------
    ScannedTable

    Raises
    ------
    ValueError
        If a required column is missing, a value is missing, of another kind, out of range or no
        customer's, or an identifier is there twice; the message names file, column, row (the first
        below the heading is row 1), value, and how many rows are so.
    """
    import polars as pl

    path = Path(path).resolve()
    try:
        known = _check(find_table(name), path, customers, layout or Layout(name))
    except (pl.exceptions.PolarsError, nw.exceptions.NarwhalsError) as error:
        raise ValueError(say("scan_failed", path=path, error=str(error)[:400])) from error
    return ScannedTable(str(path), engine, master, layout=layout or Layout(name), **known)


def _check(table, path, customers, layout):
    """Return what is known of a table once it is checked."""
    raw = layout.open_raw(path, engine="polars")
    schema = raw.collect_schema()
    wanted = line_columns(schema) if layout.has_lines else table.columns
    for column in wanted:
        if column.is_required and column.name not in schema:
            named = {"name": repr(column.name), "kind": EXPECTED[column.kind]}
            meaning = {"en": column.meaning_en, "zh": column.meaning_zh}
            said = say("scan_column_missing", path=path, **named, meaning=meaning, there=(*schema,))
            raise ValueError(said)
    columns = [column for column in wanted if column.name in schema]

    def kinds(other):
        return layout.in_kinds(other, path)

    _refuse(path, layout, raw, lambda other: other, _faults_of_text(columns, schema, path))
    frame = kinds(raw)
    _refuse(path, layout, frame, kinds, _faults_of_value(columns, frame))
    known = {}
    if layout.has_lines:
        frame, known = _sum(path, frame)
    else:
        _refuse_repeated(table, path, layout, frame, kinds)
    day = nw.col("ordered_on")
    ends = {"first_day": day.min(), "last_day": day.max()} if table.name == "orders" else {}
    found = collect(frame.select(nw.len().alias("n_rows"), **ends)).iloc[0]
    if found["n_rows"] == 0:
        row = {"en": table.row_en, "zh": table.row_zh}
        expected = say("rows_each", row=row)
        raise ValueError(_say(path, say("no_rows"), expected, say("fill_table")))
    if customers is not None and "customer_id" in schema:
        _refuse_strangers(path, frame, customers)
    # A day's grace: somewhere on earth it is tomorrow already.
    if ends and found["last_day"] > pd.Timestamp.today() + pd.Timedelta(days=1):
        late = say("still_to_come", day=f"{found['last_day']:%Y-%m-%d}")
        late = say("placed", place="ordered_on", said=late)
        raise ValueError(_say(path, late, say("days_up_to_today"), say("correct_date")))
    if ends and found["first_day"] < pd.Timestamp("1900-01-01"):
        early = say("too_long_ago", day=f"{found['first_day']:%Y-%m-%d}")
        early = say("placed", place="ordered_on", said=early)
        raise ValueError(_say(path, early, say("days_since_1900"), say("correct_date")))
    known |= {end: found[end].normalize() for end in ends}
    return {"n_rows": int(found["n_rows"])} | known


def _sum(path, lines):
    """Return the orders that lines make, and what is told of them."""
    summed = sum_lines(lines)
    counts = collect(summed.select(**count_lines())).iloc[0]
    if counts["n_shared"]:
        first = collect(summed.filter(nw.col("customer_id") != nw.col("last_customer")).head(1))
        order = first.iloc[0]
        named = {"order": repr(order["order_id"]), "customer": repr(order["last_customer"])}
        found = say("lines_shared", **named, first=repr(order["customer_id"]))
        found = say("placed", place="customer_id", said=found)
        raise ValueError(_say(path, found, say("lines_one_customer"), say("correct_rows")))
    repairs, left_out = tell_counts(counts)
    return take_orders(summed), {"repairs": tuple(repairs), "left_out": tuple(left_out)}


def _refuse_repeated(table, path, layout, frame, kinds):
    names = frame.collect_schema().names()
    key = [name for name in table.key if name in names]

    def numbered():
        return kinds(layout.open_raw(path, engine="polars", has_rows=True)).to_native()

    found = find_repeated(frame.to_native(), key, numbered) if key else None
    if found is None:
        return
    where = say("problem_rows", where=" and ".join(key), rows=say("row_one", n=found.row + 1))
    said = say("placed", place=where, said=say("repeated", value=repr(found.value)))
    expected = say("one_row_for", row={"en": table.row_en, "zh": table.row_zh})
    hint = say("hint_lines") if table.name == "orders" else ""
    raise ValueError(_say(path, said, expected, say("scan_repeated", n=found.n_rows, hint=hint)))


def _faults_of_text(columns, schema, path):
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
            raise ValueError(_say(path, stored, EXPECTED[column.kind], say("convert_column")))
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


def _faults_of_value(columns, frame):
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


def _refuse(path, layout, frame, prepare, faults):
    """Count the faulty cells of each column, and refuse the first column that has any."""
    if not faults:
        return
    marks = {name: nw.when(is_bad).then(1).otherwise(0) for name, (_, is_bad) in faults.items()}
    counts = collect(frame.select(**{name: mark.sum() for name, mark in marks.items()})).iloc[0]
    for name, (expected, is_bad) in faults.items():
        n_bad = int(counts[name]) if pd.notna(counts[name]) else 0
        if n_bad:
            row, value = _find_first(path, layout, prepare, name, is_bad)
            is_gap = pd.isna(value) or value == ""
            said = (
                say("value_missing")
                if is_gap
                else say("value_not_allowed", value=show_value(value))
            )
            where = say("problem_rows", where=name, rows=say("row_one", n=row))
            said = say("placed", place=where, said=said)
            raise ValueError(_say(path, said, expected, say("scan_rows", n=n_bad)))


def _say(path, found, expected, cure):
    """Return a problem as one sentence; a tuple of expectations is read as one."""
    said = say("problem_expected", found=found, expected=expected)
    return say("problem", where=path, found=said, cure=cure)


def _find_first(path, layout, prepare, name, is_bad):
    """Return the number of the first faulty row and its cell; Polars knows rows by number."""
    frame = layout.open_raw(path, engine="polars", has_rows=True)
    bad = collect(prepare(frame).filter(is_bad).head(1)).iloc[0]
    return int(bad[ROW]) + 1, bad[name]


def _refuse_strangers(path, frame, customers):
    ids = collect(frame.select("customer_id").unique("customer_id"))["customer_id"]
    strangers = ids[~ids.isin(customers)].sort_values()
    if len(strangers):
        named = {"customer": repr(strangers.iloc[0]), "n": len(strangers)}
        raise ValueError(say("scan_strangers", path=path, **named))
