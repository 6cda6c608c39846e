"""Read a source: find its tables, translate and check them, and count what happened.

Who asks: `crmlab.data.load_dataset`, which refuses a source at its first problem, and
``crmlab data check``, which tells all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.atlas.sentences import Counted, reason, say
from crmlab.data.columns import ORDER_LINE, TABLES
from crmlab.data.layout import Layout
from crmlab.data.loaders.fingerprint import find_mapping, hash_tables
from crmlab.data.loaders.lines import sum_raw_lines
from crmlab.data.loaders.oddities import find_odd_orders
from crmlab.data.loaders.places import Place, count_others, find_places
from crmlab.data.loaders.raw import Raw, drop_empty
from crmlab.data.loaders.scanning import find_layouts
from crmlab.data.loaders.source import Source
from crmlab.data.loaders.translate import name_format, translate
from crmlab.data.mapping import Mapping, TableMapping
from crmlab.data.problems import Problem
from crmlab.data.tables import inspect_tables

__all__ = ["Reading", "inspect_source", "read_source"]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a source holds, and what happened to it on the way.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        In the order of our tables; sound where there is no problem.
    places : dict of str to str
        Where each table was read.
    problems : list of Problem
    repairs, left_out : list of (table, text, text_zh, n)
    mapping : Mapping
    hashes : dict of str to str
        Of a database server, whose tables may change at any moment: taken in the very transaction
        that read them. Empty elsewhere.
    scanned : dict of str to (pathlib.Path, str, crmlab.data.layout.Layout)
        Large tables that are not read but left to an engine, which reads them where they lie.
    """

    tables: dict[str, pd.DataFrame]
    places: dict[str, str]
    problems: list[Problem]
    repairs: Counted
    left_out: Counted
    mapping: Mapping
    hashes: dict[str, str]
    scanned: dict[str, tuple[Path, str, Layout]]


def read_source(
    source: Source, *, engine: str | None = None, loaded: Collection[str] = ()
) -> Reading:
    r"""Return the tables of a source, checked; refuse it at the first problem.

    Parameters
    ----------
    source : Source
        As `crmlab.data.loaders.locate` returns it.
    engine : str, optional
        Tables of a folder that this engine scans (`crmlab.data.scanned.find_scanned`) are not
        read; a table whose values a mapping writes anew always is.
    loaded : collection of str
        Tables that are read all the same.

    Returns
    -------
    Reading
        Without problems.

    Raises
    ------
    ValueError
        With file, table, column and row, what was expected and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from crmlab.data.loaders import locate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "orders.csv"
    ...     _ = path.write_text("ORDER_ID,customer_id,ordered_on,amount\n 1 ,a,2024-01-05,10\n")
    ...     reading = read_source(locate(folder))
    >>> [(repair, n) for _, repair, _, n in reading.repairs][0]
    ("heading 'ORDER_ID' read as order_id", 1)
    """
    reading = inspect_source(source, engine=engine, loaded=loaded)
    if reading.problems:
        raise ValueError(reading.problems[0].message)
    return reading


def inspect_source(
    source: Source,
    mapping: Mapping | None = None,
    *,
    engine: str | None = "pandas",
    loaded: Collection[str] = (),
) -> Reading:
    """Return the tables of a source with every problem.

    Parameters
    ----------
    source : Source
    mapping : Mapping, optional
        By default that of the source's mapping file, if it has one.
    engine : str, optional
        As for `read_source`; every table is read unless one is named.
    loaded : collection of str
        As for `read_source`.

    Returns
    -------
    Reading

    Raises
    ------
    ValueError
        If a file cannot be read at all, or no table is found.
    """
    mapping = mapping or find_mapping(source)
    found, others = find_places(source, mapping)
    scanned, layouts = find_layouts(source, found, mapping, engine, loaded)
    raws, frames, dates, problems = {}, {}, {}, []
    with _open(source) as database:
        for table, place in found.items():
            if table in scanned:
                continue
            try:
                raws[table] = raw = _read(table, place, mapping, source, database)
                frame, dates[table] = translate(raw, mapping)
                if table == "orders" and _are_lines(mapping):
                    frame = sum_raw_lines(raw, frame)
                if frame is not None:
                    frames[table] = frame
            except ValueError as error:
                raws.pop(table, None)
                problems.append(Problem(table, "", reason(error), "", ""))
        hashes = hash_tables(source, found, database) if source.kind == "postgresql" else {}
    inspection = inspect_tables(frames)
    for table, raw in raws.items():
        problems += raw.problems
        mine = [problem for problem in inspection.problems if problem.table == table]
        told = {(problem.column, tuple(problem.rows)) for problem in raw.problems}
        for problem in mine:
            placed = name_format(problem, dates[table]).at(raw.place, raw.numbers)
            if _is_news(placed, told, raw.problems):
                problems.append(placed)
        if not len(raw.frame) and not raw.problems:
            problems.append(_say_empty(table, raw.place))
        if table == "orders" and table in inspection.tables:
            problems += find_odd_orders(inspection.tables[table], raw)
    read = [*layouts, *raws.values()]
    problems += [problem for raw in layouts for problem in raw.problems]
    return Reading(
        tables=inspection.tables,
        places={table: raw.place for table, raw in raws.items()},
        problems=problems,
        repairs=[row for raw in read for row in raw.repairs] + inspection.repairs,
        left_out=count_others(others, source) + [row for raw in read for row in raw.left_out],
        mapping=mapping,
        hashes=hashes,
        scanned=scanned,
    )


def _are_lines(mapping: Mapping) -> bool:
    return "orders" in mapping.tables and mapping.tables["orders"].one_row_is == ORDER_LINE


@contextmanager
def _open(source: Source) -> Iterator:
    if source.kind in ("folder", "file"):
        with nullcontext() as nothing:
            yield nothing
        return
    from crmlab.data.loaders.database import open_database

    with open_database(source) as database:
        yield database


def _read(table: str, place: Place, mapping: Mapping, source: Source, database) -> Raw:
    said = mapping.tables.get(table, TableMapping())
    if place.kind == "csv":
        from crmlab.data.loaders.delimited import read_csv

        return read_csv(table, place.path, said, marks=mapping.missing)
    if place.kind == "parquet":
        from crmlab.data.loaders.parquet import read_parquet

        return read_parquet(table, place.path)
    if place.kind == "workbook":
        from crmlab.data.loaders.workbook import read_sheet

        return read_sheet(table, place.path, said, place.part)
    where = say("table_of", source=source, table=repr(place.part))
    raw = Raw(table, where, database.read(place.part))
    drop_empty(raw)
    specs = said.specs
    key = [specs[k].from_ if k in specs else k for k in TABLES[table].key]
    key = [name for name in key if name in raw.frame.columns] or list(raw.frame.columns)
    # A database's rows have no order of their own; a study's must.
    raw.frame = raw.frame.sort_values(key, ignore_index=True, kind="stable")
    raw.numbers = None
    return raw


def _is_news(problem: Problem, told: set, before: list[Problem]) -> bool:
    """Return whether a problem is not merely the trace of one that its reader told already."""
    if (problem.column, tuple(problem.rows)) in told:
        return False
    if problem.found != say("value_missing"):
        return True
    known = [p.rows for p in before if p.column == problem.column]
    return not known or not np.isin(problem.rows, np.concatenate(known)).all()


def _say_empty(table: str, place: str) -> Problem:
    return Problem(
        table,
        "",
        say("no_rows"),
        say("rows_each", row={"en": TABLES[table].row_en, "zh": TABLES[table].row_zh}),
        say("fill_table"),
    ).at(place)
