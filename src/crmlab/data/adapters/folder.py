"""A folder of the user's own tables: ``orders.csv``, ``customers.parquet`` and the like.

Who asks: a firm or a student who brings data. A CSV file has one heading line and commas, in
UTF-8; identifiers are kept as text, so that leading zeros survive; an empty cell is a missing
value; days are YYYY-MM-DD. Whatever cannot be read is refused with file, row and column; the
first row below the heading is row 1.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from crmlab.atlas import nearest
from crmlab.data.scanned import find_scanned
from crmlab.data.tables import TABLES, check_tables

__all__ = ["read"]

Rows = list[tuple[str, str, str, int]]

_ARROW_TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.string(),
    "day": pa.timestamp("us"),
    "instant": pa.timestamp("us"),
}
# Tables whose further columns are numbers as a rule; elsewhere an unknown column stays text.
_WITH_MORE_NUMBERS = ("survey", "truth")


def read(
    folder: Path, *, engine: str | None = None
) -> tuple[dict[str, pd.DataFrame], Rows, dict[str, Path]]:
    """Return the tables in a folder, checked, what was left out, and the files of all tables.

    Parameters
    ----------
    folder : pathlib.Path
        Holds any subset of the tables, each as ``<table>.csv`` or ``<table>.parquet``.
    engine : str, optional
        Tables that this engine scans (`crmlab.data.scanned.find_scanned`) are not read.

    Returns
    -------
    tables : dict of str to pandas.DataFrame
        As `crmlab.data.tables.check_tables` returns them.
    left_out : list of (table, reason, reason_zh, n_rows)
        CSV and Parquet files that are no table.
    files : dict of str to pathlib.Path
        The file of each table.

    Raises
    ------
    ValueError
        If no file is a known table, two files hold one table, a file's name is nearly a table's,
        or a file has no rows, orders to come, or does not hold what its table must hold.
    """
    files, left_out = _find_tables(folder)
    scanned = find_scanned(files, engine)
    frames = {n: _read_table(n, path) for n, path in files.items() if n not in scanned}
    try:
        tables = check_tables(frames)
    except ValueError as error:
        named = re.match(r"(\w+)[.:]", str(error))
        path = files.get(named[1], folder) if named else folder
        raise ValueError(f"{path}: {error}") from None
    for name, table in tables.items():
        if table.empty:
            raise ValueError(
                f"{files[name]}: it has headings but no rows; expected rows, each "
                f"{TABLES[name].row_en}. Fill it, or take it out of the folder."
            )
    _refuse_days_to_come(tables, files)
    return tables, left_out, files


def _refuse_days_to_come(tables: dict[str, pd.DataFrame], files: dict[str, Path]) -> None:
    """Refuse an order dated in the future: a slip of the pen there stretches the whole window."""
    days = (
        tables["orders"]["ordered_on"] if "orders" in tables else pd.Series(dtype="datetime64[us]")
    )
    # A day's grace: somewhere on earth it is tomorrow already.
    late = days > pd.Timestamp.today() + pd.Timedelta(days=1)
    if late.any():
        row = int(late.to_numpy().argmax())
        raise ValueError(
            f"{files['orders']}: ordered_on, row {row + 1}: {days.iloc[row]:%Y-%m-%d} is still to "
            "come; expected days up to today. Correct the date."
        )


def _find_tables(folder: Path) -> tuple[dict[str, Path], Rows]:
    files: dict[str, Path] = {}
    others = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".csv", ".parquet") or not path.is_file():
            continue
        name = path.stem.lower()
        if name not in TABLES:
            others.append(path)
        elif name in files:
            raise ValueError(
                f"{folder}: both {files[name].name} and {path.name} hold the table {name}; "
                "expected one file per table. Move one of them out of the folder."
            )
        else:
            files[name] = path
    expected = f"{', '.join(TABLES)}, each as NAME.csv or NAME.parquet"
    if not files:
        found = ", ".join(path.name for path in others) or "no CSV or Parquet file"
        raise ValueError(
            f"{folder}: no table found in it ({found}); expected any of {expected}. "
            "Rename the files after the tables they hold."
        )
    for path in others:
        near = nearest(path.stem.lower(), set(TABLES) - set(files))
        if near:
            raise ValueError(
                f"{path}: no table is called {path.stem!r}{near} Expected {expected}. "
                "Rename the file, or move it out of the folder."
            )
    left_out = [
        (
            path.stem,
            f"{path.name} is no table of a data set and was not read",
            f"{path.name} 不是数据集的表，未读取",
            _count_rows(path),
        )
        for path in others
    ]
    return {name: files[name] for name in TABLES if name in files}, left_out


def _count_rows(path: Path) -> int:
    """Return the number of rows of a file that is not read, a heading line not counted."""
    if path.suffix.lower() == ".csv":
        with path.open("rb") as lines:
            return max(0, sum(1 for line in lines if line.strip()) - 1)
    return _read_parquet(path, pa.parquet.read_metadata).num_rows


def _read_parquet(path: Path, reader: Callable):
    try:
        return reader(path)
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"{path}: not a Parquet file that can be read ({error}); write it again."
        ) from None


def _read_table(name: str, path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".csv":
        return _read_csv(name, path)
    return _read_parquet(path, pa.parquet.read_table).to_pandas()


def _read_csv(name: str, path: Path) -> pd.DataFrame:
    header = _read_header(name, path)
    kinds = {column.name: column.kind for column in TABLES[name].columns}
    types = {column: _ARROW_TYPES[kinds.get(column, "text")] for column in header}
    if name in _WITH_MORE_NUMBERS:
        types = {column: kind for column, kind in types.items() if column in kinds}
    try:
        return _read_csv_as(path, types, len(header))
    except pa.ArrowInvalid:
        pass
    # Something is not of its column's kind. As text, the table's check finds the row and says so.
    try:
        types = dict.fromkeys(header, pa.string())
        return _read_csv_as(path, types, len(header))
    except pa.ArrowInvalid as error:
        _refuse_misshapen(path, header)
        raise ValueError(f"{path}: not a CSV file that can be read ({error}).") from None


def _read_csv_as(path: Path, types: dict[str, pa.DataType], n_columns: int) -> pd.DataFrame:
    # In one block, a column whose type is not given is judged by all of its cells.
    block_size = min(max(1 << 20, path.stat().st_size + 1), 2**31 - 1)
    table = pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(block_size=block_size) if len(types) < n_columns else None,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    return table.to_pandas()


def _read_header(name: str, path: Path) -> list[str]:
    header = next(_read_cells(path), None)
    if header is None:
        raise ValueError(
            f"{path}: the file is empty; expected a heading line with the columns of {name}."
        )
    header = [_decode(path, 0, cell, cell) for cell in header]
    if len(header) == 1 and (found := re.search("[;\t|]", header[0])):
        raise ValueError(
            f"{path}: the columns are set apart by {found[0]!r}; expected commas. Save the file "
            "again as CSV with commas."
        )
    return header


def _read_cells(path: Path) -> Iterator[list[str]]:
    """Yield the cells of each line that is not blank, every byte as one character."""
    with path.open(encoding="latin-1", newline="") as lines:
        if lines.read(3) != "\xef\xbb\xbf":
            lines.seek(0)
        yield from (cells for cells in csv.reader(lines) if cells)


def _decode(path: Path, row: int, column: str, cell: str) -> str:
    try:
        return cell.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        where = f"row {row}, column {column!r}" if row else "heading line"
        raise ValueError(
            f"{path}: {where}: the text is not in UTF-8. Save the file again with that encoding "
            "(in Excel: “CSV UTF-8”)."
        ) from None


def _refuse_misshapen(path: Path, header: list[str]) -> None:
    rows = _read_cells(path)
    next(rows)
    for row, cells in enumerate(rows, start=1):
        if len(cells) != len(header):
            raise ValueError(
                f"{path}: row {row} has {len(cells)} cells; expected {len(header)}, as the heading "
                "line has. Correct the row; a comma inside a text needs quotes around the text."
            )
        for column, cell in zip(header, cells, strict=True):
            _decode(path, row, column, cell)
