"""Large tables that stay where they are: checked once, then opened whenever they are asked for.

Who asks: a study of a folder whose orders are too many to load, or that names an engine. What
`crmlab.data.tables` checks row by row in memory is checked here by questions to Polars, which come
back as counts; only where a count is not 0 is the first such row looked for. Whether an identifier
occurs twice is asked in `crmlab.data.repeated`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw
import pandas as pd

from crmlab.atlas.sentences import counted, say
from crmlab.data.columns import find_table
from crmlab.data.conversion import EXPECTED
from crmlab.data.engine_limits import refuse_other_rows, refuse_other_types, refuse_ragged
from crmlab.data.engines import LARGE_TABLES, collect, materialise
from crmlab.data.faults import faults_of_text, faults_of_value, repairs_of_text, say_fault
from crmlab.data.layout import ROW, Layout
from crmlab.data.order_lines import count_lines, line_columns, sum_lines, take_orders, tell_counts
from crmlab.data.problems import show_value
from crmlab.data.repeated import find_repeated

__all__ = [
    "LARGE_FILE_BYTES",
    "ScannedTable",
    "check_scanned",
    "find_scanned",
    "is_large",
    "is_written_plainly",
]

#: A file of this size and more is not loaded, but read by Polars, unless a study says otherwise.
LARGE_FILE_BYTES = 256 * 2**20


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
        Days written YYYYMMDD; of order lines that are summed.
    trimmed : tuple of (table, text, text_zh, n)
        Cells with blanks around them, which come without.
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
    trimmed: tuple = ()

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
        return {n: "polars" for n, p in large.items() if is_large(p)}
    return dict.fromkeys(large, engine)


def is_large(path):
    """Return whether a file is too large to be loaded unless a study says so."""
    return Path(path).stat().st_size >= LARGE_FILE_BYTES


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
        faults = faults_of_text(columns, schema, Path(path))
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

    path, layout = Path(path).resolve(), layout or Layout(name)
    is_csv = path.suffix.lower() == ".csv"
    try:
        known = _check(find_table(name), path, customers, layout)
        if is_csv:
            refuse_ragged(path, layout)
    except (pl.exceptions.PolarsError, nw.exceptions.NarwhalsError) as error:
        if is_csv:
            refuse_ragged(path, layout, has_gaps=True)
        raise ValueError(say("scan_failed", path=path, error=str(error)[:400])) from error
    if is_csv and engine == "duckdb":
        refuse_other_rows(path, layout, engine, master)
    if not is_csv and engine == "pyspark":
        refuse_other_types(path)
    return ScannedTable(str(path), engine, master, layout=layout, **known)


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

    _refuse(path, layout, raw, lambda other: other, faults_of_text(columns, schema, path))
    done = repairs_of_text(columns, schema, path)
    trimmed, compact = (_count_repairs(table.name, raw, counts) for counts in done)
    frame = kinds(raw)
    _refuse(path, layout, frame, kinds, faults_of_value(columns, frame))
    if table.name == "links":
        _refuse(path, layout, frame, kinds, _faults_of_links(schema))
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
        raise ValueError(say_fault(path, say("no_rows"), expected, say("fill_table")))
    if customers is not None:
        for column in ("customer_id", "other_id"):
            if column in schema:
                _refuse_strangers(path, frame, customers, column)
    # A day's grace: somewhere on earth it is tomorrow already.
    if ends and found["last_day"] > pd.Timestamp.today() + pd.Timedelta(days=1):
        late = say("still_to_come", day=f"{found['last_day']:%Y-%m-%d}")
        late = say("placed", place="ordered_on", said=late)
        raise ValueError(say_fault(path, late, say("days_up_to_today"), say("correct_date")))
    if ends and found["first_day"] < pd.Timestamp("1900-01-01"):
        early = say("too_long_ago", day=f"{found['first_day']:%Y-%m-%d}")
        early = say("placed", place="ordered_on", said=early)
        raise ValueError(say_fault(path, early, say("days_since_1900"), say("correct_date")))
    known |= {end: found[end].normalize() for end in ends}
    known["repairs"] = compact + known.get("repairs", ())
    return {"n_rows": int(found["n_rows"]), "trimmed": trimmed} | known


def _count_repairs(table, frame, counts):
    """Return what is done to a table's cells, and how often; nothing that is done to none."""
    if not counts:
        return ()
    names = {f"n{i}": said for i, said in enumerate(counts)}
    found = collect(frame.select(**dict(zip(names, counts.values(), strict=True)))).iloc[0]
    return tuple(counted(table, said, found[n]) for n, said in names.items() if found[n])


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
        raise ValueError(say_fault(path, found, say("lines_one_customer"), say("correct_rows")))
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
    raise ValueError(
        say_fault(path, said, expected, say("scan_repeated", n=found.n_rows, hint=hint))
    )


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
            is_gap = value is None or value == ""
            said = (
                say("value_missing")
                if is_gap
                else say("value_not_allowed", value=show_value(value))
            )
            where = say("problem_rows", where=name, rows=say("row_one", n=row))
            said = say("placed", place=where, said=said)
            cure = say("scan_rows", n=n_bad) if n_bad > 1 else say("scan_row")
            raise ValueError(say_fault(path, said, expected, cure))


def _find_first(path, layout, prepare, name, is_bad):
    """Return the number of the first faulty row and its cell; Polars knows rows by number."""
    frame = layout.open_raw(path, engine="polars", has_rows=True)
    bad = materialise(prepare(frame).filter(is_bad).head(1)).rows(named=True)[0]
    value = bad[name]
    is_day = isinstance(value, datetime.date)
    return int(bad[ROW]) + 1, f"{value:%Y-%m-%d}" if is_day else value


def _faults_of_links(schema):
    """Return the links of a customer with themselves, and those that end before they began."""
    to_oneself = nw.col("other_id") == nw.col("customer_id")
    faults = {"other_id": (say("another_customer"), to_oneself)}
    if "first_on" in schema and "last_on" in schema:
        expected = say("day_not_before", name="first_on")
        faults["last_on"] = expected, nw.col("last_on") < nw.col("first_on")
    return faults


def _refuse_strangers(path, frame, customers, column):
    ids = collect(frame.select(column).unique(column))[column]
    strangers = ids[ids.notna() & ~ids.isin(customers)].sort_values()
    if len(strangers):
        named = {"column": column, "customer": repr(strangers.iloc[0]), "n": len(strangers)}
        raise ValueError(say("scan_strangers", path=path, **named))
